/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices - nodes, links and the console in the container's /dev
 *
 * Runs in init, as the container's root, when the bundle's mounts are there
 * and before the change of root. What the image has at these paths is hostile:
 * it is looked up inside the root, never opened for reading or writing, and
 * must be the device that was asked for or an empty file, the mount point that
 * an earlier run left.
 */
#include "config.h"

#include <rnet/runtime/devices.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <rnet/runtime/mounts.h>
#include <rnet/sys/mount.h>
#include <rnet/sys/pty.h>
#include <rnet/sys/rootpath.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    DEFAULT_MODE = 0666
};

typedef struct DefaultNode {
    char path[16];
    unsigned major, minor; /* Documentation/admin-guide/devices.txt */
} DefaultNode;

static const DefaultNode default_nodes[] = {
    { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
    { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

typedef struct Link {
    const char *name, *target;
} Link;

static const Link links[] = {
    { "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
    { "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
    { "ptmx", "pts/ptmx" },
};

static mode_t node_type(const RnDevice *device)
{
    if (device->type == 'p')
        return S_IFIFO;
    return device->type == 'b' ? S_IFBLK : S_IFCHR;
}

static dev_t node_number(const RnDevice *device)
{
    if (device->type == 'p')
        return 0;
    return makedev((unsigned)device->major, (unsigned)device->minor);
}

static bool is_device(const struct stat *status, const RnDevice *device)
{
    if ((status->st_mode & S_IFMT) != node_type(device))
        return false;
    return device->type == 'p' || status->st_rdev == node_number(device);
}

/* True where a mount does not let its nodes be opened. */
static bool has_nodev(int fd)
{
    struct statvfs status = { 0 };

    return fstatvfs(fd, &status) == 0 && (status.f_flag & ST_NODEV) != 0;
}

/* By fd: who can write the directory could put a link in the node's place. */
static bool give_node(const RnDevice *device, int folder_fd, const char *name,
                      mode_t mode, GError **error)
{
    g_autofree char *path = NULL;
    struct stat status = { 0 };
    rn_autofd int fd = openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "open the node");
    if (!is_device(&status, device))
        return rn_set_error(error, RN_ERROR_STATE,
                            "the node was changed while it was made");
    if (fchownat(fd, "", device->uid, device->gid, AT_EMPTY_PATH) < 0)
        return rn_set_errno(error, errno, "give the node to %u:%u", device->uid,
                            device->gid);
    path = g_strdup_printf("/proc/self/fd/%d", fd); /* fchmod(2): no O_PATH */
    if (chmod(path, mode) < 0)
        return rn_set_errno(error, errno, "set the node's mode");
    return true;
}

/* Makes the node; RN_ERRNO EPERM where that is not allowed. */
static bool make_node(const RnDevice *device, int root_fd, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(device->path);
    g_autofree char *name = g_path_get_basename(device->path);
    mode_t mode = device->has_mode ? device->mode & 07777 : DEFAULT_MODE;
    rn_autofd int folder_fd = -1;

    if (!rn_rootpath_make(root_fd, folder, RN_ROOTPATH_DIRECTORY, &folder_fd,
                          error))
        return false;
    if (mknodat(folder_fd, name, node_type(device) | mode,
                node_number(device)) < 0)
        return rn_set_errno(error, errno, "make the node");
    return give_node(device, folder_fd, name, mode, error);
}

/*
 * Read-only: the node is the host's own, and the container's root, if it is the
 * host's, must not change its mode or owner there. To write to the device
 * itself takes no writable mount.
 */
static bool clone_host_node(const RnDevice *device, int *out_fd, GError **error)
{
    struct stat status = { 0 };
    rn_autofd int fd = -1;

    if (!rn_mount_clone(AT_FDCWD, device->path, RN_MOUNT_ONE, &fd, error))
        return false;
    if (fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "stat the host's node");
    if (!is_device(&status, device))
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "the host's node of that name is another device");
    if (!rn_mount_change(fd, MS_RDONLY, 0, RN_MOUNT_ONE, error))
        return false;
    *out_fd = g_steal_fd(&fd);
    return true;
}

/* fd: what the container has at the path, an empty file; or -1. */
static bool bind_node(const RnDevice *device, int root_fd, int fd,
                      GError **error)
{
    rn_autofd int tree_fd = -1;
    rn_autofd int made_fd = -1;

    if (!clone_host_node(device, &tree_fd, error)) {
        g_prefix_error(error, "a user namespace cannot make device nodes, and "
                              "the host's cannot be used: ");
        return false;
    }
    if (fd < 0) {
        if (!rn_rootpath_make(root_fd, device->path, RN_ROOTPATH_FILE, &made_fd,
                              error))
            return rn_error_add_hint(error, "give the bundle a tmpfs on /dev");
        fd = made_fd;
    }
    return rn_mounts_check_cover(fd, error) &&
           rn_mount_attach(tree_fd, fd, error);
}

/* Looks at what is there already: true, with *out_done, if it will do. */
static bool check_present(const RnDevice *device, int fd, bool *out_done,
                          GError **error)
{
    struct stat status = { 0 };

    if (fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "stat");
    if (is_device(&status, device)) {
        *out_done = !has_nodev(fd) || device->type == 'p';
        return true;
    }
    if (S_ISREG(status.st_mode) && status.st_size == 0)
        return true;
    return rn_set_error(error, RN_ERROR_EXISTS,
                        "the image has something else there");
}

static bool provide_node(const RnPlan *plan, const RnDevice *device,
                         int root_fd, GError **error)
{
    bool is_host = !plan->has_userns;
    g_autoptr(GError) failure = NULL;
    rn_autofd int fd = -1;
    bool done = false;

    if (rn_rootpath_open(root_fd, device->path, &fd, &failure)) {
        if (!check_present(device, fd, &done, error))
            return false;
        return done || bind_node(device, root_fd, fd, error);
    }
    if (!rn_error_is_errno(failure, ENOENT)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (!is_host && device->type != 'p')
        return bind_node(device, root_fd, -1, error);
    g_clear_error(&failure);
    if (make_node(device, root_fd, &failure))
        return true;
    /* EPERM: root without CAP_MKNOD; EEXIST: a link to nothing */
    if (device->type != 'p' && (rn_error_is_errno(failure, EPERM) ||
                                rn_error_is_errno(failure, EEXIST)))
        return bind_node(device, root_fd, -1, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool add_node(const RnPlan *plan, const RnDevice *device, int root_fd,
                     GError **error)
{
    if (provide_node(plan, device, root_fd, error))
        return true;
    g_prefix_error(error, "device \"%s\": ", device->path);
    return false;
}

static bool add_links(int root_fd, GError **error)
{
    rn_autofd int folder_fd = -1;

    if (!rn_rootpath_make(root_fd, "/dev", RN_ROOTPATH_DIRECTORY, &folder_fd,
                          error))
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(links); i++) {
        const Link *link = &links[i];

        if (symlinkat(link->target, folder_fd, link->name) < 0 &&
            errno != EEXIST)
            return rn_set_errno(error, errno, "link \"/dev/%s\"", link->name);
    }
    return true;
}

bool rn_devices_add(const RnPlan *plan, int root_fd, GError **error)
{
    const GPtrArray *devices = plan->config->devices;

    for (unsigned i = 0; i < G_N_ELEMENTS(default_nodes); i++) {
        const DefaultNode *node = &default_nodes[i];
        RnDevice device = {
            .path = (char *)node->path,
            .type = 'c',
            .major = node->major,
            .minor = node->minor,
        };

        if (!add_node(plan, &device, root_fd, error))
            return false;
    }
    for (unsigned i = 0; i < devices->len; i++) {
        if (!add_node(plan, g_ptr_array_index(devices, i), root_fd, error))
            return false;
    }
    return add_links(root_fd, error);
}

bool rn_devices_clone_null(int *out_fd, GError **error)
{
    const RnDevice null_device = {
        .path = (char *)"/dev/null",
        .type = 'c',
        .major = 1,
        .minor = 3,
    };

    if (clone_host_node(&null_device, out_fd, error))
        return true;
    g_prefix_error(error, "the host's \"/dev/null\": ");
    return false;
}

static bool bind_console(int slave, int root_fd, GError **error)
{
    rn_autofd int tree_fd = -1;
    rn_autofd int target_fd = -1;

    if (rn_mount_clone(slave, "", RN_MOUNT_ONE, &tree_fd, error) &&
        rn_rootpath_make(root_fd, "/dev/console", RN_ROOTPATH_FILE, &target_fd,
                         error) &&
        rn_mounts_check_cover(target_fd, error) &&
        rn_mount_attach(tree_fd, target_fd, error))
        return true;
    g_prefix_error(error, "\"/dev/console\": ");
    return false;
}

/* A file of the image must not be opened: it may be anything. */
static bool open_ptmx(int root_fd, int *out_fd, GError **error)
{
    struct statfs status = { 0 };
    rn_autofd int fd = -1;

    if (!rn_rootpath_open(root_fd, "/dev/pts/ptmx", &fd, error))
        return false;
    if (fstatfs(fd, &status) < 0 || status.f_type != DEVPTS_SUPER_MAGIC)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"/dev/pts/ptmx\" is not of a devpts");
    *out_fd = g_steal_fd(&fd);
    return true;
}

bool rn_devices_add_console(const RnPlan *plan, int root_fd, int *out_master,
                            int *out_slave, GError **error)
{
    const RnProcess *process = &plan->config->process;
    rn_autofd int ptmx_fd = -1;
    rn_autofd int master = -1;
    rn_autofd int slave = -1;

    if (!open_ptmx(root_fd, &ptmx_fd, error))
        return rn_error_add_hint(error, "process.terminal needs a mount of "
                                        "type devpts at /dev/pts");
    if (!rn_pty_open(ptmx_fd, &master, &slave, error))
        return false;
    if (process->console_width > 0 && process->console_height > 0 &&
        !rn_pty_set_size(master, process->console_width,
                         process->console_height, error))
        return false;
    if (fchown(slave, process->uid, (gid_t)-1) < 0)
        return rn_set_errno(error, errno, "give the terminal to uid %u",
                            process->uid);
    if (!bind_console(slave, root_fd, error))
        return false;
    *out_master = g_steal_fd(&master);
    *out_slave = g_steal_fd(&slave);
    return true;
}
