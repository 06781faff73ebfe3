/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-auto - publishes ports while something listens on them inside
 *
 * Runs in the monitor. nsagent says what listens (AGENT_LISTENING), which the
 * container decides, so all of it is checked, and looked at no more than once
 * in PAUSE_MS. Each port is published on the host's loopback, both families,
 * under its own number or, if that cannot be had, a free one.
 *
 * Failure: a port that cannot be published is told once (warning) and is not
 * tried again until it has been gone.
 */
#include "config.h"

#include <rnet/net/network-parts.h>

#include <errno.h>
#include <string.h>

#include <netinet/in.h>

#include <rnet/net/port-ranges.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    PAUSE_MS = 100,
    PICKS_MAX = 8, /* of free ports, until one is free on both families */
};

static const RnEndpoint loopback4 = {
    .family = AF_INET,
    .address = { [0] = 127, [3] = 1 },
};

static const RnEndpoint loopback6 = {
    .family = AF_INET6,
    .address = { [15] = 1 },
};

static void close_listener(void *data)
{
    RnListener *listener = data;

    rn_fd_close(&listener->fd);
}

static int open_on(const RnEndpoint *address, uint16_t host_port,
                   uint16_t guest_port, RnListener *out_listener)
{
    *out_listener = (RnListener){
        .info = {
            .transport = RN_TRANSPORT_TCP,
            .host = *address,
            .guest = { .port = guest_port },
        },
        .fd = -1,
    };
    out_listener->info.host.port = host_port;
    return rn_listener_open(&out_listener->info, &out_listener->fd);
}

/* On both families (a host without IPv6: on one); 0 or an errno. */
static int open_both(GArray *listeners, uint16_t host_port, uint16_t guest_port)
{
    RnListener v4, v6;
    int failure = open_on(&loopback4, host_port, guest_port, &v4);

    if (failure != 0)
        return failure;
    failure = open_on(&loopback6, v4.info.host.port, guest_port, &v6);
    if (failure != 0 && failure != EAFNOSUPPORT && failure != EADDRNOTAVAIL) {
        rn_fd_close(&v4.fd);
        return failure;
    }
    g_array_append_val(listeners, v4);
    if (failure == 0)
        g_array_append_val(listeners, v6);
    return 0;
}

/* Under its own number, or else another; 0 or an errno. */
static int open_port(GArray *listeners, uint16_t port)
{
    int failure = open_both(listeners, port, port);

    for (int i = 0; failure != 0 && i < PICKS_MAX; i++)
        failure = open_both(listeners, 0, port);
    return failure;
}

static bool publish_port(RnNetwork *network, RnAutoPort *port, GError **error)
{
    const RnPublishSpec spec = {
        .transport = RN_TRANSPORT_TCP,
        .guest_port = port->port,
        .count = 1,
    };
    g_autoptr(GArray) listeners = g_array_new(FALSE, FALSE, sizeof(RnListener));
    int failure = 0;

    g_array_set_clear_func(listeners, close_listener);
    if (!rn_network_check_target(network, &spec, &port->guest, error))
        return false;
    failure = open_port(listeners, port->port);
    if (failure != 0)
        return rn_set_errno(error, failure, "listen on 127.0.0.1");
    port->id = rn_network_adopt(network, listeners, port->port, &port->guest);
    return true;
}

/* "published 127.0.0.1:3000 -> 3000/tcp", of a port that is published; the
 * caller's, NULL for another. */
static char *describe(const RnNetwork *network, const char *what,
                      const RnAutoPort *port)
{
    char host[RN_ENDPOINT_TEXT];

    for (guint i = 0; i < network->listeners->len; i++) {
        const RnRelayListener *info =
            &g_array_index(network->listeners, RnListener, i).info;

        if (info->id == port->id)
            return g_strdup_printf("%s %s -> %u/tcp", what,
                                   rn_endpoint_format(&info->host, host),
                                   port->port);
    }
    return NULL;
}

static void tell(const RnNetwork *network, const char *line)
{
    if (line != NULL && network->notice != NULL)
        network->notice(line, network->notice_data);
}

static void withdraw(RnNetwork *network, const RnAutoPort *port)
{
    GArray *ports = network->auto_ports;
    g_autofree char *line = describe(network, "withdrawn", port);

    for (guint i = 0; i < ports->len; i++) {
        if (g_array_index(ports, RnAutoPort, i).port != port->port)
            continue;
        g_array_remove_index(ports, i);
        break;
    }
    if (port->id == 0)
        return; /* it never could be published */
    /* somebody else may have withdrawn it before */
    (void)!rn_network_withdraw(network, port->id, NULL);
    tell(network, line);
}

static void publish(RnNetwork *network, RnAutoPort port)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *line = NULL;

    if (publish_port(network, &port, &failure)) {
        line = describe(network, "published", &port);
        tell(network, line);
    } else {
        rn_log_warning("publish %u/tcp: %s, ignoring", port.port,
                       failure->message);
    }
    g_array_append_val(network->auto_ports, port);
}

static bool is_auto(const RnNetwork *network, uint32_t id)
{
    for (guint i = 0; i < network->auto_ports->len; i++) {
        if (g_array_index(network->auto_ports, RnAutoPort, i).id == id)
            return true;
    }
    return false;
}

/* The TCP ports that are published by hand. */
static GArray *collect_others(const RnNetwork *network)
{
    GArray *others = rn_port_ranges_new();

    for (guint i = 0; i < network->listeners->len; i++) {
        const RnRelayListener *info =
            &g_array_index(network->listeners, RnListener, i).info;
        RnPortRange range = { info->guest.port, info->guest.port,
                              RN_TRANSPORT_TCP };

        if (info->transport == RN_TRANSPORT_TCP && !is_auto(network, info->id))
            rn_port_ranges_add(others, &range);
    }
    return others;
}

static void look(RnNetwork *network)
{
    g_autoptr(GArray) others = collect_others(network);
    g_autoptr(GArray) appeared = NULL;
    g_autoptr(GArray) gone = NULL;

    rn_auto_publish_compare(&network->setup.plan, &network->listening,
                            &network->auto_publish, others, network->auto_ports,
                            &appeared, &gone);
    for (guint i = 0; i < gone->len; i++)
        withdraw(network, &g_array_index(gone, RnAutoPort, i));
    for (guint i = 0; i < appeared->len; i++)
        publish(network, g_array_index(appeared, RnAutoPort, i));
}

static void on_time(RnTimer *timer);

void rn_network_look_in_time(RnNetwork *network)
{
    if (!network->is_listening_new || network->is_starting ||
        network->loop == NULL || network->listening_timer.loop != NULL)
        return;
    network->is_listening_new = false;
    look(network);
    rn_loop_set_timer(network->loop, &network->listening_timer, PAUSE_MS,
                      on_time, network);
}

static void on_time(RnTimer *timer)
{
    rn_network_look_in_time(timer->data);
}

static bool is_valid(const RnAgentListening *listening)
{
    if (listening->count > RN_LISTENING_MAX)
        return false;
    for (uint32_t i = 0; i < listening->count; i++) {
        const RnEndpoint *endpoint = &listening->endpoints[i];

        if ((endpoint->family != AF_INET && endpoint->family != AF_INET6) ||
            endpoint->port == 0)
            return false;
    }
    return true;
}

bool rn_network_take_listening(RnNetwork *network, const RnMsg *msg,
                               GError **error)
{
    RnAgentListening listening;

    if (msg->length != sizeof listening || msg->n_fds != 0 ||
        network->auto_publish.first == 0)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed list");
    memcpy(&listening, msg->payload, sizeof listening);
    if (!is_valid(&listening))
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed list");
    network->listening = listening;
    network->is_listening_new = true;
    rn_network_look_in_time(network);
    return true;
}
