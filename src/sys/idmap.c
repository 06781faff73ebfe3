/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * idmap - what id maps a caller can have, and by which way
 *
 * Runs in the launcher. The maps come from config.json and are hostile; they
 * are judged by the kernel's rules, the caller's privileges and its subordinate
 * ranges, all given as facts. idmap-write.c collects the facts and writes.
 */
#include "config.h"

#include <rnet/sys/idmap.h>

#include <string.h>
#include <unistd.h>

#include <rnet/sys/mapper.h>

enum {
    USUAL_RANGE = 65536, /* ids a user gets by default, login.defs(5) */
    SHOWN_RANGES = 8,    /* in a message */
};

typedef struct Kind {
    const char *ids; /* in messages */
    const char *own_map_path;
    const char *capability; /* of the mapper's file */
    const char *usermod_option;
} Kind;

static const Kind kinds[] = {
    [RN_ID_USER] = { "uids", "/proc/self/uid_map", "cap_setuid",
                     "--add-subuids" },
    [RN_ID_GROUP] = { "gids", "/proc/self/gid_map", "cap_setgid",
                      "--add-subgids" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == RN_ID_N_);

static const RnIdMapping *get_mapping(const GArray *maps, guint index)
{
    return &g_array_index(maps, RnIdMapping, index);
}

RnIdmapWay rn_idmap_choose_way(const GArray *maps, bool privileged,
                               uint32_t own_id)
{
    const RnIdMapping *first = get_mapping(maps, 0);

    if (privileged)
        return RN_IDMAP_PRIVILEGED;
    if (maps->len == 1 && first->size == 1 && first->host_id == own_id)
        return RN_IDMAP_OWN_ID;
    return RN_IDMAP_MAPPER;
}

char *rn_idmap_format(const GArray *maps)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < maps->len; i++) {
        const RnIdMapping *map = get_mapping(maps, i);

        g_string_append_printf(text, "%u %u %u\n", map->container_id,
                               map->host_id, map->size);
    }
    return g_string_free(text, FALSE);
}

static bool overlaps(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
    return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

/* `inner` lies within one line of the map, as the kernel wants it. */
static bool is_mapped(const GArray *map, uint32_t first, uint32_t size)
{
    for (guint i = 0; i < map->len; i++) {
        const RnIdMapping *line = get_mapping(map, i);

        if (first >= line->container_id &&
            (uint64_t)first + size <= (uint64_t)line->container_id + line->size)
            return true;
    }
    return false;
}

/* Adjoining ranges count as one, as they do for newuidmap. */
static bool is_covered(const GArray *ranges, uint32_t first, uint32_t size)
{
    uint64_t next = first;
    uint64_t end = next + size;
    bool moved = true;

    while (next < end && moved) {
        moved = false;
        for (guint i = 0; i < ranges->len; i++) {
            const RnIdMapping *range = get_mapping(ranges, i);
            uint64_t range_end = (uint64_t)range->host_id + range->size;

            if (next < range->host_id || next >= range_end)
                continue;
            next = range_end;
            moved = true;
        }
    }
    return next >= end;
}

/* "mapping 0:100000:65536 of uids (container:host:size) ..." */
static bool refuse_mapping(const Kind *kind, const RnIdMapping *map,
                           const char *why, GError **error)
{
    return rn_set_error(error, RN_ERROR_INVALID,
                        "mapping %u:%u:%u of %s (container:host:size) %s",
                        map->container_id, map->host_id, map->size, kind->ids,
                        why);
}

static bool check_overlaps(const Kind *kind, const GArray *maps, guint index,
                           GError **error)
{
    const RnIdMapping *map = get_mapping(maps, index);

    for (guint i = 0; i < index; i++) {
        const RnIdMapping *other = get_mapping(maps, i);

        if (overlaps(map->container_id, map->size, other->container_id,
                     other->size))
            return refuse_mapping(
                kind, map, "overlaps another one in the container", error);
        if (overlaps(map->host_id, map->size, other->host_id, other->size))
            return refuse_mapping(kind, map, "overlaps another one on the host",
                                  error);
    }
    return true;
}

/* The kernel's rules for any map, user_namespaces(7). */
static bool check_form(const Kind *kind, const GArray *maps, GError **error)
{
    if (maps->len == 0)
        return rn_set_error(error, RN_ERROR_INVALID, "no %s are mapped",
                            kind->ids);
    if (maps->len > RN_IDMAP_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "%u mappings of %s, but the kernel takes %d",
                            maps->len, kind->ids, RN_IDMAP_MAX);
    for (guint i = 0; i < maps->len; i++) {
        const RnIdMapping *map = get_mapping(maps, i);

        if (map->size == 0)
            return refuse_mapping(kind, map, "has no ids", error);
        /* the last id, 2^32 - 1, means "none" in the kernel's interfaces */
        if (map->size > UINT32_MAX - map->container_id ||
            map->size > UINT32_MAX - map->host_id)
            return refuse_mapping(kind, map, "goes beyond the last id", error);
        if (!check_overlaps(kind, maps, i, error))
            return false;
    }
    return true;
}

/* The kernel takes a map as one write of less than a page. */
static bool check_text(const Kind *kind, const GArray *maps, GError **error)
{
    g_autofree char *text = rn_idmap_format(maps);
    gsize length = strlen(text);
    long page = sysconf(_SC_PAGESIZE);

    if (page <= 0 || length < (gsize)page)
        return true;
    return rn_set_error(error, RN_ERROR_LIMIT,
                        "the mappings of %s are %" G_GSIZE_FORMAT
                        " bytes as text, but the kernel takes %ld",
                        kind->ids, length, page - 1);
}

/* Linux 5.12: the mapped root could write file capabilities, whichever way the
 * map is written. */
static bool check_root(RnIdKind id_kind, const GArray *maps,
                       const RnIdmapFacts *facts, GError **error)
{
    for (guint i = 0; i < maps->len; i++) {
        if (id_kind != RN_ID_USER || get_mapping(maps, i)->host_id != 0 ||
            facts->may_map_root)
            continue;
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "mapping user 0 of the host needs CAP_SETFCAP");
        return rn_error_add_hint(error, "give the outer container that "
                                        "capability, or map another id");
    }
    return true;
}

/* RN_IDMAP_PRIVILEGED: what the caller's own namespace has, it can give. */
static bool check_privileged(RnIdKind id_kind, const GArray *maps,
                             const RnIdmapFacts *facts, GError **error)
{
    const Kind *kind = &kinds[id_kind];

    for (guint i = 0; i < maps->len; i++) {
        const RnIdMapping *map = get_mapping(maps, i);

        if (facts->mapped != NULL &&
            !is_mapped(facts->mapped, map->host_id, map->size)) {
            (void)refuse_mapping(kind, map,
                                 "has host ids that rnet's own user namespace "
                                 "does not have in one line of its map",
                                 error);
            return rn_error_add_hint(error, "see %s", kind->own_map_path);
        }
    }
    return check_root(id_kind, maps, facts, error);
}

/* Text and hint for each way in which a mapper cannot be used. */
static bool check_mapper(RnIdKind id_kind, const RnIdmapFacts *facts,
                         GError **error)
{
    const Kind *kind = &kinds[id_kind];
    const char *name = rn_mapper_name(id_kind);

    switch (facts->mapper) {
    case RN_MAPPER_MISSING:
        (void)rn_set_error(error, RN_ERROR_NOT_FOUND,
                           "mapping a range of %s needs %s, which is not in %s",
                           kind->ids, name, rn_mapper_search_path());
        return rn_error_add_hint(error, "apt install uidmap (or the package "
                                        "that has it elsewhere); a single "
                                        "mapping of one's own id needs none");
    case RN_MAPPER_UNPRIVILEGED:
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "\"%s\" is neither setuid root nor has the file "
                           "capability %s",
                           facts->mapper_path, kind->capability);
        return rn_error_add_hint(error, "as root: chmod u+s %s",
                                 facts->mapper_path);
    case RN_MAPPER_NOSUID:
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "\"%s\" lies on a file system mounted nosuid, so "
                           "that it has no privileges",
                           facts->mapper_path);
        return rn_error_add_hint(error, "remount it without nosuid");
    case RN_MAPPER_NO_NEW_PRIVS:
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "\"%s\" gets no privileges, as rnet was started "
                           "with no_new_privs",
                           facts->mapper_path);
        return rn_error_add_hint(error, "start rnet without it (systemd: "
                                        "NoNewPrivileges=no)");
    case RN_MAPPER_READY:
    case RN_MAPPER_N_:
        break;
    }
    return true;
}

static bool refuse_rangeless(const Kind *kind, const RnIdmapFacts *facts,
                             GError **error)
{
    (void)rn_set_error(error, RN_ERROR_NOT_FOUND,
                       "user \"%s\" has no subordinate %s", facts->user,
                       kind->ids);
    return rn_error_add_hint(error, "as root: usermod %s %u-%u %s",
                             kind->usermod_option, facts->first_free,
                             facts->first_free + USUAL_RANGE - 1, facts->user);
}

/* "100000-165535, 300000-365535" */
static char *format_ranges(const GArray *ranges)
{
    GString *text = g_string_new(NULL);
    guint shown = MIN(ranges->len, SHOWN_RANGES);

    for (guint i = 0; i < shown; i++) {
        const RnIdMapping *range = get_mapping(ranges, i);

        g_string_append_printf(text, "%s%u-%" G_GUINT64_FORMAT,
                               i == 0 ? "" : ", ", range->host_id,
                               (guint64)range->host_id + range->size - 1);
    }
    if (shown < ranges->len)
        g_string_append(text, ", ...");
    return g_string_free(text, FALSE);
}

static bool refuse_outside(const Kind *kind, const RnIdMapping *map,
                           const RnIdmapFacts *facts, GError **error)
{
    g_autofree char *ranges = format_ranges(facts->ranges);
    g_autofree char *why =
        g_strdup_printf("lies outside the subordinate %s %s of user \"%s\"",
                        kind->ids, ranges, facts->user);

    (void)refuse_mapping(kind, map, why, error);
    return rn_error_add_hint(error,
                             "use host ids of those; for more of them, as "
                             "root: usermod %s %u-%u %s",
                             kind->usermod_option, facts->first_free,
                             facts->first_free + USUAL_RANGE - 1, facts->user);
}

/* RN_IDMAP_MAPPER: the rules of newuidmap(1), which takes one's own id too. */
static bool check_ranges(RnIdKind id_kind, const GArray *maps,
                         const RnIdmapFacts *facts, GError **error)
{
    const Kind *kind = &kinds[id_kind];

    if (!check_mapper(id_kind, facts, error))
        return false;
    if (facts->user == NULL)
        return rn_set_error(error, RN_ERROR_NOT_FOUND,
                            "the caller has no entry in passwd, which %s needs",
                            rn_mapper_name(id_kind));
    for (guint i = 0; i < maps->len; i++) {
        const RnIdMapping *map = get_mapping(maps, i);

        if (map->size == 1 && map->host_id == facts->own_id)
            continue;
        if (facts->ranges->len == 0)
            return refuse_rangeless(kind, facts, error);
        if (!is_covered(facts->ranges, map->host_id, map->size))
            return refuse_outside(kind, map, facts, error);
    }
    return true;
}

bool rn_idmap_judge(RnIdKind kind, const GArray *maps,
                    const RnIdmapFacts *facts, GError **error)
{
    if (!check_form(&kinds[kind], maps, error) ||
        !check_text(&kinds[kind], maps, error))
        return false;
    switch (rn_idmap_choose_way(maps, facts->privileged, facts->own_id)) {
    case RN_IDMAP_PRIVILEGED:
        return check_privileged(kind, maps, facts, error);
    case RN_IDMAP_MAPPER:
        return check_ranges(kind, maps, facts, error);
    case RN_IDMAP_OWN_ID:
        return check_root(kind, maps, facts, error);
    }
    return true;
}

bool rn_idmap_to_host(const GArray *maps, uint32_t container_id,
                      uint32_t *out_host_id)
{
    for (guint i = 0; i < maps->len; i++) {
        const RnIdMapping *map = get_mapping(maps, i);

        if (container_id < map->container_id ||
            container_id - map->container_id >= map->size)
            continue;
        *out_host_id = map->host_id + (container_id - map->container_id);
        return true;
    }
    return false;
}
