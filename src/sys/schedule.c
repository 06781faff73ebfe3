/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schedule - scheduling policy, I/O priority and CPU affinity
 *
 * Runs in init and in the process of an exec, while they still have their
 * capabilities; the words are read wherever config.json is. Values are the
 * bundle's, the kernel judges them. glibc 2.36 has neither sched_setattr(2)
 * nor ioprio_set(2).
 */
#include "config.h"

#include <rnet/sys/schedule.h>

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <linux/ioprio.h>
#include <sys/syscall.h>

#include <rnet/util/parse.h>

#ifndef SCHED_ISO
#define SCHED_ISO 4 /* the specification's; reserved, no kernel has it */
#endif

enum {
    MAX_CPU_LIST = 65536, /* bytes */
    CPU_LIMIT = 8192,     /* the largest CONFIG_NR_CPUS of any architecture */
};

typedef struct Word {
    const char *word;
    uint64_t number;
} Word;

static const Word policies[] = {
    { "SCHED_OTHER", SCHED_OTHER }, { "SCHED_FIFO", SCHED_FIFO },
    { "SCHED_RR", SCHED_RR },       { "SCHED_BATCH", SCHED_BATCH },
    { "SCHED_ISO", SCHED_ISO },     { "SCHED_IDLE", SCHED_IDLE },
    { "SCHED_DEADLINE", 6 },
};

/* linux/sched.h, which does not go with sched.h */
static const Word flags[] = {
    { "SCHED_FLAG_RESET_ON_FORK", 0x01 },
    { "SCHED_FLAG_RECLAIM", 0x02 },
    { "SCHED_FLAG_DL_OVERRUN", 0x04 },
    { "SCHED_FLAG_KEEP_POLICY", 0x08 },
    { "SCHED_FLAG_KEEP_PARAMS", 0x10 },
    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
    { "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
};

static const Word io_classes[] = {
    { "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
    { "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
    { "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
};

static bool look_up(const char *word, const Word *words, gsize n,
                    uint64_t *out_number)
{
    for (gsize i = 0; i < n; i++) {
        if (strcmp(words[i].word, word) == 0) {
            *out_number = words[i].number;
            return true;
        }
    }
    return false;
}

static const char *name_of(uint64_t number, const Word *words, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (words[i].number == number)
            return words[i].word;
    }
    return "unknown";
}

bool rn_scheduler_parse_policy(const char *word, uint32_t *out_policy)
{
    uint64_t number = 0;

    if (!look_up(word, policies, G_N_ELEMENTS(policies), &number))
        return false;
    *out_policy = (uint32_t)number;
    return true;
}

bool rn_scheduler_parse_flag(const char *word, uint64_t *out_flag)
{
    return look_up(word, flags, G_N_ELEMENTS(flags), out_flag);
}

bool rn_io_priority_parse_class(const char *word, int *out_class)
{
    uint64_t number = 0;

    if (!look_up(word, io_classes, G_N_ELEMENTS(io_classes), &number))
        return false;
    *out_class = (int)number;
    return true;
}

static bool parse_cpu(const char *text, uint64_t *out_cpu, GError **error)
{
    return rn_parse_uint(text, 0, CPU_LIMIT - 1, "CPU", out_cpu, error);
}

/* One element, "3" or "0-3"; `text` is changed. */
static bool parse_range(char *text, uint64_t *out_first, uint64_t *out_last,
                        GError **error)
{
    char *last = strchr(text, '-');

    if (last != NULL)
        *last++ = '\0';
    if (!parse_cpu(text, out_first, error))
        return false;
    *out_last = *out_first;
    if (last == NULL)
        return true;
    if (!parse_cpu(last, out_last, error))
        return false;
    if (*out_last < *out_first)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "the range \"%s-%s\" ends before it begins", text,
                            last);
    return true;
}

static void set_range(cpu_set_t *set, gsize size, uint64_t first, uint64_t last)
{
    for (uint64_t cpu = first; cpu <= last; cpu++)
        CPU_SET_S(cpu, size, set);
}

/* As runc: blanks around an element and surplus commas are fine. */
static bool parse_list(const char *list, cpu_set_t *set, gsize size,
                       GError **error)
{
    g_auto(GStrv) elements = NULL;
    bool found = false;

    if (strnlen(list, MAX_CPU_LIST + 1) > MAX_CPU_LIST)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "the list of CPUs is longer than %d bytes",
                            MAX_CPU_LIST);
    elements = g_strsplit(list, ",", -1);
    for (gsize i = 0; elements[i] != NULL; i++) {
        char *element = g_strstrip(elements[i]);
        uint64_t first = 0;
        uint64_t last = 0;

        if (element[0] == '\0')
            continue;
        if (!parse_range(element, &first, &last, error))
            return false;
        set_range(set, size, first, last);
        found = true;
    }
    if (!found)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "the list of CPUs is empty");
    return true;
}

static bool parse_set(const char *list, cpu_set_t **out_set, gsize *out_size,
                      GError **error)
{
    gsize size = CPU_ALLOC_SIZE(CPU_LIMIT);
    cpu_set_t *set = g_malloc0(size);

    if (!parse_list(list, set, size, error)) {
        g_free(set);
        return false;
    }
    *out_set = set;
    *out_size = size;
    return true;
}

bool rn_cpu_list_check(const char *list, GError **error)
{
    g_autofree cpu_set_t *set = NULL;
    gsize size = 0;

    return parse_set(list, &set, &size, error);
}

bool rn_cpu_affinity_set(const char *list, GError **error)
{
    g_autofree cpu_set_t *set = NULL;
    gsize size = 0;
    int errno_value = 0;

    if (!parse_set(list, &set, &size, error))
        return false;
    if (sched_setaffinity(0, size, set) == 0)
        return true;
    errno_value = errno;
    (void)rn_set_errno(error, errno_value, "run on the CPUs \"%.64s\"", list);
    if (errno_value == EINVAL)
        return rn_error_add_hint(error, "none of them is there, or none is in "
                                        "the cpuset of the cgroup");
    return false;
}

/* sched_setattr(2), SCHED_ATTR_SIZE_VER0: all that the specification has.
 * glibc has the structure from 2.41 on, linux/sched/types.h does not go with
 * sched.h. */
typedef struct SchedAttr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
} SchedAttr;
G_STATIC_ASSERT(sizeof(SchedAttr) == 48);

bool rn_scheduler_set(const RnScheduler *scheduler, GError **error)
{
    const SchedAttr wanted = {
        .size = sizeof wanted,
        .policy = scheduler->policy,
        .flags = scheduler->flags,
        .nice = scheduler->nice,
        .priority = (uint32_t)scheduler->priority,
        .runtime_ns = scheduler->runtime_ns,
        .deadline_ns = scheduler->deadline_ns,
        .period_ns = scheduler->period_ns,
    };
    int errno_value = 0;

    if (syscall(SYS_sched_setattr, 0, &wanted, 0) == 0)
        return true;
    errno_value = errno;
    (void)rn_set_errno(
        error, errno_value, "set %s, nice %d, priority %d",
        name_of(scheduler->policy, policies, G_N_ELEMENTS(policies)),
        scheduler->nice, scheduler->priority);
    if (errno_value == EPERM)
        return rn_error_add_hint(error,
                                 "this takes CAP_SYS_NICE on the host, or "
                                 "RLIMIT_NICE and RLIMIT_RTPRIO that allow it");
    if (errno_value == EINVAL)
        return rn_error_add_hint(error, "see sched(7) for the values that go "
                                        "with a policy");
    return false;
}

bool rn_io_priority_set(const RnIoPriority *priority, GError **error)
{
    const int value =
        (int)IOPRIO_PRIO_VALUE(priority->io_class, priority->priority);
    int errno_value = 0;

    if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) == 0)
        return true;
    errno_value = errno;
    (void)rn_set_errno(error, errno_value, "set %s, priority %d",
                       name_of((uint64_t)priority->io_class, io_classes,
                               G_N_ELEMENTS(io_classes)),
                       priority->priority);
    if (errno_value == EPERM)
        return rn_error_add_hint(error, "this takes CAP_SYS_NICE on the host");
    return false;
}
