/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init-talk - the other end of init's socket, as launcher and `start` have it
 *
 * protocol.h, "launcher and init".
 */
#ifndef RNET_RUNTIME_INIT_TALK_H
#define RNET_RUNTIME_INIT_TALK_H

#include <sys/types.h>

#include <rnet/oci/state.h>
#include <rnet/sys/seccomp-filter.h>
#include <rnet/util/msg.h>

/* Sends a message without payload. When init is gone the error is what it said
 * last. */
bool rn_init_say(int socket, uint32_t type, GError **error) RN_CHECK;

/* Receives a message without payload, with n_fds fds, into *msg. */
bool rn_init_hear(int socket, uint32_t type, unsigned n_fds, RnMsg *msg,
                  GError **error) RN_CHECK;

/* What a filter's listener is to be told about; all borrowed. */
typedef struct RnInitStart {
    const RnSeccomp *seccomp; /* NULL: none */
    const RnRecord *record;
    pid_t pid; /* of the process, as the listener's agent sees it */
} RnInitStart;

/*
 * START, EXECING, and EOF: returns when the payload runs, or says why not. With
 * linux.seccomp.listenerPath the filter's listener goes to that socket, which
 * is connected to first.
 */
bool rn_init_start(int socket, const RnInitStart *start,
                   GError **error) RN_CHECK;

#endif
