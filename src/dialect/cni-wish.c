/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni-wish - the network that a CNI configuration asks for
 *
 * Runs in rnet-cni, pure. The words are parsed as those of a command line; then
 * the plan gets what a command line cannot say: the interface's name, its MAC
 * address, and the guest's addresses.
 */
#include "config.h"

#include <rnet/dialect/cni-conf.h>

#include <string.h>

#include <rnet/net/address-plan.h>
#include <rnet/oci/json.h>
#include <rnet/util/parse.h>

/* The network's own address, and IPv4's broadcast (RFC 919, 7). */
static bool is_edge(const RnEndpoint *address, const RnEndpoint *network,
                    unsigned bits)
{
    gsize length = address->family == AF_INET ? 4 : 16;
    bool all_ones = address->family == AF_INET;

    if (rn_endpoint_same_address(address, network))
        return true;
    for (gsize bit = bits; bit < length * 8; bit++)
        all_ones =
            all_ones && (address->address[bit / 8] & (0x80 >> (bit % 8))) != 0;
    return all_ones;
}

static bool check_guest(const RnNetworkPlan *plan, const RnEndpoint *address,
                        GError **error)
{
    bool is_ipv6 = address->family == AF_INET6;
    const RnEndpoint *network = is_ipv6 ? &plan->network6 : &plan->network4;
    const RnEndpoint *dns = is_ipv6 ? &plan->dns6 : &plan->dns4;
    const RnEndpoint hop = rn_plan_handoff_hop(plan, address->family);
    unsigned bits = is_ipv6 ? plan->prefix6 : plan->prefix4;
    char text[RN_ENDPOINT_TEXT], net_text[RN_ENDPOINT_TEXT];

    (void)rn_endpoint_format_address(address, text);
    if (network->family != address->family)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "ips: %s: the network has no IPv6", text);
    (void)rn_endpoint_format_address(network, net_text);
    if (!rn_endpoint_in_network(address, network, bits) ||
        is_edge(address, network, bits)) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "ips: %s is no host's address in %s/%u", text,
                           net_text, bits);
        return rn_error_add_hint(error, "\"cidr\" of the configuration sets "
                                        "the IPv4 network");
    }
    return !(rn_endpoint_same_address(address,
                                      rn_plan_gateway(plan, address->family)) ||
             rn_endpoint_same_address(address, dns) ||
             rn_endpoint_same_address(address, &hop)) ||
           rn_set_error(error, RN_ERROR_INVALID,
                        "ips: %s is one of the network's own addresses", text);
}

/* ADDRESS or ADDRESS/PREFIX, whose prefix has to be the network's. */
static bool take_ip(const char *word, RnNetworkPlan *plan, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(word, "/", 2);
    g_autofree char *quoted = rn_json_quote(word);
    RnEndpoint address = { 0 };
    uint64_t prefix = 0;
    unsigned bits = 0;

    if (parts[0] == NULL ||
        !rn_endpoint_parse_address(parts[0], &address, NULL))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "ips: %s is not an address", quoted);
    bits = address.family == AF_INET6 ? plan->prefix6 : plan->prefix4;
    if (!check_guest(plan, &address, error))
        return false;
    if (parts[1] != NULL &&
        (!rn_parse_uint(parts[1], 0, 128, "prefix", &prefix, NULL) ||
         prefix != bits))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "ips: %s: the network's prefix is %u", quoted,
                            bits);
    if (address.family == AF_INET6)
        plan->guest6 = address;
    else
        plan->guest4 = address;
    return true;
}

static bool take_ips(const RnCniConf *conf, RnNetworkPlan *plan, GError **error)
{
    for (char **at = conf->ips; at != NULL && *at != NULL; at++) {
        if (!take_ip(*at, plan, error))
            return false;
    }
    return true;
}

static bool take_mac(const RnCniConf *conf, RnNetworkPlan *plan, GError **error)
{
    gsize length = sizeof conf->mac;

    if (!conf->has_mac)
        return true;
    if (memcmp(conf->mac, plan->gateway_mac, length) == 0 ||
        memcmp(conf->mac, plan->handoff_mac, length) == 0)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "mac: it is one of the network's own");
    memcpy(plan->guest_mac, conf->mac, length);
    return true;
}

bool rn_cni_conf_wish(const RnCniConf *conf, const char *interface,
                      RnNetworkWish *wish, GError **error)
{
    const RnNetworkWords words = {
        .network = conf->network,
        .publish = (const char *const *)conf->publish->pdata,
        .publish_all = conf->publish_all,
        .expose_host = (const char *const *)conf->expose_host->pdata,
    };

    if (!rn_network_wish_parse(&words, wish, error) ||
        !take_ips(conf, &wish->plan, error) ||
        !take_mac(conf, &wish->plan, error))
        return false;
    (void)g_strlcpy(wish->plan.interface, interface,
                    sizeof wish->plan.interface);
    return true;
}
