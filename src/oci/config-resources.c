/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-resources - "linux.resources" of config.json, and of `update`
 *
 * runtime-spec config-linux.md, Control groups. Runs in the launcher and in
 * `update`, on documents that may be hostile. Where a number's range is given
 * it is that of the specification or of the kernel file that it goes into.
 *
 * Engines write 0 where they mean that nothing was asked for (docker's
 * "blockIO": {"weight": 0}), and runc reads it so: for numbers whose 0 would
 * let nothing run it counts as not given.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#include <string.h>

enum {
    /* kernel/sched/core.c, MIN_SHARES and MAX_SHARES: beyond, it clamps */
    SHARES_MIN = 2,
    SHARES_MAX = 262144,
    /* sched-bwc.rst: a period is from 1 ms to 1 s, a quota 1 ms at least */
    PERIOD_MIN_US = 1000,
    PERIOD_MAX_US = 1000000,
    SWAPPINESS_MAX = 100, /* config-linux.md, Memory */
    HUGEPAGES_MAX = 64,   /* far beyond the sizes of any architecture */
    PRIORITIES_MAX = 1024,
    RDMA_MAX = 1024,
    UNIFIED_MAX = 1024, /* files of a cgroup: about a hundred */
};

bool rn_config_read_numbers(const RnJsonAt *at, const RnConfigNumber *numbers,
                            gsize n_numbers, void *target, GError **error)
{
    for (gsize i = 0; i < n_numbers; i++) {
        const RnConfigNumber *number = &numbers[i];
        json_t *node = json_object_get(at->node, number->name);
        RnJsonAt member = { .parent = at, .name = number->name, .node = node };
        RnOptionalInt *out = G_STRUCT_MEMBER_P(target, number->offset);
        int64_t value = 0;

        if (node == NULL || json_is_null(node))
            continue;
        if (number->zero == RN_ZERO_IS_NONE && json_is_integer(node) &&
            json_integer_value(node) == 0)
            continue;
        if (!rn_json_read_range(&member, number->min, number->max, &value,
                                error))
            return false;
        *out = (RnOptionalInt){ .given = true, .value = value };
    }
    return true;
}

static bool read_flag(const RnJsonAt *at, void *target, GError **error)
{
    RnOptionalInt *out = target;
    bool flag = false;

    if (!rn_json_read_bool(at, &flag, error))
        return false;
    *out = (RnOptionalInt){ .given = true, .value = flag };
    return true;
}

/* 2^64-1 is -1 of an engine that knows no "not given". */
static bool read_swappiness(const RnJsonAt *at, void *target, GError **error)
{
    RnOptionalInt *out = target;
    uint64_t large = 0;
    int64_t value = 0;

    if (rn_json_get_large(at->node, &large) && large == UINT64_MAX)
        return true;
    if (!rn_json_read_range(at, 0, SWAPPINESS_MAX, &value, error))
        return false;
    *out = (RnOptionalInt){ .given = true, .value = value };
    return true;
}

static bool read_memory(const RnJsonAt *at, void *target, GError **error)
{
    static const RnConfigNumber numbers[] = {
        { "limit", G_STRUCT_OFFSET(RnMemoryResources, limit), -1, INT64_MAX,
          RN_ZERO_IS_NONE },
        { "reservation", G_STRUCT_OFFSET(RnMemoryResources, reservation), -1,
          INT64_MAX, RN_ZERO_IS_NONE },
        { "swap", G_STRUCT_OFFSET(RnMemoryResources, swap), -1, INT64_MAX,
          RN_ZERO_IS_NONE },
        { "kernel", G_STRUCT_OFFSET(RnMemoryResources, kernel), -1, INT64_MAX,
          RN_ZERO_IS_NONE },
        { "kernelTCP", G_STRUCT_OFFSET(RnMemoryResources, kernel_tcp), -1,
          INT64_MAX, RN_ZERO_IS_NONE },
    };
    static const RnJsonField fields[] = {
        { "swappiness", read_swappiness,
          G_STRUCT_OFFSET(RnMemoryResources, swappiness), RN_JSON_OPTIONAL },
        { "disableOOMKiller", read_flag,
          G_STRUCT_OFFSET(RnMemoryResources, disable_oom_killer),
          RN_JSON_OPTIONAL },
        { "useHierarchy", read_flag,
          G_STRUCT_OFFSET(RnMemoryResources, use_hierarchy), RN_JSON_OPTIONAL },
        { "checkBeforeUpdate", read_flag,
          G_STRUCT_OFFSET(RnMemoryResources, check_before_update),
          RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error) &&
           rn_config_read_numbers(at, numbers, G_N_ELEMENTS(numbers), target,
                                  error);
}

/* Any negative one means none, as to the kernel. */
static bool read_quota(const RnJsonAt *at, void *target, GError **error)
{
    RnOptionalInt *out = target;
    int64_t value = 0;

    if (!rn_json_read_int64(at, &value, error))
        return false;
    if (value == 0)
        return true;
    if (value > 0 && value < PERIOD_MIN_US)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "must be %d at least, or -1", PERIOD_MIN_US);
    *out = (RnOptionalInt){ .given = true, .value = MAX(value, -1) };
    return true;
}

static bool check_cpu(const RnJsonAt *at, RnCpuResources *cpu, GError **error)
{
    if (cpu->burst.given && cpu->quota.given && cpu->quota.value > 0 &&
        cpu->burst.value > cpu->quota.value)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "burst is greater than quota");
    if (cpu->shares.given)
        cpu->shares.value = CLAMP(cpu->shares.value, SHARES_MIN, SHARES_MAX);
    return true;
}

static bool read_cpu(const RnJsonAt *at, void *target, GError **error)
{
    static const RnConfigNumber numbers[] = {
        { "shares", G_STRUCT_OFFSET(RnCpuResources, shares), 0, INT64_MAX,
          RN_ZERO_IS_NONE },
        { "burst", G_STRUCT_OFFSET(RnCpuResources, burst), 0, INT64_MAX,
          RN_ZERO_IS_ZERO },
        { "period", G_STRUCT_OFFSET(RnCpuResources, period), PERIOD_MIN_US,
          PERIOD_MAX_US, RN_ZERO_IS_NONE },
        { "realtimeRuntime", G_STRUCT_OFFSET(RnCpuResources, realtime_runtime),
          -1, INT64_MAX, RN_ZERO_IS_NONE },
        { "realtimePeriod", G_STRUCT_OFFSET(RnCpuResources, realtime_period), 0,
          INT64_MAX, RN_ZERO_IS_NONE },
        { "idle", G_STRUCT_OFFSET(RnCpuResources, idle), 0, 1,
          RN_ZERO_IS_ZERO },
    };
    static const RnJsonField fields[] = {
        { "quota", read_quota, G_STRUCT_OFFSET(RnCpuResources, quota),
          RN_JSON_OPTIONAL },
        { "cpus", rn_config_read_cpu_list,
          G_STRUCT_OFFSET(RnCpuResources, cpus), RN_JSON_OPTIONAL },
        { "mems", rn_config_read_cpu_list,
          G_STRUCT_OFFSET(RnCpuResources, mems), RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error) &&
           rn_config_read_numbers(at, numbers, G_N_ELEMENTS(numbers), target,
                                  error) &&
           check_cpu(at, target, error);
}

static bool read_pids(const RnJsonAt *at, void *target, GError **error)
{
    static const RnConfigNumber numbers[] = {
        { "limit", G_STRUCT_OFFSET(RnResources, pids_limit), -1, INT64_MAX,
          RN_ZERO_IS_ZERO },
    };

    return rn_json_read_members(at, NULL, 0, target, error) &&
           rn_config_read_numbers(at, numbers, G_N_ELEMENTS(numbers), target,
                                  error);
}

/* config-linux.md, Huge page limits: "64KB", "2MB", "1GB". It becomes part of
 * a file's name. */
static bool is_page_size(const char *text)
{
    gsize digits = strspn(text, "0123456789");

    return digits >= 1 && text[0] != '0' && text[digits] != '\0' &&
           strchr("KMG", text[digits]) != NULL &&
           strcmp(text + digits + 1, "B") == 0;
}

static bool read_page_size(const RnJsonAt *at, void *target, GError **error)
{
    char **value = target;

    if (!rn_json_read_string(at, value, error))
        return false;
    if (is_page_size(*value))
        return true;
    return rn_config_fail_word(
        at, *value, "a page size like \"64KB\", \"2MB\", \"1GB\"", error);
}

static bool append_hugepage(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "pageSize", read_page_size,
          G_STRUCT_OFFSET(RnHugepageLimit, page_size), RN_JSON_REQUIRED },
        { "limit", rn_json_read_uint64, G_STRUCT_OFFSET(RnHugepageLimit, limit),
          RN_JSON_REQUIRED },
    };
    GArray *limits = target;

    g_array_set_size(limits, limits->len + 1);
    return rn_json_read_members(
        at, fields, G_N_ELEMENTS(fields),
        &g_array_index(limits, RnHugepageLimit, limits->len - 1), error);
}

static bool read_hugepages(const RnJsonAt *at, void *target, GError **error)
{
    GArray **limits = target;

    return rn_json_check_count(at, HUGEPAGES_MAX, error) &&
           rn_json_read_elements(at, append_hugepage, *limits, error);
}

static bool append_priority(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "name", rn_config_read_interface,
          G_STRUCT_OFFSET(RnNetworkPriority, name), RN_JSON_REQUIRED },
        { "priority", rn_json_read_uint32,
          G_STRUCT_OFFSET(RnNetworkPriority, priority), RN_JSON_REQUIRED },
    };
    GArray *priorities = target;

    g_array_set_size(priorities, priorities->len + 1);
    return rn_json_read_members(
        at, fields, G_N_ELEMENTS(fields),
        &g_array_index(priorities, RnNetworkPriority, priorities->len - 1),
        error);
}

static bool read_priorities(const RnJsonAt *at, void *target, GError **error)
{
    GArray **priorities = target;

    return rn_json_check_count(at, PRIORITIES_MAX, error) &&
           rn_json_read_elements(at, append_priority, *priorities, error);
}

static bool read_network(const RnJsonAt *at, void *target, GError **error)
{
    static const RnConfigNumber numbers[] = {
        { "classID", G_STRUCT_OFFSET(RnResources, network_class), 0, UINT32_MAX,
          RN_ZERO_IS_ZERO },
    };
    static const RnJsonField fields[] = {
        { "priorities", read_priorities,
          G_STRUCT_OFFSET(RnResources, network_priorities), RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error) &&
           rn_config_read_numbers(at, numbers, G_N_ELEMENTS(numbers), target,
                                  error);
}

static bool append_rdma(const RnJsonAt *at, void *target, GError **error)
{
    static const RnConfigNumber numbers[] = {
        { "hcaHandles", G_STRUCT_OFFSET(RnRdmaLimit, handles), 0, UINT32_MAX,
          RN_ZERO_IS_ZERO },
        { "hcaObjects", G_STRUCT_OFFSET(RnRdmaLimit, objects), 0, UINT32_MAX,
          RN_ZERO_IS_ZERO },
    };
    RnRdmaLimit limit = { 0 };
    GArray *limits = target;

    if (!rn_config_is_word(at->name))
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "is not the name of a device");
    if (!rn_json_read_members(at, NULL, 0, &limit, error) ||
        !rn_config_read_numbers(at, numbers, G_N_ELEMENTS(numbers), &limit,
                                error))
        return false;
    if (!limit.handles.given && !limit.objects.given)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "needs hcaHandles or hcaObjects");
    limit.device = g_strdup(at->name);
    g_array_append_val(limits, limit);
    return true;
}

static bool read_rdma(const RnJsonAt *at, void *target, GError **error)
{
    GArray **limits = target;

    return rn_json_check_count(at, RDMA_MAX, error) &&
           rn_json_read_entries(at, append_rdma, *limits, error);
}

/* The key becomes the name of a file in the cgroup's directory. */
static bool append_unified(const RnJsonAt *at, void *target, GError **error)
{
    RnUnifiedValue unified = { 0 };
    GArray *values = target;

    if (!rn_config_is_word(at->name) || at->name[0] == '.' ||
        strchr(at->name, '/') != NULL)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "is not the name of a file of a cgroup");
    if (!rn_json_read_string(at, &unified.value, error))
        return false;
    unified.file = g_strdup(at->name);
    g_array_append_val(values, unified);
    return true;
}

static bool read_unified(const RnJsonAt *at, void *target, GError **error)
{
    GArray **values = target;

    return rn_json_check_count(at, UNIFIED_MAX, error) &&
           rn_json_read_entries(at, append_unified, *values, error);
}

bool rn_config_read_resources(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "devices", rn_config_read_device_rules,
          G_STRUCT_OFFSET(RnResources, devices), RN_JSON_OPTIONAL },
        { "memory", read_memory, G_STRUCT_OFFSET(RnResources, memory),
          RN_JSON_OPTIONAL },
        { "cpu", read_cpu, G_STRUCT_OFFSET(RnResources, cpu),
          RN_JSON_OPTIONAL },
        { "pids", read_pids, 0, RN_JSON_OPTIONAL },
        { "blockIO", rn_config_read_block, G_STRUCT_OFFSET(RnResources, block),
          RN_JSON_OPTIONAL },
        { "hugepageLimits", read_hugepages,
          G_STRUCT_OFFSET(RnResources, hugepages), RN_JSON_OPTIONAL },
        { "network", read_network, 0, RN_JSON_OPTIONAL },
        { "rdma", read_rdma, G_STRUCT_OFFSET(RnResources, rdma),
          RN_JSON_OPTIONAL },
        { "unified", read_unified, G_STRUCT_OFFSET(RnResources, unified),
          RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}
