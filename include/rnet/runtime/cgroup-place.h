/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-place - where the cgroup of a container goes, in each hierarchy
 */
#ifndef RNET_RUNTIME_CGROUP_PLACE_H
#define RNET_RUNTIME_CGROUP_PLACE_H

#include <rnet/runtime/cgroup.h>
#include <rnet/sys/cgroup-layout.h>

/* The container's cgroup in one hierarchy. */
typedef struct RnCgroupPart {
    unsigned version;
    char **controllers; /* as in RnCgroupHierarchy */
    char *mount_point;
    char *path;       /* below mount_point, begins with "/" */
    char *directory;  /* both together */
    char *first_made; /* the topmost directory that was made for it, or NULL:
                         what undoing takes away again */
} RnCgroupPart;

void rn_cgroup_part_free(RnCgroupPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnCgroupPart, rn_cgroup_part_free)

RnCgroupPart *rn_cgroup_part_new(unsigned version, char **controllers,
                                 const char *mount_point, const char *path);

/*
 * Brings a path into the form "/a/b", without doubled "/". RN_ERROR_INVALID
 * for one that is empty, goes up ("..", "."), or has what no cgroup can be
 * called (a newline; more than 255 bytes between two "/", 4095 in all). The
 * error begins with "linux.cgroupsPath".
 */
char *rn_cgroup_path_normalize(const char *path, GError **error) RN_CHECK;

/*
 * Decides, for each hierarchy that carries controllers or is systemd's
 * (GPtrArray of RnCgroupPart, which frees them):
 *
 *   an absolute `path`   below the hierarchy's mount
 *   a relative one       v1: below the caller's own cgroup; v2: beside it,
 *                        since a cgroup with processes of its own can give no
 *                        controllers to those below it
 *   NULL                 "rnet-NAME", relative
 *
 * runc does the same with v2 (but for the name), and with v1.
 */
GPtrArray *rn_cgroup_place(const GPtrArray *layout, const char *path,
                           const char *name, GError **error) RN_CHECK;

/* The same once systemd has put a process into its cgroup: where the text of
 * that process's /proc/PID/cgroup says, in all hierarchies. */
GPtrArray *rn_cgroup_place_like(const GPtrArray *layout, const char *cgroups,
                                GError **error) RN_CHECK;

/*
 * "SLICE:PREFIX:NAME" (or NULL) as the names of two units, runc's way: an
 * empty slice is system.slice, or user.slice of a user's own manager; the
 * scope is PREFIX-NAME.scope. No path: no slice, "rnet", the id. A NAME that
 * ends in ".slice" is RN_ERROR_UNSUPPORTED.
 */
bool rn_cgroup_unit_names(const char *path, const char *id, bool user,
                          char **out_slice, char **out_unit,
                          GError **error) RN_CHECK;

#endif
