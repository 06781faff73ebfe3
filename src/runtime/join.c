/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * join - enters namespaces in a process that then makes the one that is wanted
 *
 * Runs in the caller, and in a joiner: a short-lived fork that enters the
 * namespaces and clones from there. The caller itself must not move, and a
 * process in another pid namespace can only be had by one more clone after
 * setns(2). CLONE_PARENT makes it the caller's child all the same.
 * Data: RN_MSG_JOINED of the joiner, with the child's pid.
 * Failure: the joiner's, sent over; it has then made no child.
 */
#include "config.h"

#include <rnet/runtime/join.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <rnet/sys/process.h>
#include <rnet/sys/userns.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

typedef struct Kind {
    uint64_t flag;
    const char *file; /* in /proc/PID/ns */
} Kind;

static const Kind kinds[] = {
    { CLONE_NEWUSER, "user" },     { CLONE_NEWPID, "pid" },
    { CLONE_NEWNET, "net" },       { CLONE_NEWIPC, "ipc" },
    { CLONE_NEWUTS, "uts" },       { CLONE_NEWTIME, "time" },
    { CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWNS, "mnt" },
};

enum {
    MAX_TARGETS = G_N_ELEMENTS(kinds)
};

/* A namespace to enter. */
typedef struct Target {
    const RnJoin *join;
    int fd; /* -1: entered, or the caller's own */
} Target;

/* All that rn_join_clone() opened. */
typedef struct Targets {
    Target list[MAX_TARGETS];
    unsigned n;
    bool has_user; /* one of them is a user namespace */
} Targets;

/* What the joiner does before it clones. */
typedef struct Entry {
    bool (*enter)(const struct Entry *entry, GError **error);
    Targets *targets;    /* for enter_targets() */
    int pidfd;           /* for enter_process() */
    pid_t pid;           /* likewise */
    uint64_t flags;      /* likewise */
    uint64_t namespaces; /* new ones of the child */
    bool joins_pid;      /* a pid namespace is among what is entered */
} Entry;

static void clear_targets(Targets *targets)
{
    for (unsigned i = 0; i < targets->n; i++)
        rn_fd_close(&targets->list[i].fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Targets, clear_targets)

static const char *kind_name(uint64_t flag)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].flag == flag)
            return kinds[i].file;
    }
    return "unknown";
}

/* What the bundle calls a path may be any file. */
static bool check_type(int fd, const RnJoin *join, GError **error)
{
    struct statfs status = { 0 };
    int type = -1;

    if (fstatfs(fd, &status) == 0 && status.f_type == NSFS_MAGIC)
        type = ioctl(fd, NS_GET_NSTYPE);
    if (type < 0)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"%s\" is not a namespace", join->path);
    if ((uint64_t)(unsigned)type != join->flag)
        return rn_set_error(
            error, RN_ERROR_INVALID, "\"%s\" is a namespace of type %s, not %s",
            join->path, kind_name((unsigned)type), kind_name(join->flag));
    return true;
}

/*
 * The caller's own needs no entering, which could even fail: setns(2) refuses a
 * user namespace that one is in already, and any other to an ordinary user.
 */
static bool is_own(int fd, uint64_t flag)
{
    g_autofree char *path =
        g_strconcat("/proc/self/ns/", kind_name(flag), NULL);
    struct stat theirs = { 0 };
    struct stat own = { 0 };

    return fstat(fd, &theirs) == 0 && stat(path, &own) == 0 &&
           theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino;
}

static bool open_target(const RnJoin *join, Targets *targets, GError **error)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer */
    rn_autofd int fd =
        open(join->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return rn_set_errno(error, errno, "open the %s namespace \"%s\"",
                            kind_name(join->flag), join->path);
    if (!check_type(fd, join, error))
        return false;
    if (is_own(fd, join->flag))
        return true;
    if (targets->n == MAX_TARGETS)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "too many namespaces to join");
    targets->has_user = targets->has_user || join->flag == CLONE_NEWUSER;
    targets->list[targets->n].join = join;
    targets->list[targets->n++].fd = g_steal_fd(&fd);
    return true;
}

/* All before the first is entered: a path means something else afterwards. */
static bool open_targets(const GPtrArray *joins, Targets *targets,
                         GError **error)
{
    for (unsigned i = 0; i < joins->len; i++) {
        if (!open_target(g_ptr_array_index(joins, i), targets, error))
            return false;
    }
    return true;
}

static bool enter_target(Target *target, GError **error)
{
    const RnJoin *join = target->join;

    if (setns(target->fd, (int)join->flag) == 0) {
        rn_fd_close(&target->fd);
        return true;
    }
    (void)rn_set_errno(error, errno, "join the %s namespace \"%s\"",
                       kind_name(join->flag), join->path);
    if (errno == EPERM)
        return rn_error_add_hint(error, "joining takes CAP_SYS_ADMIN in the "
                                        "user namespace that owns it: join "
                                        "that one, too");
    if (errno == EINVAL && join->flag == CLONE_NEWPID)
        return rn_error_add_hint(error, "a process can only be in a pid "
                                        "namespace below that of its parent");
    return false;
}

/*
 * Of processes in a user namespace that is joined, those with its capabilities
 * could trace this one, whose memory and root directory are the host's. Not
 * while it is undumpable, ptrace(2), since its memory belongs to the caller's
 * user namespace. Set again after setns(2), at which the kernel has its own
 * idea of it; a clone inherits it.
 */
static bool hide(GError **error)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "make the process undumpable");
    return true;
}

/*
 * First what the caller's own rights suffice for: a namespace that belongs to
 * the caller's user namespace is out of reach from within the joined one. Then
 * that, and then what it owns.
 */
static bool enter_targets(const Entry *entry, GError **error)
{
    Targets *targets = entry->targets;
    Target *user = NULL;

    for (unsigned i = 0; i < targets->n; i++) {
        Target *target = &targets->list[i];
        g_autoptr(GError) failure = NULL;

        if (target->join->flag == CLONE_NEWUSER) {
            user = target;
            continue;
        }
        if (enter_target(target, &failure) ||
            (targets->has_user && rn_error_is_errno(failure, EPERM)))
            continue;
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (user == NULL)
        return true;
    if (!hide(error) || !enter_target(user, error) || !hide(error))
        return false;
    for (unsigned i = 0; i < targets->n; i++) {
        if (targets->list[i].fd >= 0 && !enter_target(&targets->list[i], error))
            return false;
    }
    return true;
}

static bool enter_process(const Entry *entry, GError **error)
{
    if (!hide(error))
        return false;
    if (entry->flags != 0 && setns(entry->pidfd, (int)entry->flags) < 0) {
        if (errno == ESRCH)
            return rn_set_error(error, RN_ERROR_STATE, "process %d has ended",
                                (int)entry->pid);
        return rn_set_errno(error, errno, "join the namespaces of process %d",
                            (int)entry->pid);
    }
    return hide(error);
}

static bool explain_clone(const Entry *entry, int errno_value, GError **error)
{
    if (errno_value == ENOMEM && entry->joins_pid)
        return rn_set_error(error, RN_ERROR_STATE,
                            "the pid namespace to join has ended with its "
                            "first process");
    if ((entry->namespaces & CLONE_NEWUSER) != 0)
        return rn_userns_explain(errno_value, error);
    return rn_set_errno(error, errno_value, "clone a process");
}

/* True twice, as rn_clone(): *out_pid is 0 in the child. */
static bool clone_sibling(const Entry *entry, pid_t *out_pid, GError **error)
{
    /* the exit signal is the joiner's own, SIGCHLD, clone(2) */
    struct clone_args arguments = {
        .flags = entry->namespaces | CLONE_PARENT,
    };
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);

    if (pid < 0)
        return explain_clone(entry, errno, error);
    *out_pid = (pid_t)pid;
    return true;
}

/* The joiner; returns only in the child that it makes. */
static void join_main(const Entry *entry, int socket)
{
    g_autoptr(GError) failure = NULL;
    RnJoined joined = { 0 };
    pid_t pid = -1;

    if (!entry->enter(entry, &failure) ||
        !clone_sibling(entry, &pid, &failure)) {
        (void)rn_msg_send_error(socket, failure, NULL); /* the caller is gone */
        _exit(EXIT_FAILURE);
    }
    if (pid == 0)
        return;
    joined.pid = (int32_t)pid;
    if (!rn_msg_send(socket, RN_MSG_JOINED, &joined, sizeof joined, NULL, 0,
                     NULL))
        (void)kill(pid, SIGKILL); /* nobody else knows of it */
    _exit(EXIT_SUCCESS);
}

static bool take_child(int socket, pid_t *out_pid, int *out_pidfd,
                       GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    RnJoined joined = { 0 };
    int pidfd = -1;

    if (!rn_msg_expect(socket, RN_MSG_JOINED, sizeof joined, 0, &msg, error))
        return false;
    memcpy(&joined, msg.payload, sizeof joined);
    /* our own child, not reaped: its pid cannot be another's */
    pidfd = (int)syscall(SYS_pidfd_open, (pid_t)joined.pid, 0);
    if (pidfd < 0) {
        (void)rn_set_errno(error, errno, "open the pidfd of process %d",
                           (int)joined.pid);
        rn_process_end((pid_t)joined.pid, &pidfd);
        return false;
    }
    *out_pid = (pid_t)joined.pid;
    *out_pidfd = pidfd;
    return true;
}

static bool clone_by_joiner(const Entry *entry, pid_t *out_pid, int *out_pidfd,
                            GError **error)
{
    int pair[2] = { -1, -1 };
    rn_autofd int own_end = -1;
    rn_autofd int joiner_end = -1;
    rn_autofd int joiner_pidfd = -1;
    pid_t joiner = -1;
    bool result = false;

    if (!rn_msg_pair(pair, error))
        return false;
    own_end = pair[0];
    joiner_end = pair[1];
    if (!rn_clone(0, &joiner, &joiner_pidfd, error))
        return false;
    if (joiner == 0) {
        join_main(entry, joiner_end);
        *out_pid = 0;
        *out_pidfd = -1;
        return true;
    }
    rn_fd_close(&joiner_end);
    result = take_child(own_end, out_pid, out_pidfd, error);
    /* it has said its last word */
    if (!rn_process_reap(joiner, NULL, NULL))
        rn_log_debug("the joiner was reaped by someone else, ignoring");
    return result;
}

static bool clone_here(uint64_t namespaces, pid_t *out_pid, int *out_pidfd,
                       GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (rn_clone(namespaces, out_pid, out_pidfd, &failure))
        return true;
    if ((namespaces & CLONE_NEWUSER) != 0 && failure->domain == RN_ERRNO)
        return rn_userns_explain(failure->code, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool rn_join_clone(uint64_t namespaces, const GPtrArray *joins, pid_t *out_pid,
                   int *out_pidfd, GError **error)
{
    g_auto(Targets) targets = { 0 };
    Entry entry = {
        .enter = enter_targets,
        .targets = &targets,
        .namespaces = namespaces,
    };

    if (!open_targets(joins, &targets, error))
        return false;
    for (unsigned i = 0; i < targets.n; i++)
        entry.joins_pid =
            entry.joins_pid || targets.list[i].join->flag == CLONE_NEWPID;
    return targets.n > 0 ? clone_by_joiner(&entry, out_pid, out_pidfd, error)
                         : clone_here(namespaces, out_pid, out_pidfd, error);
}

/* False with an error if the namespaces of either cannot be seen. */
static bool differs(pid_t pid, const Kind *kind, bool *out_differs,
                    GError **error)
{
    g_autofree char *path =
        g_strdup_printf("/proc/%d/ns/%s", (int)pid, kind->file);
    g_autofree char *own_path = g_strconcat("/proc/self/ns/", kind->file, NULL);
    struct stat theirs = { 0 };
    struct stat own = { 0 };

    *out_differs = false;
    if (stat(own_path, &own) < 0 && errno == ENOENT)
        return true; /* a kind that this kernel lacks */
    if (stat(path, &theirs) < 0)
        return rn_set_errno(error, errno, "look at \"%s\"", path);
    *out_differs = theirs.st_dev != own.st_dev || theirs.st_ino != own.st_ino;
    return true;
}

static bool find_differences(pid_t pid, uint64_t *out_flags, GError **error)
{
    uint64_t flags = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        bool is_other = false;

        if (!differs(pid, &kinds[i], &is_other, error))
            return false;
        if (is_other)
            flags |= kinds[i].flag;
    }
    *out_flags = flags;
    return true;
}

bool rn_join_clone_like(int pidfd, pid_t pid, pid_t *out_pid, int *out_pidfd,
                        GError **error)
{
    Entry entry = { .enter = enter_process, .pidfd = pidfd, .pid = pid };
    struct pollfd polled = { .fd = pidfd, .events = POLLIN };

    if (!find_differences(pid, &entry.flags, error))
        return false;
    /* if it lives, then what was looked at was not another's */
    if (poll(&polled, 1, 0) != 0)
        return rn_set_error(error, RN_ERROR_STATE, "process %d has ended",
                            (int)pid);
    entry.joins_pid = (entry.flags & CLONE_NEWPID) != 0;
    return clone_by_joiner(&entry, out_pid, out_pidfd, error);
}
