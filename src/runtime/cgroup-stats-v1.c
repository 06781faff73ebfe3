/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-stats-v1 - usage and limits in the files of cgroup v1; and hugetlb's,
 * which differ in little
 *
 * Runs in `events`. See cgroup-stats.c.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include <rnet/sys/cgroup-dir.h>

#include "cgroup-stats.h"

enum {
    /* cpuacct.stat counts in this many ticks a second, proc(5) */
    TICKS_PER_SECOND = 100,
    NS_PER_TICK = 1000000000 / TICKS_PER_SECOND,
};

static void add_throttling(const RnCgroupPart *part, json_t *group)
{
    json_t *stat = rn_stats_keys(part, "cpu.stat");
    json_t *throttling = json_object();

    rn_stats_set(throttling, "periods", rn_stats_key(stat, "nr_periods"));
    rn_stats_set(throttling, "throttledPeriods",
                 rn_stats_key(stat, "nr_throttled"));
    rn_stats_set(throttling, "throttledTime",
                 rn_stats_key(stat, "throttled_time"));
    (void)json_object_set_new(group, "throttling", throttling);
    json_decref(stat);
}

void rn_stats_cpu_v1(const RnCgroupPart *part, const GPtrArray *parts,
                     json_t *group)
{
    json_t *stat = rn_stats_keys(part, "cpuacct.stat");
    json_t *usage = json_object();
    g_autofree char *each = rn_stats_read(part, "cpuacct.usage_percpu");

    rn_stats_set(usage, "total", rn_stats_number(part, "cpuacct.usage"));
    (void)json_object_set_new(usage, "percpu", rn_stats_numbers(each));
    rn_stats_set(usage, "kernel", rn_stats_key(stat, "system") * NS_PER_TICK);
    rn_stats_set(usage, "user", rn_stats_key(stat, "user") * NS_PER_TICK);
    (void)json_object_set_new(group, "usage", usage);
    add_throttling(rn_cgroup_find_part(parts, 1, "cpu"), group);
    json_decref(stat);
}

static void add_memory(const RnCgroupPart *part, const char *name,
                       const char *prefix, json_t *group)
{
    static const struct {
        const char *name, *suffix;
    } numbers[] = {
        { "limit", "limit_in_bytes" },
        { "usage", "usage_in_bytes" },
        { "max", "max_usage_in_bytes" },
        { "failcnt", "failcnt" },
    };
    json_t *entry = json_object();

    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *file =
            g_strdup_printf("%s.%s", prefix, numbers[i].suffix);

        rn_stats_set(entry, numbers[i].name, rn_stats_number(part, file));
    }
    (void)json_object_set_new(group, name, entry);
}

void rn_stats_memory_v1(const RnCgroupPart *part, const GPtrArray *parts,
                        json_t *group)
{
    json_t *stat = rn_stats_keys(part, "memory.stat");

    (void)parts;
    rn_stats_set(group, "cache", rn_stats_key(stat, "cache"));
    add_memory(part, "usage", "memory", group);
    add_memory(part, "swap", "memory.memsw", group);
    add_memory(part, "kernel", "memory.kmem", group);
    add_memory(part, "kernelTCP", "memory.kmem.tcp", group);
    (void)json_object_set_new(group, "raw", stat);
}

/* Lines "MAJOR:MINOR OP VALUE"; the sum at the end has no device. */
static json_t *read_block(const RnCgroupPart *part, const char *file,
                          const char *other_file)
{
    g_autofree char *first = rn_stats_read(part, file);
    g_autofree char *second = NULL;
    g_auto(GStrv) lines = NULL;
    json_t *entries = json_array();

    if (first == NULL || strchr(first, ':') == NULL)
        second = rn_stats_read(part, other_file);
    lines = g_strsplit(second != NULL ? second : (first != NULL ? first : ""),
                       "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit_set(*line, ": ", 4);
        json_t *entry = NULL;

        if (g_strv_length(words) != 4)
            continue;
        entry = json_pack("{s:s}", "op", words[2]);
        if (entry == NULL)
            continue;
        rn_stats_set(entry, "major", g_ascii_strtoull(words[0], NULL, 10));
        rn_stats_set(entry, "minor", g_ascii_strtoull(words[1], NULL, 10));
        rn_stats_set(entry, "value", g_ascii_strtoull(words[3], NULL, 10));
        (void)json_array_append_new(entries, entry);
    }
    return entries;
}

void rn_stats_block_v1(const RnCgroupPart *part, const GPtrArray *parts,
                       json_t *group)
{
    (void)parts;
    (void)json_object_set_new(
        group, "ioServiceBytesRecursive",
        read_block(part, "blkio.bfq.io_service_bytes_recursive",
                   "blkio.throttle.io_service_bytes_recursive"));
    (void)json_object_set_new(
        group, "ioServicedRecursive",
        read_block(part, "blkio.bfq.io_serviced_recursive",
                   "blkio.throttle.io_serviced_recursive"));
}

static json_t *read_hugepages(const RnCgroupPart *part, const char *size)
{
    static const struct {
        const char *name, *files[2]; /* v1's, v2's */
    } numbers[] = {
        { "usage", { "usage_in_bytes", "current" } },
        { "max", { "max_usage_in_bytes", "max" } },
        { "failcnt", { "failcnt", "events" } },
    };
    json_t *entry = json_object();

    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *file = g_strdup_printf(
            "hugetlb.%s.%s", size, numbers[i].files[part->version - 1]);
        json_t *events = NULL;

        /* as runc: v2 has no highest usage, and events are lines of keys */
        if (part->version == 2 && i == 1)
            continue;
        if (part->version == 2 && i == 2) {
            events = rn_stats_keys(part, file);
            rn_stats_set(entry, "failcnt", rn_stats_key(events, "max"));
            json_decref(events);
            continue;
        }
        rn_stats_set(entry, numbers[i].name, rn_stats_number(part, file));
    }
    return entry;
}

void rn_stats_hugetlb(const RnCgroupPart *part, const GPtrArray *parts,
                      json_t *group)
{
    g_autoptr(GDir) dir =
        part == NULL ? NULL : g_dir_open(part->directory, 0, NULL);
    const char *suffix =
        part != NULL && part->version == 2 ? ".current" : ".usage_in_bytes";
    const char *name = NULL;

    (void)parts;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *size = NULL;

        if (!g_str_has_prefix(name, "hugetlb.") ||
            !g_str_has_suffix(name, suffix))
            continue;
        size = g_strndup(name + strlen("hugetlb."),
                         strlen(name) - strlen("hugetlb.") - strlen(suffix));
        if (strchr(size, '.') == NULL) /* not the reservations */
            (void)json_object_set_new(group, size, read_hugepages(part, size));
    }
}
