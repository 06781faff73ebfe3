/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks - runs the programs of one stage and listens to what they say
 *
 * Runs in the launcher, and in init for the stages inside the container; a
 * hook is a process of its own, in a session of its own. In: the state on its
 * stdin. Out: the end of what it writes, for the error.
 * Failure: the first one ends the stage. Of what a hook leaves running rnet
 * waits for nothing: when the hook itself has ended, its output is taken as far
 * as it is there, and the pipes are closed.
 */
#include "config.h"

#include <rnet/runtime/hooks.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/timerfd.h>
#include <sys/wait.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    CHUNK = 4096,        /* bytes of output taken at once */
    TAIL_MAX = 2048,     /* bytes of output kept: an error's text has to fit
                            into one message, RN_MSG_MAX_PAYLOAD */
    LAST_CHUNKS_MAX = 32 /* after the end: twice what a pipe holds, pipe(7) */
};

static const char *const stage_names[] = {
    [RN_HOOK_PRESTART] = "prestart",
    [RN_HOOK_CREATE_RUNTIME] = "createRuntime",
    [RN_HOOK_CREATE_CONTAINER] = "createContainer",
    [RN_HOOK_START_CONTAINER] = "startContainer",
    [RN_HOOK_POSTSTART] = "poststart",
    [RN_HOOK_POSTSTOP] = "poststop",
};
G_STATIC_ASSERT(G_N_ELEMENTS(stage_names) == RN_HOOK_N_);

typedef enum Step {
    STEP_DETACH,
    STEP_ENTER,
    STEP_EXEC,
    STEP_N_
} Step;

static const char *const step_texts[] = {
    [STEP_DETACH] = "detach it from rnet",
    [STEP_ENTER] = "enter its working directory",
    [STEP_EXEC] = "exec",
};
G_STATIC_ASSERT(G_N_ELEMENTS(step_texts) == STEP_N_);

/* What a process that could not exec the hook reports. */
typedef struct StartFailure {
    uint32_t step; /* Step */
    int32_t errno_value;
} StartFailure;

const char *rn_hook_stage_name(RnHookStage stage)
{
    return stage_names[stage];
}

/* One hook that runs. */
typedef struct Hook {
    const RnHook *hook;
    pid_t pid; /* 0: none, or reaped */
    int pidfd;
    int input;  /* to its stdin, non-blocking; -1: all said, or not wanted */
    int output; /* of its stdout and stderr, non-blocking; -1: at its end */
    int report; /* gets a StartFailure, or EOF when the exec has happened */
    int timer;
    const char *unsaid; /* what is left of the state */
    gsize n_unsaid;     /* bytes */
    GString *tail;      /* the last that it wrote */
    bool is_late;
} Hook;

/* What the hook's process starts with; its ends of the pipes. */
typedef struct Child {
    int input, output, report;
    const char *directory; /* NULL: where the caller is */
    char **env;
} Child;

static void clear_hook(Hook *run)
{
    if (run->pid > 0)
        rn_process_end(run->pid, &run->pidfd);
    rn_fd_close(&run->pidfd);
    rn_fd_close(&run->input);
    rn_fd_close(&run->output);
    rn_fd_close(&run->report);
    rn_fd_close(&run->timer);
    if (run->tail != NULL)
        (void)g_string_free(run->tail, TRUE);
    run->tail = NULL;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Hook, clear_hook)

static void clear_child(Child *child)
{
    rn_fd_close(&child->input);
    rn_fd_close(&child->output);
    rn_fd_close(&child->report);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Child, clear_child)

/* In the hook's process. What the caller has opened is not the hook's. */
static bool arrange_fds(Child *child)
{
    /* out of the way of 0 to 2, in case the caller had these closed */
    int input = fcntl(child->input, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int output = fcntl(child->output, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    child->report = fcntl(child->report, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (input < 0 || output < 0 || child->report < 0 ||
        dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        return false;
    rn_fd_close_all_but(&child->report, 1);
    return true;
}

static bool enter(const char *directory)
{
    return directory == NULL || chdir(directory) == 0;
}

static G_NORETURN void hook_child_main(const RnHook *hook, Child *child)
{
    char *const only_path[] = { hook->path, NULL };
    StartFailure failure = { .step = STEP_DETACH };
    int original_report = child->report;

    rn_signals_reset();
    /* the session is also the group that is killed if the hook is late */
    if (setsid() >= 0 && arrange_fds(child)) {
        failure.step = STEP_ENTER;
        if (enter(child->directory)) {
            failure.step = STEP_EXEC;
            (void)execve(hook->path,
                         hook->args != NULL ? hook->args : only_path,
                         hook->env != NULL ? hook->env : child->env);
        }
    }
    failure.errno_value = errno;
    /* where this fails too, the parent is gone: nobody is left to tell */
    (void)!write(child->report >= 0 ? child->report : original_report, &failure,
                 sizeof failure);
    _exit(EXIT_FAILURE);
}

static bool make_pipe(int *out_read, int *out_write, GError **error)
{
    int ends[2] = { -1, -1 };

    if (pipe2(ends, O_CLOEXEC) < 0)
        return rn_set_errno(error, errno, "make a pipe");
    *out_read = ends[0];
    *out_write = ends[1];
    return true;
}

static bool start_timer(Hook *run, GError **error)
{
    const struct itimerspec after = {
        .it_value.tv_sec = (time_t)run->hook->timeout_s,
    };

    if (run->hook->timeout_s == 0)
        return true;
    run->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (run->timer < 0 || timerfd_settime(run->timer, 0, &after, NULL) < 0)
        return rn_set_errno(error, errno, "set a timer");
    return true;
}

static bool start_hook(Hook *run, const char *directory, char **env,
                       GError **error)
{
    g_auto(Child) child = {
        .input = -1,
        .output = -1,
        .report = -1,
        .directory = directory,
        .env = env,
    };

    if (!make_pipe(&child.input, &run->input, error) ||
        !make_pipe(&run->output, &child.output, error) ||
        !make_pipe(&run->report, &child.report, error) ||
        !rn_fd_set_nonblocking(run->input, true, error) ||
        !rn_fd_set_nonblocking(run->output, true, error) ||
        !start_timer(run, error) || !rn_clone(0, &run->pid, &run->pidfd, error))
        return false;
    if (run->pid == 0)
        hook_child_main(run->hook, &child);
    return true;
}

/* A hook that does not want to know the state may close its stdin (EPIPE). */
static void say_state(Hook *run)
{
    ssize_t written = 0;

    while (run->n_unsaid > 0) {
        written = write(run->input, run->unsaid, run->n_unsaid);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN)
            return;
        if (written < 0)
            break;
        run->unsaid += written;
        run->n_unsaid -= (gsize)written;
    }
    rn_fd_close(&run->input);
}

/* Takes one chunk; false when there is none for now. */
static bool take_output(Hook *run)
{
    char chunk[CHUNK];
    ssize_t got = TEMP_FAILURE_RETRY(read(run->output, chunk, sizeof chunk));

    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0) {
        rn_fd_close(&run->output);
        return false;
    }
    g_string_append_len(run->tail, chunk, got);
    if (run->tail->len > TAIL_MAX)
        g_string_erase(run->tail, 0, (gssize)(run->tail->len - TAIL_MAX));
    return true;
}

/* Sleeps until something happens; true when the hook has ended or is late. */
static bool wait_once(Hook *run, bool *out_done, GError **error)
{
    struct pollfd polled[] = {
        { .fd = run->pidfd, .events = POLLIN },
        { .fd = run->timer, .events = POLLIN },
        { .fd = run->input, .events = POLLOUT },
        { .fd = run->output, .events = POLLIN },
    };

    if (TEMP_FAILURE_RETRY(poll(polled, G_N_ELEMENTS(polled), -1)) < 0)
        return rn_set_errno(error, errno, "wait for it");
    if (polled[2].revents != 0)
        say_state(run);
    if (polled[3].revents != 0)
        (void)take_output(run);
    run->is_late = polled[0].revents == 0 && polled[1].revents != 0;
    *out_done = run->is_late || polled[0].revents != 0;
    return true;
}

static bool wait_for_end(Hook *run, int *out_status, GError **error)
{
    bool done = false;

    while (!done) {
        if (!wait_once(run, &done, error))
            return false;
    }
    if (run->is_late) {
        /* both: the hook may not have come to its setsid() yet */
        (void)kill(-run->pid, SIGKILL);
        (void)kill(run->pid, SIGKILL);
    }
    if (!rn_process_reap(run->pid, out_status, error))
        return false;
    run->pid = 0;
    for (unsigned i = 0; run->output >= 0 && i < LAST_CHUNKS_MAX; i++) {
        if (!take_output(run))
            break;
    }
    return true;
}

/* What the hook wrote, as one line for an error's text. */
static char *format_tail(const GString *tail)
{
    g_autofree char *text =
        g_utf8_make_valid(tail->str, (gssize)MIN(tail->len, TAIL_MAX));

    g_strstrip(text);
    if (text[0] == '\0')
        return g_strdup("");
    /* a newline could begin what looks like a hint, see util/error.h */
    g_strdelimit(text, "\n\r", ' ');
    return g_strdup_printf("; it said: %s", text);
}

/* False if the hook was never executed. */
static bool check_start(const Hook *run, GError **error)
{
    StartFailure failure = { 0 };
    ssize_t got =
        TEMP_FAILURE_RETRY(read(run->report, &failure, sizeof failure));

    if (got != sizeof failure || failure.step >= STEP_N_)
        return true;
    return rn_set_errno(error, failure.errno_value, "%s",
                        step_texts[failure.step]);
}

static bool judge(const Hook *run, int status, GError **error)
{
    g_autofree char *said = format_tail(run->tail);

    if (run->is_late)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "killed after its time-out of %u s%s",
                            run->hook->timeout_s, said);
    if (!check_start(run, error))
        return false;
    if (WIFSIGNALED(status))
        return rn_set_error(error, RN_ERROR_HELPER_LOST, "ended by signal %d%s",
                            WTERMSIG(status), said);
    if (WEXITSTATUS(status) != 0)
        return rn_set_error(error, RN_ERROR_HELPER_LOST, "exit status %d%s",
                            WEXITSTATUS(status), said);
    return true;
}

static bool run_hook(const RnHook *hook, const char *state,
                     const char *directory, char **env, GError **error)
{
    g_auto(Hook) run = {
        .hook = hook,
        .pidfd = -1,
        .input = -1,
        .output = -1,
        .report = -1,
        .timer = -1,
        .unsaid = state,
        .n_unsaid = strlen(state),
        .tail = g_string_new(NULL),
    };
    int status = 0;

    return start_hook(&run, directory, env, error) &&
           wait_for_end(&run, &status, error) && judge(&run, status, error);
}

static bool run_all(const GPtrArray *hooks, RnHookStage stage,
                    const char *state, const char *directory, char **env,
                    GError **error)
{
    for (unsigned i = 0; i < hooks->len; i++) {
        const RnHook *hook = g_ptr_array_index(hooks, i);

        rn_log_debug("%s hook \"%s\"", stage_names[stage], hook->path);
        if (run_hook(hook, state, directory, env, error))
            continue;
        g_prefix_error(error, "%s hook \"%s\": ", stage_names[stage],
                       hook->path);
        return false;
    }
    return true;
}

bool rn_hooks_run(const GPtrArray *hooks, RnHookStage stage, const char *state,
                  const char *directory, char **env, GError **error)
{
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction before = { 0 };
    bool result = false;

    if (hooks->len == 0)
        return true;
    /* a hook that ends before it has read its state must not end this process;
     * it has the default action itself, rn_signals_reset() */
    if (sigaction(SIGPIPE, &ignore, &before) < 0)
        return rn_set_errno(error, errno, "ignore SIGPIPE");
    result = run_all(hooks, stage, state, directory, env, error);
    (void)sigaction(SIGPIPE, &before, NULL); /* as it was: cannot fail */
    return result;
}
