/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-namespaces - "linux.namespaces" and "linux.timeOffsets" of config.json
 *
 * runtime-spec config-linux.md, Namespaces and Offset for Time Namespace. Runs
 * in the launcher, as config.c says. Whether a path leads to a namespace of its
 * type is seen when it is joined.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#include <sched.h>
#include <string.h>

/* kernel/time/namespace.c: KTIME_SEC_MAX, what fits into 2^63 nanoseconds */
#define OFFSET_MAX_S INT64_C(9223372036)

enum {
    NANOSECONDS_MAX = 999999999
};

static const struct {
    const char *name;
    uint64_t flag;
} types[] = {
    { "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC },
    { "mount", CLONE_NEWNS },      { "network", CLONE_NEWNET },
    { "pid", CLONE_NEWPID },       { "time", CLONE_NEWTIME },
    { "user", CLONE_NEWUSER },     { "uts", CLONE_NEWUTS },
};

void rn_join_free(RnJoin *join)
{
    if (join == NULL)
        return;
    g_free(join->path);
    g_free(join);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnJoin, rn_join_free)

static bool read_type(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *type = NULL;

    if (!rn_json_read_string(at, &type, error))
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].name, type) != 0)
            continue;
        *(uint64_t *)target = types[i].flag;
        return true;
    }
    return rn_config_fail_word(at, type, "a type of namespace", error);
}

/* An empty path counts as none. */
static bool read_path(const RnJsonAt *at, void *target, GError **error)
{
    if (json_is_string(at->node) && json_string_length(at->node) == 0)
        return true;
    return rn_json_read_path(at, target, error);
}

/* Those that are given so far, new or joined. */
static uint64_t given_flags(const RnConfig *config)
{
    uint64_t flags = config->namespaces;

    for (unsigned i = 0; i < config->joins->len; i++)
        flags |= ((const RnJoin *)g_ptr_array_index(config->joins, i))->flag;
    return flags;
}

static bool add_namespace(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "type", read_type, G_STRUCT_OFFSET(RnJoin, flag), RN_JSON_REQUIRED },
        { "path", read_path, G_STRUCT_OFFSET(RnJoin, path), RN_JSON_OPTIONAL },
    };
    g_autoptr(RnJoin) join = g_new0(RnJoin, 1);
    RnConfig *config = target;

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), join, error))
        return false;
    if ((given_flags(config) & join->flag) != 0)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "the type is given twice");
    if (join->path == NULL)
        config->namespaces |= join->flag;
    else
        g_ptr_array_add(config->joins, g_steal_pointer(&join));
    return true;
}

bool rn_config_read_namespaces(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_elements(at, add_namespace, target, error);
}

bool rn_config_has_namespace(const RnConfig *config, uint64_t flag)
{
    return (given_flags(config) & flag) != 0;
}

/* time_namespaces(7): the clocks that have an offset. */
static const char *find_clock(const char *name)
{
    static const char *const clocks[] = { "monotonic", "boottime" };

    for (gsize i = 0; i < G_N_ELEMENTS(clocks); i++)
        if (strcmp(clocks[i], name) == 0)
            return clocks[i];
    return NULL;
}

static bool read_seconds(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_range(at, -OFFSET_MAX_S, OFFSET_MAX_S, target, error);
}

static bool read_nanoseconds(const RnJsonAt *at, void *target, GError **error)
{
    int64_t value = 0;

    if (!rn_json_read_range(at, 0, NANOSECONDS_MAX, &value, error))
        return false;
    *(uint32_t *)target = (uint32_t)value;
    return true;
}

static bool append_offset(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "secs", read_seconds, G_STRUCT_OFFSET(RnTimeOffset, seconds),
          RN_JSON_OPTIONAL },
        { "nanosecs", read_nanoseconds,
          G_STRUCT_OFFSET(RnTimeOffset, nanoseconds), RN_JSON_OPTIONAL },
    };
    RnTimeOffset offset = { .clock = find_clock(at->name) };

    if (offset.clock == NULL)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "is not \"monotonic\" or \"boottime\"");
    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &offset, error))
        return false;
    g_array_append_val((GArray *)target, offset);
    return true;
}

bool rn_config_read_time_offsets(const RnJsonAt *at, void *target,
                                 GError **error)
{
    GArray **offsets = target;

    return rn_json_read_entries(at, append_offset, *offsets, error);
}

const char **rn_config_namespace_words(void)
{
    const char **names = g_new0(const char *, G_N_ELEMENTS(types) + 1);

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        names[i] = types[i].name;
    return names;
}
