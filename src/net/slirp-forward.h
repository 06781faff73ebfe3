/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp-forward - published TCP ports at which libslirp accepts
 *
 * Part of slirp. libslirp wants to make the listening sockets itself, with room
 * for one client in their queue. It is let do so, on the loopback, and the
 * listener is put in the place of each: the same number, another socket.
 */
#ifndef RNET_NET_SLIRP_FORWARD_H
#define RNET_NET_SLIRP_FORWARD_H

#include <rnet/util/protocol.h>

#include "slirp-library.h"

typedef struct RnSlirpForward {
    uint32_t id;
    int fd; /* libslirp's to close */
} RnSlirpForward;

/* Zero it. */
typedef struct RnSlirpForwards {
    GArray *list; /* of RnSlirpForward; NULL: none */
} RnSlirpForwards;

/* Only forgets them. */
void rn_slirp_forwards_clear(RnSlirpForwards *forwards);

unsigned rn_slirp_forwards_count(const RnSlirpForwards *forwards);

/* Whether one of them accepts at this fd. */
bool rn_slirp_forwards_have(const RnSlirpForwards *forwards, int fd);

/*
 * Leads the clients of `listener` (borrowed: duplicated) to `target`, which is
 * of its family.
 */
bool rn_slirp_forward_add(RnSlirpForwards *forwards, Slirp *stack, uint32_t id,
                          int listener, const RnEndpoint *target,
                          GError **error) RN_CHECK;

/* Closes those of an id and returns how many; their connections go on. */
unsigned rn_slirp_forward_remove(RnSlirpForwards *forwards, Slirp *stack,
                                 uint32_t id);

#endif
