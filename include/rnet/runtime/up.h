/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * up - a command of the host's in a network of its own
 *
 * The command runs in a new network namespace, in a user namespace that owns
 * it (not for root, who needs none) with the caller's ids, and, where
 * /etc/resolv.conf is to be another, in a mount namespace; all else is the
 * caller's: files, processes, terminal, environment, umask, open fds. An
 * ordinary user's command has no capability, but may listen on any port.
 */
#ifndef RNET_RUNTIME_UP_H
#define RNET_RUNTIME_UP_H

#include <rnet/runtime/network-wish.h>

typedef struct RnUpRequest {
    RnNetworkWords words;
    char **args;        /* the command, looked for as execvp(3) does */
    char **environment; /* its environment, and the PATH that counts */
    /* told about ports that rnet picked, and that come and go; one line */
    void (*notice)(const char *line);
} RnUpRequest;

/*
 * Runs it and waits for its end, with which the network ends: *out_exit_code is
 * the command's, 128 + signal if one ended it. Signals are passed on as by
 * rn_run(), but for the terminal's, which it gets itself. If this process is
 * killed, so is the command. RN_ERROR_PROGRAM_MISSING and _UNRUNNABLE: it could
 * not be executed.
 */
bool rn_up(const RnUpRequest *request, int *out_exit_code,
           GError **error) RN_CHECK;

#endif
