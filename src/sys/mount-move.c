/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount-move - the change of root without pivot_root(2)
 *
 * Runs in init, in the container's mount namespace, with the host's /proc. In:
 * the mount table of the kernel (proc(5), mountinfo). Failure leaves some of
 * the old root's mounts away; they go with the mount namespace anyway.
 */
#include "config.h"

#include <rnet/sys/mount.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/mount.h>

#include <rnet/sys/mount-table.h>
#include <rnet/util/fd.h>

/* Is `path` the directory `folder` or below it? */
static bool is_within(const char *path, const char *folder)
{
    gsize length = strlen(folder);

    return strncmp(path, folder, length) == 0 &&
           (path[length] == '/' || path[length] == '\0' || length == 1);
}

static bool reveals_kernel(const RnMountEntry *entry)
{
    return strcmp(entry->type, "proc") == 0 ||
           strcmp(entry->type, "sysfs") == 0;
}

static bool hide(const char *path, GError **error)
{
    /* what lies under another mount cannot be named, nor seen */
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return true;
    /* its unmounting must not reach the host */
    if (mount(NULL, path, NULL, MS_SLAVE | MS_REC, NULL) < 0 && errno != EINVAL)
        return rn_set_errno(error, errno, "cut off \"%s\"", path);
    if (umount2(path, MNT_DETACH) == 0)
        return true;
    /* locked (EINVAL), or not ours to unmount: covered */
    if (errno != EINVAL && errno != EPERM)
        return rn_set_errno(error, errno, "unmount \"%s\"", path);
    if (mount("rnet", path, "tmpfs", MS_RDONLY, "size=4k") < 0)
        return rn_set_errno(error, errno, "cover \"%s\"", path);
    return true;
}

static bool read_own_path(int fd, char **out_path, GError **error)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autoptr(GError) failure = NULL;

    *out_path = g_file_read_link(link, &failure);
    if (*out_path != NULL)
        return true;
    return rn_set_error(error, RN_ERROR_STATE, "find the root directory: %s",
                        failure->message);
}

/* From the last one, since later mounts may lie on earlier ones. */
static bool hide_host(int fd, GError **error)
{
    g_autofree char *root = NULL;
    g_autoptr(GPtrArray) table = NULL;

    if (!read_own_path(fd, &root, error) ||
        !rn_mount_table_read("/proc/self/mountinfo", &table, error))
        return false;
    for (unsigned i = table->len; i > 0; i--) {
        const RnMountEntry *entry = g_ptr_array_index(table, i - 1);

        if (reveals_kernel(entry) && !is_within(entry->target, root) &&
            !hide(entry->target, error))
            return false;
    }
    return true;
}

bool rn_mount_move_root(int fd, GError **error)
{
    if (!hide_host(fd, error))
        return false;
    if (fchdir(fd) < 0)
        return rn_set_errno(error, errno, "enter the root directory");
    if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
        return rn_set_errno(error, errno, "move the root");
    if (chroot(".") < 0)
        return rn_set_errno(error, errno, "change the root (chroot)");
    if (chdir("/") < 0)
        return rn_set_errno(error, errno, "enter the new root");
    return true;
}
