/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-child - the process of `exec`, from the namespaces to the program
 *
 * World on entry: a fork of the command in the container's namespaces and root
 * directory, with all capabilities there, undumpable, and among processes that
 * are hostile: no path but what lies in the container is looked up, and its
 * /proc is not believed. World at exec: as the process says.
 *
 * Talks as init does, protocol.h, "launcher and init", from TERMINAL on.
 */
#ifndef RNET_RUNTIME_EXEC_CHILD_H
#define RNET_RUNTIME_EXEC_CHILD_H

#include <rnet/runtime/plan.h>

/* Decided by the command; all borrowed. */
typedef struct RnExecPlan {
    const RnPlan *plan; /* the container's, its process the one to start */
    uint32_t work_uid, work_gid;    /* ids to work with until it is itself: the
                                    container's root, if it has one */
    bool foreign_formats;           /* see program.h */
    int proc_fd;                    /* rn_identity_open_proc()'s, of the host;
                                    not below the fds that the program gets */
    const RnSeccompProgram *filter; /* NULL: none */
} RnExecPlan;

G_NORETURN void rn_exec_child_main(const RnExecPlan *exec, int socket);

#endif
