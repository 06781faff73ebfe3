/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter - which of the guest's frames libslirp may see
 *
 * Pure. libslirp opens a host socket to whatever destination a frame names, so
 * a raw frame to 127.0.0.1 would be a connection to the host's own loopback.
 * Only frames pass whose destination is out in the world, or a service that
 * libslirp itself offers: ARP, neighbour discovery, DHCP, DNS, ping, and, as
 * far as the plan opens it, the gateway (closed, libslirp answers a TCP or UDP
 * frame for it with "network unreachable", so that a connect fails at once).
 */
#ifndef RNET_NET_FILTER_H
#define RNET_NET_FILTER_H

#include <rnet/net/frame.h>
#include <rnet/util/protocol.h>

typedef enum RnVerdict {
    RN_VERDICT_DROP,
    RN_VERDICT_SLIRP,
    RN_VERDICT_N_
} RnVerdict;

/* The verdict on a frame that rn_frame_parse() took. */
RnVerdict rn_filter_frame(const RnNetworkPlan *plan, const RnFrame *frame);

/*
 * Whether it can be the guest's answer to a client of a published UDP port:
 * UDP from the guest's own address. Such frames are looked up among the flows
 * before rn_filter_frame() is asked, which may not like the client's address.
 */
bool rn_filter_may_be_answer(const RnNetworkPlan *plan, const RnFrame *frame);

#endif
