/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-parts - what the files of the network object share
 *
 * Private to network*.c: network.c has the helpers' lives, network-ports.c what
 * is published.
 */
#ifndef RNET_NET_NETWORK_PARTS_H
#define RNET_NET_NETWORK_PARTS_H

#include <rnet/net/network.h>
#include <rnet/net/service.h>

struct RnNetwork {
    RnAgentSetup setup; /* of the first nsagent; the next gets make_link 0 */
    GArray *listeners;  /* of RnListener; those of one id are neighbours */
    uint32_t last_id;   /* of a listener */
    int userns_fd;      /* -1: the caller's */
    int netns_fd;
    int link;          /* -1 until nsagent made it */
    bool is_agentless; /* the link is the caller's, there is no namespace */
    int relay_serving; /* the relay's end of the serving pair, until sent */
    RnService agent, relay;
    RnLoop *loop;     /* of rn_network_start() or rn_network_watch() */
    bool is_starting; /* in rn_network_start() */
    GError *failure;  /* of it */
};

/* Takes the listeners of the request (NULL: none) and gives them their ids. */
void rn_network_take_listeners(RnNetwork *network, GArray *take_listeners);

/* Hands a listener to the relay, if there is one. */
void rn_network_post_listener(RnNetwork *network, const RnListener *listener);

/*
 * Tells an nsagent that follows another which ports are published by now: in
 * the set-up, and what does not fit there by messages after it.
 */
void rn_network_fill_ranges(RnNetwork *network, GArray **out_rest);

#endif
