/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay-orders - what the monitor may tell a relay that is set up
 *
 * RELAY_LISTENER, RELAY_WITHDRAW and RELAY_EXPOSE of protocol.h, checked and
 * carried out. The
 * relay takes them before RELAY_START and afterwards, confined.
 */
#ifndef RNET_NET_RELAY_ORDERS_H
#define RNET_NET_RELAY_ORDERS_H

#include <rnet/net/expose.h>
#include <rnet/net/publish-tcp.h>
#include <rnet/net/publish-udp.h>
#include <rnet/net/slirp.h>
#include <rnet/util/msg.h>

/* Zero it, then fill in the parts, which are borrowed. */
typedef struct RnRelayOrders {
    const RnNetworkPlan *plan;
    RnPublishTcp *tcp; /* NULL: there is no nsagent, libslirp does it */
    RnSlirp *slirp;
    RnPublishUdp *udp;
    RnExpose *expose;                /* NULL: there is no nsagent */
    unsigned n_listeners, n_exposed; /* sockets; the module's to count */
} RnRelayOrders;

/*
 * Carries out one message; its fds are taken or left in it. Whatever is no
 * message of these, or malformed, is RN_ERROR_PROTOCOL.
 */
bool rn_relay_orders_take(RnRelayOrders *orders, RnMsg *msg,
                          GError **error) RN_CHECK;

#endif
