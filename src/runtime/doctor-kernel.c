/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-kernel - trials of what the kernel lets a container do with itself
 *
 * Each runs in a child that ends with it (doctor-trial.c), those of mounts in
 * namespaces of its own, so that nothing is left. A trial uses rnet's own
 * functions where there are any, and fails with their errors.
 */
#include "config.h"

#include <rnet/runtime/doctor-trial.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/sys/confine.h>
#include <rnet/sys/mount.h>
#include <rnet/sys/process.h>
#include <rnet/sys/userns.h>
#include <rnet/util/fd.h>

/* Where the trials of mounts mount, in their own mount namespace. */
static const char stage[] = "/tmp";

/* A call with arguments that cannot work: EINVAL shows that it is there. */
static long call_clone3(void)
{
    return syscall(SYS_clone3, NULL, 0);
}

static long call_openat2(void)
{
    const struct open_how how = { .flags = O_PATH | O_CLOEXEC };

    return syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
}

static long call_pidfd_open(void)
{
    return syscall(SYS_pidfd_open, getpid(), 0);
}

static long call_pidfd_send_signal(void)
{
    rn_autofd int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

    return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0);
}

static long call_close_range(void)
{
    return close_range(~0U, ~0U, 0);
}

/* ENOSYS: not in this kernel; EPERM: what a filter says instead. */
bool rn_try_system_calls(G_GNUC_UNUSED const void *data, GError **error)
{
    static const struct {
        const char *name;
        long (*call)(void);
        const char *since;
    } calls[] = {
        { "clone3", call_clone3, "5.3" },
        { "openat2", call_openat2, "5.6" },
        { "pidfd_open", call_pidfd_open, "5.3" },
        { "pidfd_send_signal", call_pidfd_send_signal, "5.1" },
        { "close_range", call_close_range, "5.9" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        if (calls[i].call() >= 0 || (errno != ENOSYS && errno != EPERM))
            continue;
        (void)rn_set_errno(error, errno, "system call %s (Linux %s)",
                           calls[i].name, calls[i].since);
        return false;
    }
    return true;
}

/* With all other namespaces; there the capabilities have to be good. Mounts are
 * what a security module takes away, and every container needs. */
bool rn_try_user_namespace(G_GNUC_UNUSED const void *data, GError **error)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        (void)rn_userns_explain(errno, error);
        g_prefix_error(error, "it is made, but without capabilities: ");
        return false;
    }
    return true;
}

/* The profiles of engines forbid it to their containers, apart from mounts. */
bool rn_try_hostname(G_GNUC_UNUSED const void *data, GError **error)
{
    static const char name[] = "rnet-doctor";

    if (sethostname(name, sizeof name - 1) < 0)
        return rn_set_errno(error, errno, "set a host name");
    return true;
}

/* Where making the namespaces and mapping the ids is the trial. */
bool rn_try_nothing(G_GNUC_UNUSED const void *data,
                    G_GNUC_UNUSED GError **error)
{
    return true;
}

/* An empty tmpfs to work in. */
static bool mount_stage(GError **error)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return rn_set_errno(error, errno, "make all mounts private");
    if (mount("tmpfs", stage, "tmpfs", 0, NULL) < 0)
        return rn_set_errno(error, errno, "mount a tmpfs on \"%s\"", stage);
    return true;
}

/* As a container's root file system: a bind mount, read-only, entered. */
bool rn_try_mounts(G_GNUC_UNUSED const void *data, GError **error)
{
    rn_autofd int tree = -1;
    rn_autofd int target = -1;

    if (!mount_stage(error))
        return false;
    target = open(stage, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (target < 0)
        return rn_set_errno(error, errno, "open \"%s\"", stage);
    if (!rn_mount_clone(AT_FDCWD, stage, RN_MOUNT_ONE, &tree, error) ||
        !rn_mount_change(tree, MS_RDONLY | MS_NOSUID, 0, RN_MOUNT_ONE, error) ||
        !rn_mount_attach(tree, target, error)) {
        g_prefix_error(error, "bind mount: ");
        return false;
    }
    return rn_mount_enter_root(tree, error);
}

/* Both are refused where an outer container hides parts of its own, sysfs also
 * where that is read-only. */
bool rn_try_file_system(const void *data, GError **error)
{
    const char *type = data;

    if (!mount_stage(error))
        return false;
    if (mount(type, stage, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
        return true;
    return rn_set_errno(error, errno, "mount %s in a user namespace", type);
}

bool rn_try_overlay(G_GNUC_UNUSED const void *data, GError **error)
{
    static const char *const folders[] = { "lower", "upper", "work", "merged" };

    if (!mount_stage(error))
        return false;
    if (chdir(stage) < 0)
        return rn_set_errno(error, errno, "enter \"%s\"", stage);
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        if (mkdir(folders[i], 0755) < 0)
            return rn_set_errno(error, errno, "make a directory");
    }
    if (mount("overlay", "merged", "overlay", 0,
              "lowerdir=lower,upperdir=upper,workdir=work,userxattr") < 0)
        return rn_set_errno(error, errno, "mount an overlay");
    /* writing through it is what images need */
    if (mkdir("merged/new", 0755) < 0)
        return rn_set_errno(error, errno, "write to an overlay");
    return true;
}

/* A user namespace with one id, for its fd; it ends with `*out_pid`. */
static bool make_other_namespace(pid_t *out_pid, int *out_fd, GError **error)
{
    const RnIdMapping one = { .size = 1 };
    g_autoptr(GArray) map = g_array_new(FALSE, FALSE, sizeof one);
    g_autofree char *path = NULL;
    int pidfd = -1;

    g_array_append_val(map, one);
    if (!rn_clone(CLONE_NEWUSER, out_pid, &pidfd, error))
        return false;
    if (*out_pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        for (;;)
            (void)pause(); /* the parent kills it, or its end does */
    }
    rn_fd_close(&pidfd);
    path = g_strdup_printf("/proc/%d/ns/user", (int)*out_pid);
    if (!rn_idmap_write(*out_pid, map, map, error))
        return false;
    *out_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *out_fd >= 0 || rn_set_errno(error, errno, "open \"%s\"", path);
}

static bool map_mount(const char *path, int userns, GError **error)
{
    struct mount_attr change = {
        .attr_set = MOUNT_ATTR_IDMAP,
        .userns_fd = (uint64_t)userns,
    };
    rn_autofd int tree = -1;

    if (!rn_mount_clone(AT_FDCWD, path, RN_MOUNT_ONE, &tree, error))
        return false;
    if (mount_setattr(tree, "", AT_EMPTY_PATH, &change, sizeof change) < 0)
        return rn_set_errno(error, errno, "map the ids of a mount");
    return true;
}

/* A tmpfs, which is the caller's own; for root the host's files count, too. */
bool rn_try_idmapped_mount(G_GNUC_UNUSED const void *data, GError **error)
{
    rn_autofd int userns = -1;
    int no_pidfd = -1;
    pid_t pid = -1;
    bool mapped = false;

    if (!mount_stage(error))
        return false;
    if (make_other_namespace(&pid, &userns, error))
        mapped =
            map_mount("/usr", userns, NULL) || map_mount(stage, userns, error);
    rn_process_end(pid, &no_pidfd);
    return mapped;
}

static bool forbid_new_privileges(GError **error)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "set no_new_privs");
    return true;
}

/* As the relay does it. */
bool rn_try_seccomp(G_GNUC_UNUSED const void *data, GError **error)
{
    static const char *const allowed[] = { "write", NULL };

    return forbid_new_privileges(error) &&
           rn_seccomp_allow_only(allowed, error);
}

/* A filter that allows all, with the listener that linux.seccomp can ask for */
bool rn_try_seccomp_notify(G_GNUC_UNUSED const void *data, GError **error)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { .len = 1, .filter = &allow };
    long fd = -1;

    if (!forbid_new_privileges(error))
        return false;
    fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                 SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (fd >= 0)
        return true;
    (void)rn_set_errno(error, errno, "load a seccomp filter with a listener");
    if (rn_error_is_errno(*error, EBUSY))
        (void)rn_error_add_hint(error, "the filter of the container around "
                                       "rnet has the one listener that there "
                                       "can be");
    return false;
}

/* As the relay does it. */
bool rn_try_landlock(G_GNUC_UNUSED const void *data, GError **error)
{
    static const char *const readable[] = { "/", NULL };
    bool active = false;

    if (!forbid_new_privileges(error) ||
        !rn_landlock_read_only(readable, &active, error))
        return false;
    if (active)
        return true;
    return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                        "not built into this kernel (Linux 5.13), or not "
                        "started");
}

/* A cgroup below the process's own, for a moment. */
bool rn_try_cgroup(const void *data, GError **error)
{
    g_autofree char *path =
        g_strdup_printf("%s/rnet-doctor-%d", (const char *)data, (int)getpid());

    if (mkdir(path, 0755) < 0)
        return rn_set_errno(error, errno, "make a cgroup in \"%s\"",
                            (const char *)data);
    if (rmdir(path) < 0)
        return rn_set_errno(error, errno, "remove \"%s\"", path);
    return true;
}
