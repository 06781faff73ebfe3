/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount - mounts that are made and attached by fd, never by path
 *
 * mount(2), open_tree(2), mount_setattr(2) (Linux 5.12), move_mount(2),
 * pivot_root(2). A target is an O_PATH fd: what was looked up is what is
 * mounted on, whatever happens to the path meanwhile. Flags are MS_* of
 * mount(2) throughout. Needs the host's /proc until rn_mount_enter_root().
 */
#ifndef RNET_SYS_MOUNT_H
#define RNET_SYS_MOUNT_H

#include <rnet/util/error.h>

/* Errors of this module are RN_ERRNO and name no path: the caller does. */

/* mount(2) of a new file system (or MS_REMOUNT) on the target. */
bool rn_mount_new(int target_fd, const char *type, const char *source,
                  unsigned long flags, const char *data,
                  GError **error) RN_CHECK;

/*
 * A detached tmpfs, fsopen(2), its root in *out_fd (not O_PATH); `size` as for
 * its mount option. Once attached the same fd is the root of what is there, so
 * that no look-up comes between.
 */
bool rn_mount_make_tmpfs(const char *size, unsigned long flags, int *out_fd,
                         GError **error) RN_CHECK;

typedef enum RnMountDepth {
    RN_MOUNT_ONE,
    RN_MOUNT_RECURSIVE, /* with the mounts below it */
} RnMountDepth;

/*
 * A detached copy of the mount(s) at dirfd and path ("": dirfd itself): what a
 * bind mount is made of. It is gone when the fd is closed unless attached.
 */
bool rn_mount_clone(int dirfd, const char *path, RnMountDepth depth,
                    int *out_fd, GError **error) RN_CHECK;

/* Attaches a detached mount; tree_fd is then the root of the mount there. */
bool rn_mount_attach(int tree_fd, int target_fd, GError **error) RN_CHECK;

/*
 * Sets and clears per-mount flags (MS_RDONLY, NOSUID, NODEV, NOEXEC,
 * NOSYMFOLLOW and the atime ones; others are passed over) of the mount whose
 * root fd is. In a user namespace clearing a flag that the mount has from
 * outside is EPERM, mount_namespaces(7).
 */
bool rn_mount_change(int fd, unsigned long set, unsigned long clear,
                     RnMountDepth depth, GError **error) RN_CHECK;

/*
 * Shows the files of a detached mount with other owners: id N of the file
 * system is what N is in the user namespace `userns_fd`, MOUNT_ATTR_IDMAP.
 * EPERM without CAP_SYS_ADMIN in the user namespace that the file system was
 * mounted in, or if the mount is not detached; EINVAL if the file system cannot
 * do it.
 */
bool rn_mount_set_idmap(int fd, int userns_fd, RnMountDepth depth,
                        GError **error) RN_CHECK;

/* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC or without. */
bool rn_mount_set_propagation(int fd, unsigned long propagation,
                              GError **error) RN_CHECK;

/* Unmounts (MNT_DETACH) the mount whose root fd is. */
bool rn_mount_detach(int fd, GError **error) RN_CHECK;

/* True if fd is the root of a mount. */
bool rn_mount_is_root(int fd);

/*
 * Makes the mount whose root fd is the process's root and working directory,
 * and detaches the old root with everything on it.
 */
bool rn_mount_enter_root(int fd, GError **error) RN_CHECK;

/*
 * The same without pivot_root(2), which the kernel refuses on an initramfs: the
 * mount is moved onto "/" and becomes the root by chroot(2). The old root stays
 * mounted beneath it; its proc and sysfs are unmounted or covered first, since
 * the kernel would take them for a reason to allow new ones in full.
 */
bool rn_mount_move_root(int fd, GError **error) RN_CHECK;

#endif
