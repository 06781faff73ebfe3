/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec - one more process in a container that exists
 */
#ifndef RNET_RUNTIME_EXEC_H
#define RNET_RUNTIME_EXEC_H

#include <rnet/runtime/exec-process.h>

typedef struct RnExecRequest {
    const char *state_dir; /* path of the state directory */
    const char *id;        /* the container's */
    RnExecWishes wishes;
    bool detach;                /* leave it alone once it runs */
    const char *console_socket; /* path, or NULL: gets the terminal's master */
    const char *pid_file;       /* path, or NULL */
    unsigned preserve_fds;      /* --preserve-fds: 3 and up, beside these: */
    unsigned listen_fds;        /* LISTEN_FDS, sd_listen_fds(3) */
    bool ignore_paused;         /* start it although it will not run yet */
    const char *cgroup;         /* --cgroup, or NULL: the container's */
} RnExecRequest;

/*
 * Starts the process in the container's namespaces and cgroup, with its
 * seccomp filter, and waits for its end unless it is to be detached.
 * *out_exit_code is the program's (128 + signal if one ended it), 0 for a
 * detached one. Signals to this process are passed on to it.
 *
 * RN_ERROR_STATE: the container does not run, or is paused. A program that is
 * missing or cannot run is told in runc's words too ("executable file not
 * found", "permission denied"), since podman and dockerd take the exit status
 * of their own exec from these.
 */
bool rn_exec(const RnExecRequest *request, int *out_exit_code,
             GError **error) RN_CHECK;

#endif
