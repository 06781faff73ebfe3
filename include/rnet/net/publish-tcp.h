/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish-tcp - published TCP ports: from the host's listener into the guest
 *
 * Every client that a listener accepts gets a socket inside the namespace
 * (inside), bound to the client's own address as far as that can be
 * shown (rn_plan_lead_client()), and both are joined (splice). What the client
 * sends meanwhile stays in the kernel. A service that refuses is tried on the
 * other address family too, unless the port has a target of its own; then the
 * client is reset.
 */
#ifndef RNET_NET_PUBLISH_TCP_H
#define RNET_NET_PUBLISH_TCP_H

#include <rnet/net/inside.h>
#include <rnet/net/splice.h>

typedef struct RnPublishTcp RnPublishTcp;

typedef struct RnPublishTcpParts {
    const RnNetworkPlan *plan;
    RnLoop *loop;
    RnInside *inside;
    RnSplicer *splicer;
} RnPublishTcpParts;

/*
 * The parts are borrowed and outlive it, but for the splicer, which is freed
 * first: its flows report their end here.
 */
RnPublishTcp *rn_publish_tcp_new(const RnPublishTcpParts *parts) RN_CHECK;

/* Closes the listeners and resets the clients that wait. */
void rn_publish_tcp_free(RnPublishTcp *publish);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnPublishTcp, rn_publish_tcp_free)

/* Takes a listening socket, also on failure. */
bool rn_publish_tcp_add(RnPublishTcp *publish, const RnRelayListener *info,
                        int take_fd, GError **error) RN_CHECK;

/*
 * Closes the listeners that were added with this id and returns how many they
 * were; the clients that they accepted go on.
 */
unsigned rn_publish_tcp_remove(RnPublishTcp *publish, uint32_t id);

/*
 * Whether accepting has stopped, for want of fds or because too many clients
 * wait for their socket; it goes on by itself.
 */
bool rn_publish_tcp_is_paused(const RnPublishTcp *publish);

/* Clients that were accepted and are not joined yet. */
unsigned rn_publish_tcp_n_waiting(const RnPublishTcp *publish);

#endif
