/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ways - which way a packet takes out of a test's network namespace
 *
 * Everything runs in a child of netns_run(). By default packets leave by a
 * link, whose other end is watched; table WAYS_TABLE delivers all of them here
 * instead. A test changes rules and sees which of the two happens: each shows
 * by something that arrives, never by the absence of it.
 */
#ifndef RNET_TESTS_UNIT_WAYS_H
#define RNET_TESTS_UNIT_WAYS_H

#include <stdint.h>

#include <rnet/sys/netlink.h>

enum {
    WAYS_TABLE = 77,
};

/* The link's own addresses. */
#define WAYS_ADDRESS       "10.1.0.1"
#define WAYS_ADDRESS_OTHER "10.1.0.3"
#define WAYS_ADDRESS6      "fd01::1"

typedef struct Ways {
    RnNetlink *netlink;
    unsigned lo_index, link_index;
    int frames;     /* a packet socket on the other end */
    uint8_t mac[6]; /* that the last packet by the link was sent to */
} Ways;

typedef enum Way {
    WAY_LINK, /* it came out of the link */
    WAY_HERE, /* it was delivered here */
    WAY_LOST, /* neither, or it could not be sent */
} Way;

typedef struct Packet {
    const char *to;
    const char *from; /* NULL: the kernel's choice */
    uint16_t from_port;
    bool is_tcp; /* a SYN; else a UDP datagram */
    uint32_t mark;
} Packet;

/* Link, neighbours, routes, WAYS_TABLE. NULL or a failure, a new string. */
char *ways_open(Ways *ways);
void ways_close(Ways *ways);

/* Sends a packet and sees which way it takes; NULL or a failure. */
char *ways_expect(Ways *ways, const Packet *packet, Way wanted);

/* Parses an address that is known to be one. */
RnEndpoint ways_address(const char *text);

#endif
