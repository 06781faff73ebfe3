/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts - the mounts of config.json, in their order
 *
 * runtime-spec config.md, Mounts. What the kernel refuses in a user namespace
 * is replaced as other runtimes do: sysfs, cgroup and (without a new pid or ipc
 * namespace) proc and mqueue by a bind of the host's, the first two read-only.
 */
#ifndef RNET_RUNTIME_MOUNTS_H
#define RNET_RUNTIME_MOUNTS_H

#include <rnet/runtime/plan.h>

/* Of fs.mount-max, 100000 by default, which the host's mounts count for too. */
enum {
    RN_MOUNTS_MAX = 32768
};

/*
 * Makes them under root_fd; targets that are missing are made. `sources`: what
 * mount-sources.h has for them, or NULL. "ro" of a tmpfs is left for later:
 * such a mount's fd is appended to `read_only_later` (GArray of int), the
 * caller's. Errors name the destination.
 */
bool rn_mounts_add(const RnPlan *plan, int root_fd, const GArray *sources,
                   GArray *read_only_later, GError **error) RN_CHECK;

/*
 * For what rnet itself puts over a file of the image: RN_ERROR_INVALID if a
 * link of the image has led to one of the kernel's files, in a proc or sysfs.
 */
bool rn_mounts_check_cover(int fd, GError **error) RN_CHECK;

#endif
