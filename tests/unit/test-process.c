/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process: clone, pidfds and helpers; this program is its own helper
 *
 * rn_helper_spawn() starts /proc/self/exe, which here is the test program:
 * main() knows by argv[0] that it is to be a helper.
 */
#include "config.h"

#include <sched.h>
#include <signal.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <unit.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/protocol.h>

#include "in-child.h"

static const char report_name[] = "rnet-test-report";
static const char wait_name[] = "rnet-test-wait";

/* What a helper finds when it starts. */
typedef struct Report {
    pid_t pid, session;
    int death_signal;
    int n_blocked, n_ignored;
    uint64_t open_fds; /* bit N: fd N is open, up to 63 */
    int n_high_fds;
    int close_on_exec; /* of the socket */
    dev_t stdin_device;
    char command_line[sizeof report_name];
} Report;

static int count_ignored(void)
{
    int count = 0;

    for (int number = 1; number < NSIG; number++) {
        struct sigaction action = { 0 };

        if (sigaction(number, NULL, &action) == 0 &&
            action.sa_handler == SIG_IGN)
            count++;
    }
    return count;
}

static int count_blocked(void)
{
    sigset_t blocked;
    int count = 0;

    (void)sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int number = 1; number < NSIG; number++)
        count += sigismember(&blocked, number) == 1;
    return count;
}

static int report_main(void)
{
    struct stat status = { 0 };
    Report report = { .pid = getpid(), .session = getsid(0) };
    g_autofree char *command_line = NULL;

    if (g_file_get_contents("/proc/self/cmdline", &command_line, NULL, NULL))
        (void)g_strlcpy(report.command_line, command_line,
                        sizeof report.command_line);
    (void)prctl(PR_GET_PDEATHSIG, &report.death_signal);
    report.n_blocked = count_blocked();
    report.n_ignored = count_ignored();
    for (int fd = 0; fd < 1024; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        if (fd < 64)
            report.open_fds |= UINT64_C(1) << fd;
        else
            report.n_high_fds++;
    }
    report.close_on_exec = fcntl(RN_HELPER_FD, F_GETFD) & FD_CLOEXEC;
    if (fstat(STDIN_FILENO, &status) == 0)
        report.stdin_device = status.st_rdev;
    return write(RN_HELPER_FD, &report, sizeof report) == sizeof report ? 0 : 1;
}

/* Answers every byte with a byte, ends by itself on 'q' only. */
static int wait_main(void)
{
    char byte = 0;

    while (byte != 'q') {
        ssize_t got = read(RN_HELPER_FD, &byte, 1);

        if (got == 1)
            (void)!write(RN_HELPER_FD, &byte, 1);
        if (got == 0)
            (void)pause(); /* no reader left: only a signal ends it */
    }
    return 0;
}

static const char *check_report(const Report *report, pid_t pid,
                                RnHelperLifetime lifetime)
{
    struct stat null = { 0 };

    if (stat("/dev/null", &null) < 0)
        return "no /dev/null";
    if (report->pid != pid || report->session != pid)
        return "pid or session";
    if (report->death_signal !=
        (lifetime == RN_HELPER_DIES_WITH_CALLER ? SIGKILL : 0))
        return "death signal";
    if (report->n_blocked != 0 || report->n_ignored != 0)
        return "signals";
    if (report->open_fds != 0xf || report->n_high_fds != 0)
        return g_strdup_printf("fds 0x%" G_GINT64_MODIFIER "x and %d high",
                               report->open_fds, report->n_high_fds);
    if (report->close_on_exec != 0)
        return "the socket is close-on-exec";
    if (report->stdin_device != null.st_rdev)
        return "stdin is not /dev/null";
    /* a fork has no more room than this program's own command line */
    return report->command_line[0] != '\0' &&
                   g_str_has_prefix(report_name, report->command_line)
               ? NULL
               : g_strdup(report->command_line);
}

/* How a helper is started in a test. */
typedef struct Start {
    bool is_forked, second_end; /* of the pair */
} Start;

static bool start_reporter(const Start *start, int socket,
                           RnHelperLifetime lifetime, pid_t *out_pid,
                           int *out_pidfd, GError **error)
{
    RnForked forked = { 0 };

    if (!start->is_forked)
        return rn_helper_spawn(report_name, socket, lifetime, out_pid,
                               out_pidfd, error);
    if (!rn_helper_fork(report_name, report_main, socket, lifetime, &forked,
                        error))
        return false;
    if (!rn_helper_await(report_name, forked.report, error)) {
        rn_process_end(forked.pid, &forked.pidfd);
        return false;
    }
    *out_pid = forked.pid;
    *out_pidfd = forked.pidfd;
    return close(forked.report) == 0;
}

/* Starts a reporting helper over a new pair and judges what it says. */
static const char *start_and_check(const Start *start,
                                   RnHelperLifetime lifetime)
{
    g_autoptr(GError) error = NULL;
    int pair[2] = { -1, -1 };
    Report report = { 0 };
    pid_t pid = -1;
    int pidfd = -1;
    int status = -1;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
        return "socketpair";
    if (!start_reporter(start, pair[start->second_end], lifetime, &pid, &pidfd,
                        &error))
        return g_strdup(error->message);
    if ((fcntl(pidfd, F_GETFD) & FD_CLOEXEC) == 0)
        return "the pidfd is not close-on-exec";
    if (read(pair[!start->second_end], &report, sizeof report) != sizeof report)
        return "no report";
    if (!rn_pidfd_wait_exit(pidfd, &error) ||
        !rn_process_reap(pid, &status, &error))
        return g_strdup(error->message);
    if (rn_process_exit_code(status) != 0)
        return "the helper failed";
    return check_report(&report, pid, lifetime);
}

/* Helpers of both kinds, with either end of the pair: func gets a Start. */
static void run_with_each_start(const char *(*func)(void *))
{
    for (unsigned i = 0; i < 4; i++) {
        Start start = { .is_forked = (i & 1) != 0, .second_end = (i & 2) != 0 };

        run_in_child(func, &start);
    }
}

static const char *spawn_from_clean_fds(void *data)
{
    const Start *start = data;

    /* now the pair gets the numbers 3 and 4: one is RN_HELPER_FD itself */
    rn_fd_close_all_but((const int[]){ IN_CHILD_ANSWER_FD }, 1);
    return start_and_check(start, RN_HELPER_DIES_WITH_CALLER);
}

static void spawn_helper_with_any_socket_fd_starts_clean(void **state)
{
    (void)state;
    run_with_each_start(spawn_from_clean_fds);
}

static const char *spawn_without_stdio(void *data)
{
    const Start *start = data;

    for (int fd = 0; fd < IN_CHILD_ANSWER_FD; fd++)
        (void)close(fd);
    return start_and_check(start, RN_HELPER_DIES_WITH_CALLER);
}

static void spawn_helper_with_stdio_closed_starts_clean(void **state)
{
    (void)state;
    run_with_each_start(spawn_without_stdio);
}

static const char *spawn_from_mess(void *data)
{
    const Start *start = data;
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t all;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGUSR1, &ignore, NULL);
    if (dup2(STDERR_FILENO, 20) < 0 || dup2(STDERR_FILENO, 150) < 0)
        return "dup2";
    if (!rn_log_open_file("/dev/null", RN_LOG_TEXT, NULL))
        return "open a log";
    return start_and_check(start, RN_HELPER_OUTLIVES_CALLER);
}

static void spawn_helper_amid_signals_and_open_fds_starts_clean(void **state)
{
    (void)state;
    run_with_each_start(spawn_from_mess);
}

/* Fails unless the start gives this error and leaves no child. */
static const char *expect_error(const Start *start, int socket, int errno_value,
                                const char *part)
{
    g_autoptr(GError) error = NULL;
    pid_t pid = -2;
    int pidfd = -2;

    if (start_reporter(start, socket, RN_HELPER_DIES_WITH_CALLER, &pid, &pidfd,
                       &error))
        return "it started";
    if (!rn_error_is_errno(error, errno_value) ||
        strstr(error->message, part) == NULL ||
        strstr(error->message, report_name) == NULL)
        return g_strdup(error->message);
    if (pid != -2 || pidfd != -2)
        return "out parameters touched";
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD
               ? NULL
               : "a child was left";
}

static const char *spawn_with_huge_environment(void *data)
{
    const Start spawned = { .is_forked = false };
    g_autofree char *huge = g_strnfill(4 << 20, 'x');
    int pair[2] = { -1, -1 };

    (void)data;
    if (setenv("RNET_TEST_HUGE", huge, 1) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
        return "set up";
    return expect_error(&spawned, pair[0], E2BIG, "exec \"/proc/self/exe\"");
}

static void spawn_helper_that_cannot_exec_gives_its_errno(void **state)
{
    (void)state;
    run_in_child(spawn_with_huge_environment, NULL);
}

static const char *spawn_with_few_fds(void *data)
{
    const struct rlimit limit = { 8, 8 };
    int pair[2] = { -1, -1 };

    rn_fd_close_all_but((const int[]){ IN_CHILD_ANSWER_FD }, 1);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 ||
        setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return "set up";
    return expect_error(data, pair[0], EMFILE, "arrange its file descriptors");
}

static void spawn_helper_without_free_fds_gives_emfile(void **state)
{
    (void)state;
    run_with_each_start(spawn_with_few_fds);
}

typedef struct Orphan {
    int socket; /* the helper's */
    RnHelperLifetime lifetime;
} Orphan;

static const char *spawn_and_leave(void *data)
{
    const Orphan *orphan = data;
    g_autoptr(GError) error = NULL;
    pid_t pid = -1;
    int pidfd = -1;

    if (!rn_helper_spawn(wait_name, orphan->socket, orphan->lifetime, &pid,
                         &pidfd, &error))
        return g_strdup(error->message);
    return NULL;
}

static void helper_whose_caller_ends_dies_with_it(void **state)
{
    int pair[2] = { -1, -1 };
    char byte = 0;
    Orphan orphan = { .lifetime = RN_HELPER_DIES_WITH_CALLER };

    (void)state;
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    orphan.socket = pair[1];
    run_in_child(spawn_and_leave, &orphan);
    assert_int_equal(close(pair[1]), 0);
    assert_int_equal(read(pair[0], &byte, 1), 0);
    assert_int_equal(close(pair[0]), 0);
}

static void helper_that_may_outlive_its_caller_does(void **state)
{
    int pair[2] = { -1, -1 };
    char byte = 0;
    Orphan orphan = { .lifetime = RN_HELPER_OUTLIVES_CALLER };

    (void)state;
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    orphan.socket = pair[1];
    run_in_child(spawn_and_leave, &orphan);
    assert_int_equal(close(pair[1]), 0);
    assert_int_equal(write(pair[0], "q", 1), 1);
    assert_int_equal(read(pair[0], &byte, 1), 1);
    assert_int_equal(byte, 'q');
    assert_int_equal(read(pair[0], &byte, 1), 0); /* it has ended */
    assert_int_equal(close(pair[0]), 0);
}

static void clone_child_ends_and_is_reaped(void **state)
{
    g_autoptr(GError) error = NULL;
    pid_t pid = -2;
    int pidfd = -2;
    int status = -1;

    (void)state;
    assert_true(rn_clone(0, &pid, &pidfd, &error));
    if (pid == 0)
        _exit(pidfd == -1 ? 7 : 1);
    assert_true(pid > 0);
    assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
    assert_true(rn_pidfd_wait_exit(pidfd, &error));
    assert_true(rn_process_reap(pid, &status, &error));
    assert_int_equal(rn_process_exit_code(status), 7);
    /* it is gone now, which is as good as having got the signal */
    assert_true(rn_pidfd_signal(pidfd, SIGTERM, &error));
    assert_false(rn_process_reap(pid, &status, &error));
    assert_error(error, RN_ERRNO, ECHILD, "reap process");
    rn_fd_close(&pidfd);
}

static void clone_with_bad_flags_fails(void **state)
{
    g_autoptr(GError) error = NULL;
    pid_t pid = -2;
    int pidfd = -2;

    (void)state;
    /* CLONE_THREAD without CLONE_SIGHAND, clone(2) */
    assert_false(rn_clone(CLONE_THREAD, &pid, &pidfd, &error));
    assert_error(error, RN_ERRNO, EINVAL, "clone a process");
    assert_int_equal(pid, -2);
    assert_int_equal(pidfd, -2);
}

static void pidfd_signal_ends_a_child_with_that_signal(void **state)
{
    g_autoptr(GError) error = NULL;
    pid_t pid = -1;
    int pidfd = -1;
    int status = -1;

    (void)state;
    assert_true(rn_clone(0, &pid, &pidfd, &error));
    if (pid == 0) {
        (void)pause();
        _exit(EXIT_SUCCESS);
    }
    assert_true(rn_pidfd_signal(pidfd, SIGTERM, &error));
    assert_true(rn_process_reap(pid, &status, &error));
    assert_int_equal(rn_process_exit_code(status), 128 + SIGTERM);
    rn_fd_close(&pidfd);
}

static void pidfd_calls_on_a_bad_fd_fail(void **state)
{
    g_autoptr(GError) signalling = NULL;
    g_autoptr(GError) waiting = NULL;
    int closed = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

    (void)state;
    assert_int_equal(close(closed), 0);
    assert_false(rn_pidfd_signal(closed, SIGTERM, &signalling));
    assert_error(signalling, RN_ERRNO, EBADF, "send signal 15");
    assert_false(rn_pidfd_wait_exit(closed, &waiting));
    assert_error(waiting, RN_ERRNO, EBADF, "wait for a process");
}

static void process_end_kills_reaps_and_closes(void **state)
{
    g_autoptr(GError) error = NULL;
    pid_t pid = -1;
    int pidfd = -1;
    int copy = -1;

    (void)state;
    assert_true(rn_clone(0, &pid, &pidfd, &error));
    if (pid == 0) {
        (void)pause();
        _exit(EXIT_SUCCESS);
    }
    copy = pidfd;
    rn_process_end(pid, &pidfd);
    assert_int_equal(pidfd, -1);
    assert_int_equal(fcntl(copy, F_GETFD), -1);
    assert_int_equal(waitpid(pid, NULL, 0), -1);
    rn_process_end(-1, &pidfd); /* nothing there: nothing happens */
}

static const char *reset_signals(void *data)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t all;

    (void)data;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    rn_signals_reset();
    return count_ignored() == 0 && count_blocked() == 0 ? NULL : "not reset";
}

static void signals_reset_leaves_none_blocked_or_ignored(void **state)
{
    (void)state;
    run_in_child(reset_signals, NULL);
}

int main(G_GNUC_UNUSED int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clone_child_ends_and_is_reaped),
        cmocka_unit_test(clone_with_bad_flags_fails),
        cmocka_unit_test(pidfd_signal_ends_a_child_with_that_signal),
        cmocka_unit_test(pidfd_calls_on_a_bad_fd_fail),
        cmocka_unit_test(process_end_kills_reaps_and_closes),
        cmocka_unit_test(signals_reset_leaves_none_blocked_or_ignored),
        cmocka_unit_test(spawn_helper_with_any_socket_fd_starts_clean),
        cmocka_unit_test(spawn_helper_with_stdio_closed_starts_clean),
        cmocka_unit_test(spawn_helper_amid_signals_and_open_fds_starts_clean),
        cmocka_unit_test(spawn_helper_that_cannot_exec_gives_its_errno),
        cmocka_unit_test(spawn_helper_without_free_fds_gives_emfile),
        cmocka_unit_test(helper_whose_caller_ends_dies_with_it),
        cmocka_unit_test(helper_that_may_outlive_its_caller_does),
    };

    if (strcmp(argv[0], report_name) == 0)
        return report_main();
    if (strcmp(argv[0], wait_name) == 0)
        return wait_main();
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
