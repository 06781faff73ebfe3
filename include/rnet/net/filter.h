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

/* Whether an address of the guest is its source, or an ARP request's sender. */
bool rn_filter_is_guests_own(const RnNetworkPlan *plan, const RnFrame *frame);

/* What becomes of a TCP connection that the guest asks for. */
typedef enum RnReach {
    RN_REACH_HOST,       /* the relay connects for it */
    RN_REACH_EXPOSED,    /* ... to an exposed port, of either family */
    RN_REACH_NO_NETWORK, /* for addresses that no connection leads to */
    RN_REACH_NO_HOST,    /* in the network itself, where nobody is */
    RN_REACH_N_
} RnReach;

/*
 * Whether the frame is a SYN that the guest's kernel sent to be handed off
 * (agent-handoff.c): to the MAC that is there for it, from the guest's own
 * address. Anything else goes the usual way.
 */
bool rn_filter_is_handoff(const RnNetworkPlan *plan, const RnFrame *frame);

/*
 * Where the connection to `destination` goes. For RN_REACH_HOST, *out_target
 * is the address to connect to: the host's loopback for the gateway, if that
 * is open, else the destination itself. For RN_REACH_EXPOSED, a port of
 * plan.exposed at the gateway, it is the host's port at 127.0.0.1; ::1 is the
 * next to try.
 */
RnReach rn_filter_connection(const RnNetworkPlan *plan,
                             const RnEndpoint *destination,
                             RnEndpoint *out_target);

/*
 * Whether a datagram to `destination` that rn_filter_frame() lets pass goes to
 * a host, as rn_filter_connection() has it for RN_REACH_HOST, and not to one
 * of libslirp's own services (DNS, DHCP).
 */
bool rn_filter_is_udp_outside(const RnNetworkPlan *plan,
                              const RnEndpoint *destination,
                              RnEndpoint *out_target);

/*
 * Whether it can be the guest's answer to a client of a published UDP port:
 * UDP from the guest's own address. Such frames are looked up among the flows
 * before rn_filter_frame() is asked, which may not like the client's address.
 */
bool rn_filter_may_be_answer(const RnNetworkPlan *plan, const RnFrame *frame);

#endif
