/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreground - waits for a process's end, as its command's front
 */
#ifndef RNET_RUNTIME_FOREGROUND_H
#define RNET_RUNTIME_FOREGROUND_H

#include <rnet/runtime/container.h>

/* A process of a container that is this one's child; all borrowed. */
typedef struct RnFrontProcess {
    pid_t pid;
    int pidfd;
    int terminal_fd;      /* the master of its terminal, or -1 */
    bool shares_terminal; /* this process's: while it is in the same process
                             group, the terminal's signals reach it as well */
    bool is_pid_1;        /* of its pid namespace: the kernel keeps the default
                        actions of signals from it, pid_namespaces(7) */
} RnFrontProcess;

/*
 * Before the process is started: blocks the signals that will be passed on, so
 * that one that comes early waits for it instead of ending rnet, and gives the
 * terminal (a master, or -1) its size.
 */
bool rn_front_prepare(int terminal_fd, GError **error) RN_CHECK;

/*
 * Passes signals and the terminal on (see rn_run()) until the process has ended,
 * which is then to be reaped. *out_ended_by: the signal whose default action
 * was carried out on its behalf, or 0. Serves what else is in `loop`.
 */
bool rn_front_wait(const RnFrontProcess *process, RnLoop *loop,
                   int *out_ended_by, GError **error) RN_CHECK;

/* The former for a container, between creating and starting it. */
bool rn_foreground_prepare(const RnContainer *container,
                           GError **error) RN_CHECK;

/*
 * Supervises the network, passes signals and the terminal on (see rn_run()),
 * and reaps the container when it ends. The container's network stays in
 * `loop`, which therefore must live longer than the container.
 */
bool rn_foreground_wait(RnContainer *container, const RnPlan *plan,
                        RnLoop *loop, int *out_exit_code,
                        GError **error) RN_CHECK;

#endif
