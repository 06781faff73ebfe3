/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink-route - addresses, routes, rules and neighbours, through rtnetlink
 *
 * Runs in nsagent while it configures the container's namespace. Each function
 * builds one request for netlink.c, which sends it and reads the answer. The
 * error names the object as ip(8) would.
 */
#include "config.h"

#include <rnet/sys/netlink.h>

#include <errno.h>

#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>

#include <rnet/sys/netlink-request.h>

enum {
    BYTE_BITS = 8,
    MAC_LENGTH = 6,
};

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

/* " from 10.0.0.0/8", or without the prefix if it is the whole address. */
static void describe_side(GString *text, const char *side,
                          const RnEndpoint *address, unsigned prefix)
{
    char buffer[RN_ENDPOINT_TEXT];

    if (address->family == AF_UNSPEC)
        return;
    g_string_append_printf(text, " %s %s", side,
                           rn_endpoint_format_address(address, buffer));
    if (prefix != BYTE_BITS * address_length(address->family))
        g_string_append_printf(text, "/%u", prefix);
}

static char *describe_rule(const char *verb, const RnRule *rule)
{
    g_autoptr(GString) text = g_string_new(verb);
    gsize bare = text->len;

    describe_side(text, "from", &rule->from, rule->from_prefix);
    describe_side(text, "to", &rule->to, rule->to_prefix);
    if (rule->from_here)
        g_string_append(text, " iif lo");
    if (rule->mark != 0)
        g_string_append_printf(text, " fwmark 0x%x", rule->mark);
    if (rule->ip_protocol != 0 && rule->first_port == 0)
        g_string_append_printf(text, " ipproto %u", rule->ip_protocol);
    if (rule->first_port != 0)
        g_string_append_printf(text, " port %u-%u", rule->first_port,
                               rule->last_port);
    if (text->len == bare)
        g_string_append_printf(text, " from all %s",
                               rule->family == AF_INET6 ? "IPv6" : "IPv4");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool is_side_valid(const RnRule *rule, const RnEndpoint *address,
                          unsigned prefix)
{
    if (address->family == AF_UNSPEC)
        return prefix == 0;
    return address->family == rule->family && prefix != 0 &&
           prefix <= BYTE_BITS * address_length(address->family);
}

/* What the kernel would take for another rule, or not look at. */
static bool is_rule_valid(const RnRule *rule)
{
    if (!is_side_valid(rule, &rule->from, rule->from_prefix) ||
        !is_side_valid(rule, &rule->to, rule->to_prefix))
        return false;
    return (rule->first_port == 0) == (rule->last_port == 0) &&
           (rule->first_port == 0 || rule->ip_protocol != 0);
}

static void put_rule_sides(RnNetlinkRequest *request, const RnRule *rule)
{
    if (rule->from.family != AF_UNSPEC)
        put_address(request, FRA_SRC, &rule->from);
    if (rule->to.family != AF_UNSPEC)
        put_address(request, FRA_DST, &rule->to);
}

static void put_rule_matches(RnNetlinkRequest *request, const RnRule *rule)
{
    struct fib_rule_port_range ports = {
        .start = rule->first_port,
        .end = rule->last_port,
    };

    if (rule->from_here)
        mnl_attr_put_strz(request->header, FRA_IIFNAME, "lo");
    if (rule->mark != 0) {
        mnl_attr_put_u32(request->header, FRA_FWMARK, rule->mark);
        mnl_attr_put_u32(request->header, FRA_FWMASK, rule->mark);
    }
    if (rule->ip_protocol != 0)
        mnl_attr_put_u8(request->header, FRA_IP_PROTO, rule->ip_protocol);
    if (rule->first_port != 0)
        mnl_attr_put(request->header, FRA_SPORT_RANGE, sizeof ports, &ports);
    if (rule->only_specific)
        mnl_attr_put_u32(request->header, FRA_SUPPRESS_PREFIXLEN, 0);
}

static void build_rule(RnNetlinkRequest *request, uint16_t type, uint16_t flags,
                       const RnRule *rule)
{
    struct fib_rule_hdr *body =
        rn_netlink_request_start(request, type, flags, sizeof *body);

    body->family = (uint8_t)rule->family;
    body->src_len = rule->from_prefix;
    body->dst_len = rule->to_prefix;
    body->table = RT_TABLE_UNSPEC; /* FRA_TABLE has all 32 bits */
    body->action = FR_ACT_TO_TBL;
    put_rule_sides(request, rule);
    put_rule_matches(request, rule);
    mnl_attr_put_u32(request->header, FRA_TABLE, rule->table);
    mnl_attr_put_u32(request->header, FRA_PRIORITY, rule->preference);
}

bool rn_netlink_rule_add(RnNetlink *netlink, const RnRule *rule, GError **error)
{
    g_autofree char *what = describe_rule("add rule", rule);
    RnNetlinkRequest request = { .what = what };

    if (!is_rule_valid(rule))
        return rn_set_errno(error, EINVAL, "%s", what);
    /* without NLM_F_EXCL the kernel adds the same rule a second time */
    build_rule(&request, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
    return rn_netlink_request_run_addition(netlink, &request, rule->may_exist,
                                           error);
}

bool rn_netlink_rule_remove(RnNetlink *netlink, const RnRule *rule,
                            GError **error)
{
    g_autofree char *what = describe_rule("remove rule", rule);
    g_autoptr(GError) refusal = NULL;
    RnNetlinkRequest request = { .what = what };

    if (!is_rule_valid(rule))
        return rn_set_errno(error, EINVAL, "%s", what);
    build_rule(&request, RTM_DELRULE, 0, rule);
    if (rn_netlink_request_run(netlink, &request, &refusal) ||
        rn_error_is_errno(refusal, ENOENT))
        return true;
    g_propagate_error(error, g_steal_pointer(&refusal));
    return false;
}

bool rn_netlink_neighbour_add(RnNetlink *netlink, unsigned link_index,
                              const RnEndpoint *address, const uint8_t mac[6],
                              GError **error)
{
    char text[RN_ENDPOINT_TEXT];
    g_autofree char *what = g_strdup_printf(
        "add neighbour %s", rn_endpoint_format_address(address, text));
    RnNetlinkRequest request = { .what = what };
    struct ndmsg *body = rn_netlink_request_start(
        &request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof *body);

    body->ndm_family = (uint8_t)address->family;
    body->ndm_ifindex = (int)link_index;
    body->ndm_state = NUD_PERMANENT;
    put_address(&request, NDA_DST, address);
    mnl_attr_put(request.header, NDA_LLADDR, MAC_LENGTH, mac);
    return rn_netlink_request_run(netlink, &request, error);
}
