/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handoff - the guest's outbound TCP connections, handed to the kernel
 *
 * The guest's kernel routes the SYN of a local socket, and nothing else of the
 * connection, to the relay (agent-handoff.c). The relay connects outside; on
 * success a socket of the namespace, bound to the destination's address,
 * connects to the guest's: both SYNs cross, and the two sockets are connected
 * through `lo` (simultaneous open, RFC 9293, 3.5, figure 7). From there on the
 * bytes are spliced. On failure the SYN is refused as a direct connection would
 * have been.
 */
#ifndef RNET_NET_HANDOFF_H
#define RNET_NET_HANDOFF_H

#include <rnet/net/frame.h>
#include <rnet/net/inside.h>
#include <rnet/net/splice.h>

typedef struct RnHandoff RnHandoff;

typedef struct RnHandoffParts {
    const RnNetworkPlan *plan;
    RnLoop *loop;
    RnInside *inside;
    RnSplicer *splicer;
    RnFrameSink send; /* frames for the guest */
    void *send_data;
} RnHandoffParts;

/*
 * The parts are borrowed and outlive it, but for the splicer, which is freed
 * first: its flows report their end here.
 */
RnHandoff *rn_handoff_new(const RnHandoffParts *parts) RN_CHECK;

/* Resets the connections that are not joined yet. */
void rn_handoff_free(RnHandoff *handoff);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnHandoff, rn_handoff_free)

/* Takes a SYN that rn_filter_is_handoff() knows. */
void rn_handoff_take(RnHandoff *handoff, const RnFrame *frame);

/* Connections on their way, not joined yet. */
unsigned rn_handoff_n_attempts(const RnHandoff *handoff);

#endif
