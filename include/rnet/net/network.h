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

#include <rnet/sys/loop.h>
#include <rnet/util/protocol.h>

typedef struct RnNetwork RnNetwork;

/*
 * Takes `listeners` (GArray of RnListener, or NULL). `ranges` (GArray of
 * RnPortRange) is borrowed until rn_network_start() returns.
 */
RnNetwork *rn_network_new(const RnNetworkPlan *plan, const GArray *ranges,
                          GArray *take_listeners) RN_CHECK;

/*
 * Starts nsagent in the network namespace (netns_fd, and userns_fd: the user
 * namespace that owns it, or -1 if that is the caller's) and the relay here,
 * and returns when the relay is ready. Both fds are duplicated. On failure
 * nothing is left running.
 */
bool rn_network_start(RnNetwork *network, int userns_fd, int netns_fd,
                      GError **error) RN_CHECK;

/*
 * Supervises from `loop`: a helper that dies is logged at warning and started
 * again, after a delay that doubles from 0 to 5 s while it keeps dying.
 */
bool rn_network_watch(RnNetwork *network, RnLoop *loop, GError **error)
    RN_CHECK;

/* Ends both helpers, waits for them, closes everything. NULL is fine. */
void rn_network_free(RnNetwork *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnNetwork, rn_network_free)

/* The helpers' main functions; main() calls them by argv[0]. */
#define RN_AGENT_NAME "rnet-nsagent"
#define RN_RELAY_NAME "rnet-relay"
int rn_agent_main(void);
int rn_relay_main(void);

#endif
