/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish-udp - published UDP ports: datagrams to frames and back
 *
 * A datagram that a listener receives is written to the guest's link as a
 * frame from the client's own address (or the gateway's, udp-flows.h); the
 * guest's answer is taken off the link before libslirp sees it and sent from
 * the address that the client had sent to.
 */
#ifndef RNET_NET_PUBLISH_UDP_H
#define RNET_NET_PUBLISH_UDP_H

#include <rnet/net/frame.h>
#include <rnet/net/udp-intake.h>
#include <rnet/net/udp-sender.h>
#include <rnet/sys/loop.h>
#include <rnet/util/protocol.h>

typedef struct RnPublishUdp RnPublishUdp;

/* All are borrowed; the intake has the sinks that the frames go to. */
RnPublishUdp *rn_publish_udp_new(const RnNetworkPlan *plan, RnLoop *loop,
                                 RnUdpIntake *intake,
                                 RnUdpSender *sender) RN_CHECK;
void rn_publish_udp_free(RnPublishUdp *publish);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnPublishUdp, rn_publish_udp_free)

/*
 * Takes a bound UDP socket, also on failure. A loopback address as the target
 * is RN_ERROR_INVALID: no frame gets there.
 */
bool rn_publish_udp_add(RnPublishUdp *publish, const RnRelayListener *info,
                        int take_fd, GError **error) RN_CHECK;

/*
 * Closes the sockets that were added with this id and returns how many they
 * were. Their flows end: an answer could only leave through the socket.
 */
unsigned rn_publish_udp_remove(RnPublishUdp *publish, uint32_t id);

/*
 * Whether the frame can be an answer: UDP of the guest's own address, or of any
 * as long as a port leads to another one.
 */
bool rn_publish_udp_wants(const RnPublishUdp *publish, const RnFrame *frame);

/*
 * A frame for which rn_publish_udp_wants() holds. True: it belonged to a
 * flow, is with the sender (or had to be dropped) and is done with; false: it is
 * somebody else's.
 */
bool rn_publish_udp_take_answer(RnPublishUdp *publish, const RnFrame *frame);

/* The flows that are alive. */
unsigned rn_publish_udp_n_flows(const RnPublishUdp *publish);

#endif
