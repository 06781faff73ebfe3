/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * splice - carries bytes between two connected TCP sockets
 *
 * A flow joins two sockets as if they were one connection: both directions on
 * their own, the end of one (FIN) passed on after its last byte, a reset
 * passed on as a reset, and a side that does not read stops the other side
 * through the kernel's windows. Small exchanges are copied, larger ones stay
 * in the kernel (splice(2)). Urgent data (tcp(7)) arrives in its place in the
 * stream, no longer marked. Knows nothing of who made the sockets.
 *
 * The process must ignore SIGPIPE, since splice(2) raises it.
 */
#ifndef RNET_NET_SPLICE_H
#define RNET_NET_SPLICE_H

#include <rnet/sys/loop.h>

typedef struct RnSplicer RnSplicer;

/* A flow has ended and its sockets are closed. */
typedef void (*RnFlowEndFunc)(void *data);

RnSplicer *rn_splicer_new(RnLoop *loop) RN_CHECK;

/* Resets the flows that are left, and tells their owners. */
void rn_splicer_free(RnSplicer *splicer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnSplicer, rn_splicer_free)

/*
 * Joins two connected, non-blocking sockets that rn_tcp_tune() has seen; takes
 * them, also on failure (then both are reset). `ended` (may be NULL) is called at the end of the
 * flow from the loop, never from within this call.
 */
bool rn_splicer_join(RnSplicer *splicer, int take_a, int take_b,
                     RnFlowEndFunc ended, void *data, GError **error) RN_CHECK;

/* The flows that are alive. */
unsigned rn_splicer_n_flows(const RnSplicer *splicer);

/* Closes a TCP socket so that its peer sees a reset; *fd becomes -1. */
void rn_socket_reset(int *fd);

#endif
