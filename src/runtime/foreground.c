/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreground - the event loop of `rnet run` and `rnet exec`
 *
 * Runs in the launcher once the payload runs. Waits for: the payload's pidfd,
 * signals (signalfd), the terminal, and what else is in the loop: the network's
 * helpers. Ends when the payload does; what then remains is
 * rn_container_free()'s.
 */
#include "config.h"

#include <rnet/runtime/foreground.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/signalfd.h>
#include <sys/syscall.h>

#include <rnet/runtime/terminal.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    STATUS_FILE_MAX = 16384
}; /* bytes of /proc/PID/status, ample */

/* Passed on to the payload: what a person or a supervisor sends to a program.
 * Real-time signals are added to them. All of these end a process that does
 * nothing about them, signal(7). */
static const int passed_signals[] = {
    SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
};

typedef struct Foreground {
    const RnFrontProcess *process;
    RnLoop *loop;
    RnTerminal *terminal; /* NULL without one */
    int signal_fd;
    int ended_by;   /* the signal that rnet carried out itself, 0: none */
    bool has_ended; /* the process has */
    bool in_hurry;  /* a signal came after the end */
    RnWatch process_watch;
    RnWatch signal_watch;
} Foreground;

static void collect_signals(sigset_t *set)
{
    sigemptyset(set);
    for (unsigned i = 0; i < G_N_ELEMENTS(passed_signals); i++)
        sigaddset(set, passed_signals[i]);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        sigaddset(set, number);
    sigaddset(set, SIGWINCH);
}

bool rn_front_prepare(int terminal_fd, GError **error)
{
    sigset_t set;

    collect_signals(&set);
    /* a stdout that is closed is a failed write, not the end of rnet */
    sigaddset(&set, SIGPIPE);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return rn_set_errno(error, errno, "block signals");
    if (terminal_fd >= 0)
        rn_terminal_copy_size(terminal_fd);
    return true;
}

static bool open_signals(int *out_fd, GError **error)
{
    sigset_t set;
    int fd = -1;

    collect_signals(&set);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return rn_set_errno(error, errno, "create a signalfd");
    *out_fd = fd;
    return true;
}

static uint64_t find_mask(const char *status, const char *name)
{
    const char *line = strstr(status, name);

    return line == NULL ? 0 : g_ascii_strtoull(line + strlen(name), NULL, 16);
}

/* In sigwaitinfo(2) or its like, to which the kernel gives even a signal that
 * it would keep from a pid 1, while SigBlk leaves out what is waited for. */
static bool is_in_sigwait(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/syscall", pid);
    g_autofree char *text = NULL;

    /* proc(5); "running", "-1 ..." or the number */
    return rn_file_read(AT_FDCWD, path, STATUS_FILE_MAX, &text, NULL, NULL) &&
           g_ascii_isdigit(text[0]) &&
           g_ascii_strtoll(text, NULL, 10) == SYS_rt_sigtimedwait;
}

/* The process neither catches, ignores nor blocks the signal, proc(5), nor
 * waits for any; this is looked at twice, as it may begin in between. */
static bool has_default_action(pid_t pid, int number)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *status = NULL;
    uint64_t handled = 0;

    if (is_in_sigwait(pid) ||
        !rn_file_read(AT_FDCWD, path, STATUS_FILE_MAX, &status, NULL, NULL))
        return false;
    handled = find_mask(status, "\nSigBlk:") | find_mask(status, "\nSigIgn:") |
              find_mask(status, "\nSigCgt:");
    return (handled & (UINT64_C(1) << (number - 1))) == 0 &&
           !is_in_sigwait(pid);
}

static void pass_signal(Foreground *front, int number)
{
    const RnFrontProcess *process = front->process;
    g_autoptr(GError) failure = NULL;

    /* the kernel keeps a signal's default action from a namespace's pid 1,
     * so an unprepared payload could not be ended: done here instead */
    if (process->is_pid_1 && front->ended_by == 0 &&
        has_default_action(process->pid, number)) {
        front->ended_by = number;
        number = SIGKILL;
    }
    if (!rn_pidfd_signal(process->pidfd, number, &failure))
        rn_log_gerror(RN_LOG_WARNING, failure);
}

/* The terminal's driver sends to the whole group; a person's kill does not. */
static bool has_it_already(const RnFrontProcess *process,
                           const struct signalfd_siginfo *info)
{
    return process->shares_terminal && info->ssi_code == SI_KERNEL &&
           getpgid(process->pid) == getpgrp();
}

static void on_signal(RnWatch *watch, uint32_t events)
{
    Foreground *front = watch->data;
    struct signalfd_siginfo info;

    (void)events;
    while (read(front->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGWINCH) {
            if (front->terminal != NULL)
                rn_terminal_resize(front->terminal);
        } else if (front->has_ended) {
            front->in_hurry = true;
        } else if (!has_it_already(front->process, &info)) {
            pass_signal(front, (int)info.ssi_signo);
        }
    }
}

static void on_process_end(RnWatch *watch, uint32_t events)
{
    Foreground *front = watch->data;

    (void)events;
    front->has_ended = true;
    rn_watch_remove(&front->process_watch);
    rn_loop_quit(front->loop);
}

/* stdout takes no more: what a terminal's user would say by closing it. */
static void on_terminal_gone(void *data)
{
    Foreground *front = data;

    if (!front->has_ended)
        pass_signal(front, SIGHUP);
}

static bool watch_all(Foreground *front, GError **error)
{
    int terminal_fd = front->process->terminal_fd;

    if (!open_signals(&front->signal_fd, error) ||
        !rn_loop_add(front->loop, &front->signal_watch, front->signal_fd,
                     EPOLLIN, on_signal, front, error) ||
        !rn_loop_add(front->loop, &front->process_watch, front->process->pidfd,
                     EPOLLIN, on_process_end, front, error))
        return false;
    if (terminal_fd < 0)
        return true;
    front->terminal = rn_terminal_new(front->loop, terminal_fd,
                                      on_terminal_gone, front, error);
    return front->terminal != NULL;
}

/* A slow reader gets all of the container's last words, unless a signal has
 * ended the container or says now that nobody waits for them. */
static bool show_last_output(Foreground *front, GError **error)
{
    if (front->terminal == NULL)
        return true;
    while (!rn_terminal_drain(front->terminal) && front->ended_by == 0 &&
           !front->in_hurry) {
        if (!rn_loop_turn(front->loop, -1, error))
            return false;
    }
    return true;
}

static bool wait_for_end(Foreground *front, int *out_ended_by, GError **error)
{
    if (!watch_all(front, error) || !rn_loop_run(front->loop, error) ||
        !show_last_output(front, error))
        return false;
    *out_ended_by = front->ended_by;
    return true;
}

bool rn_front_wait(const RnFrontProcess *process, RnLoop *loop,
                   int *out_ended_by, GError **error)
{
    Foreground front = {
        .process = process,
        .loop = loop,
        .signal_fd = -1,
    };
    bool result = false;

    result = wait_for_end(&front, out_ended_by, error);
    rn_terminal_free(front.terminal);
    rn_watch_remove(&front.process_watch);
    rn_watch_remove(&front.signal_watch);
    rn_fd_close(&front.signal_fd);
    return result;
}

bool rn_foreground_prepare(const RnContainer *container, GError **error)
{
    return rn_front_prepare(rn_container_terminal(container), error);
}

bool rn_foreground_wait(RnContainer *container, const RnPlan *plan,
                        RnLoop *loop, int *out_exit_code, GError **error)
{
    const RnFrontProcess process = {
        .pid = rn_container_pid(container),
        .pidfd = rn_container_pidfd(container),
        .terminal_fd = rn_container_terminal(container),
        .is_pid_1 = (plan->namespaces & CLONE_NEWPID) != 0,
    };
    int ended_by = 0;

    if (!rn_container_watch(container, loop, error) ||
        !rn_front_wait(&process, loop, &ended_by, error) ||
        !rn_container_reap(container, out_exit_code, error))
        return false;
    if (ended_by != 0)
        *out_exit_code = 128 + ended_by;
    return true;
}
