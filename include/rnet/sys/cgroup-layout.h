/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-layout - which cgroup hierarchies there are, and where the caller is
 *
 * cgroups(7), proc(5). Unified (v2 alone), v1, and hybrid (both) are one thing
 * here: a list of hierarchies. A controller is in one of them, or in none.
 */
#ifndef RNET_SYS_CGROUP_LAYOUT_H
#define RNET_SYS_CGROUP_LAYOUT_H

#include <sys/types.h>

#include <rnet/util/error.h>

typedef struct RnCgroupHierarchy {
    unsigned version;   /* 1 or 2 */
    dev_t device;       /* the file system's number, stat(2) */
    char **controllers; /* v1: "memory", or "name=systemd" of one without;
                           v2: those it has at its root, once loaded */
    char *mount_point;
    char *own; /* the caller's cgroup, as a path below mount_point that begins
                  with "/"; NULL if it is not below it */
} RnCgroupHierarchy;

void rn_cgroup_hierarchy_free(RnCgroupHierarchy *hierarchy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnCgroupHierarchy, rn_cgroup_hierarchy_free)

/*
 * Every mount of a cgroup file system in the text of /proc/PID/mountinfo
 * (GPtrArray of RnCgroupHierarchy, which frees them), with the process's own
 * cgroups from the text of its /proc/PID/cgroup. Lines that cannot be read are
 * passed over: the kernel wrote them, or a test.
 */
GPtrArray *rn_cgroup_layout_parse(const char *mountinfo,
                                  const char *cgroups) RN_CHECK;

/* Leaves one mount of each hierarchy: the first that shows the caller's own
 * cgroup, else the first. */
void rn_cgroup_layout_reduce(GPtrArray *layout);

/*
 * What the calling process has: parsed, without the mounts that another one
 * hides, reduced. An empty array where no cgroup file system is mounted.
 */
GPtrArray *rn_cgroup_layout_load(GError **error) RN_CHECK;

/*
 * The cgroup of the line of `version` and `controller` ("" with version 2) in
 * the text of /proc/PID/cgroup, the caller's, or NULL.
 */
char *rn_cgroup_find_line(const char *cgroups, unsigned version,
                          const char *controller) RN_CHECK;

#endif
