/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-bench - outbound UDP without a link: the test is guest and host
 *
 * The gateway stands for the host's loopback, where the servers are.
 */
#ifndef RNET_TESTS_UNIT_UDP_BENCH_H
#define RNET_TESTS_UNIT_UDP_BENCH_H

#include <unit.h>

#include <rnet/net/udp-out.h>

#include "frames.h"

enum {
    TURN_MS = 20,
    GUEST_PORT = 4000,
};

typedef struct UdpBench {
    RnNetworkPlan plan;
    RnLoop *loop;
    RnUdpIntake *intake;
    RnUdpSender *sender;
    RnUdpOut *out;

    bool takes_bursts;
    unsigned n_frames, n_bursts;
    TestFrame last; /* of a burst as well */
    RnFrame frame;  /* the last one, parsed */
    gsize n_bytes;  /* payload of all, one after the other */
    uint8_t *bytes;
} UdpBench;

/* At most `max` sockets; the host's loopback is open. */
UdpBench *make_udp_bench(unsigned max);
void free_udp_bench(UdpBench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UdpBench, free_udp_bench)

/* A bound socket of the host; a receive waits a while for its datagram. */
int open_udp_server(const char *address, RnEndpoint *out_at);

void send_to(int fd, const RnEndpoint *at, const void *bytes, gsize length);

/* Receives a datagram, which must be this one; its sender. */
RnEndpoint expect_datagram(int fd, const void *bytes, gsize length);

/* The guest sends from a port of its own to that port of the gateway. */
bool guest_sends(UdpBench *bench, uint16_t source, const RnEndpoint *to,
                 const void *bytes, gsize length);

/* Turn until so many frames, or bytes of payload, came for the guest. */
void await_frames(UdpBench *bench, unsigned n);
void await_bytes(UdpBench *bench, gsize n);

#endif
