/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network - one network as its monitor holds it: nsagent, link, relay
 *
 * Knows namespaces, not containers. Owns the two helper processes, the link
 * fd, the namespace fds and the published listeners, so that a relay (or
 * nsagent) that dies is started again with the same ones.
 */
#ifndef RNET_NET_NETWORK_H
#define RNET_NET_NETWORK_H

#include <rnet/net/publish.h>
#include <rnet/sys/loop.h>

typedef struct RnNetwork RnNetwork;

/* One line for the person, without a newline. */
typedef void (*RnNetworkNotice)(const char *line, void *data);

typedef struct RnNetworkRequest {
    const RnNetworkPlan *plan;
    const GArray *ranges;   /* of RnPortRange: the listeners' ports inside;
                              borrowed until rn_network_start() returns */
    GArray *take_listeners; /* of RnListener, or NULL: none */
    /* TCP ports inside that are published on the host's loopback while
     * something listens on them (auto-publish.h); first 0: none */
    RnPortRange auto_publish;
    RnNetworkNotice notice; /* what is published and withdrawn; may be NULL */
    void *notice_data;
    /* A link that the caller has, when there is no namespace to enter (a TAP
     * opened elsewhere, a socket to a virtual machine); -1: nsagent makes it */
    int take_link;
    /* Such a link has ended, and with it the network: nothing is started again.
     * Called once, from the loop, after rn_network_watch(); may be NULL */
    void (*link_ended)(void *data);
    void *link_data;
} RnNetworkRequest;

RnNetwork *rn_network_new(const RnNetworkRequest *request) RN_CHECK;

/*
 * Starts nsagent in the network namespace (netns_fd, and userns_fd: the user
 * namespace that owns it, or -1 if that is the caller's) and the relay here,
 * and returns when the relay is ready. Both fds are duplicated. On failure
 * nothing is left running.
 */
bool rn_network_start(RnNetwork *network, int userns_fd, int netns_fd,
                      GError **error) RN_CHECK;

/* Whether the relay is there and ready at this moment. */
bool rn_network_is_up(const RnNetwork *network);

/* As it is now: guest_mac and handoff_mode are known once it has started. */
const RnNetworkPlan *rn_network_plan(const RnNetwork *network);

/*
 * Publishes the ports of `spec` from now on; to `guest` (its port is the first;
 * AF_UNSPEC: the guest's own addresses, ports as in the spec). *out_id names
 * them, counts from 1 up and is not used again. Errors as
 * rn_listeners_open(), and RN_ERROR_LIMIT beyond RN_PUBLISH_MAX ports. Needs
 * rn_network_watch().
 */
bool rn_network_publish(RnNetwork *network, const RnPublishSpec *spec,
                        const RnEndpoint *guest, uint32_t *out_id,
                        GError **error) RN_CHECK;

/* All that is published, a GArray of RnListener; an id's are neighbours. */
const GArray *rn_network_listeners(const RnNetwork *network);

/* Closes the listeners of an id; what they accepted goes on.
 * RN_ERROR_NOT_FOUND. */
bool rn_network_withdraw(RnNetwork *network, uint32_t id,
                         GError **error) RN_CHECK;

/*
 * Supervises from `loop`: a helper that dies is logged at warning and started
 * again, after a delay that doubles from 0 to 5 s while it keeps dying.
 */
bool rn_network_watch(RnNetwork *network, RnLoop *loop,
                      GError **error) RN_CHECK;

/*
 * Ends both helpers in order, for a namespace that lives on: the relay resets
 * the connections that it has there, nsagent takes back the rules that would
 * lead TCP to nobody. Before rn_network_free(), which kills them.
 */
void rn_network_end(RnNetwork *network);

/* Ends both helpers, waits for them, closes everything. NULL is fine. */
void rn_network_free(RnNetwork *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnNetwork, rn_network_free)

/* The helpers' main functions; main() calls them by argv[0]. */
#define RN_AGENT_NAME "rnet-nsagent"
#define RN_RELAY_NAME "rnet-relay"
int rn_agent_main(void);
int rn_relay_main(void);

#endif
