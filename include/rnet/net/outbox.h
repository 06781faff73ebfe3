/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outbox - messages that wait for room in a non-blocking socket, in order
 *
 * Zero it to begin with; it opens nothing by itself.
 */
#ifndef RNET_NET_OUTBOX_H
#define RNET_NET_OUTBOX_H

#include <stdint.h>

#include <rnet/util/error.h>

typedef struct RnOutbox {
    GQueue waiting;           /* of messages, the first to be sent first */
    uint64_t n_added, n_gone; /* messages so far; gone: sent, or dropped */
    bool is_held;             /* by the fds in flight; see flush */
} RnOutbox;

/* As rn_msg_send() has it. */
typedef struct RnOutMessage {
    uint32_t type;
    const void *payload; /* copied */
    gsize length;
    const int *fds; /* copied; the fds themselves stay open until it is gone */
    unsigned n_fds;
    bool takes_last_fd; /* the last one is closed when it is gone */
} RnOutMessage;

void rn_outbox_add(RnOutbox *outbox, const RnOutMessage *message);

/*
 * Sends until all is sent, the socket's queue is full, or the user's processes
 * have too many fds in flight (ETOOMANYREFS, unix(7)), of whose end no event
 * tells: is_held. All are success. On failure the message that could not be sent
 * is still the first.
 */
bool rn_outbox_flush(RnOutbox *outbox, int socket, GError **error) RN_CHECK;

/* Drops the message that carries this fd; false if none does. */
bool rn_outbox_drop(RnOutbox *outbox, int fd);

/* Drops all. */
void rn_outbox_clear(RnOutbox *outbox);

#endif
