/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auto-publish - which ports to publish, from what listens inside
 *
 * Runs in the process that has the network; pure.
 */
#include "config.h"

#include <rnet/net/auto-publish.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/port-ranges.h>
#include <rnet/net/publish.h>

/* What a service listens on, the best first: as auto-publish.h has it. */
enum {
    RANK_WILDCARD,
    RANK_GUEST,
    RANK_OTHER,
    RANK_LOOPBACK,
};

bool rn_auto_publish_parse(const char *text, RnPortRange *out_range,
                           GError **error)
{
    RnPortRange range = { 1, UINT16_MAX, RN_TRANSPORT_TCP };

    if (text[0] != '\0' && !rn_port_range_parse(text, "port", &range, error)) {
        g_prefix_error(error, "publish-all \"%s\": ", text);
        return false;
    }
    *out_range = range;
    return true;
}

/* How much a service on this address is preferred, the lowest most. */
static unsigned rank(const RnNetworkPlan *plan, const RnEndpoint *endpoint)
{
    bool is_v6 = endpoint->family == AF_INET6;
    unsigned place = RANK_OTHER;

    if (rn_endpoint_is_any(endpoint))
        place = RANK_WILDCARD;
    else if (rn_endpoint_same_address(endpoint,
                                      rn_plan_guest(plan, endpoint->family)))
        place = RANK_GUEST;
    else if (rn_endpoint_is_loopback(endpoint))
        place = RANK_LOOPBACK;
    return 2 * place + is_v6;
}

/* An IPv6 link-local address is of no use without its interface. */
static bool is_reachable(const RnEndpoint *endpoint)
{
    return endpoint->family != AF_INET6 || endpoint->address[0] != 0xfe ||
           (endpoint->address[1] & 0xc0) != 0x80;
}

/* The best for its port of all that listens, or NULL. */
static const RnEndpoint *find_best(const RnNetworkPlan *plan,
                                   const RnAgentListening *now, uint16_t port)
{
    const RnEndpoint *best = NULL;

    for (uint32_t i = 0; i < now->count; i++) {
        const RnEndpoint *endpoint = &now->endpoints[i];

        if (endpoint->port == port && is_reachable(endpoint) &&
            (best == NULL || rank(plan, endpoint) < rank(plan, best)))
            best = endpoint;
    }
    return best;
}

static RnAutoPort make_port(const RnNetworkPlan *plan,
                            const RnEndpoint *endpoint)
{
    RnAutoPort port = { .port = endpoint->port };

    if (rank(plan, endpoint) >= 2 * RANK_OTHER)
        port.guest = *endpoint;
    port.guest.port = endpoint->port;
    return port;
}

static const RnAutoPort *find_port(const GArray *ports, uint16_t port)
{
    for (guint i = 0; i < ports->len; i++) {
        const RnAutoPort *other = &g_array_index(ports, RnAutoPort, i);

        if (other->port == port)
            return other;
    }
    return NULL;
}

void rn_auto_publish_compare(const RnNetworkPlan *plan,
                             const RnAgentListening *now,
                             const RnPortRange *range, const GArray *skip,
                             const GArray *published, GArray **out_new,
                             GArray **out_gone)
{
    GArray *wanted = g_array_new(FALSE, FALSE, sizeof(RnAutoPort));
    GArray *gone = g_array_new(FALSE, FALSE, sizeof(RnAutoPort));

    for (uint32_t i = 0; i < now->count; i++) {
        uint16_t port = now->endpoints[i].port;
        const RnEndpoint *best = find_best(plan, now, port);

        if (best == NULL || port < range->first || port > range->last ||
            (skip != NULL &&
             rn_port_ranges_have(skip, RN_TRANSPORT_TCP, port)) ||
            find_port(wanted, port) != NULL)
            continue;
        g_array_append_vals(wanted, (RnAutoPort[]){ make_port(plan, best) }, 1);
    }
    for (guint i = 0; i < published->len; i++) {
        const RnAutoPort *old = &g_array_index(published, RnAutoPort, i);
        const RnAutoPort *same = find_port(wanted, old->port);

        if (same != NULL && rn_endpoint_equal(&same->guest, &old->guest))
            g_array_remove_index(
                wanted, (guint)(same - &g_array_index(wanted, RnAutoPort, 0)));
        else
            g_array_append_vals(gone, old, 1);
    }
    *out_new = wanted;
    *out_gone = gone;
}
