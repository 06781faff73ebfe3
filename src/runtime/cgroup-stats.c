/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-stats - what a container uses, as `runc events --stats` has it
 *
 * Runs in `events`. The member names and units are runc's (types/events.go);
 * what a hierarchy or a kernel does not have is left out, or 0 where runc's
 * readers expect a number. Files that cannot be read are no failure.
 */
#include "config.h"

#include <rnet/runtime/cgroup.h>

#include <string.h>

#include <rnet/sys/cgroup-dir.h>

#include "cgroup-stats.h"

void rn_stats_set(json_t *object, const char *name, uint64_t value)
{
    /* "no limit" is 2^64 - 1 in runc, more than jansson's integers hold */
    (void)json_object_set_new(
        object, name, json_integer((int64_t)MIN(value, (uint64_t)INT64_MAX)));
}

char *rn_stats_read(const RnCgroupPart *part, const char *file)
{
    char *text = NULL;

    if (part == NULL || !rn_cgroup_dir_read(part->directory, file, &text, NULL))
        return NULL;
    return text;
}

uint64_t rn_stats_number(const RnCgroupPart *part, const char *file)
{
    g_autofree char *text = rn_stats_read(part, file);

    if (text == NULL)
        return 0;
    return strcmp(text, "max") == 0 ? UINT64_MAX
                                    : g_ascii_strtoull(text, NULL, 10);
}

json_t *rn_stats_keys(const RnCgroupPart *part, const char *file)
{
    g_autofree char *text = rn_stats_read(part, file);
    g_auto(GStrv) lines = g_strsplit(text == NULL ? "" : text, "\n", -1);
    json_t *keys = json_object();

    for (char **line = lines; *line != NULL; line++) {
        char *space = strchr(*line, ' ');

        if (space == NULL)
            continue;
        *space = '\0';
        rn_stats_set(keys, *line, g_ascii_strtoull(space + 1, NULL, 10));
    }
    return keys;
}

uint64_t rn_stats_key(const json_t *keys, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(keys, name));
}

json_t *rn_stats_numbers(const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text == NULL ? "" : text, " \n", -1);
    json_t *numbers = json_array();

    for (char **word = words; *word != NULL; word++) {
        if ((*word)[0] != '\0')
            (void)json_array_append_new(
                numbers,
                json_integer((int64_t)g_ascii_strtoull(*word, NULL, 10)));
    }
    return numbers;
}

/* "0-2,7" as [0, 1, 2, 7] */
static json_t *list_to_json(const char *list)
{
    enum {
        LIST_MAX = 65536, /* the kernel's lists are far shorter */
    };
    g_auto(GStrv) ranges = g_strsplit(list, ",", -1);
    json_t *numbers = json_array();

    for (char **range = ranges; *range != NULL; range++) {
        char *end = NULL;
        uint64_t first = g_ascii_strtoull(*range, &end, 10);
        uint64_t last =
            *end == '-' ? g_ascii_strtoull(end + 1, NULL, 10) : first;

        for (; first <= last && json_array_size(numbers) < LIST_MAX &&
               end != *range;
             first++)
            (void)json_array_append_new(numbers, json_integer((int64_t)first));
    }
    return numbers;
}

static json_t *read_cpuset(const GPtrArray *parts)
{
    static const struct {
        const char *name, *v1, *v2;
    } lists[] = {
        { "cpus", "cpuset.cpus", "cpuset.cpus.effective" },
        { "mems", "cpuset.mems", "cpuset.mems.effective" },
    };
    const RnCgroupPart *v1 = rn_cgroup_find_part(parts, 1, "cpuset");
    const RnCgroupPart *v2 = rn_cgroup_find_part(parts, 2, "cpuset");
    json_t *cpuset = json_object();

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *text = v1 != NULL ? rn_stats_read(v1, lists[i].v1)
                                           : rn_stats_read(v2, lists[i].v2);

        if (text != NULL && text[0] != '\0')
            (void)json_object_set_new(cpuset, lists[i].name,
                                      list_to_json(text));
    }
    return cpuset;
}

/* pids.current and pids.max are the same in both versions. */
static json_t *read_pids(const GPtrArray *parts)
{
    const RnCgroupPart *v1 = rn_cgroup_find_part(parts, 1, "pids");
    const RnCgroupPart *part =
        v1 != NULL ? v1 : rn_cgroup_find_part(parts, 2, "pids");
    uint64_t limit = rn_stats_number(part, "pids.max");
    json_t *pids = json_object();

    rn_stats_set(pids, "current", rn_stats_number(part, "pids.current"));
    if (limit != UINT64_MAX) /* runc: 0 or nothing is no limit */
        rn_stats_set(pids, "limit", limit);
    return pids;
}

/* By v1 if that has the controller, else by v2, which may have zeros only. */
static json_t *read_group(const GPtrArray *parts, const char *v1_controller,
                          const char *v2_controller, RnStatsFunc v1_func,
                          RnStatsFunc v2_func)
{
    const RnCgroupPart *v1 = rn_cgroup_find_part(parts, 1, v1_controller);
    json_t *group = json_object();

    if (v1 != NULL)
        v1_func(v1, parts, group);
    else
        v2_func(rn_cgroup_find_part(parts, 2, v2_controller), parts, group);
    return group;
}

json_t *rn_cgroup_stats(const RnCgroup *cgroup, GError **error)
{
    const GPtrArray *parts = cgroup->parts;
    json_t *data = NULL;

    if (!rn_cgroup_exists(cgroup)) {
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "statistics: the container has no cgroup");
        return NULL;
    }
    data = json_object();
    (void)json_object_set_new(data, "cpu",
                              read_group(parts, "cpuacct", "cgroup",
                                         rn_stats_cpu_v1, rn_stats_cpu_v2));
    (void)json_object_set_new(data, "cpuset", read_cpuset(parts));
    (void)json_object_set_new(data, "memory",
                              read_group(parts, "memory", "memory",
                                         rn_stats_memory_v1,
                                         rn_stats_memory_v2));
    (void)json_object_set_new(data, "pids", read_pids(parts));
    (void)json_object_set_new(
        data, "blkio",
        read_group(parts, "blkio", "io", rn_stats_block_v1, rn_stats_block_v2));
    (void)json_object_set_new(data, "hugetlb",
                              read_group(parts, "hugetlb", "hugetlb",
                                         rn_stats_hugetlb, rn_stats_hugetlb));
    (void)json_object_set_new(data, "intel_rdt", json_object());
    (void)json_object_set_new(data, "network_interfaces", json_null());
    return data;
}
