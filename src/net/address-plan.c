/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address-plan - what an address is in one network
 *
 * Role:     comparisons with the plan's prefixes; pure
 * Runs in:  the relay
 */
#include "config.h"

#include <rnet/net/address-plan.h>

#include <string.h>

typedef struct Prefix {
    RnEndpoint network;
    unsigned bits;
} Prefix;

/*
 * RFC 6890's "this network" (which Linux takes for loopback when connecting to
 * it), loopback, link-local, multicast, class E and broadcast; in IPv6 also
 * the IPv4-compatible and IPv4-mapped forms (RFC 4291, 2.5.5).
 */
static const Prefix special[] = {
    { { .family = AF_INET, .address = { 0 } }, 8 },
    { { .family = AF_INET, .address = { 127 } }, 8 },
    { { .family = AF_INET, .address = { 169, 254 } }, 16 },
    { { .family = AF_INET, .address = { 224 } }, 3 },
    { { .family = AF_INET6, .address = { 0 } }, 96 },
    { { .family = AF_INET6, .address = { [10] = 0xff, [11] = 0xff } }, 96 },
    { { .family = AF_INET6, .address = { 0xfe, 0x80 } }, 10 },
    { { .family = AF_INET6, .address = { 0xff } }, 8 },
};

bool rn_endpoint_in_network(const RnEndpoint *address,
                            const RnEndpoint *network, unsigned bits)
{
    unsigned bytes = bits / 8;
    uint8_t mask = (uint8_t)(0xff00u >> bits % 8);

    if (address->family != network->family || bits > 128 ||
        memcmp(address->address, network->address, bytes) != 0)
        return false;
    return bits % 8 == 0 ||
           ((address->address[bytes] ^ network->address[bytes]) & mask) == 0;
}

bool rn_plan_is_inside(const RnNetworkPlan *plan, const RnEndpoint *address)
{
    if (address->family == AF_INET)
        return rn_endpoint_in_network(address, &plan->network4, plan->prefix4);
    return address->family == AF_INET6 && plan->prefix6 > 0 &&
           rn_endpoint_in_network(address, &plan->network6, plan->prefix6);
}

bool rn_endpoint_is_special(const RnEndpoint *address)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(special); i++) {
        if (rn_endpoint_in_network(address, &special[i].network,
                                   special[i].bits))
            return true;
    }
    return false;
}

RnEndpoint rn_endpoint_loopback(uint16_t family, uint16_t port)
{
    if (family == AF_INET6)
        return (RnEndpoint){ .family = family,
                             .port = port,
                             .address = { [15] = 1 } };
    return (RnEndpoint){ .family = AF_INET,
                         .port = port,
                         .address = { 127, 0, 0, 1 } };
}

const RnEndpoint *rn_plan_guest(const RnNetworkPlan *plan, uint16_t family)
{
    return family == AF_INET6 ? &plan->guest6 : &plan->guest4;
}

const RnEndpoint *rn_plan_gateway(const RnNetworkPlan *plan, uint16_t family)
{
    return family == AF_INET6 ? &plan->gateway6 : &plan->gateway4;
}

RnEndpoint rn_plan_handoff_hop(const RnNetworkPlan *plan, uint16_t family)
{
    RnEndpoint hop = family == AF_INET6 ? plan->network6 : plan->network4;

    hop.address[family == AF_INET6 ? 15 : 3] |= 1;
    return hop;
}

void rn_plan_show_client(const RnNetworkPlan *plan, const RnEndpoint *client,
                         RnEndpoint *out_shown, RnEndpoint *out_guest)
{
    uint16_t family = client->family;

    if (rn_plan_guest(plan, family)->family == AF_UNSPEC)
        family = AF_INET;
    *out_shown = *client;
    if (family != client->family || rn_plan_is_inside(plan, client) ||
        rn_endpoint_is_special(client))
        *out_shown = *rn_plan_gateway(plan, family);
    out_shown->port = client->port;
    out_shown->scope = 0;
    *out_guest = *rn_plan_guest(plan, family);
}

void rn_plan_lead_client(const RnNetworkPlan *plan, const RnEndpoint *client,
                         const RnEndpoint *target, RnEndpoint *out_shown,
                         RnEndpoint *out_guest)
{
    rn_plan_show_client(plan, client, out_shown, out_guest);
    if (target->family == AF_UNSPEC) {
        out_guest->port = target->port;
        return;
    }
    *out_guest = *target;
    if (rn_endpoint_is_loopback(target)) {
        *out_shown = *target;
        out_shown->port = 0;
    } else if (out_shown->family != target->family) {
        *out_shown = *rn_plan_gateway(plan, target->family);
        out_shown->port = client->port;
    }
}
