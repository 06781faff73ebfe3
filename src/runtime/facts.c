/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * facts - what the host and the caller are, for the plan
 *
 * Runs in the launcher. Reads ids, sub-id ranges and two small files in /etc;
 * whatever cannot be read counts as not there, since a container can do
 * without, and the plan says what it cannot do then.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <linux/capability.h>

#include <rnet/runtime/plan.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    ETC_FILE_MAX = 64 * 1024, /* bytes */
    DEFAULT_IDS = 65536,      /* a container's usual range, as useradd gives */
};

static char *read_or_empty(const char *path)
{
    char *text = NULL;

    if (!rn_file_read(AT_FDCWD, path, ETC_FILE_MAX, &text, NULL, NULL))
        return g_strdup("");
    return text;
}

/* The ids after 0 in the first line of the caller's own map, which a caller
 * with CAP_SETUID may map further; user_namespaces(7). */
static void append_own_range(const char *map_path, GArray *ranges)
{
    g_autofree char *text = read_or_empty(map_path);
    unsigned inside = 0;
    unsigned outside = 0;
    unsigned size = 0;
    RnIdMapping range = { .host_id = 1 };

    if (sscanf(text, "%u %u %u", &inside, &outside, &size) != 3 ||
        inside != 0 || size < 2)
        return;
    range.size = MIN(size, DEFAULT_IDS) - 1;
    g_array_append_val(ranges, range);
}

static GArray *find_extra_ids(RnIdKind kind, bool is_wanted, bool privileged)
{
    static const char *const maps[] = {
        [RN_ID_USER] = "/proc/self/uid_map",
        [RN_ID_GROUP] = "/proc/self/gid_map",
    };
    GArray *ranges = NULL;
    g_autoptr(GError) failure = NULL;

    G_STATIC_ASSERT(G_N_ELEMENTS(maps) == RN_ID_N_);
    if (is_wanted && !privileged && rn_subid_ranges(kind, &ranges, &failure))
        return ranges;
    if (failure != NULL)
        rn_log_debug("%s, ignoring", failure->message);
    ranges = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));
    if (is_wanted && privileged)
        append_own_range(maps[kind], ranges);
    return ranges;
}

/* Ranges that nobody can map (no newuidmap, say) are no ranges: the plan then
 * does with one id. */
static void forget_unusable_ranges(RnHostFacts *facts)
{
    g_autoptr(GError) failure = NULL;

    if (rn_idmap_check(facts->extra_uids, facts->extra_gids, &failure))
        return;
    rn_log_debug("only one id can be mapped: %s", failure->message);
    g_array_set_size(facts->extra_uids, 0);
    g_array_set_size(facts->extra_gids, 0);
}

void rn_host_facts_init(RnHostFacts *facts, bool with_extra_ids)
{
    RnCapMask needed = RN_CAP_BIT(CAP_SETUID) | RN_CAP_BIT(CAP_SETGID);
    bool privileged = (rn_caps_effective() & needed) == needed;

    *facts = (RnHostFacts){
        .uid = geteuid(),
        .gid = getegid(),
        .extra_uids = find_extra_ids(RN_ID_USER, with_extra_ids, privileged),
        .extra_gids = find_extra_ids(RN_ID_GROUP, with_extra_ids, privileged),
        .resolv_conf = read_or_empty("/etc/resolv.conf"),
        .hosts = read_or_empty("/etc/hosts"),
    };
    if (with_extra_ids && !privileged)
        forget_unusable_ranges(facts);
}

void rn_host_facts_clear(RnHostFacts *facts)
{
    g_clear_pointer(&facts->extra_uids, g_array_unref);
    g_clear_pointer(&facts->extra_gids, g_array_unref);
    g_clear_pointer(&facts->resolv_conf, g_free);
    g_clear_pointer(&facts->hosts, g_free);
}
