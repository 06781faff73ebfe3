/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rootfs - from a directory of the host to the container's root
 *
 * Runs in init, as the container's root, in the new mount namespace. The order
 * is: cut the mount events to the host, bind the root directory on itself (so
 * that it is a mount), fill it, protect it, pivot into it. Every path inside
 * is looked up with the directory as its root. Failure leaves a half-built
 * tree that goes with the mount namespace.
 */
#include "config.h"

#include <rnet/runtime/rootfs.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>

#include <rnet/runtime/devices.h>
#include <rnet/runtime/generated.h>
#include <rnet/runtime/mount-sources.h>
#include <rnet/runtime/mounts.h>
#include <rnet/runtime/sysctls.h>
#include <rnet/sys/mount.h>
#include <rnet/sys/rootpath.h>
#include <rnet/util/fd.h>

static void close_element(gpointer fd)
{
    rn_fd_close(fd);
}

void rn_rootfs_init(RnRootfs *rootfs)
{
    rootfs->fd = -1;
    rootfs->sources = NULL;
    rootfs->read_only_later = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_set_clear_func(rootfs->read_only_later, close_element);
    rootfs->left_out = g_ptr_array_new_with_free_func(g_free);
}

void rn_rootfs_clear(RnRootfs *rootfs)
{
    rn_fd_close(&rootfs->fd);
    g_clear_pointer(&rootfs->sources, g_array_unref);
    g_clear_pointer(&rootfs->read_only_later, g_array_unref);
    g_clear_pointer(&rootfs->left_out, g_ptr_array_unref);
}

/*
 * Slave, not private: a volume may ask to follow the host's mounts ("rslave").
 * No mount event goes the other way, whatever linux.rootfsPropagation says
 * (that is applied to the container's root when all is done), but from volumes
 * that ask to be "shared": these were copied before.
 */
static bool cut_propagation(GError **error)
{
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
        return rn_set_errno(error, errno, "stop mounts from reaching the host");
    return true;
}

static bool open_root(const RnPlan *plan, int *out_fd, GError **error)
{
    *out_fd = open(plan->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*out_fd >= 0)
        return true;
    (void)rn_set_errno(error, errno, "open \"%s\"", plan->rootfs);
    return rn_error_add_hint(error, "root.path in config.json has to name the "
                                    "directory with the container's files");
}

static bool attach_root(int target_fd, const RnRootfs *rootfs, GError **error)
{
    /* a mount that pivot_root(2) takes may not be shared, nor its parent */
    return rn_mount_attach(rootfs->fd, target_fd, error) &&
           rn_mount_set_propagation(rootfs->fd, MS_PRIVATE | MS_REC, error);
}

/* Image builders leave it to the runtime to make the working directory. */
static bool make_cwd(const RnPlan *plan, const RnRootfs *rootfs, GError **error)
{
    g_autoptr(GError) failure = NULL;
    rn_autofd int fd = -1;

    if (rn_rootpath_make(rootfs->fd, plan->config->process.cwd,
                         RN_ROOTPATH_DIRECTORY, &fd, &failure))
        return true;
    /* in a root that cannot be written the look-up will say what is missing */
    if (failure->domain == RN_ERRNO)
        return true;
    g_propagate_prefixed_error(error, g_steal_pointer(&failure),
                               "process.cwd: ");
    return false;
}

static bool take_sources(const RnPlan *plan, RnRootfs *rootfs, GError **error)
{
    if (rootfs->sources == NULL)
        rootfs->sources = rn_mount_sources_new(plan);
    return rn_mount_sources_take_shared(plan, rootfs->sources, error);
}

/* Closes the sources, each of which is attached now, or of no more use. */
static bool add_mounts(const RnPlan *plan, RnRootfs *rootfs, GError **error)
{
    bool added = rn_mounts_add(plan, rootfs->fd, rootfs->sources,
                               rootfs->read_only_later, error);

    g_clear_pointer(&rootfs->sources, g_array_unref);
    return added;
}

bool rn_rootfs_build(const RnPlan *plan, RnRootfs *rootfs, GError **error)
{
    g_auto(RnGenerated) generated;
    rn_autofd int target_fd = -1;

    rn_generated_init(&generated);
    return open_root(plan, &target_fd, error) &&
           take_sources(plan, rootfs, error) && cut_propagation(error) &&
           rn_mount_clone(target_fd, "", RN_MOUNT_RECURSIVE, &rootfs->fd,
                          error) &&
           rn_generated_make(plan, target_fd, &generated, error) &&
           attach_root(target_fd, rootfs, error) &&
           add_mounts(plan, rootfs, error) &&
           rn_devices_add(plan, rootfs->fd, error) &&
           rn_generated_place(&generated, rootfs->fd, rootfs->left_out,
                              error) &&
           make_cwd(plan, rootfs, error) &&
           rn_sysctls_write(plan, rootfs->fd, error);
}

typedef bool (*PathFunc)(int fd, GError **error);

/* A directory is covered by an empty read-only one, a file by /dev/null. */
static bool mask_path(int fd, GError **error)
{
    struct stat status = { 0 };
    rn_autofd int tree_fd = -1;

    if (fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "stat");
    if (S_ISDIR(status.st_mode))
        return rn_mount_new(fd, "tmpfs", "rnet",
                            MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                            "mode=755,size=4k", error);
    return rn_devices_clone_null(&tree_fd, error) &&
           rn_mount_attach(tree_fd, fd, error);
}

static bool protect_path(int fd, GError **error)
{
    rn_autofd int tree_fd = -1;

    return rn_mount_clone(fd, "", RN_MOUNT_RECURSIVE, &tree_fd, error) &&
           rn_mount_change(tree_fd, MS_RDONLY, 0, RN_MOUNT_RECURSIVE, error) &&
           rn_mount_attach(tree_fd, fd, error);
}

/* Paths that are not there need no protection: kernels differ in them. */
static bool for_each_path(char **paths, const char *what, int root_fd,
                          PathFunc func, GError **error)
{
    for (char **path = paths; *path != NULL; path++) {
        g_autoptr(GError) failure = NULL;
        rn_autofd int fd = -1;

        if (rn_rootpath_open(root_fd, *path, &fd, &failure)
                ? func(fd, &failure)
                : rn_error_is_errno(failure, ENOENT) ||
                      rn_error_is_errno(failure, ENOTDIR))
            continue;
        g_propagate_prefixed_error(error, g_steal_pointer(&failure),
                                   "%s \"%s\": ", what, *path);
        return false;
    }
    return true;
}

static bool make_read_only(const RnPlan *plan, const RnRootfs *rootfs,
                           GError **error)
{
    const GArray *later = rootfs->read_only_later;

    for (unsigned i = 0; i < later->len; i++) {
        if (!rn_mount_change(g_array_index(later, int, i), MS_RDONLY, 0,
                             RN_MOUNT_ONE, error))
            return false;
    }
    return !plan->config->root_readonly ||
           rn_mount_change(rootfs->fd, MS_RDONLY, 0, RN_MOUNT_ONE, error);
}

/* Of the root alone, "rshared" and the like too: what the mounts below have is
 * their own options' business, and must not be taken from a shared volume. */
static bool set_root_propagation(const RnPlan *plan, int root_fd,
                                 GError **error)
{
    unsigned long propagation =
        plan->config->rootfs_propagation & ~(unsigned long)MS_REC;

    return propagation == 0 ||
           rn_mount_set_propagation(root_fd, propagation, error);
}

bool rn_rootfs_enter(const RnPlan *plan, RnRootfs *rootfs, GError **error)
{
    const RnConfig *config = plan->config;

    return for_each_path(config->readonly_paths, "read-only path", rootfs->fd,
                         protect_path, error) &&
           for_each_path(config->masked_paths, "masked path", rootfs->fd,
                         mask_path, error) &&
           make_read_only(plan, rootfs, error) &&
           (plan->manner.no_pivot ? rn_mount_move_root(rootfs->fd, error)
                                  : rn_mount_enter_root(rootfs->fd, error)) &&
           set_root_propagation(plan, rootfs->fd, error);
}
