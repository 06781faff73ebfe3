/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount-job - one entry of config.json's mounts while it is carried out
 *
 * Only for src/runtime/mounts*.c. Every function that carries a job out leaves
 * on failure what it did so far: the mount namespace goes with the container.
 */
#ifndef RNET_RUNTIME_MOUNT_JOB_H
#define RNET_RUNTIME_MOUNT_JOB_H

#include <rnet/runtime/plan.h>
#include <rnet/sys/mount-options.h>
#include <rnet/sys/rootpath.h>

/* The host's, and where containers have it as well. */
#define RN_CGROUP_ROOT "/sys/fs/cgroup"

typedef struct RnMountJob {
    const RnPlan *plan;
    const RnMount *mount;
    RnMountOptions options;
    int root_fd;
    int tree_fd; /* the bind's detached mount, made already; borrowed, or -1 */
    GArray *read_only_later; /* as rn_mounts_add() */
} RnMountJob;

bool rn_mount_job_is_type(const RnMountJob *job, const char *type);

/* The container has a namespace of that kind (one CLONE_NEW* bit) that it makes
 * itself, or that and those that it joins. */
bool rn_mount_job_makes(const RnMountJob *job, uint64_t namespace_flag);
bool rn_mount_job_owns(const RnMountJob *job, uint64_t namespace_flag);

/*
 * Opens the destination inside the root, makes it if it is missing, and checks
 * that it may be mounted on, mounts-target.c. tree_fd: what is to be mounted
 * there, or -1 for a new file system of the mount's type.
 */
bool rn_mount_job_open_target(const RnMountJob *job, RnRootpathKind kind,
                              int tree_fd, int *out_fd,
                              GError **error) RN_CHECK;

/*
 * Opens what was just mounted at the destination: the root of a mount, or
 * RN_ERROR_STATE.
 */
bool rn_mount_job_open_mounted(const RnMountJob *job, int *out_fd,
                               GError **error) RN_CHECK;

/* Attaches a detached mount at the destination, with the propagation. */
bool rn_mount_job_place(const RnMountJob *job, int tree_fd,
                        GError **error) RN_CHECK;

/* "rro" and its like. */
bool rn_mount_job_set_below(const RnMountJob *job, int fd,
                            GError **error) RN_CHECK;

bool rn_mount_job_set_propagation(const RnMountJob *job, int fd,
                                  GError **error) RN_CHECK;

/* "ro", "rw" and so on of a bind. */
bool rn_mount_job_set_bind_flags(const RnMountJob *job, int fd,
                                 GError **error) RN_CHECK;

/* The three kinds: mounts-bind.c, mounts-filesystem.c, mounts-cgroup.c. */
bool rn_mount_job_bind(const RnMountJob *job, GError **error) RN_CHECK;
bool rn_mount_job_filesystem(const RnMountJob *job, GError **error) RN_CHECK;
bool rn_mount_job_cgroup(const RnMountJob *job, GError **error) RN_CHECK;

/* mount(2) of one new file system at the destination, and all that its options
 * want; `type` may be another than the bundle's. */
bool rn_mount_job_new(const RnMountJob *job, const char *type,
                      GError **error) RN_CHECK;

/* The host's directory in place of a new file system, with the flags (MS_*) in
 * addition to the mount's own. */
bool rn_mount_job_substitute(const RnMountJob *job, const char *source,
                             unsigned long flags, GError **error) RN_CHECK;

/*
 * A detached copy of the bundle's source of a bind, its flags set and its
 * propagation as it comes.
 */
bool rn_mount_job_clone_source(const RnMountJob *job, int *out_fd,
                               GError **error) RN_CHECK;

#endif
