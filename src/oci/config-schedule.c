/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-schedule - scheduler, ioPriority and execCPUAffinity of "process"
 *
 * runtime-spec config.md, Linux Process. Runs in the launcher, as config.c
 * says. Which combinations a policy takes is the kernel's to say.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

enum {
    NICE_MIN = -20, /* sched(7) */
    NICE_MAX = 19,
    PRIORITY_MAX = 99,
    IO_PRIORITY_MAX = 7, /* ioprio_set(2), config.md */
};

static bool read_int32(const RnJsonAt *at, int64_t min, int64_t max,
                       void *target, GError **error)
{
    int64_t value = 0;

    if (!rn_json_read_range(at, min, max, &value, error))
        return false;
    *(int32_t *)target = (int32_t)value;
    return true;
}

static bool read_policy(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *word = NULL;

    if (!rn_json_read_string(at, &word, error))
        return false;
    return rn_scheduler_parse_policy(word, target) ||
           rn_config_fail_word(at, word, "a scheduling policy", error);
}

static bool read_nice(const RnJsonAt *at, void *target, GError **error)
{
    return read_int32(at, NICE_MIN, NICE_MAX, target, error);
}

static bool read_priority(const RnJsonAt *at, void *target, GError **error)
{
    return read_int32(at, 0, PRIORITY_MAX, target, error);
}

static bool add_flag(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *word = NULL;
    uint64_t flag = 0;

    if (!rn_json_read_string(at, &word, error))
        return false;
    if (!rn_scheduler_parse_flag(word, &flag))
        return rn_config_fail_word(at, word, "a flag of the scheduler", error);
    *(uint64_t *)target |= flag;
    return true;
}

static bool read_flags(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_elements(at, add_flag, target, error);
}

bool rn_config_read_scheduler(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "policy", read_policy, G_STRUCT_OFFSET(RnScheduler, policy),
          RN_JSON_REQUIRED },
        { "nice", read_nice, G_STRUCT_OFFSET(RnScheduler, nice),
          RN_JSON_OPTIONAL },
        { "priority", read_priority, G_STRUCT_OFFSET(RnScheduler, priority),
          RN_JSON_OPTIONAL },
        { "flags", read_flags, G_STRUCT_OFFSET(RnScheduler, flags),
          RN_JSON_OPTIONAL },
        { "runtime", rn_json_read_uint64,
          G_STRUCT_OFFSET(RnScheduler, runtime_ns), RN_JSON_OPTIONAL },
        { "deadline", rn_json_read_uint64,
          G_STRUCT_OFFSET(RnScheduler, deadline_ns), RN_JSON_OPTIONAL },
        { "period", rn_json_read_uint64,
          G_STRUCT_OFFSET(RnScheduler, period_ns), RN_JSON_OPTIONAL },
    };
    RnProcess *process = target;

    process->has_scheduler = true;
    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields),
                                &process->scheduler, error);
}

static bool read_class(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *word = NULL;

    if (!rn_json_read_string(at, &word, error))
        return false;
    return rn_io_priority_parse_class(word, target) ||
           rn_config_fail_word(at, word, "an I/O scheduling class", error);
}

static bool read_io_level(const RnJsonAt *at, void *target, GError **error)
{
    return read_int32(at, 0, IO_PRIORITY_MAX, target, error);
}

bool rn_config_read_io_priority(const RnJsonAt *at, void *target,
                                GError **error)
{
    static const RnJsonField fields[] = {
        { "class", read_class, G_STRUCT_OFFSET(RnIoPriority, io_class),
          RN_JSON_REQUIRED },
        { "priority", read_io_level, G_STRUCT_OFFSET(RnIoPriority, priority),
          RN_JSON_REQUIRED },
    };
    RnProcess *process = target;

    process->has_io_priority = true;
    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields),
                                &process->io_priority, error);
}

bool rn_config_read_cpu_list(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *list = NULL;
    char **value = target;

    if (!rn_json_read_string(at, &list, error))
        return false;
    if (list[0] == '\0')
        return true;
    if (!rn_cpu_list_check(list, NULL))
        return rn_config_fail_word(at, list, "a list like \"0-3,7\"", error);
    g_free(*value);
    *value = g_steal_pointer(&list);
    return true;
}

bool rn_config_read_affinity(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "initial", rn_config_read_cpu_list,
          G_STRUCT_OFFSET(RnProcess, affinity_initial), RN_JSON_OPTIONAL },
        { "final", rn_config_read_cpu_list,
          G_STRUCT_OFFSET(RnProcess, affinity_final), RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}
