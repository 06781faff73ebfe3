/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup - the control group of one container, from creation to removal
 *
 * runtime-spec config-linux.md, Control groups; cgroups(7). One object,
 * whatever the host has: v2 directly, v2 through systemd (a transient scope
 * over D-Bus), v1 and hybrid, or none at all. Where the caller may not have a
 * limit that the bundle asks for the error says which, why, and how to get
 * delegation.
 */
#ifndef RNET_RUNTIME_CGROUP_H
#define RNET_RUNTIME_CGROUP_H

#include <sys/types.h>

#include <jansson.h>

#include <rnet/sys/resources.h>

typedef enum RnCgroupManager {
    RN_CGROUP_MANAGER_DEFAULT, /* cgroupfs, as runc and crun */
    RN_CGROUP_MANAGER_CGROUPFS,
    RN_CGROUP_MANAGER_SYSTEMD,
    RN_CGROUP_MANAGER_DISABLED, /* no cgroup is made; limits are refused */
    RN_CGROUP_MANAGER_N_
} RnCgroupManager;

/* What is known before; all borrowed. */
typedef struct RnCgroupRequest {
    RnCgroupManager manager;
    const char *id;   /* the container's; other users of the host may have
                         containers of that name, too */
    const char *path; /* linux.cgroupsPath, "SLICE:PREFIX:NAME" for systemd;
                         NULL: none given */
    const RnResources *resources;
    GHashTable *annotations; /* org.systemd.property.*; may be NULL */
    bool has_userns; /* the container has a user namespace: it can make no
                        device node, so device rules may go unenforced where
                        the caller may not load BPF programs */
} RnCgroupRequest;

typedef struct RnCgroup RnCgroup;

/*
 * Decides where the cgroup goes and makes nothing. The object has a record
 * (below), by which the directories are removed if this process is killed while
 * it makes them; a scope that has lost its process goes by itself.
 */
RnCgroup *rn_cgroup_plan(const RnCgroupRequest *request,
                         GError **error) RN_CHECK;

/*
 * Makes the cgroup that was planned by the same request and sets the limits;
 * systemd makes its own when it is entered. For a caller who may make none the
 * object is without one, if neither a path nor a limit was asked for. On
 * failure nothing is left behind; the object is then only to be freed.
 */
bool rn_cgroup_make(RnCgroup *cgroup, const RnCgroupRequest *request,
                    GError **error) RN_CHECK;

/*
 * The directory of what was made, for rn_clone_into(): a process that is born
 * in a cgroup costs less than one that is moved, for which the kernel stops
 * all forks and waits. -1 where that cannot be had: v1, systemd, no cgroup.
 */
int rn_cgroup_open(const RnCgroup *cgroup);

/*
 * Moves the process `pid` into what was made; with `is_born_inside` only where
 * rn_cgroup_open() does not lead. If that is refused, and neither a path nor a
 * limit was asked for, the object is without a cgroup. A failure removes it.
 */
bool rn_cgroup_enter(RnCgroup *cgroup, const RnCgroupRequest *request,
                     pid_t pid, bool is_born_inside, GError **error) RN_CHECK;

/*
 * What has to be kept about it, as a JSON object (a new reference), and the
 * way back, for a later command. The object is this user's own record; a
 * malformed one is RN_ERROR_INVALID, NULL the object without a cgroup.
 */
json_t *rn_cgroup_to_json(const RnCgroup *cgroup) RN_CHECK;
RnCgroup *rn_cgroup_from_json(const json_t *json, GError **error) RN_CHECK;

void rn_cgroup_free(RnCgroup *cgroup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnCgroup, rn_cgroup_free)

/* False for the object without a cgroup. */
bool rn_cgroup_exists(const RnCgroup *cgroup);

/* Moves one more process in (exec). Without a cgroup: nothing to do. */
bool rn_cgroup_add(const RnCgroup *cgroup, pid_t pid, GError **error) RN_CHECK;

/*
 * The same into the cgroup `path` below it, which exists ("" and "/": itself).
 * On v1 it need not be in every hierarchy: in the others the process goes into
 * the container's. RN_ERROR_INVALID: a path that leads elsewhere;
 * RN_ERROR_NOT_FOUND: there is none.
 */
bool rn_cgroup_add_below(const RnCgroup *cgroup, const char *path, pid_t pid,
                         GError **error) RN_CHECK;

/* Sets what `resources` gives and leaves the rest as it is (update). */
bool rn_cgroup_update(const RnCgroup *cgroup, const RnResources *resources,
                      GError **error) RN_CHECK;

/*
 * pause and resume; returns when the kernel says that it is so. Without a
 * cgroup: RN_ERROR_UNSUPPORTED.
 */
bool rn_cgroup_set_frozen(const RnCgroup *cgroup, bool frozen,
                          GError **error) RN_CHECK;
bool rn_cgroup_is_frozen(const RnCgroup *cgroup);

/*
 * The directory in which the files of one controller ("memory") are, the
 * cgroup's; NULL without a cgroup or where that controller is not in it.
 */
const char *rn_cgroup_directory(const RnCgroup *cgroup, const char *controller);

/* All processes in it and below, as the caller's pid namespace has them
 * (GArray of pid_t, the caller's). RN_ERROR_UNSUPPORTED without a cgroup. */
bool rn_cgroup_processes(const RnCgroup *cgroup, GArray **out_pids,
                         GError **error) RN_CHECK;

/* Sends a signal to all of these; nothing without a cgroup. */
bool rn_cgroup_signal(const RnCgroup *cgroup, int signal_number,
                      GError **error) RN_CHECK;

/* The "data" object of `runc events --stats` (a new reference). */
json_t *rn_cgroup_stats(const RnCgroup *cgroup, GError **error) RN_CHECK;

/*
 * Kills what is left in it (thawed first) and removes it with all below. It
 * must not fail for what is gone already. One that was only planned may be
 * another's: its directories go if there is nothing in them.
 */
bool rn_cgroup_remove(RnCgroup *cgroup, GError **error) RN_CHECK;

#endif
