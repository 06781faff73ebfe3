/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * idmap-write - collects what idmap.c judges by, and writes the maps
 *
 * Runs in the launcher, outside of the new user namespace. Reads /proc, the
 * password and subordinate id databases; writes /proc/PID of a child or has
 * newuidmap and newgidmap do it. A failed write leaves the child without a
 * complete map: the caller ends it.
 */
#include "config.h"

#include <rnet/sys/idmap.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/capability.h>

#include <rnet/sys/caps.h>
#include <rnet/sys/mapper.h>
#include <rnet/util/fd.h>

enum {
    OWN_MAP_MAX = 64 * 1024, /* bytes; 340 lines of three numbers */
};

typedef struct Kind {
    const char *what;
    const char *file; /* in /proc/PID */
    unsigned capability;
} Kind;

static const Kind kinds[] = {
    [RN_ID_USER] = { "map uids", "uid_map", CAP_SETUID },
    [RN_ID_GROUP] = { "map gids", "gid_map", CAP_SETGID },
};
G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == RN_ID_N_);

static bool has_capability(unsigned capability)
{
    return (rn_caps_effective() & RN_CAP_BIT(capability)) != 0;
}

static uint32_t get_own_id(RnIdKind kind)
{
    return kind == RN_ID_USER ? geteuid() : getegid();
}

static RnIdmapWay choose_way(RnIdKind kind, const GArray *maps)
{
    return rn_idmap_choose_way(maps, has_capability(kinds[kind].capability),
                               get_own_id(kind));
}

bool rn_idmap_read_own(RnIdKind kind, GArray **out_map, GError **error)
{
    g_autofree char *path =
        g_build_filename("/proc/self", kinds[kind].file, NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    g_autoptr(GArray) map = g_array_new(FALSE, TRUE, sizeof(RnIdMapping));

    if (!rn_file_read(AT_FDCWD, path, OWN_MAP_MAX, &text, NULL, error))
        return false;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        RnIdMapping mapping = { 0 };

        if (sscanf(*line, "%u %u %u", &mapping.container_id, &mapping.host_id,
                   &mapping.size) != 3)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "\"%s\" has the line \"%s\"", path, *line);
        g_array_append_val(map, mapping);
    }
    *out_map = g_steal_pointer(&map);
    return true;
}

/* What RnIdmapFacts borrows about newuidmap or newgidmap. */
typedef struct MapperFacts {
    char *user;
    char *path;
    GArray *ranges;
} MapperFacts;

static void clear_mapper_facts(MapperFacts *held)
{
    g_free(held->user);
    g_free(held->path);
    g_clear_pointer(&held->ranges, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MapperFacts, clear_mapper_facts)

static bool collect_mapper_facts(RnIdKind kind, RnIdmapFacts *facts,
                                 MapperFacts *held, GError **error)
{
    const struct passwd *entry = getpwuid(getuid());

    held->user = entry == NULL ? NULL : g_strdup(entry->pw_name);
    facts->user = held->user;
    facts->mapper = rn_mapper_find(kind, &held->path);
    facts->mapper_path = held->path;
    facts->first_free = rn_subid_first_free(kind);
    if (!rn_subid_ranges(kind, &held->ranges, error))
        return false;
    facts->ranges = held->ranges;
    return true;
}

static bool check_map(RnIdKind kind, const GArray *maps, GError **error)
{
    g_auto(MapperFacts) held = { 0 };
    g_autoptr(GArray) mapped = NULL;
    RnIdmapFacts facts = {
        .own_id = get_own_id(kind),
        .privileged = has_capability(kinds[kind].capability),
        .may_map_root = has_capability(CAP_SETFCAP),
    };

    /* without /proc the kernel's own answer has to do */
    if (rn_idmap_read_own(kind, &mapped, NULL))
        facts.mapped = mapped;
    if (maps->len > 0 && choose_way(kind, maps) == RN_IDMAP_MAPPER &&
        !collect_mapper_facts(kind, &facts, &held, error))
        return false;
    return rn_idmap_judge(kind, maps, &facts, error);
}

bool rn_idmap_check(const GArray *uids, const GArray *gids, GError **error)
{
    return check_map(RN_ID_USER, uids, error) &&
           check_map(RN_ID_GROUP, gids, error);
}

static bool write_map(RnIdKind kind, int proc, pid_t pid, const GArray *maps,
                      GError **error)
{
    g_autofree char *text = NULL;
    RnIdmapWay way = choose_way(kind, maps);

    if (way == RN_IDMAP_MAPPER)
        return rn_mapper_run(kind, pid, maps, error);
    /*
     * Whoever may not drop groups must not be able to inside either: a group
     * can be there to deny access. user_namespaces(7), "Writing setgroups".
     */
    if (kind == RN_ID_GROUP && way == RN_IDMAP_OWN_ID &&
        !rn_file_write(proc, "setgroups", "deny", error))
        return false;
    text = rn_idmap_format(maps);
    return rn_file_write(proc, kinds[kind].file, text, error);
}

bool rn_idmap_write(pid_t pid, const GArray *uids, const GArray *gids,
                    GError **error)
{
    const GArray *maps[] = { [RN_ID_USER] = uids, [RN_ID_GROUP] = gids };
    g_autofree char *path = g_strdup_printf("/proc/%d", (int)pid);
    rn_autofd int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (proc < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    for (unsigned kind = 0; kind < RN_ID_N_; kind++) {
        if (write_map(kind, proc, pid, maps[kind], error))
            continue;
        g_prefix_error(error, "%s: ", kinds[kind].what);
        return false;
    }
    return true;
}
