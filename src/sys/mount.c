/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount - the mount system calls on fds
 *
 * Runs in init, in the container's mount namespace. New file systems are made
 * with mount(2), which takes options of any length, on /proc/self/fd/N; binds
 * are detached trees, so that their flags hold from the first moment and locked
 * ones stay. Nothing here decides anything; failure leaves what was done.
 */
#include "config.h"

#include <rnet/sys/mount.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include <linux/stat.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/util/fd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000 /* linux/fcntl.h, not in glibc's fcntl.h */
#endif

enum {
    FD_PATH_SIZE = 32
};

typedef struct AttrName {
    unsigned long flag; /* mount(2) */
    uint64_t attr;      /* mount_setattr(2) */
} AttrName;

static const AttrName attr_names[] = {
    { MS_RDONLY, MOUNT_ATTR_RDONLY },
    { MS_NOSUID, MOUNT_ATTR_NOSUID },
    { MS_NODEV, MOUNT_ATTR_NODEV },
    { MS_NOEXEC, MOUNT_ATTR_NOEXEC },
    { MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
    { MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
};

static const char *format_fd(int fd, char path[FD_PATH_SIZE])
{
    g_snprintf(path, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
    return path;
}

bool rn_mount_new(int target_fd, const char *type, const char *source,
                  unsigned long flags, const char *data, GError **error)
{
    char target[FD_PATH_SIZE];

    if (mount(source, format_fd(target_fd, target), type, flags, data) < 0)
        return rn_set_errno(error, errno, "mount type \"%s\"", type);
    return true;
}

static uint64_t collect_attrs(unsigned long flags)
{
    uint64_t attrs = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(attr_names); i++) {
        if ((flags & attr_names[i].flag) != 0)
            attrs |= attr_names[i].attr;
    }
    return attrs;
}

static bool configure_tmpfs(int context, const char *size, GError **error)
{
    if (fsconfig(context, FSCONFIG_SET_STRING, "source", "rnet", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return rn_set_errno(error, errno, "make a tmpfs");
    return true;
}

bool rn_mount_make_tmpfs(const char *size, unsigned long flags, int *out_fd,
                         GError **error)
{
    rn_autofd int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    int fd = -1;

    if (context < 0)
        return rn_set_errno(error, errno, "open a tmpfs");
    if (!configure_tmpfs(context, size, error))
        return false;
    fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)collect_attrs(flags));
    if (fd < 0)
        return rn_set_errno(error, errno, "mount a tmpfs");
    *out_fd = fd;
    return true;
}

bool rn_mount_clone(int dirfd, const char *path, RnMountDepth depth,
                    int *out_fd, GError **error)
{
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
    int fd = -1;

    if (depth == RN_MOUNT_RECURSIVE)
        flags |= AT_RECURSIVE;
    fd = open_tree(dirfd, path, flags);
    if (fd < 0)
        return rn_set_errno(error, errno, "clone the mount");
    *out_fd = fd;
    return true;
}

bool rn_mount_attach(int tree_fd, int target_fd, GError **error)
{
    if (move_mount(tree_fd, "", target_fd, "",
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return rn_set_errno(error, errno, "attach the mount");
    return true;
}

/* The atime mode is one field: all of it is cleared, then one value set. */
static void add_atime_mode(unsigned long set, unsigned long clear,
                           struct mount_attr *attr)
{
    const unsigned long modes = MS_NOATIME | MS_STRICTATIME | MS_RELATIME;

    if ((set & modes) == 0 && (clear & (MS_NOATIME | MS_STRICTATIME)) == 0)
        return;
    attr->attr_clr |= MOUNT_ATTR__ATIME;
    if ((set & MS_NOATIME) != 0)
        attr->attr_set |= MOUNT_ATTR_NOATIME;
    else if ((set & MS_STRICTATIME) != 0)
        attr->attr_set |= MOUNT_ATTR_STRICTATIME;
}

static bool set_attr(int fd, struct mount_attr *attr, bool recursive,
                     GError **error)
{
    unsigned flags = AT_EMPTY_PATH;

    if (recursive)
        flags |= AT_RECURSIVE;
    if (mount_setattr(fd, "", flags, attr, sizeof *attr) < 0)
        return rn_set_errno(error, errno, "set the mount's flags");
    return true;
}

bool rn_mount_change(int fd, unsigned long set, unsigned long clear,
                     RnMountDepth depth, GError **error)
{
    struct mount_attr attr = {
        .attr_set = collect_attrs(set),
        .attr_clr = collect_attrs(clear),
    };

    add_atime_mode(set, clear, &attr);
    if (attr.attr_set == 0 && attr.attr_clr == 0)
        return true;
    return set_attr(fd, &attr, depth == RN_MOUNT_RECURSIVE, error);
}

bool rn_mount_set_idmap(int fd, int userns_fd, RnMountDepth depth,
                        GError **error)
{
    struct mount_attr attr = {
        .attr_set = MOUNT_ATTR_IDMAP,
        .userns_fd = (uint64_t)userns_fd,
    };
    unsigned flags = AT_EMPTY_PATH;

    if (depth == RN_MOUNT_RECURSIVE)
        flags |= AT_RECURSIVE;
    if (mount_setattr(fd, "", flags, &attr, sizeof attr) < 0)
        return rn_set_errno(error, errno, "map the mount's ids");
    return true;
}

bool rn_mount_set_propagation(int fd, unsigned long propagation, GError **error)
{
    struct mount_attr attr = {
        .propagation = propagation & ~(unsigned long)MS_REC,
    };

    return set_attr(fd, &attr, (propagation & MS_REC) != 0, error);
}

bool rn_mount_detach(int fd, GError **error)
{
    char path[FD_PATH_SIZE];

    if (umount2(format_fd(fd, path), MNT_DETACH) < 0)
        return rn_set_errno(error, errno, "unmount");
    return true;
}

bool rn_mount_is_root(int fd)
{
    struct statx status = { 0 };

    return statx(fd, "", AT_EMPTY_PATH, 0, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool rn_mount_enter_root(int fd, GError **error)
{
    if (fchdir(fd) < 0)
        return rn_set_errno(error, errno, "enter the root directory");
    /* "." twice stacks the old root on the new one, pivot_root(2), NOTES: no
     * directory for it is needed in the image */
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        return rn_set_errno(error, errno, "change the root (pivot_root)");
    if (umount2(".", MNT_DETACH) < 0)
        return rn_set_errno(error, errno, "detach the old root");
    if (chdir("/") < 0)
        return rn_set_errno(error, errno, "enter the new root");
    return true;
}
