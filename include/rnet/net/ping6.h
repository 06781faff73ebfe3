/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping6 - ICMPv6 echo requests of the guest to the outside
 *
 * For a libslirp that answers only those to its own addresses (see
 * rn_slirp_forwards_ping6()). A request goes out through a ping socket of the
 * host (icmp(7)), which needs no capability but a group within the sysctl
 * net.ipv4.ping_group_range; the echo reply, or the ICMPv6 error, comes back
 * as a frame. The number of sockets is bounded (ping6-flows.h).
 */
#ifndef RNET_NET_PING6_H
#define RNET_NET_PING6_H

#include <rnet/net/frame.h>
#include <rnet/sys/loop.h>
#include <rnet/util/protocol.h>

typedef struct RnPing6 RnPing6;

/* Whether it is an echo request to an address outside the guest's network. */
bool rn_ping6_wants(const RnNetworkPlan *plan, const RnFrame *frame);

/* `plan` is borrowed; `sink` takes the frames for the guest. */
RnPing6 *rn_ping6_new(const RnNetworkPlan *plan, RnLoop *loop, RnFrameSink sink,
                      void *sink_data) RN_CHECK;
void rn_ping6_free(RnPing6 *ping6);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnPing6, rn_ping6_free)

/*
 * A frame that rn_filter_frame() let through and rn_ping6_wants() is true for.
 * Hop limit and sequence number go out as they are; a request that the host
 * cannot send is answered with "destination unreachable", or dropped.
 */
void rn_ping6_send(RnPing6 *ping6, const RnFrame *frame);

#endif
