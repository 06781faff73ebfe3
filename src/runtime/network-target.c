/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-target - finds a network namespace and who owns it
 *
 * Runs in the launcher of an attach, and in a dialect. What a namespace is, the
 * kernel says: ioctl_ns(2). Whether it may be entered is worked out beforehand,
 * by the rule of user_namespaces(7): so the error can say what is in the way,
 * where the kernel says EPERM.
 */
#include "config.h"

#include <rnet/runtime/network-target.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <rnet/sys/caps.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/parse.h>

enum {
    DEPTH_MAX = 33, /* levels of user namespaces, user_namespaces(7), and own */
    LINKS_MAX = 40, /* path_resolution(7) */
    STATUS_MAX = 1024 * 1024, /* bytes; "Groups:" can be long */
};

typedef struct Identity {
    dev_t dev;
    ino_t ino;
} Identity;

static bool identify(int fd, Identity *out_identity, GError **error)
{
    struct stat status = { 0 };

    if (fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "look at a namespace");
    *out_identity = (Identity){ status.st_dev, status.st_ino };
    return true;
}

static bool identify_own(const char *path, Identity *out_identity,
                         GError **error)
{
    rn_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    return identify(fd, out_identity, error);
}

static bool is_same(const Identity *a, const Identity *b)
{
    return a->dev == b->dev && a->ino == b->ino;
}

/* "user 1000 (alice)"; the text is the caller's. */
static char *describe_user(uid_t uid)
{
    const struct passwd *entry = getpwuid(uid);

    return entry == NULL ? g_strdup_printf("user %u", uid)
                         : g_strdup_printf("user %u (%s)", uid, entry->pw_name);
}

static bool hint_owner(uid_t owner, GError **error)
{
    g_autofree char *name = describe_user(owner);

    return rn_error_add_hint(error,
                             "it belongs to %s: only that user, or root, "
                             "can attach to it",
                             name);
}

static bool has_admin(void)
{
    const RnCapMask needed =
        RN_CAP_BIT(CAP_SYS_ADMIN) | RN_CAP_BIT(CAP_NET_ADMIN);

    return (rn_caps_effective() & needed) == needed;
}

/*
 * May this process do everything in the user namespace? So may who has the
 * capabilities in an ancestor of it, and the owner of one of its ancestors, or
 * of itself, if he is in that one's parent: user_namespaces(7).
 */
static bool check_rights(int userns_fd, const Identity *own, GError **error)
{
    rn_autofd int fd = fcntl(userns_fd, F_DUPFD_CLOEXEC, 0);
    uid_t owner = 0;

    if (has_admin())
        return true;
    for (int depth = 0; fd >= 0 && depth < DEPTH_MAX; depth++) {
        Identity parent = { 0 };
        int parent_fd = -1;

        if (ioctl(fd, NS_GET_OWNER_UID, &owner) < 0)
            break;
        parent_fd = ioctl(fd, NS_GET_PARENT);
        rn_fd_close(&fd);
        fd = parent_fd;
        if (fd < 0 || !identify(fd, &parent, NULL))
            break;
        if (is_same(&parent, own)) {
            if (owner == geteuid())
                return true;
            break;
        }
    }
    (void)rn_set_errno(error, EPERM, "enter its user namespace");
    return hint_owner(owner, error);
}

/* One that lies in the caller's own user namespace takes capabilities there. */
static bool check_own_rights(GError **error)
{
    if (has_admin())
        return true;
    (void)rn_set_errno(error, EPERM, "enter it");
    return rn_error_add_hint(error, "it belongs to this very user namespace: "
                                    "that takes CAP_SYS_ADMIN and "
                                    "CAP_NET_ADMIN here, root has them");
}

static bool find_owner(RnNetworkTarget *target, GError **error)
{
    Identity own = { 0 };
    Identity found = { 0 };
    rn_autofd int fd = ioctl(target->netns_fd, NS_GET_USERNS);

    if (fd < 0 && errno == EPERM) {
        (void)rn_set_errno(error, EPERM, "find the user namespace it is in");
        return rn_error_add_hint(error, "it belongs to a user namespace around "
                                        "this one");
    }
    if (fd < 0)
        return rn_set_errno(error, errno, "find the user namespace it is in");
    if (!identify_own("/proc/self/ns/user", &own, error) ||
        !identify(fd, &found, error))
        return false;
    if (is_same(&own, &found))
        return check_own_rights(error);
    if (!check_rights(fd, &own, error))
        return false;
    target->userns_fd = g_steal_fd(&fd);
    return true;
}

/* Is it a network namespace, and not this process's? */
static bool check_kind(RnNetworkTarget *target, GError **error)
{
    Identity own = { 0 };
    Identity found = { 0 };
    int kind = ioctl(target->netns_fd, NS_GET_NSTYPE);

    if (kind < 0)
        (void)rn_set_error(error, RN_ERROR_INVALID, "not a namespace");
    else if (kind != CLONE_NEWNET)
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "a namespace, but none of networks");
    if (kind != CLONE_NEWNET)
        return rn_error_add_hint(error, "network namespaces are at "
                                        "/proc/PID/ns/net, and at "
                                        "/run/netns/NAME those of `ip netns`");
    if (!identify_own("/proc/self/ns/net", &own, error) ||
        !identify(target->netns_fd, &found, error))
        return false;
    if (is_same(&own, &found)) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "that is the network namespace rnet itself is in");
        return rn_error_add_hint(error,
                                 "start it in a network namespace of its "
                                 "own, `unshare -Urn` for one");
    }
    target->dev = found.dev;
    target->ino = found.ino;
    return true;
}

static void init_target(RnNetworkTarget *target)
{
    *target = (RnNetworkTarget){
        .netns_fd = -1,
        .userns_fd = -1,
        .pidfd = -1,
    };
}

void rn_network_target_clear(RnNetworkTarget *target)
{
    rn_fd_close(&target->netns_fd);
    rn_fd_close(&target->userns_fd);
    rn_fd_close(&target->pidfd);
    g_clear_pointer(&target->path, g_free);
}

/* The directory in /proc does not tell: that of a process that is not dumpable
 * is root's. -1 if it is not to be had. */
static int64_t read_owner(pid_t pid)
{
    static const char key[] = "\nUid:";
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *text = NULL;
    const char *line = NULL;

    if (!rn_file_read(AT_FDCWD, path, STATUS_MAX, &text, NULL, NULL))
        return -1;
    line = strstr(text, key);
    return line == NULL ? -1 : g_ascii_strtoll(line + strlen(key), NULL, 10);
}

static bool fail_process(pid_t pid, int errno_value, GError **error)
{
    int64_t owner = -1;

    if (errno_value == ESRCH || errno_value == ENOENT) {
        (void)rn_set_error(error, RN_ERROR_NOT_FOUND, "there is no process %d",
                           (int)pid);
        return rn_error_add_hint(error, "it has ended, or that is its number "
                                        "in another pid namespace");
    }
    (void)rn_set_errno(error, errno_value, "open its network namespace");
    if (errno_value != EACCES && errno_value != EPERM)
        return false;
    owner = read_owner(pid);
    if (owner >= 0 && owner != geteuid())
        return hint_owner((uid_t)owner, error);
    return rn_error_add_hint(error, "the process is not dumpable (prctl(2)), "
                                    "as set-user-ID programs are not, or a "
                                    "security module is in the way");
}

static bool open_process(pid_t pid, RnNetworkTarget *target, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/net", (int)pid);

    target->pid = pid;
    /* first: a pid that is another's by the second look has ended for this */
    target->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (target->pidfd < 0)
        return fail_process(pid, errno == EINVAL ? ESRCH : errno, error);
    target->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (target->netns_fd < 0)
        return fail_process(pid, errno, error);
    return check_kind(target, error) && find_owner(target, error);
}

bool rn_network_target_open_pid(pid_t pid, RnNetworkTarget *target,
                                GError **error)
{
    init_target(target);
    if (open_process(pid, target, error))
        return true;
    g_prefix_error(error, "process %d: ", (int)pid);
    return false;
}

/* Whose links are no paths. */
static bool is_in_proc(const char *folder)
{
    struct statfs status;

    return statfs(folder, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

/* The path with all links followed but those of /proc: what is to be watched. */
static char *resolve(const char *path)
{
    g_autofree char *current = g_canonicalize_filename(path, NULL);

    for (int i = 0; i < LINKS_MAX; i++) {
        g_autofree char *folder = g_path_get_dirname(current);
        g_autofree char *name = g_path_get_basename(current);
        g_autofree char *real = realpath(folder, NULL);
        g_autofree char *target = NULL;

        if (real == NULL)
            break;
        g_free(current);
        current = g_build_filename(real, name, NULL);
        if (!is_in_proc(real))
            target = g_file_read_link(current, NULL);
        if (target == NULL)
            break;
        g_free(current);
        current = g_canonicalize_filename(target, real);
    }
    return g_steal_pointer(&current);
}

/* In the child, whose fds are the caller's. An errno. */
static int reopen(const RnNetworkTarget *target)
{
    int fd = -1;

    if ((target->userns_fd >= 0 &&
         setns(target->userns_fd, CLONE_NEWUSER) < 0) ||
        setns(target->netns_fd, CLONE_NEWNET) < 0)
        return errno;
    fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && dup3(fd, target->netns_fd, O_CLOEXEC) >= 0 &&
                   close(fd) == 0
               ? 0
               : errno;
}

/*
 * A file opened by its path would keep the mount there in use, while what made
 * that mount has to be able to unmount it. The same namespace as /proc has it
 * is on a mount of the kernel's own; it is to be had from inside.
 */
static void let_go_of_mount(const RnNetworkTarget *target)
{
    g_autoptr(GError) failure = NULL;
    rn_autofd int pidfd = -1;
    pid_t pid = 0;
    int status = 0;

    if (rn_clone(CLONE_FILES, &pid, &pidfd, &failure)) {
        if (pid == 0)
            _exit(reopen(target));
        if (rn_process_reap(pid, &status, &failure) && status != 0)
            (void)rn_set_errno(&failure, rn_process_exit_code(status),
                               "enter it");
    }
    if (failure != NULL)
        rn_log_debug("namespace: it stays in use where it is mounted: %s",
                     failure->message);
}

static bool open_path(const char *path, RnNetworkTarget *target, GError **error)
{
    struct stat status = { 0 };

    target->path = resolve(path);
    /* a FIFO or device is not to do anything */
    target->netns_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (target->netns_fd < 0) {
        int errno_value = errno;

        (void)rn_set_errno(error, errno_value, "open it");
        return errno_value == EACCES && stat(path, &status) == 0 &&
                       status.st_uid != geteuid()
                   ? hint_owner(status.st_uid, error)
                   : false;
    }
    if (!check_kind(target, error) || !find_owner(target, error))
        return false;
    let_go_of_mount(target);
    return true;
}

bool rn_network_target_open(const char *word, RnNetworkTarget *target,
                            GError **error)
{
    uint64_t pid = 0;

    init_target(target);
    if (rn_parse_uint(word, 1, G_MAXINT, "pid", &pid, NULL))
        return rn_network_target_open_pid((pid_t)pid, target, error);
    if (strchr(word, '/') == NULL) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "\"%s\": neither a process's number nor a path",
                           word);
        return rn_error_add_hint(error, "a namespace of `ip netns` is at "
                                        "/run/netns/NAME");
    }
    if (open_path(word, target, error))
        return true;
    g_prefix_error(error, "\"%s\": ", word);
    return false;
}

static bool open_userns(const char *path, RnNetworkTarget *target,
                        GError **error)
{
    Identity own = { 0 };
    Identity found = { 0 };
    rn_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWUSER)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"%s\": not a user namespace", path);
    if (!identify_own("/proc/self/ns/user", &own, error) ||
        !identify(fd, &found, error))
        return false;
    /* setns(2) refuses the one that the caller is in */
    if (!is_same(&own, &found))
        target->userns_fd = g_steal_fd(&fd);
    return true;
}

bool rn_network_target_from_fd(int netns_fd, const char *userns_path,
                               RnNetworkTarget *target, GError **error)
{
    init_target(target);
    target->netns_fd = fcntl(netns_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (target->netns_fd < 0)
        return rn_set_errno(error, errno, "keep the network namespace");
    return check_kind(target, error) &&
           (userns_path != NULL ? open_userns(userns_path, target, error)
                                : find_owner(target, error));
}
