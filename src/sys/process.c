/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process - clone, pidfds, and helper processes
 *
 * Runs in the launcher and the monitor. A spawned helper is forked, then
 * exec'd, so that it starts with nothing of its parent's memory; until then it
 * reports a failure through a close-on-exec pipe, whose EOF therefore means
 * success. Until the exec the child uses nothing but system calls. A forked
 * helper has no exec: it closes the pipe when it has detached itself.
 */
#include "config.h"

#include <rnet/sys/process.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <rnet/sys/process-stat.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/protocol.h>

typedef enum SpawnStep {
    STEP_DETACH,
    STEP_FDS,
    STEP_EXEC,
    STEP_N_
} SpawnStep;

/* Who is to be started: `name` from /proc/self/exe, or a fork that calls `run`
 * if that is not NULL. */
typedef struct HelperKind {
    const char *name;
    RnHelperFunc run;
    RnHelperLifetime lifetime;
} HelperKind;

static const char *const step_texts[] = {
    [STEP_DETACH] = "detach from its parent",
    [STEP_FDS] = "arrange its file descriptors",
    [STEP_EXEC] = "exec \"/proc/self/exe\"",
};
G_STATIC_ASSERT(G_N_ELEMENTS(step_texts) == STEP_N_);

/* What a child that could not exec writes into the report pipe. */
typedef struct SpawnFailure {
    uint32_t step; /* SpawnStep */
    int32_t errno_value;
} SpawnFailure;

bool rn_clone(uint64_t namespaces, pid_t *out_pid, int *out_pidfd,
              GError **error)
{
    return rn_clone_into(namespaces, -1, out_pid, out_pidfd, error);
}

bool rn_clone_into(uint64_t namespaces, int cgroup_fd, pid_t *out_pid,
                   int *out_pidfd, GError **error)
{
    int pidfd = -1;
    struct clone_args arguments = {
        .flags = namespaces | CLONE_PIDFD,
        .pidfd = (uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
    };
    long pid = -1;

    if (cgroup_fd >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup_fd;
    }
    pid = syscall(SYS_clone3, &arguments, sizeof arguments);

    if (pid < 0)
        return rn_set_errno(error, errno, "clone a process");
    *out_pid = (pid_t)pid;
    *out_pidfd = pid == 0 ? -1 : pidfd;
    return true;
}

void rn_signals_reset(void)
{
    /* the kernel's struct sigaction, all zero: SIG_DFL; by system call, since
     * glibc keeps two signals to itself that a parent may have ignored */
    static const uint64_t standard[4];
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)syscall(SYS_rt_sigaction, number, standard, NULL,
                      sizeof(uint64_t)); /* not SIGKILL, SIGSTOP */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: the session, the signals and what the parent's death does. */
static bool detach(RnHelperLifetime lifetime, pid_t parent)
{
    rn_signals_reset();
    if (setsid() < 0)
        return false;
    if (lifetime == RN_HELPER_OUTLIVES_CALLER)
        return true;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return false;
    /* a parent that ended before the prctl sends no signal any more */
    if (getppid() == parent)
        return true;
    errno = ESRCH;
    return false;
}

/* Gives an fd a second number above all those that the helper has fixed. */
static int move_up(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, RN_HELPER_FD + 1);
}

/*
 * In the child: 0-2 and RN_HELPER_FD as the header has it, everything else but
 * *report closed. Any of the fds may come with any number, as the caller may
 * have been started with 0-2 closed; so all are moved out of the way first.
 */
static bool arrange_fds(int socket, int *report)
{
    int null = -1;

    *report = move_up(*report);
    socket = move_up(socket);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (*report < 0 || socket < 0 || null < 0)
        return false;
    null = move_up(null);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(socket, RN_HELPER_FD) < 0)
        return false;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        /* an fd with CLOEXEC is not the caller's output but some other file */
        int flags = fcntl(fd, F_GETFD);

        if ((flags < 0 || (flags & FD_CLOEXEC) != 0) && dup2(null, fd) < 0)
            return false;
    }
    rn_fd_close_all_but((const int[]){ RN_HELPER_FD, *report }, 2);
    return true;
}

/* In the child of rn_helper_fork(), which is what it is to be. */
static G_NORETURN void run_forked(const HelperKind *kind, int *report)
{
    /* ps and pkill are to see the helper, not a second launcher */
    rn_process_set_command_line(kind->name);
    rn_helper_take_name(kind->name);
    rn_fd_close(report);
    /* not exit(3): what is buffered and registered there is the parent's */
    _exit(kind->run());
}

/* The child of start_helper(), in the caller's namespaces. */
static G_NORETURN void helper_child_main(const HelperKind *kind, int socket,
                                         int report, pid_t parent)
{
    char *const arguments[] = { (char *)kind->name, NULL };
    SpawnFailure failure = { .step = STEP_DETACH };
    int original_report = report;

    if (detach(kind->lifetime, parent)) {
        failure.step = STEP_FDS;
        /* the log file's fd is about to be closed, and to be another's */
        rn_log_restart();
        if (arrange_fds(socket, &report)) {
            if (kind->run != NULL)
                run_forked(kind, &report);
            failure.step = STEP_EXEC;
            (void)execve("/proc/self/exe", arguments, environ);
        }
    }
    failure.errno_value = errno;
    /* where this fails too, the parent is gone: nobody is left to tell */
    (void)!write(report >= 0 ? report : original_report, &failure,
                 sizeof failure);
    _exit(EXIT_FAILURE);
}

/* In the parent: waits for EOF, the child being started, or for its report of
 * failure. */
bool rn_helper_await(const char *name, int report, GError **error)
{
    SpawnFailure failure = { 0 };
    ssize_t got = TEMP_FAILURE_RETRY(read(report, &failure, sizeof failure));

    if (got == 0)
        return true;
    if (got != sizeof failure || failure.step >= STEP_N_)
        return rn_set_errno(error, got < 0 ? errno : EIO,
                            "start helper \"%s\": read its report", name);
    return rn_set_errno(error, failure.errno_value, "start helper \"%s\": %s",
                        name, step_texts[failure.step]);
}

static bool start_helper(const HelperKind *kind, int socket, pid_t *out_pid,
                         int *out_pidfd, int *out_report, GError **error)
{
    int report[2] = { -1, -1 };
    rn_autofd int report_read = -1;
    rn_autofd int report_write = -1;
    pid_t parent = getpid();

    if (pipe2(report, O_CLOEXEC) < 0)
        return rn_set_errno(error, errno, "start helper \"%s\": make a pipe",
                            kind->name);
    report_read = report[0];
    report_write = report[1];
    if (!rn_clone(0, out_pid, out_pidfd, error)) {
        g_prefix_error(error, "start helper \"%s\": ", kind->name);
        return false;
    }
    if (*out_pid == 0)
        helper_child_main(kind, socket, report_write, parent);
    *out_report = g_steal_fd(&report_read);
    return true;
}

bool rn_helper_spawn(const char *name, int socket, RnHelperLifetime lifetime,
                     pid_t *out_pid, int *out_pidfd, GError **error)
{
    const HelperKind kind = { .name = name, .lifetime = lifetime };
    rn_autofd int report = -1;
    int pidfd = -1;
    pid_t pid = -1;

    if (!start_helper(&kind, socket, &pid, &pidfd, &report, error))
        return false;
    if (!rn_helper_await(name, report, error)) {
        rn_process_end(pid, &pidfd);
        return false;
    }
    *out_pid = pid;
    *out_pidfd = pidfd;
    return true;
}

bool rn_helper_fork(const char *name, RnHelperFunc run, int socket,
                    RnHelperLifetime lifetime, RnForked *out_forked,
                    GError **error)
{
    const HelperKind kind = {
        .name = name,
        .run = run,
        .lifetime = lifetime,
    };

    return start_helper(&kind, socket, &out_forked->pid, &out_forked->pidfd,
                        &out_forked->report, error);
}

bool rn_process_open_namespace(pid_t pid, const char *name, int *out_fd,
                               GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    *out_fd = fd;
    return true;
}

bool rn_pidfd_signal(int pidfd, int signal_number, GError **error)
{
    if (syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0) == 0 ||
        errno == ESRCH)
        return true;
    return rn_set_errno(error, errno, "send signal %d", signal_number);
}

bool rn_pidfd_wait_exit(int pidfd, GError **error)
{
    struct pollfd entry = { .fd = pidfd, .events = POLLIN };

    if (TEMP_FAILURE_RETRY(poll(&entry, 1, -1)) < 0)
        return rn_set_errno(error, errno, "wait for a process to end");
    if ((entry.revents & POLLNVAL) != 0)
        return rn_set_errno(error, EBADF, "wait for a process to end");
    return true;
}

bool rn_process_reap(pid_t pid, int *out_status, GError **error)
{
    int status = 0;

    if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
        return rn_set_errno(error, errno, "reap process %d", (int)pid);
    if (out_status != NULL)
        *out_status = status;
    return true;
}

void rn_process_end(pid_t pid, int *pidfd)
{
    if (pid > 0) {
        /* a child keeps its pid until it is reaped, so the pid is safe here */
        (void)kill(pid, SIGKILL);
        (void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
    }
    rn_fd_close(pidfd);
}

int rn_process_exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void rn_helper_take_name(const char *name)
{
    /* fails for no name, and none of it matters to the helper's work */
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    rn_log_set_name(name);
}
