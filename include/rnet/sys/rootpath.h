/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rootpath - paths that are looked up and made beneath a directory
 *
 * "/", ".." and every symbolic link mean what they mean to a process whose
 * root is that directory, openat2(2) RESOLVE_IN_ROOT: an image cannot lead a
 * look-up out of it. Links through /proc (magic links) are refused.
 */
#ifndef RNET_SYS_ROOTPATH_H
#define RNET_SYS_ROOTPATH_H

#include <rnet/util/error.h>

typedef enum RnRootpathKind {
    RN_ROOTPATH_DIRECTORY,
    RN_ROOTPATH_FILE, /* anything but a directory */
} RnRootpathKind;

enum {
    RN_ROOTPATH_MAX_NAMES = 256, /* in a path that is made */
    RN_ROOTPATH_MAX_LINKS = 40,  /* as the kernel, path_resolution(7) */
};

/*
 * Opens `path` (O_PATH, CLOEXEC), following symbolic links. Failures are
 * RN_ERRNO, ENOENT among them.
 */
bool rn_rootpath_open(int root_fd, const char *path, int *out_fd,
                      GError **error) RN_CHECK;

/*
 * The same for a path with no symbolic link anywhere in it: ELOOP if there is
 * one.
 */
bool rn_rootpath_open_plain(int root_fd, const char *path, int *out_fd,
                            GError **error) RN_CHECK;

/*
 * Opens `path` below the directory `folder_fd` with open(2)'s `flags`: neither
 * a symbolic link nor another mount may be on the way (ELOOP, EXDEV).
 */
bool rn_rootpath_open_inner(int folder_fd, const char *path, int flags,
                            int *out_fd, GError **error) RN_CHECK;

/*
 * Where the file of `fd` is below the root, as the kernel sees it: "/etc/x",
 * the caller's. RN_ERROR_STATE if it is not below it (any more).
 */
bool rn_rootpath_locate(int root_fd, int fd, char **out_path,
                        GError **error) RN_CHECK;

/*
 * rn_rootpath_open(), but makes what is missing: directories (0755) on the way
 * and an empty file (0644) or a directory at the end. A symbolic link that
 * points at nothing is followed, and its target made. RN_ERROR_INVALID if what
 * exists is of the other kind.
 */
bool rn_rootpath_make(int root_fd, const char *path, RnRootpathKind kind,
                      int *out_fd, GError **error) RN_CHECK;

#endif
