/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-object - what the files of runtime/cgroup.h share
 */
#ifndef RNET_RUNTIME_CGROUP_OBJECT_H
#define RNET_RUNTIME_CGROUP_OBJECT_H

#include <rnet/runtime/cgroup-place.h>
#include <rnet/runtime/cgroup-setting.h>

struct RnCgroup {
    GPtrArray *parts;  /* of RnCgroupPart; empty: no cgroup */
    bool is_planned;   /* nothing of them is made; they may be others' */
    GPtrArray *layout; /* what they were planned by, until they are made */
    char *unit;        /* systemd's scope, or NULL */
    bool user;         /* it is of the user's own manager */
    bool lenient;      /* device rules may go unenforced */
};

/* An object without a cgroup. */
RnCgroup *rn_cgroup_new(void) RN_CHECK;

/* Sets the error of what takes a cgroup where there is none, with the hint how
 * to get one. Always false. */
bool rn_cgroup_fail_without(const char *what, GError **error);

/* The part that freezes, that lists and kills; NULL without a cgroup. */
const RnCgroupPart *rn_cgroup_freezer(const RnCgroup *cgroup);
const RnCgroupPart *rn_cgroup_lister(const RnCgroup *cgroup);

/*
 * The same as rn_cgroup_enter(), rn_cgroup_update(), rn_cgroup_add() and
 * rn_cgroup_remove() have it, for a cgroup that systemd manages; stopping
 * cannot fail, since a scope without processes ends by itself.
 */
bool rn_cgroup_scope_make(RnCgroup *cgroup, const RnCgroupRequest *request,
                          pid_t pid, GError **error) RN_CHECK;
bool rn_cgroup_scope_update(const RnCgroup *cgroup,
                            const RnResources *resources,
                            const RnCgroupPresent *present,
                            GError **error) RN_CHECK;
bool rn_cgroup_scope_add(const RnCgroup *cgroup, pid_t pid,
                         GError **error) RN_CHECK;
void rn_cgroup_scope_stop(const RnCgroup *cgroup);

/* Steps of making one, in the order in which they come. */
bool rn_cgroup_is_host_root(void);
bool rn_cgroup_attach_all(const GPtrArray *parts, pid_t pid,
                          GError **error) RN_CHECK;
bool rn_cgroup_set_limits(const RnCgroup *cgroup,
                          const RnCgroupRequest *request, const GError *refusal,
                          GError **error) RN_CHECK;

/* Takes a process back to where the caller is, in all hierarchies, and takes
 * away the directories that were made. */
void rn_cgroup_undo(const GPtrArray *parts, const GPtrArray *layout, pid_t pid);

#endif
