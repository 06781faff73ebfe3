/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rootfs - the container's root: built in its mount namespace, then entered
 *
 * Two halves, because the terminal is opened between them: it comes from the
 * container's devpts, and its /dev/console must be made before anything turns
 * read-only. Needs the host's /proc, and the host's files wherever the plan
 * names them. Nothing that happens here is visible outside.
 */
#ifndef RNET_RUNTIME_ROOTFS_H
#define RNET_RUNTIME_ROOTFS_H

#include <rnet/runtime/plan.h>

typedef struct RnRootfs {
    int fd;                  /* the root of the container's root mount */
    GArray *read_only_later; /* of int: mounts to be made read-only when all
                                that goes into them is there */
    GArray *sources;         /* of int: mount-sources.h; NULL: init makes it,
                                for a plan without idmapped mounts */
    GPtrArray *left_out;     /* of char *: what could not be done and is not
                                vital, a sentence each */
} RnRootfs;

void rn_rootfs_init(RnRootfs *rootfs);
void rn_rootfs_clear(RnRootfs *rootfs);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnRootfs, rn_rootfs_clear)

/* Mounts, devices, links, generated files, the working directory, sysctls. */
bool rn_rootfs_build(const RnPlan *plan, RnRootfs *rootfs,
                     GError **error) RN_CHECK;

/*
 * Masked and read-only paths, the read-only root, then the change of root, by
 * pivot_root(2), or with plan->manner.no_pivot by a move and chroot(2).
 * Afterwards the host's files are out of reach.
 */
bool rn_rootfs_enter(const RnPlan *plan, RnRootfs *rootfs,
                     GError **error) RN_CHECK;

#endif
