/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink-route - addresses, routes and rules, through rtnetlink
 *
 * Runs in nsagent while it configures the container's namespace. Each function
 * builds one request for netlink.c, which sends it and reads the answer. The
 * error names the object as ip(8) would.
 */
#include "config.h"

#include <rnet/sys/netlink.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>

#include <rnet/sys/netlink-request.h>

static size_t address_length(uint16_t family)
{
    return family == AF_INET6 ? 16 : 4;
}

static void put_address(RnNetlinkRequest *request, uint16_t attribute,
                        const RnEndpoint *address)
{
    mnl_attr_put(request->header, attribute, address_length(address->family),
                 address->address);
}

bool rn_netlink_address_add(RnNetlink *netlink, unsigned link_index,
                            const RnEndpoint *address, unsigned prefix,
                            RnAddressFlags flags, GError **error)
{
    char text[RN_ENDPOINT_TEXT];
    g_autofree char *what = g_strdup_printf(
        "add address %s/%u", rn_endpoint_format_address(address, text), prefix);
    RnNetlinkRequest request = { .what = what };
    struct ifaddrmsg *body = rn_netlink_request_start(
        &request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *body);

    body->ifa_family = (uint8_t)address->family;
    body->ifa_prefixlen = (uint8_t)prefix;
    body->ifa_scope = RT_SCOPE_UNIVERSE;
    body->ifa_index = link_index;
    if ((flags & RN_ADDRESS_NODAD) != 0 && address->family == AF_INET6)
        body->ifa_flags = IFA_F_NODAD;
    put_address(&request, IFA_LOCAL, address);
    put_address(&request, IFA_ADDRESS, address);
    return rn_netlink_request_run(netlink, &request, error);
}

static char *describe_route(const RnDefaultRoute *route)
{
    const char *kind = route->family == AF_INET6 ? "IPv6" : "IPv4";
    char text[RN_ENDPOINT_TEXT];

    if (route->gateway.family == AF_UNSPEC)
        return g_strdup_printf("add %s route for local delivery", kind);
    return g_strdup_printf("add %s default route via %s", kind,
                           rn_endpoint_format_address(&route->gateway, text));
}

bool rn_netlink_route_add(RnNetlink *netlink, const RnDefaultRoute *route,
                          GError **error)
{
    g_autofree char *what = describe_route(route);
    RnNetlinkRequest request = { .what = what };
    bool is_local = route->gateway.family == AF_UNSPEC;
    struct rtmsg *body = rn_netlink_request_start(
        &request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof *body);

    body->rtm_family = (uint8_t)route->family;
    body->rtm_table = RT_TABLE_UNSPEC; /* RTA_TABLE has all 32 bits */
    body->rtm_protocol = RTPROT_STATIC;
    body->rtm_type = is_local ? RTN_LOCAL : RTN_UNICAST;
    body->rtm_scope = is_local ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
    mnl_attr_put_u32(request.header, RTA_TABLE,
                     route->table != 0 ? route->table : RT_TABLE_MAIN);
    mnl_attr_put_u32(request.header, RTA_OIF, route->link_index);
    if (!is_local)
        put_address(&request, RTA_GATEWAY, &route->gateway);
    if (route->source.family != AF_UNSPEC)
        put_address(&request, RTA_PREFSRC, &route->source);
    return rn_netlink_request_run_addition(netlink, &request, route->may_exist,
                                           error);
}

bool rn_netlink_rule_add(RnNetlink *netlink, const RnPortRule *rule,
                         GError **error)
{
    char text[RN_ENDPOINT_TEXT];
    g_autofree char *what =
        g_strdup_printf("add rule from %s port %u-%u",
                        rn_endpoint_format_address(&rule->from, text),
                        rule->first_port, rule->last_port);
    RnNetlinkRequest request = { .what = what };
    struct fib_rule_port_range ports = {
        .start = rule->first_port,
        .end = rule->last_port,
    };
    struct fib_rule_hdr *body = rn_netlink_request_start(
        &request, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, sizeof *body);

    body->family = (uint8_t)rule->from.family;
    body->src_len = (uint8_t)(8 * address_length(rule->from.family));
    body->table = RT_TABLE_UNSPEC; /* FRA_TABLE has all 32 bits */
    body->action = FR_ACT_TO_TBL;
    put_address(&request, FRA_SRC, &rule->from);
    mnl_attr_put_u32(request.header, FRA_TABLE, rule->table);
    mnl_attr_put_u32(request.header, FRA_PRIORITY, rule->preference);
    mnl_attr_put_u8(request.header, FRA_IP_PROTO, rule->ip_protocol);
    mnl_attr_put(request.header, FRA_SPORT_RANGE, sizeof ports, &ports);
    return rn_netlink_request_run_addition(netlink, &request, rule->may_exist,
                                           error);
}
