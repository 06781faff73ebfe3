/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping6-socket - a ping socket of the host (icmp(7)) for ICMPv6
 *
 * It needs no capability, but the caller's group within the sysctl
 * net.ipv4.ping_group_range. The kernel gives each an id of its own, which it
 * writes over that of a request, and hands it what comes back with that id.
 */
#ifndef RNET_NET_PING6_SOCKET_H
#define RNET_NET_PING6_SOCKET_H

#include <rnet/util/inet.h>

/* What comes back: an echo reply, or an error about a request. */
typedef struct RnPing6Answer {
    uint8_t *bytes; /* the caller's buffer for an ICMPv6 message ... */
    gsize room;     /* ... and its size */
    gsize length;   /* 0: a message that is nothing to the guest */

    uint8_t hop_limit;   /* of a reply, as it arrived */
    uint8_t type, code;  /* of an error; `bytes` is the request it quotes */
    RnEndpoint offender; /* of an error: who sent it; may be link-local */
} RnPing6Answer;

/* A non-blocking socket, or -1 and errno; EACCES: not for this group. */
int rn_ping6_socket_open(void);

/* The hop limit of the requests to come; 0 or errno. */
int rn_ping6_socket_set_hop_limit(int fd, uint8_t hop_limit);

/*
 * Sends an echo request; 0 or errno. The socket is not connected, as that would
 * fix the source address, and the host's may change while a ping runs.
 */
int rn_ping6_socket_send(int fd, const RnEndpoint *remote, const void *request,
                         gsize length);

/* Reads a reply of `remote`; false when there is none. */
bool rn_ping6_socket_read(int fd, const RnEndpoint *remote,
                          RnPing6Answer *answer);

/*
 * Reads "destination unreachable" or "time exceeded"; false when there is
 * none. Not "packet too big": the next request of that size leaves the host in
 * fragments, while the guest's own fragments would be dropped.
 */
bool rn_ping6_socket_read_error(int fd, RnPing6Answer *answer);

#endif
