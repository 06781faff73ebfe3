/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay-orders - the monitor's messages, one after the other
 *
 * Role:     message -> check -> the part that it is for
 * Runs in:  the relay
 * Limits:   LISTENERS_MAX at a time, EXPOSED_MAX for good
 * Failure:  of any message: the relay cannot go on, since monitor and relay no
 *           longer agree on what is published
 */
#include "config.h"

#include <rnet/net/relay-orders.h>

#include <string.h>

#include <rnet/net/exposed-spec.h>
#include <rnet/net/publish.h>

enum {
    LISTENERS_MAX = 2 * RN_PUBLISH_MAX, /* each port on IPv4 and IPv6 */
    EXPOSED_MAX = 2 * RN_EXPOSED_MAX,
};

static bool is_family(uint16_t family)
{
    return family == AF_UNSPEC || family == AF_INET || family == AF_INET6;
}

static bool add_listener(RnRelayOrders *orders, RnMsg *msg, GError **error)
{
    RnRelayListener info = { 0 };
    char text[RN_ENDPOINT_TEXT];
    bool added = false;
    int fd = -1;

    memcpy(&info, msg->payload, sizeof info);
    if (orders->n_listeners >= LISTENERS_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT, "more than %d listeners",
                            LISTENERS_MAX);
    if (info.transport >= RN_TRANSPORT_N_ || info.guest.port == 0 ||
        !is_family(info.guest.family))
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed listener");
    fd = rn_msg_steal_fd(msg, 0);
    if (info.transport == RN_TRANSPORT_UDP)
        added = rn_publish_udp_add(orders->udp, &info, fd, error);
    else if (orders->tcp != NULL)
        added = rn_publish_tcp_add(orders->tcp, &info, fd, error);
    else
        added = rn_slirp_publish(orders->slirp, &info, fd, error);
    if (!added) {
        g_prefix_error(error,
                       "listener %s: ", rn_endpoint_format(&info.host, text));
        return false;
    }
    orders->n_listeners++;
    return true;
}

static bool withdraw(RnRelayOrders *orders, RnMsg *msg, GError **error)
{
    uint32_t id = 0;
    unsigned n_removed = 0;

    memcpy(&id, msg->payload, sizeof id);
    n_removed = rn_publish_udp_remove(orders->udp, id) +
                (orders->tcp != NULL ? rn_publish_tcp_remove(orders->tcp, id)
                                     : rn_slirp_withdraw(orders->slirp, id));
    if (n_removed == 0)
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "no listener with id %u to withdraw", id);
    orders->n_listeners -= n_removed;
    return true;
}

static bool add_exposed(RnRelayOrders *orders, RnMsg *msg, GError **error)
{
    RnExposedPort port;

    memcpy(&port, msg->payload, sizeof port);
    if (orders->expose == NULL || port.host_port == 0 ||
        rn_exposed_host_port(orders->plan, port.guest_port) != port.host_port)
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "port %u is not exposed as %u", port.host_port,
                            port.guest_port);
    if (orders->n_exposed == EXPOSED_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "more than %d exposed sockets", EXPOSED_MAX);
    orders->n_exposed++;
    return rn_expose_add(orders->expose, &port, rn_msg_steal_fd(msg, 0), error);
}

static const struct {
    uint32_t type;
    gsize length;
    unsigned n_fds;
    bool (*take)(RnRelayOrders *orders, RnMsg *msg, GError **error);
} known[] = {
    { RN_MSG_RELAY_LISTENER, sizeof(RnRelayListener), 1, add_listener },
    { RN_MSG_RELAY_WITHDRAW, sizeof(uint32_t), 0, withdraw },
    { RN_MSG_RELAY_EXPOSE, sizeof(RnExposedPort), 1, add_exposed },
};

bool rn_relay_orders_take(RnRelayOrders *orders, RnMsg *msg, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        if (msg->type == known[i].type && msg->length == known[i].length &&
            msg->n_fds == known[i].n_fds)
            return known[i].take(orders, msg, error);
    }
    return rn_set_error(error, RN_ERROR_PROTOCOL,
                        "unexpected message %u of %" G_GSIZE_FORMAT
                        " bytes and %u fds",
                        msg->type, msg->length, msg->n_fds);
}
