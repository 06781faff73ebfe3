/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount-sources - sources of binds that have to be taken before init can
 *
 * Three kinds of binds cannot be made where and when the others are: idmapped
 * ones take rights over the source's file system, which init in a user
 * namespace does not have; the way to a source of root's may be closed to the
 * container's root; and those that are "shared" have to be copied before init
 * stops following the host's mounts. All are kept as detached mounts, by the
 * mount's index in config.json.
 */
#ifndef RNET_RUNTIME_MOUNT_SOURCES_H
#define RNET_RUNTIME_MOUNT_SOURCES_H

#include <sys/types.h>

#include <rnet/runtime/plan.h>

/* By its options, or because it has mappings of its own. */
bool rn_mount_is_idmapped(const RnMount *mount);

/* A GArray of int, one for each mount; all -1. Closes its fds. */
GArray *rn_mount_sources_new(const RnPlan *plan) RN_CHECK;

/*
 * In the launcher, when the id maps of init (`pid`, not reaped yet) are
 * written: makes the sources of idmapped mounts, and those that the container's
 * root cannot reach, and sends them in messages of type RN_MSG_SOURCES, one at
 * least. RN_ERRNO EPERM: the caller has no rights over the file system.
 */
bool rn_mount_sources_send(const RnPlan *plan, pid_t pid, int socket,
                           GError **error) RN_CHECK;

/* In init: receives them. */
bool rn_mount_sources_receive(const RnPlan *plan, int socket, GArray *sources,
                              GError **error) RN_CHECK;

/* In init, before it stops following the host's mounts: the shared ones. */
bool rn_mount_sources_take_shared(const RnPlan *plan, GArray *sources,
                                  GError **error) RN_CHECK;

#endif
