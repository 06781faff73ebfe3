/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init-talk - the other end of init's socket, as launcher and `start` have it
 *
 * protocol.h, "launcher and init".
 */
#ifndef RNET_RUNTIME_INIT_TALK_H
#define RNET_RUNTIME_INIT_TALK_H

#include <rnet/util/msg.h>

/* Sends a message without payload. When init is gone the error is what it said
 * last. */
bool rn_init_say(int socket, uint32_t type, GError **error) RN_CHECK;

/* Receives a message without payload, with n_fds fds, into *msg. */
bool rn_init_hear(int socket, uint32_t type, unsigned n_fds, RnMsg *msg,
                  GError **error) RN_CHECK;

/* START, EXECING, and EOF: returns when the payload runs, or says why not. */
bool rn_init_start(int socket, GError **error) RN_CHECK;

#endif
