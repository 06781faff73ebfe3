/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-stats-v2 - usage and limits in the files of cgroup v2
 *
 * Runs in `events`. See cgroup-stats.c. The numbers of v2 that have no place in
 * runc's JSON are in "raw".
 */
#include "config.h"

#include <string.h>

#include "cgroup-stats.h"

enum {
    NS_PER_US = 1000,
};

/* cpu.stat is in every cgroup, with or without the controller. */
void rn_stats_cpu_v2(const RnCgroupPart *part, const GPtrArray *parts,
                     json_t *group)
{
    json_t *stat = rn_stats_keys(part, "cpu.stat");
    json_t *usage = json_object();
    json_t *throttling = json_object();

    (void)parts;
    rn_stats_set(usage, "total", rn_stats_key(stat, "usage_usec") * NS_PER_US);
    rn_stats_set(usage, "kernel",
                 rn_stats_key(stat, "system_usec") * NS_PER_US);
    rn_stats_set(usage, "user", rn_stats_key(stat, "user_usec") * NS_PER_US);
    rn_stats_set(throttling, "periods", rn_stats_key(stat, "nr_periods"));
    rn_stats_set(throttling, "throttledPeriods",
                 rn_stats_key(stat, "nr_throttled"));
    rn_stats_set(throttling, "throttledTime",
                 rn_stats_key(stat, "throttled_usec") * NS_PER_US);
    (void)json_object_set_new(group, "usage", usage);
    (void)json_object_set_new(group, "throttling", throttling);
    json_decref(stat);
}

static json_t *read_entry(const RnCgroupPart *part, const char *limit_file,
                          const char *usage_file, const char *max_file,
                          const char *events_file)
{
    json_t *events = rn_stats_keys(part, events_file);
    json_t *entry = json_object();

    rn_stats_set(entry, "limit", rn_stats_number(part, limit_file));
    rn_stats_set(entry, "usage", rn_stats_number(part, usage_file));
    rn_stats_set(entry, "max", rn_stats_number(part, max_file));
    rn_stats_set(entry, "failcnt", rn_stats_key(events, "max"));
    json_decref(events);
    return entry;
}

/* runc's "swap" is memory and swap together, as in v1. */
static void add_to_swap(json_t *swap, const json_t *memory, const char *name)
{
    uint64_t alone = rn_stats_key(swap, name);
    uint64_t with = rn_stats_key(memory, name);

    if (json_is_integer(json_object_get(swap, name)) &&
        json_is_integer(json_object_get(memory, name)))
        rn_stats_set(swap, name, alone + with);
}

void rn_stats_memory_v2(const RnCgroupPart *part, const GPtrArray *parts,
                        json_t *group)
{
    json_t *stat = rn_stats_keys(part, "memory.stat");
    json_t *usage = read_entry(part, "memory.max", "memory.current",
                               "memory.peak", "memory.events");
    json_t *swap = read_entry(part, "memory.swap.max", "memory.swap.current",
                              "memory.swap.peak", "memory.swap.events");

    (void)parts;
    add_to_swap(swap, usage, "usage");
    add_to_swap(swap, usage, "limit");
    rn_stats_set(group, "cache", rn_stats_key(stat, "file"));
    (void)json_object_set_new(group, "usage", usage);
    (void)json_object_set_new(group, "swap", swap);
    (void)json_object_set_new(
        group, "kernel", json_pack("{s:i, s:i}", "limit", 0, "failcnt", 0));
    (void)json_object_set_new(
        group, "kernelTCP", json_pack("{s:i, s:i}", "limit", 0, "failcnt", 0));
    (void)json_object_set_new(group, "raw", stat);
}

/* The words of io.stat, and where runc's JSON has them. */
static const struct {
    const char *word, *list, *operation;
} block_words[] = {
    { "rbytes", "ioServiceBytesRecursive", "Read" },
    { "wbytes", "ioServiceBytesRecursive", "Write" },
    { "dbytes", "ioServiceBytesRecursive", "Discard" },
    { "rios", "ioServicedRecursive", "Read" },
    { "wios", "ioServicedRecursive", "Write" },
    { "dios", "ioServicedRecursive", "Discard" },
};

static void add_word(uint64_t major, uint64_t minor, const char *word,
                     json_t *group)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(block_words); i++) {
        gsize length = strlen(block_words[i].word);
        json_t *entry = NULL;

        if (strncmp(word, block_words[i].word, length) != 0 ||
            word[length] != '=')
            continue;
        entry = json_pack("{s:s}", "op", block_words[i].operation);
        rn_stats_set(entry, "major", major);
        rn_stats_set(entry, "minor", minor);
        rn_stats_set(entry, "value",
                     g_ascii_strtoull(word + length + 1, NULL, 10));
        (void)json_array_append_new(json_object_get(group, block_words[i].list),
                                    entry);
    }
}

/* Lines "MAJOR:MINOR WORD=VALUE ..." */
void rn_stats_block_v2(const RnCgroupPart *part, const GPtrArray *parts,
                       json_t *group)
{
    g_autofree char *text = rn_stats_read(part, "io.stat");
    g_auto(GStrv) lines = g_strsplit(text == NULL ? "" : text, "\n", -1);

    (void)parts;
    (void)json_object_set_new(group, "ioServiceBytesRecursive", json_array());
    (void)json_object_set_new(group, "ioServicedRecursive", json_array());
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", -1);
        char *end = NULL;
        uint64_t major = 0;
        uint64_t minor = 0;

        if (words[0] == NULL)
            continue;
        major = g_ascii_strtoull(words[0], &end, 10);
        if (*end != ':')
            continue;
        minor = g_ascii_strtoull(end + 1, NULL, 10);
        for (char **word = words + 1; *word != NULL; word++)
            add_word(major, minor, *word, group);
    }
}
