/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames - a network plan and frames of its guest, for tests of the data path
 */
#ifndef RNET_TESTS_FRAMES_H
#define RNET_TESTS_FRAMES_H

#include <rnet/net/frame.h>
#include <rnet/util/protocol.h>

typedef struct TestFrame {
    uint8_t bytes[RN_FRAME_MAX];
    gsize length;
} TestFrame;

/* The addresses of design.md, 5; with IPv6. */
RnNetworkPlan test_plan(void);

/* From text, which must be right. */
RnEndpoint test_endpoint(const char *address, uint16_t port);

/* An IP packet of the guest's MAC to the gateway's, `transport` as its load. */
void test_ip_frame(const RnNetworkPlan *plan, const RnEndpoint *source,
                   const RnEndpoint *destination, uint8_t protocol,
                   const void *transport, gsize length, TestFrame *out_frame);

/* A TCP segment without data, checksum included. */
typedef struct TestSegment {
    RnEndpoint source, destination;
    uint32_t sequence, acknowledged;
    uint8_t flags; /* RN_TCP_* */
} TestSegment;
void test_tcp_frame(const RnNetworkPlan *plan, const TestSegment *segment,
                    TestFrame *out_frame);

/* A UDP datagram that fits one frame. */
void test_udp_frame(const RnNetworkPlan *plan, const RnEndpoint *source,
                    const RnEndpoint *destination, const void *payload,
                    gsize length, TestFrame *out_frame);

/* An ICMP or ICMPv6 echo request. */
void test_echo_frame(const RnNetworkPlan *plan, const RnEndpoint *source,
                     const RnEndpoint *destination, TestFrame *out_frame);

/* An ARP request of the guest for `target`. */
void test_arp_frame(const RnNetworkPlan *plan, const RnEndpoint *target,
                    TestFrame *out_frame);

#endif
