/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-parts - what the files of the network object share
 *
 * Private to network*.c: network.c has the helpers' lives, network-ports.c what
 * is published, network-auto.c what is published by itself.
 */
#ifndef RNET_NET_NETWORK_PARTS_H
#define RNET_NET_NETWORK_PARTS_H

#include <rnet/net/auto-publish.h>
#include <rnet/net/network.h>
#include <rnet/net/service.h>

/* A socket inside that listens for a port of the host's. */
typedef struct RnNetworkExposed {
    RnExposedPort port;
    int fd;
} RnNetworkExposed;

struct RnNetwork {
    RnAgentSetup setup; /* of the first nsagent; the next gets make_link 0 */
    GArray *listeners;  /* of RnListener; those of one id are neighbours */
    uint32_t last_id;   /* of a listener */
    int userns_fd;      /* -1: the caller's */
    int netns_fd;
    int link;          /* -1 until nsagent made it */
    bool is_agentless; /* the link is the caller's, there is no namespace */
    void (*link_ended)(void *data);
    void *link_data;
    int relay_serving; /* the relay's end of the serving pair, until sent */
    RnService agent, relay;
    GArray *exposed;            /* of RnNetworkExposed: what nsagent opened */
    RnPortRange auto_publish;   /* first 0: none */
    GArray *auto_ports;         /* of RnAutoPort: what is published of these */
    RnAgentListening listening; /* not yet looked at if is_listening_new */
    bool is_listening_new;
    RnTimer listening_timer; /* until it may be looked at */
    RnNetworkNotice notice;  /* NULL: nobody listens */
    void *notice_data;
    RnLoop *loop;     /* of rn_network_start() or rn_network_watch() */
    bool is_starting; /* in rn_network_start() */
    GError *failure;  /* of it */
};

/* Takes the listeners of the request (NULL: none) and gives them their ids. */
void rn_network_take_listeners(RnNetwork *network, GArray *take_listeners);

/*
 * Publishes listeners under a new id, their target as rn_network_publish() has
 * it; base_port is the first of their ports inside. Takes their fds.
 */
uint32_t rn_network_adopt(RnNetwork *network, GArray *listeners,
                          uint16_t base_port, const RnEndpoint *guest);

/* Whether rn_network_publish() could publish that, but for the host's part. */
bool rn_network_check_target(const RnNetwork *network,
                             const RnPublishSpec *spec, const RnEndpoint *guest,
                             GError **error) RN_CHECK;

/* Takes AGENT_LISTENING. */
bool rn_network_take_listening(RnNetwork *network, const RnMsg *msg,
                               GError **error) RN_CHECK;

/* Looks at what listens if that is new, or sees to it that it will be. */
void rn_network_look_in_time(RnNetwork *network);

/* Hands a listener to the relay, if there is one. */
void rn_network_post_listener(RnNetwork *network, const RnListener *listener);

/*
 * Tells an nsagent that follows another which ports are published by now: in
 * the set-up, and what does not fit there by messages once it is ready. Before,
 * it reads none, and they may be more than its socket holds.
 */
void rn_network_fill_ranges(RnNetwork *network);
void rn_network_post_other_ranges(RnNetwork *network);

#endif
