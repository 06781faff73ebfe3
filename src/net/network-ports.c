/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-ports - what a network publishes, from its start on and later
 *
 * Runs in the monitor. The listeners are bound here and stay here; the relay
 * gets a copy of each, now and whenever it is started again. nsagent is told
 * which ports inside that makes, each once, however many of the host's lead
 * there. A relay or nsagent that is not there at the moment is told when it
 * begins. Failure leaves everything as it was.
 */
#include "config.h"

#include <rnet/net/network-parts.h>

#include <errno.h>
#include <string.h>

#include <rnet/net/fd-room.h>
#include <rnet/net/port-ranges.h>
#include <rnet/sys/netlink.h>
#include <rnet/util/fd.h>

enum {
    FD_RESERVE = 32, /* left to helpers and to who asks to withdraw a port */
};

/* The listeners of one host port, on both families, are one. */
static bool belong_together(const RnRelayListener *a, const RnRelayListener *b)
{
    return a->transport == b->transport && a->host.port == b->host.port &&
           a->guest.port == b->guest.port && a->host.family != b->host.family;
}

static void close_listener(void *data)
{
    RnListener *listener = data;

    rn_fd_close(&listener->fd);
}

void rn_network_take_listeners(RnNetwork *network, GArray *take_listeners)
{
    network->listeners = g_array_new(FALSE, FALSE, sizeof(RnListener));
    g_array_set_clear_func(network->listeners, close_listener);
    for (guint i = 0; take_listeners != NULL && i < take_listeners->len; i++) {
        RnListener *given = &g_array_index(take_listeners, RnListener, i);
        RnListener listener = {
            .info = given->info,
            .fd = g_steal_fd(&given->fd),
        };

        if (i == 0 || !belong_together(&given[-1].info, &given->info))
            network->last_id++;
        listener.info.id = network->last_id;
        g_array_append_val(network->listeners, listener);
    }
    g_clear_pointer(&take_listeners, g_array_unref);
}

void rn_network_post_listener(RnNetwork *network, const RnListener *listener)
{
    rn_service_post(&network->relay, &(RnOutMessage){
                                         .type = RN_MSG_RELAY_LISTENER,
                                         .payload = &listener->info,
                                         .length = sizeof listener->info,
                                         .fds = &listener->fd,
                                         .n_fds = 1,
                                     });
}

/* Clients of a loopback address need nothing of nsagent. */
static bool is_nsagents(const RnRelayListener *info)
{
    return !rn_endpoint_is_loopback(&info->guest);
}

static RnPortRange range_of(const RnRelayListener *info)
{
    return (RnPortRange){
        .first = info->guest.port,
        .last = info->guest.port,
        .transport = (uint16_t)info->transport,
    };
}

/* The ports inside that the listeners lead to, but for those of `without`. */
static GArray *collect_ranges(const RnNetwork *network, uint32_t without)
{
    GArray *ranges = rn_port_ranges_new();

    for (guint i = 0; i < network->listeners->len; i++) {
        const RnRelayListener *info =
            &g_array_index(network->listeners, RnListener, i).info;
        RnPortRange range = range_of(info);

        if (info->id != without && is_nsagents(info))
            rn_port_ranges_add(ranges, &range);
    }
    return ranges;
}

void rn_network_fill_ranges(RnNetwork *network)
{
    g_autoptr(GArray) ranges = collect_ranges(network, 0);
    RnAgentSetup *setup = &network->setup;

    setup->n_ranges = MIN(ranges->len, RN_AGENT_MAX_RANGES);
    if (setup->n_ranges > 0)
        memcpy(setup->ranges, ranges->data,
               setup->n_ranges * sizeof(RnPortRange));
}

static void tell_agent(RnNetwork *network, uint32_t type,
                       const RnPortRange *range)
{
    rn_service_post(&network->agent, &(RnOutMessage){
                                         .type = type,
                                         .payload = range,
                                         .length = sizeof *range,
                                     });
}

static bool is_in_setup(const RnAgentSetup *setup, const RnPortRange *range)
{
    for (uint32_t i = 0; i < setup->n_ranges; i++) {
        if (memcmp(&setup->ranges[i], range, sizeof *range) == 0)
            return true;
    }
    return false;
}

void rn_network_post_other_ranges(RnNetwork *network)
{
    g_autoptr(GArray) ranges = collect_ranges(network, 0);

    for (guint i = 0; i < ranges->len; i++) {
        const RnPortRange *range = &g_array_index(ranges, RnPortRange, i);

        if (!is_in_setup(&network->setup, range))
            tell_agent(network, RN_MSG_AGENT_PUBLISH, range);
    }
}

/* Tells nsagent of the ports of an id that no other id leads to. */
static void tell_agent_of_id(RnNetwork *network, uint32_t type, uint32_t id)
{
    g_autoptr(GArray) told = collect_ranges(network, id);

    for (guint i = 0; i < network->listeners->len; i++) {
        const RnRelayListener *info =
            &g_array_index(network->listeners, RnListener, i).info;
        RnPortRange range = range_of(info);

        if (info->id != id || !is_nsagents(info) ||
            rn_port_ranges_have(told, range.transport, range.first))
            continue;
        rn_port_ranges_add(told, &range);
        tell_agent(network, type, &range);
    }
}

/* Ports that are published; one on both families counts once. */
static unsigned count_ports(const RnNetwork *network)
{
    unsigned count = 0;

    for (guint i = 0; i < network->listeners->len; i++) {
        const RnListener *listener =
            &g_array_index(network->listeners, RnListener, i);

        if (i == 0 || listener[-1].info.id != listener->info.id ||
            !belong_together(&listener[-1].info, &listener->info))
            count++;
    }
    return count;
}

/* Published ports must not keep a helper from being started again. */
static bool check_room(const RnNetwork *network, const RnPublishSpec *spec,
                       unsigned first, GError **error)
{
    unsigned n_families = spec->host.family == AF_UNSPEC ? 2 : 1;

    if (network->link < 0 ||
        rn_fd_room(network->link, n_families * spec->count + FD_RESERVE))
        return true;
    (void)rn_set_errno(error, EMFILE, "publish container port %u", first);
    return rn_error_add_hint(error, "raise the limit of open files "
                                    "(ulimit -n), or publish fewer ports");
}

bool rn_network_check_target(const RnNetwork *network,
                             const RnPublishSpec *spec, const RnEndpoint *guest,
                             GError **error)
{
    unsigned first = guest->port != 0 ? guest->port : spec->guest_port;
    unsigned last = first + spec->count - 1;

    if (spec->count == 0 || first == 0 || last > UINT16_MAX)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "%u ports from %u on are not container ports",
                            spec->count, first);
    if (spec->transport == RN_TRANSPORT_UDP && rn_endpoint_is_loopback(guest))
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "container port %u/udp cannot be published on the "
                            "container's loopback",
                            first);
    if (spec->transport == RN_TRANSPORT_TCP && last > RN_RULE_MAX_PORT &&
        network->setup.plan.handoff_mode == RN_HANDOFF_MODE_OFF &&
        !network->is_agentless && !rn_endpoint_is_loopback(guest))
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "container port %u/tcp cannot be published without "
                            "TCP handoff: the kernel's routing rules end at "
                            "port %d",
                            last, RN_RULE_MAX_PORT);
    if (count_ports(network) + spec->count > RN_PUBLISH_MAX)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "more than %d published ports", RN_PUBLISH_MAX);
    return check_room(network, spec, first, error);
}

uint32_t rn_network_adopt(RnNetwork *network, GArray *listeners,
                          uint16_t base_port, const RnEndpoint *guest)
{
    uint32_t id = ++network->last_id;

    for (guint i = 0; i < listeners->len; i++) {
        RnListener *opened = &g_array_index(listeners, RnListener, i);
        unsigned offset = opened->info.guest.port - (unsigned)base_port;
        RnListener listener = {
            .info = opened->info,
            .fd = g_steal_fd(&opened->fd),
        };

        listener.info.id = id;
        if (guest->port != 0) {
            listener.info.guest = *guest;
            listener.info.guest.port = (uint16_t)(guest->port + offset);
        }
        g_array_append_val(network->listeners, listener);
        rn_network_post_listener(network, &listener);
    }
    tell_agent_of_id(network, RN_MSG_AGENT_PUBLISH, id);
    return id;
}

bool rn_network_publish(RnNetwork *network, const RnPublishSpec *spec,
                        const RnEndpoint *guest, uint32_t *out_id,
                        GError **error)
{
    g_autoptr(GArray) specs = g_array_new(FALSE, FALSE, sizeof *spec);
    g_autoptr(GArray) listeners = NULL;

    if (!rn_network_check_target(network, spec, guest, error))
        return false;
    g_array_append_vals(specs, spec, 1);
    if (!rn_listeners_open(specs, &listeners, error))
        return false;
    *out_id = rn_network_adopt(network, listeners, spec->guest_port, guest);
    return true;
}

/* Closes the listeners of an id; *out_told: the relay may have some. */
static void remove_listeners(RnNetwork *network, uint32_t id, bool *out_told)
{
    for (guint i = network->listeners->len; i > 0; i--) {
        const RnListener *listener =
            &g_array_index(network->listeners, RnListener, i - 1);

        if (listener->info.id != id)
            continue;
        if (!rn_service_unpost(&network->relay, listener->fd))
            *out_told = true;
        /* the relay's copy would keep the port until it reads */
        if (listener->info.transport == RN_TRANSPORT_TCP)
            (void)shutdown(listener->fd, SHUT_RD);
        g_array_remove_index(network->listeners, i - 1); /* and closes it */
    }
}

static bool has_id(const RnNetwork *network, uint32_t id)
{
    for (guint i = 0; i < network->listeners->len; i++) {
        if (g_array_index(network->listeners, RnListener, i).info.id == id)
            return true;
    }
    return false;
}

bool rn_network_withdraw(RnNetwork *network, uint32_t id, GError **error)
{
    bool is_told = false;

    if (!has_id(network, id))
        return rn_set_error(error, RN_ERROR_NOT_FOUND,
                            "no published port has id %u", id);
    tell_agent_of_id(network, RN_MSG_AGENT_WITHDRAW, id);
    remove_listeners(network, id, &is_told);
    if (is_told)
        rn_service_post(&network->relay, &(RnOutMessage){
                                             .type = RN_MSG_RELAY_WITHDRAW,
                                             .payload = &id,
                                             .length = sizeof id,
                                         });
    return true;
}

const GArray *rn_network_listeners(const RnNetwork *network)
{
    return network->listeners;
}
