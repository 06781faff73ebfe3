/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-trial - runs one trial in a child, bounded in what it does and in time
 *
 * Runs in `rnet doctor`. The child answers through a pipe, with one write, and
 * the pipe's EOF means that it is gone; no pidfd is needed, nor clone3, which
 * may be what is missing. In new namespaces the trial runs in a child of the
 * child, which writes the id maps as a launcher does. All of them are in one
 * process group, which is killed when there is no answer.
 */
#include "config.h"

#include <rnet/runtime/doctor-trial.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <rnet/sys/process.h>
#include <rnet/sys/userns.h>
#include <rnet/util/fd.h>

enum {
    ANSWER_TEXT_MAX = 2048, /* with the rest below PIPE_BUF: one piece */
    SHELL_SIGNAL = 128,     /* rn_process_exit_code() */
};

typedef struct Answer {
    uint32_t works;
    int32_t errno_value;
    char text[ANSWER_TEXT_MAX];
} Answer;

/* Allocates nothing: the trial may have been a seccomp filter. */
static G_NORETURN void answer_and_exit(int fd, const GError *failure)
{
    Answer answer = { .works = failure == NULL };

    if (failure != NULL) {
        answer.errno_value = failure->domain == RN_ERRNO ? failure->code : 0;
        g_strlcpy(answer.text, failure->message, sizeof answer.text);
    }
    /* where that fails the parent sees a child that died */
    (void)!write(fd, &answer, sizeof answer);
    _exit(0);
}

static G_NORETURN void try_and_exit(const RnTrial *trial, int answer)
{
    GError *failure = NULL;

    if (trial->func(trial->data, &failure))
        answer_and_exit(answer, NULL);
    answer_and_exit(answer, failure);
}

/* In the new namespaces, as soon as the ids are mapped. */
static G_NORETURN void world_main(const RnTrial *trial, int answer, int go)
{
    char byte = 0;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* EOF: the parent died before, or could not map */
    if (TEMP_FAILURE_RETRY(read(go, &byte, 1)) != 1)
        _exit(1);
    try_and_exit(trial, answer);
}

/* A clone or a map that was refused, in the words of a launcher. */
static G_NORETURN void explain_and_exit(int answer, const RnTrial *trial,
                                        GError *failure)
{
    GError *explained = NULL;

    if ((trial->namespaces & CLONE_NEWUSER) == 0 || failure->domain != RN_ERRNO)
        answer_and_exit(answer, failure);
    (void)rn_userns_explain(failure->code, &explained);
    answer_and_exit(answer, explained);
}

static bool map_ids(const RnTrial *trial, pid_t pid, GError **error)
{
    return (trial->namespaces & CLONE_NEWUSER) == 0 ||
           rn_idmap_write(pid, trial->uids, trial->gids, error);
}

static G_NORETURN void make_world_and_exit(const RnTrial *trial, int answer)
{
    GError *failure = NULL;
    int go[2] = { -1, -1 };
    int pidfd = -1;
    pid_t pid = -1;
    int status = 0;

    if ((trial->namespaces & CLONE_NEWUSER) != 0 &&
        !rn_idmap_check(trial->uids, trial->gids, &failure))
        answer_and_exit(answer, failure);
    if (pipe2(go, O_CLOEXEC) < 0) {
        (void)rn_set_errno(&failure, errno, "make a pipe");
        answer_and_exit(answer, failure);
    }
    if (!rn_clone(trial->namespaces, &pid, &pidfd, &failure))
        explain_and_exit(answer, trial, failure);
    if (pid == 0) {
        (void)close(go[1]);
        world_main(trial, answer, go[0]);
    }
    if (!map_ids(trial, pid, &failure)) {
        rn_process_end(pid, &pidfd);
        explain_and_exit(answer, trial, failure);
    }
    (void)!write(go[1], "", 1); /* the child has ended, then: no answer */
    if (!rn_process_reap(pid, &status, &failure))
        answer_and_exit(answer, failure);
    _exit(rn_process_exit_code(status));
}

/* 0 to 2 are /dev/null: no trial and no library in it may speak or ask. */
static bool close_fds(int *answer)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    *answer = fcntl(*answer, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++) {
        if (dup2(null, fd) < 0)
            return false;
    }
    rn_fd_close_all_but(answer, 1);
    return *answer >= 0;
}

static G_NORETURN void child_main(const RnTrial *trial, int answer,
                                  pid_t parent)
{
    rn_signals_reset();
    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent || !close_fds(&answer))
        _exit(1);
    if (trial->namespaces != 0)
        make_world_and_exit(trial, answer);
    try_and_exit(trial, answer);
}

/* Reads the answer and its EOF; false: neither came in time. */
static bool await_answer(int fd, int timeout_ms, Answer *answer,
                         gsize *out_length)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };
    ssize_t got = 1;

    while (got > 0) {
        Answer more;

        if (TEMP_FAILURE_RETRY(poll(&polled, 1, timeout_ms)) <= 0)
            return false;
        got = TEMP_FAILURE_RETRY(read(fd, &more, sizeof more));
        if (got == (ssize_t)sizeof more) {
            *answer = more;
            *out_length = sizeof more;
        }
    }
    return true;
}

void rn_trial_result_clear(RnTrialResult *result)
{
    g_clear_pointer(&result->text, g_free);
    g_clear_pointer(&result->hint, g_free);
}

void rn_trial_fail(const GError *failure, RnTrialResult *out_result)
{
    out_result->outcome = RN_TRIAL_FAILS;
    out_result->errno_value = failure->domain == RN_ERRNO ? failure->code : 0;
    out_result->text = rn_error_split(failure, &out_result->hint);
}

static void take_answer(Answer *answer, RnTrialResult *result)
{
    g_autoptr(GError) failure = NULL;

    if (answer->works != 0) {
        result->outcome = RN_TRIAL_WORKS;
        return;
    }
    answer->text[sizeof answer->text - 1] = '\0';
    failure =
        g_error_new_literal(answer->errno_value != 0 ? RN_ERRNO : RN_ERROR,
                            answer->errno_value, answer->text);
    rn_trial_fail(failure, result);
}

static void tell_death(int status, RnTrialResult *result)
{
    int code = rn_process_exit_code(status);

    result->outcome = RN_TRIAL_DIES;
    result->text =
        code > SHELL_SIGNAL
            ? g_strdup_printf("ended by signal %d (%s)", code - SHELL_SIGNAL,
                              g_strsignal(code - SHELL_SIGNAL))
            : g_strdup_printf("ended with status %d, no answer", code);
}

static void collect(pid_t pid, int fd, int timeout_ms, RnTrialResult *result)
{
    Answer answer = { 0 };
    gsize length = 0;
    int no_pidfd = -1;
    int status = 0;

    if (!await_answer(fd, timeout_ms, &answer, &length)) {
        /* the group: newuidmap, too, may be what hangs */
        (void)kill(-pid, SIGKILL);
        rn_process_end(pid, &no_pidfd);
        result->outcome = RN_TRIAL_HANGS;
        result->text =
            g_strdup_printf("no answer in %d ms, given up", timeout_ms);
        return;
    }
    (void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
    if (length == sizeof answer)
        take_answer(&answer, result);
    else
        tell_death(status, result);
}

void rn_trial_run(const RnTrial *trial, RnTrialResult *out_result)
{
    g_autoptr(GError) failure = NULL;
    int ends[2] = { -1, -1 };
    rn_autofd int answer_read = -1;
    pid_t parent = getpid();
    pid_t pid = -1;

    if (pipe2(ends, O_CLOEXEC) == 0) {
        answer_read = ends[0];
        pid = fork();
        if (pid == 0)
            child_main(trial, ends[1], parent);
        (void)close(ends[1]);
    }
    if (pid < 0) {
        (void)rn_set_errno(&failure, errno, "make a process to try it");
        rn_trial_fail(failure, out_result);
        return;
    }
    collect(pid, answer_read,
            trial->timeout_ms != 0 ? trial->timeout_ms : RN_TRIAL_TIMEOUT_MS,
            out_result);
}
