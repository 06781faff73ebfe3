/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-program - the last step: the system call filter, then execve(2)
 *
 * Runs in init, which becomes the payload here. The filter is the bundle's and
 * may forbid, trap or hand to a listener any system call, also those that
 * would report a failure or pass the listener on. Who could do that instead?
 * Not the launcher: pidfd_getfd(2) takes rights over a process that has
 * changed its ids which an ordinary user lacks. Not a child that shares the
 * fds: it would have to be reaped, by calls that may be forbidden, or be the
 * payload's unexpected child. So a second thread of the same process, started
 * before the filter, which is then in force for the first thread only: it
 * shares fds and memory, and exec ends it before the program begins.
 *
 * The first thread can wake nobody once the filter is there. Its end is seen
 * all the same: the kernel clears the word of set_tid_address(2) and wakes who
 * waits for it, also when the filter kills the thread. That the listener
 * exists is only to be seen in memory, so both threads look again and again,
 * the second one yielding, for the time of seccomp(2) and of one sendmsg(2).
 */
#include "config.h"

#include <rnet/runtime/exec-program.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include <rnet/runtime/program.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

enum {
    STACK_SIZE = 256 * 1024, /* bytes; a message and an error's text */
    NOT_YET = -2,
    ALIVE = 1,
};

/* What the two threads share; static, for it outlives the first one's stack. */
static struct {
    const RnExecution *execution;
    uint32_t life;        /* ALIVE, until the first thread ends or says so */
    int listener;         /* NOT_YET, then the fd */
    uint32_t is_sent;     /* the launcher has the listener */
    uint32_t is_given_up; /* nothing to watch: the filter is not in force */
    int exec_errno;       /* 0: execve did not return */
} watch;

#define LOAD(member) __atomic_load_n(&watch.member, __ATOMIC_ACQUIRE)
#define STORE(member, value)                                                   \
    __atomic_store_n(&watch.member, (value), __ATOMIC_RELEASE)

static void futex(int operation, uint32_t value)
{
    (void)syscall(SYS_futex, &watch.life, operation, value, NULL, NULL, 0);
}

/* Tells the second thread that this one is done. */
static void end_life(void)
{
    STORE(life, 0);
    futex(FUTEX_WAKE, 1);
}

static bool explain_exec(const char *path, int errno_value, GError **error)
{
    (void)rn_set_error(error,
                       errno_value == ENOENT ? RN_ERROR_PROGRAM_MISSING
                                             : RN_ERROR_PROGRAM_UNRUNNABLE,
                       "\"%s\": %s", path, rn_program_words(errno_value));
    if (errno_value == EACCES)
        return rn_error_add_hint(error, "process.user may not execute it");
    if (errno_value == EAGAIN)
        return rn_error_add_hint(error, "RLIMIT_NPROC of the user is reached");
    return false;
}

static bool explain_filtered(GError **error)
{
    const char *path = watch.execution->path;

    if (watch.exec_errno == 0)
        return rn_set_error(error, RN_ERROR_PROGRAM_UNRUNNABLE,
                            "\"%s\": linux.seccomp ends a process that calls "
                            "execve(2)",
                            path);
    (void)explain_exec(path, watch.exec_errno, error);
    if (watch.exec_errno == EPERM || watch.exec_errno == ENOSYS)
        return rn_error_add_hint(error, "linux.seccomp may forbid execve(2)");
    return false;
}

static void pass_listener_on(void)
{
    int listener = NOT_YET;

    while ((listener = LOAD(listener)) == NOT_YET && LOAD(life) != 0)
        (void)sched_yield();
    if (listener < 0)
        return;
    /* a launcher that is gone ends a container that has not begun */
    if (!rn_msg_send(watch.execution->socket, RN_MSG_SECCOMP_LISTENER, NULL, 0,
                     &listener, 1, NULL))
        _exit(EXIT_FAILURE);
    STORE(is_sent, 1);
}

/* The second thread. */
static void *watch_exec(void *data)
{
    GError *failure = NULL;

    (void)data;
    if (rn_seccomp_program_notifies(watch.execution->filter))
        pass_listener_on();
    while (LOAD(life) != 0)
        futex(FUTEX_WAIT, ALIVE);
    if (LOAD(is_given_up) != 0)
        return NULL;
    (void)explain_filtered(&failure);
    g_prefix_error(&failure, "exec: ");
    (void)rn_msg_send_error(watch.execution->socket, failure, NULL);
    _exit(EXIT_FAILURE);
}

static bool start_watching(pthread_t *out_thread, GError **error)
{
    pthread_attr_t attributes;
    int result = pthread_attr_init(&attributes);

    if (result == 0)
        result = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (result == 0)
        result = pthread_create(out_thread, &attributes, watch_exec, NULL);
    (void)pthread_attr_destroy(&attributes);
    if (result == 0)
        return true;
    (void)rn_set_errno(error, result, "linux.seccomp: start a thread");
    if (result == EAGAIN)
        return rn_error_add_hint(error, "RLIMIT_NPROC or the limit of pids "
                                        "has no room for it");
    return false;
}

/* The first thread, whose system calls may no longer work. */
static G_NORETURN void exec_filtered(const RnExecution *execution, int listener)
{
    STORE(listener, listener);
    while (listener >= 0 && LOAD(is_sent) == 0)
        continue;
    (void)execve(execution->path, execution->args, execution->env);
    STORE(exec_errno, errno);
    end_life();
    /* each of these is another try to be noticed */
    (void)syscall(SYS_exit, EXIT_FAILURE);
    _exit(EXIT_FAILURE);
}

static void stop_watching(pthread_t thread)
{
    STORE(is_given_up, 1);
    end_life();
    (void)pthread_join(thread, NULL);
}

/* Where a second thread is impossible, and no listener needs it. */
static bool exec_alone(const RnExecution *execution, GError **error)
{
    int listener = -1;

    if (!rn_seccomp_install(execution->filter, &listener, error))
        return false;
    (void)execve(execution->path, execution->args, execution->env);
    /* whoever returns from here can only hope that the filter lets it report */
    return explain_exec(execution->path, errno, error);
}

static bool exec_watched(const RnExecution *execution, GError **error)
{
    g_autoptr(GError) no_thread = NULL;
    pthread_t thread;
    int listener = -1;

    watch.execution = execution;
    watch.life = ALIVE;
    watch.listener = NOT_YET;
    (void)syscall(SYS_set_tid_address, &watch.life); /* cannot fail */
    if (!start_watching(&thread, &no_thread)) {
        rn_log_debug("%s", no_thread->message);
        if (!rn_seccomp_program_notifies(execution->filter))
            return exec_alone(execution, error);
        g_propagate_error(error, g_steal_pointer(&no_thread));
        return false;
    }
    if (rn_seccomp_install(execution->filter, &listener, error))
        exec_filtered(execution, listener);
    stop_watching(thread);
    return false;
}

bool rn_exec_program(const RnExecution *execution, GError **error)
{
    if (execution->filter != NULL)
        return exec_watched(execution, error);
    (void)execve(execution->path, execution->args, execution->env);
    return explain_exec(execution->path, errno, error);
}
