/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-out - the guest's own UDP to the outside, through sockets of the host
 *
 * One socket for each port that the guest sends from, whoever it sends to: its
 * port on the host is the same for all destinations, and whoever knows it can
 * send to the guest (RFC 4787, "endpoint-independent" mapping and filtering,
 * as libslirp has them).
 */
#ifndef RNET_NET_UDP_OUT_H
#define RNET_NET_UDP_OUT_H

#include <rnet/net/frame.h>
#include <rnet/net/udp-intake.h>
#include <rnet/net/udp-sender.h>
#include <rnet/sys/loop.h>
#include <rnet/util/protocol.h>

enum {
    /* Sockets; one more takes the place of the one idle for longest. */
    RN_UDP_OUT_MAX = 4096,

    /*
     * Idle times in milliseconds besides those of udp-flows.h: of a port that
     * has only sent to name servers, which answer soon and mostly once.
     * libslirp has the same (SO_EXPIREFAST in its src/socket.h).
     */
    RN_UDP_QUERY_MS = 10 * 1000,
};

typedef struct RnUdpOut RnUdpOut;

/* All are borrowed; `sink` takes ICMP errors. */
typedef struct RnUdpOutParts {
    const RnNetworkPlan *plan;
    RnLoop *loop;
    RnUdpIntake *intake;
    RnUdpSender *sender;
    RnFrameSink sink;
    void *sink_data;
    unsigned max; /* sockets */
} RnUdpOutParts;

RnUdpOut *rn_udp_out_new(const RnUdpOutParts *parts) RN_CHECK;
void rn_udp_out_free(RnUdpOut *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnUdpOut, rn_udp_out_free)

/*
 * Takes a frame that rn_filter_frame() lets pass. True: it is a datagram of the
 * guest's own address to a host, and is with the sender (or had to be dropped);
 * false: it is somebody else's.
 */
bool rn_udp_out_take(RnUdpOut *out, const RnFrame *frame);

/* The sockets that are open. */
unsigned rn_udp_out_n_sockets(const RnUdpOut *out);

#endif
