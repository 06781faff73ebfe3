/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-sandbox - a root directory with little in it
 *
 * Runs in the slirp4netns dialect, once, when the network is up: nsagent and
 * the first relay are outside, in confinements of their own. Who is root (in
 * Podman's user namespace, too) makes a mount namespace; anybody else a user
 * namespace as well, that has only his own ids.
 *
 * A relay that dies is started again from in here. It is exec'd, from
 * /proc/self/exe: this is a mount of rnet's own file at just that path, without
 * a /proc, whose PID/root would lead out again; /usr and /lib* are there for
 * its libraries. An nsagent that dies is not so lucky: entering the namespace
 * takes capabilities that are gone, but for a root who owns the namespace's user
 * namespace.
 *
 * Failure: an error; the process may be half inside and has to end.
 */
#include "config.h"

#include <rnet/dialect/slirp4netns-sandbox.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <rnet/sys/caps.h>
#include <rnet/sys/confine.h>
#include <rnet/sys/mount.h>
#include <rnet/sys/userns.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#define EXE         "/proc/self/exe"
#define RESOLV_CONF "/etc/resolv.conf"
#define ROOT_SIZE   "64k"
#define SCAFFOLD    "/tmp" /* where the new root is until it is "/" */

enum {
    READ_ONLY = MS_RDONLY | MS_NOSUID | MS_NODEV,
    PLAIN = READ_ONLY | MS_NOEXEC,
};

/* What is shown at `path`: a copy of the mounts there, or the same link. */
typedef struct Shown {
    const char *path;
    unsigned long flags;
    bool is_file;
    bool is_needed;
} Shown;

static const Shown shown[] = {
    { "/etc", PLAIN, false, true },
    { "/run", PLAIN, false, true },
    { "/usr", READ_ONLY, false, true },
    { "/lib", READ_ONLY, false, false },
    { "/lib32", READ_ONLY, false, false },
    { "/lib64", READ_ONLY, false, false },
    { "/dev/null", MS_NOSUID | MS_NOEXEC, true, true },
#ifdef RN_SANITIZERS
    { "/proc", READ_ONLY, false, true }, /* what their runtimes read */
#else
    { EXE, READ_ONLY, true, true },
#endif
};

/* One of them, on its way into the new root. */
typedef struct Piece {
    int tree;   /* a detached copy; -1 */
    char *link; /* of a symbolic link: where it leads to; NULL */
} Piece;

/* Writes one of this process's id maps: its own id alone. */
static bool map_own_id(const char *file, unsigned id, GError **error)
{
    g_autofree char *text = g_strdup_printf("%u %u 1\n", id, id);
    g_autofree char *path = g_strdup_printf("/proc/self/%s", file);

    return rn_file_write(AT_FDCWD, path, text, error);
}

static bool enter_namespaces(GError **error)
{
    unsigned uid = geteuid();
    unsigned gid = getegid();

    if ((rn_caps_effective() & RN_CAP_BIT(CAP_SYS_ADMIN)) != 0) {
        if (unshare(CLONE_NEWNS) < 0)
            return rn_set_errno(error, errno,
                                "cannot unshare new mount namespace");
        return true;
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return rn_userns_explain(errno, error);
    return rn_file_write(AT_FDCWD, "/proc/self/setgroups", "deny", error) &&
           map_own_id("uid_map", uid, error) &&
           map_own_id("gid_map", gid, error);
}

/* What the host mounts later is seen, and nothing of here reaches the host. */
static bool cut_propagation(GError **error)
{
    rn_autofd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0)
        return rn_set_errno(error, errno, "open the root directory");
    return rn_mount_set_propagation(root, MS_SLAVE | MS_REC, error);
}

/* The path of rnet's own file: mounts of another namespace, as the one behind
 * the link, cannot be copied. */
static bool find_own_file(char **out_path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    struct stat linked;
    struct stat found;
    g_autofree char *path = g_file_read_link(EXE, &failure);

    if (path == NULL || stat(EXE, &linked) < 0 || stat(path, &found) < 0 ||
        linked.st_dev != found.st_dev || linked.st_ino != found.st_ino)
        return rn_set_error(error, RN_ERROR_NOT_FOUND,
                            "rnet's own file is not where it was");
    *out_path = g_steal_pointer(&path);
    return true;
}

static bool copy_tree(const Shown *what, const char *path, Piece *piece,
                      GError **error)
{
    RnMountDepth depth = what->is_file ? RN_MOUNT_ONE : RN_MOUNT_RECURSIVE;

    if (!rn_mount_clone(AT_FDCWD, path, depth, &piece->tree, error) ||
        !rn_mount_change(piece->tree, what->flags, 0, depth, error)) {
        g_prefix_error(error, "cannot bind mount %s: ", path);
        return false;
    }
    return true;
}

static bool take_piece(const Shown *what, Piece *piece, GError **error)
{
    g_autofree char *exe = NULL;
    struct stat status;

    if (strcmp(what->path, EXE) == 0)
        return find_own_file(&exe, error) && copy_tree(what, exe, piece, error);
    if (lstat(what->path, &status) < 0)
        return !what->is_needed ||
               rn_set_errno(error, errno, "cannot find %s", what->path);
    if (!S_ISLNK(status.st_mode))
        return copy_tree(what, what->path, piece, error);
    piece->link = g_file_read_link(what->path, NULL);
    return piece->link != NULL ||
           rn_set_errno(error, errno, "cannot read %s", what->path);
}

static bool make_folders(int root, const char *path, GError **error)
{
    g_autofree char *relative = g_path_get_dirname(path + 1);
    g_auto(GStrv) names = g_strsplit(relative, "/", -1);
    g_autoptr(GString) so_far = g_string_new(NULL);

    for (gsize i = 0; names[i] != NULL && strcmp(relative, ".") != 0; i++) {
        g_string_append_printf(so_far, "%s%s", i == 0 ? "" : "/", names[i]);
        if (mkdirat(root, so_far->str, 0755) < 0 && errno != EEXIST)
            return rn_set_errno(error, errno, "cannot mkdir %s", so_far->str);
    }
    return true;
}

/* The place that a mount goes onto, and its fd. */
static bool make_place(int root, const Shown *what, int *out_fd, GError **error)
{
    const char *relative = what->path + 1;
    int fd = -1;

    if (what->is_file)
        fd = openat(root, relative, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                    0444);
    else if (mkdirat(root, relative, 0755) == 0)
        fd = openat(root, relative, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return rn_set_errno(error, errno, "cannot mkdir %s", what->path);
    *out_fd = fd;
    return true;
}

static bool put_piece(int root, const Shown *what, const Piece *piece,
                      GError **error)
{
    rn_autofd int place = -1;

    if (!make_folders(root, what->path, error))
        return false;
    if (piece->link != NULL)
        return symlinkat(piece->link, root, what->path + 1) == 0 ||
               rn_set_errno(error, errno, "cannot link %s", what->path);
    if (piece->tree < 0)
        return true;
    if (!make_place(root, what, &place, error))
        return false;
    if (rn_mount_attach(piece->tree, place, error))
        return true;
    g_prefix_error(error, "cannot bind mount %s: ", what->path);
    return false;
}

/* All copies are made before the new root covers SCAFFOLD, where any of them
 * may lie. */
static bool build_root(Piece *pieces, GError **error)
{
    rn_autofd int root = -1;
    rn_autofd int scaffold = open(SCAFFOLD, O_PATH | O_DIRECTORY | O_CLOEXEC);

    for (unsigned i = 0; i < G_N_ELEMENTS(shown); i++) {
        if (!take_piece(&shown[i], &pieces[i], error))
            return false;
    }
    if (scaffold < 0 ||
        !rn_mount_make_tmpfs(ROOT_SIZE, MS_NOSUID | MS_NODEV | MS_NOEXEC, &root,
                             error) ||
        !rn_mount_attach(root, scaffold, error)) {
        g_prefix_error(error, "cannot mount tmpfs on " SCAFFOLD ": ");
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(shown); i++) {
        if (!put_piece(root, &shown[i], &pieces[i], error))
            return false;
    }
    return rn_mount_change(root, MS_RDONLY, 0, RN_MOUNT_ONE, error) &&
           rn_mount_enter_root(root, error);
}

static bool change_root(GError **error)
{
    Piece pieces[G_N_ELEMENTS(shown)];
    bool built = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(shown); i++)
        pieces[i] = (Piece){ .tree = -1 };
    built = build_root(pieces, error);
    for (unsigned i = 0; i < G_N_ELEMENTS(shown); i++) {
        rn_fd_close(&pieces[i].tree);
        g_free(pieces[i].link);
    }
    return built;
}

static void warn_of_resolv_conf(void)
{
    g_autofree char *target = realpath(RESOLV_CONF, NULL);

    if (target != NULL && !g_str_has_prefix(target, "/etc/") &&
        !g_str_has_prefix(target, "/run/"))
        rn_log_warning("sandbox: " RESOLV_CONF " (-> %s) seems a symlink to a "
                       "file outside {/etc, /run}. DNS will not work once the "
                       "relay has been started again.",
                       target);
}

bool rn_slirp_enter_sandbox(GError **error)
{
    warn_of_resolv_conf();
    return enter_namespaces(error) && cut_propagation(error) &&
           change_root(error) &&
           rn_caps_confine(RN_CAP_BIT(CAP_NET_BIND_SERVICE), error);
}

/*
 * Not in the list: what starting a helper takes (clone, execve, and setns for
 * nsagent).
 */
static const char *const denied_calls[] = {
    "acct",
    "add_key",
    "bpf",
    "chroot",
    "clock_adjtime",
    "clock_settime",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "personality",
    "pidfd_getfd",
    "pivot_root",
    "process_vm_readv",
    "process_vm_writev",
    "quotactl",
    "reboot",
    "request_key",
    "sethostname",
    "setdomainname",
    "settimeofday",
    "stime",
    "swapoff",
    "swapon",
    "sysfs",
    "_sysctl",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "ustat",
    "vhangup",
    "vm86",
    "vm86old",
#ifndef RN_SANITIZERS
    "ptrace", /* how leaks are looked for */
#endif
    NULL
};

bool rn_slirp_enter_seccomp(GError **error)
{
    return rn_seccomp_deny(denied_calls, error);
}
