/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * idmap - user namespace id maps: /proc/PID/uid_map, or newuidmap for ranges
 *
 * user_namespaces(7), "User and group ID mappings"; newuidmap(1). A process
 * without CAP_SETUID over the parent namespace may write one line that maps
 * its own id, and for gids only after setgroups was denied; anything more goes
 * through newuidmap/newgidmap, which check /etc/subuid and /etc/subgid.
 */
#ifndef RNET_SYS_IDMAP_H
#define RNET_SYS_IDMAP_H

#include <stdint.h>

#include <sys/types.h>

#include <rnet/util/error.h>

typedef struct RnIdMapping {
    uint32_t container_id;
    uint32_t host_id;
    uint32_t size;
} RnIdMapping;

typedef enum RnIdKind {
    RN_ID_USER,
    RN_ID_GROUP,
    RN_ID_N_
} RnIdKind;

enum {
    RN_IDMAP_MAX = 340
}; /* lines the kernel takes, user_namespaces(7) */

/*
 * The caller's subordinate ranges (libsubid) as host_id/size pairs
 * (container_id 0), as a GArray of RnIdMapping, the caller's; empty when the
 * user has none. Not looked up for root, who needs none.
 */
bool rn_subid_ranges(RnIdKind kind, GArray **out_ranges,
                     GError **error) RN_CHECK;

/*
 * rn_subid_ranges() loads libsubid and unloads it, which takes most of a
 * millisecond. Who calls it more than once holds the library meanwhile. NULL
 * for root, who needs none, and if it cannot be loaded: rn_subid_ranges() then
 * says why.
 */
typedef struct RnSubidLibrary RnSubidLibrary; /* what dlopen(3) returns */
RnSubidLibrary *rn_subid_hold(void) RN_CHECK;
void rn_subid_release(RnSubidLibrary *library);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnSubidLibrary, rn_subid_release)

/*
 * The first id from 100000 up (SUB_UID_MIN of login.defs(5)) that lies behind
 * all ranges in /etc/subuid or /etc/subgid, for a hint.
 */
uint32_t rn_subid_first_free(RnIdKind kind);

/*
 * The id map of this process's own user namespace, a GArray of RnIdMapping, the
 * caller's. The host ids are those of the namespace around it.
 */
bool rn_idmap_read_own(RnIdKind kind, GArray **out_map,
                       GError **error) RN_CHECK;

/* How one map is going to be written. */
typedef enum RnIdmapWay {
    RN_IDMAP_PRIVILEGED, /* into /proc, any map */
    RN_IDMAP_OWN_ID,     /* into /proc, one line with the caller's own id */
    RN_IDMAP_MAPPER,     /* by newuidmap or newgidmap */
} RnIdmapWay;

/* `maps` has at least one line; the others are as in RnIdmapFacts. */
RnIdmapWay rn_idmap_choose_way(const GArray *maps, bool privileged,
                               uint32_t own_id);

/* The text for /proc/PID/uid_map, the caller's. */
char *rn_idmap_format(const GArray *maps) RN_CHECK;

/* How newuidmap or newgidmap stands on this machine. */
typedef enum RnMapperState {
    RN_MAPPER_READY,
    RN_MAPPER_MISSING,
    RN_MAPPER_UNPRIVILEGED, /* neither setuid root nor file capability */
    RN_MAPPER_NOSUID,       /* its file system is mounted nosuid */
    RN_MAPPER_NO_NEW_PRIVS, /* this process has no_new_privs set */
    RN_MAPPER_N_
} RnMapperState;

/* All that decides whether a map of one kind can be had. All borrowed. */
typedef struct RnIdmapFacts {
    uint32_t own_id;      /* effective uid or gid */
    bool privileged;      /* CAP_SETUID or CAP_SETGID is effective */
    bool may_map_root;    /* CAP_SETFCAP is, user_namespaces(7) */
    const GArray *mapped; /* as rn_idmap_read_own(), or NULL: unknown */
    const char *user;     /* login name, or NULL: not in passwd */
    RnMapperState mapper;
    const char *mapper_path; /* NULL with RN_MAPPER_MISSING */
    const GArray *ranges;    /* as rn_subid_ranges() */
    uint32_t first_free;     /* as rn_subid_first_free() */
} RnIdmapFacts;

/*
 * Checks (no writing) that the caller can have these maps: one own id, or
 * newuidmap/newgidmap present and privileged (setuid or file capabilities) and
 * every range inside the caller's subordinate ranges; root, with CAP_SETUID
 * and CAP_SETGID in its namespace, can have any that its own namespace has
 * mapped. The error tells which of these is missing, with a hint.
 */
bool rn_idmap_check(const GArray *uids, const GArray *gids,
                    GError **error) RN_CHECK;

/*
 * The same for one kind on given facts. Also refuses (RN_ERROR_INVALID,
 * RN_ERROR_LIMIT) what the kernel never takes: no mapping or too many, a size
 * of 0, ids beyond 2^32 - 2, overlaps, a map that fills a page as text.
 */
bool rn_idmap_judge(RnIdKind kind, const GArray *maps,
                    const RnIdmapFacts *facts, GError **error) RN_CHECK;

/*
 * Writes both maps of the process `pid`, a child in a new user namespace, and
 * denies setgroups(2) there when the gid map can only be written so. The pid
 * must be that of a child not yet reaped, so that it cannot be another's.
 * Blocks until newuidmap and newgidmap, where they are needed, are done; what
 * they say on stderr is in the error.
 */
bool rn_idmap_write(pid_t pid, const GArray *uids, const GArray *gids,
                    GError **error) RN_CHECK;

/* The host id that `container_id` maps to; false if it is not mapped. */
bool rn_idmap_to_host(const GArray *maps, uint32_t container_id,
                      uint32_t *out_host_id);

#endif
