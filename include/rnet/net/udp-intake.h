/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-intake - datagrams of host sockets to frames for the guest, in batches
 *
 * Datagrams of one flow that arrive in one batch, and have one size, go out as
 * a burst (frame.h): what each frame costs most is that it wakes its reader.
 * Their order stays.
 */
#ifndef RNET_NET_UDP_INTAKE_H
#define RNET_NET_UDP_INTAKE_H

#include <rnet/net/frame.h>
#include <rnet/util/protocol.h>

typedef struct RnUdpIntake RnUdpIntake;

/* Where frames go. */
typedef struct RnUdpSinks {
    RnFrameSink frame;
    RnBurstSink burst; /* NULL: there are none */
    void *data;        /* for both */
} RnUdpSinks;

/* `plan` is borrowed. */
RnUdpIntake *rn_udp_intake_new(const RnNetworkPlan *plan,
                               const RnUdpSinks *sinks) RN_CHECK;
void rn_udp_intake_free(RnUdpIntake *intake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnUdpIntake, rn_udp_intake_free)

/* Asks for what makes batches larger; what the host lacks is left out. */
void rn_udp_intake_prepare(int fd);

/*
 * Says from where and to whom in the guest a datagram of `from` is delivered,
 * with ports; `header` has its control messages. False: it is dropped.
 */
typedef bool (*RnUdpRouteFunc)(const RnEndpoint *from, struct msghdr *header,
                               RnEndpoint *out_source,
                               RnEndpoint *out_destination, void *data);

/*
 * Receives what is there, a few batches at most, and delivers it. An error
 * that the socket has in store (an ICMP message) is taken off it.
 */
void rn_udp_intake_receive(RnUdpIntake *intake, int fd, RnUdpRouteFunc route,
                           void *route_data);

#endif
