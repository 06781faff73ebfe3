/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp-notify - hands a filter's listener to the program that decides
 *
 * runtime-spec config-linux.md, Seccomp, listenerPath and Container Process
 * State. The launcher's part; init's is exec-program.h.
 */
#ifndef RNET_RUNTIME_SECCOMP_NOTIFY_H
#define RNET_RUNTIME_SECCOMP_NOTIFY_H

#include <sys/types.h>

#include <jansson.h>

#include <rnet/util/error.h>

/*
 * Connects to linux.seccomp.listenerPath, of any length. To be done shortly
 * before START, not earlier: an agent may serve one connection at a time. So a
 * missing listener is an error while nothing irrevocable has happened.
 */
bool rn_seccomp_notify_connect(const char *path, int *out_socket,
                               GError **error) RN_CHECK;

/* What the agent is told; all borrowed. */
typedef struct RnSeccompNotice {
    pid_t pid; /* the process with the filter, as the caller sees it */
    const char *metadata; /* linux.seccomp.listenerMetadata, or NULL */
    const json_t *state;  /* runtime.md, State */
} RnSeccompNotice;

/*
 * Sends the notice with the listener that came with SECCOMP_LISTENER, which
 * stays the caller's to close. Blocks until the agent's socket has taken it.
 */
bool rn_seccomp_notify_send(int socket, int listener,
                            const RnSeccompNotice *notice,
                            GError **error) RN_CHECK;

#endif
