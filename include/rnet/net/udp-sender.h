/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-sender - the guest's datagrams to host sockets, several in one call
 *
 * What follows each other through one socket, to one place and of one size, is
 * collected and goes out together (UDP_SEGMENT, Linux 4.18), by the next
 * rn_udp_sender_flush() at the latest.
 */
#ifndef RNET_NET_UDP_SENDER_H
#define RNET_NET_UDP_SENDER_H

#include <sys/socket.h>

#include <rnet/util/inet.h>

typedef struct RnUdpSender RnUdpSender;

typedef struct RnUdpRoute RnUdpRoute;

/* A datagram was not sent for this reason. May not add nor flush. */
typedef void (*RnUdpFailFunc)(const RnUdpRoute *route, int errno_value);

enum {
    RN_UDP_ROUTE_CONTROL = 64 /* bytes */
};

/* The way of a datagram. Zero it first. */
struct RnUdpRoute {
    int fd; /* borrowed; flush before it is closed */
    struct sockaddr_storage to;
    socklen_t to_length;

    /* control messages for sendmsg(2), such as the address to send from */
    uint64_t control[RN_UDP_ROUTE_CONTROL / sizeof(uint64_t)];
    gsize control_length;

    RnUdpFailFunc fail; /* NULL: nobody is told */
    void *fail_data;
};

RnUdpSender *rn_udp_sender_new(void) RN_CHECK;
void rn_udp_sender_free(RnUdpSender *sender);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnUdpSender, rn_udp_sender_free)

/* Takes one datagram, a copy of the route included. */
void rn_udp_sender_add(RnUdpSender *sender, const RnUdpRoute *route,
                       const void *payload, gsize length);

/* Sends what was collected. */
void rn_udp_sender_flush(RnUdpSender *sender);

#endif
