/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-handoff - routes the container's own TCP to where the kernel carries it
 *
 * Runs in nsagent while it configures, with all capabilities there, but for what
 * comes and goes, which takes CAP_NET_ADMIN. What a
 * local socket sends over TCP to the outside is delivered locally: the other
 * end is a socket of this same namespace, bound to the destination's address
 * (handoff.c). Only its first SYN has to reach the relay:
 *
 *   rules      to the name server       -> main (libslirp answers)
 *   (of what   marked "other"           -> main (libslirp carries)
 *   is sent    marked "SYN"             -> table LINK: to a MAC of its own
 *   here)      TCP to the network       -> table LOCAL
 *              TCP, main's own routes   -> main: a bridge, a VPN
 *              all other TCP            -> table LOCAL: delivered here
 *   nf_tables  of what goes to `lo`: a SYN from the guest's address to another
 *              is marked "SYN"; TCP between two others is marked "other", which
 *              is a socket bound to another address of the container. Marked
 *              packets are routed again, local addresses still first.
 *
 * The kernel does not know the protocol when it routes again, hence the rules
 * on marks do not ask for it. Published ports need nothing more: their
 * service's answers are TCP that goes to table LOCAL.
 *
 * Where somebody else gives the interface its address, all but the routes and
 * the last two rules is there from the start, and these come and go with the
 * address (agent-manual.c). Without them the tables LOCAL and LINK are empty or
 * not asked.
 *
 * Failure: the step that fails is named. Up to the last two rules of a family
 * nothing changes for the container.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>

#include <netinet/in.h>

/* after the former, whose types it has, too */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/frame.h>
#include <rnet/net/inside-socket.h>
#include <rnet/sys/sysctl.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#define NFT_TABLE "rnet"
#define NFT_CHAIN "handoff"

enum {
    MAIN_TABLE = 254,   /* RT_TABLE_MAIN, rtnetlink(7) */
    LOOPBACK_INDEX = 1, /* of `lo`, in every network namespace */
};

static const RnEndpoint loopback4 = {
    .family = AF_INET,
    .address = { 127 },
};

static const RnEndpoint loopback6 = {
    .family = AF_INET6,
    .address = { [15] = 1 },
};

typedef struct Work {
    const RnNetworkPlan *plan;
    RnNetlink *netlink;
    unsigned link_index;
} Work;

/* Makes it a rule about what this namespace sends, at its place. */
static RnRule place_rule(RnRule rule, uint16_t family, RnAgentRule place)
{
    rule.family = family;
    rule.from_here = true;
    rule.preference = RN_AGENT_PREF_HANDOFF + place;
    rule.may_exist = true;
    return rule;
}

static bool add_rule(const Work *work, uint16_t family, RnRule rule,
                     RnAgentRule place, GError **error)
{
    const RnRule placed = place_rule(rule, family, place);

    return rn_netlink_rule_add(work->netlink, &placed, error);
}

/* What does no harm while table LOCAL is not asked. */
static bool add_harmless_rules(const Work *work, uint16_t family,
                               GError **error)
{
    const RnEndpoint *dns =
        family == AF_INET6 ? &work->plan->dns6 : &work->plan->dns4;
    const RnRule other = { .mark = RN_AGENT_MARK_OTHER, .table = MAIN_TABLE };
    const RnRule syn = {
        .mark = RN_AGENT_MARK_SYN,
        .table = RN_AGENT_TABLE_LINK,
    };
    const RnRule to_dns = {
        .to = *dns,
        .to_prefix = family == AF_INET6 ? 128 : 32,
        .ip_protocol = IPPROTO_TCP,
        .table = MAIN_TABLE,
    };
    const RnRule specific = {
        .ip_protocol = IPPROTO_TCP,
        .only_specific = true,
        .table = MAIN_TABLE,
    };

    return add_rule(work, family, other, RN_AGENT_RULE_OTHER, error) &&
           add_rule(work, family, syn, RN_AGENT_RULE_SYN, error) &&
           add_rule(work, family, to_dns, RN_AGENT_RULE_DNS, error) &&
           add_rule(work, family, specific, RN_AGENT_RULE_SPECIFIC, error);
}

static bool add_routes(const Work *work, uint16_t family, GError **error)
{
    RnEndpoint hop = rn_plan_handoff_hop(work->plan, family);
    const RnDefaultRoute local = {
        .family = family,
        .table = RN_AGENT_TABLE,
        .link_index = LOOPBACK_INDEX,
        .source = *rn_plan_guest(work->plan, family),
        .may_exist = true,
    };
    const RnDefaultRoute link = {
        .family = family,
        .table = RN_AGENT_TABLE_LINK,
        .link_index = work->link_index,
        .gateway = hop,
        .may_exist = true,
    };

    return rn_netlink_neighbour_add(work->netlink, work->link_index, &hop,
                                    work->plan->handoff_mac, error) &&
           rn_netlink_route_add(work->netlink, &link, error) &&
           rn_netlink_route_add(work->netlink, &local, error);
}

/* The two that change something for the container. */
static RnRule rule_to_network(const RnNetworkPlan *plan, uint16_t family)
{
    bool is_v6 = family == AF_INET6;
    const RnRule rule = {
        .to = is_v6 ? plan->network6 : plan->network4,
        .to_prefix = is_v6 ? plan->prefix6 : plan->prefix4,
        .ip_protocol = IPPROTO_TCP,
        .table = RN_AGENT_TABLE,
    };

    return place_rule(rule, family, RN_AGENT_RULE_NETWORK);
}

static RnRule rule_for_all(uint16_t family)
{
    const RnRule rule = {
        .ip_protocol = IPPROTO_TCP,
        .table = RN_AGENT_TABLE,
    };

    return place_rule(rule, family, RN_AGENT_RULE_ALL);
}

static bool activate(const Work *work, uint16_t family, GError **error)
{
    const RnRule to_network = rule_to_network(work->plan, family);
    const RnRule all = rule_for_all(family);

    return rn_netlink_rule_add(work->netlink, &to_network, error) &&
           rn_netlink_rule_add(work->netlink, &all, error);
}

static void begin_marking(RnNft *nft, const RnEndpoint *guest, bool from_guest)
{
    unsigned bits = guest->family == AF_INET6 ? 128 : 32;

    rn_nft_begin_rule(nft, NFT_CHAIN);
    rn_nft_match_output(nft, LOOPBACK_INDEX);
    rn_nft_match_protocol(nft, IPPROTO_TCP);
    rn_nft_match_address(nft, RN_NFT_DESTINATION, false, guest, bits);
    rn_nft_match_address(nft, RN_NFT_SOURCE, from_guest, guest, bits);
}

static void add_marking(RnNft *nft, const RnEndpoint *guest)
{
    bool is_v6 = guest->family == AF_INET6;

    begin_marking(nft, guest, true);
    rn_nft_match_tcp_flags(nft, RN_TCP_SYN | RN_TCP_ACK, RN_TCP_SYN);
    rn_nft_set_mark(nft, RN_AGENT_MARK_SYN);
    rn_nft_end_rule(nft);

    begin_marking(nft, guest, false);
    rn_nft_match_address(nft, RN_NFT_DESTINATION, false,
                         is_v6 ? &loopback6 : &loopback4, is_v6 ? 128 : 8);
    rn_nft_set_mark(nft, RN_AGENT_MARK_OTHER);
    rn_nft_end_rule(nft);
}

/* The kernel's "not supported" says neither what nor what to do. */
static bool blame_nf_tables(GError **error)
{
    g_prefix_error(error, "nf_tables: ");
    if (error != NULL && (rn_error_is_errno(*error, EPROTONOSUPPORT) ||
                          rn_error_is_errno(*error, EOPNOTSUPP)))
        (void)rn_error_add_hint(error, "the kernel has no nf_tables; if it is "
                                       "a module, root can load it: modprobe "
                                       "nf_tables");
    return false;
}

bool rn_agent_mark_syns(const RnNetworkPlan *plan, const uint16_t *families,
                        RnNft **out_nft, GError **error)
{
    g_autoptr(RnNft) nft = rn_nft_open(error);

    if (nft == NULL)
        return blame_nf_tables(error);
    rn_nft_begin(nft, NFT_TABLE);
    rn_nft_add_chain(nft, &(RnNftChain){
                              .name = NFT_CHAIN,
                              .type = "route",
                              .hook = NF_INET_LOCAL_OUT,
                              .priority = NF_IP_PRI_MANGLE,
                          });
    for (; *families != AF_UNSPEC; families++)
        add_marking(nft, rn_plan_guest(plan, *families));
    if (!rn_nft_commit(nft, error))
        return blame_nf_tables(error);
    *out_nft = g_steal_pointer(&nft);
    return true;
}

/*
 * Refusals, and what libslirp answers forwarded flows, come in through the link
 * with source addresses that are routed to `lo`.
 */
static bool accept_answers(const Work *work, GError **error)
{
    g_autofree char *filter =
        g_strdup_printf("net/ipv4/conf/%s/rp_filter", work->plan->interface);
    g_autofree char *local =
        g_strdup_printf("net/ipv4/conf/%s/accept_local", work->plan->interface);

    if (rn_sysctl_ensure("net/ipv4/conf/all/rp_filter", "0", error) &&
        rn_sysctl_ensure(filter, "0", error) &&
        rn_sysctl_ensure(local, "1", error))
        return true;
    if (error != NULL && rn_error_is_errno(*error, EROFS))
        (void)rn_error_add_hint(error,
                                "a container around rnet has /proc/sys "
                                "read-only (podman: --security-opt unmask=ALL, "
                                "docker: --security-opt "
                                "systempaths=unconfined)");
    return false;
}

/*
 * The server's end of a connection is in this namespace, too, and with it the
 * TIME_WAIT that would keep the client from using the same port again.
 */
static void shorten_time_wait(void)
{
    g_autoptr(GError) failure = NULL;

    if (!rn_sysctl_ensure("net/ipv4/tcp_tw_reuse", "1", &failure))
        rn_log_debug("%s, ignoring", failure->message);
}

/* Whether the relay's end can be made at all. */
static bool try_socket(uint16_t family, GError **error)
{
    int errno_value = 0;
    rn_autofd int fd = rn_inside_socket_new(family, &errno_value);

    if (fd < 0)
        return rn_set_errno(error, errno_value, "make a transparent socket");
    return true;
}

bool rn_agent_prepare_hand_off(const RnNetworkPlan *plan, RnNetlink *netlink,
                               const uint16_t *families, RnNft **out_nft,
                               GError **error)
{
    g_autoptr(RnNft) nft = NULL;
    const Work work = { .plan = plan, .netlink = netlink };

    if (!rn_agent_mark_syns(plan, families, &nft, error) ||
        !try_socket(AF_INET, error) || !accept_answers(&work, error))
        return false;
    for (const uint16_t *family = families; *family != AF_UNSPEC; family++) {
        if (!add_harmless_rules(&work, *family, error))
            return false;
    }
    shorten_time_wait();
    *out_nft = g_steal_pointer(&nft);
    return true;
}

bool rn_agent_begin_hand_off(const RnNetworkPlan *plan, RnNetlink *netlink,
                             unsigned link_index, uint16_t family,
                             GError **error)
{
    const Work work = {
        .plan = plan,
        .netlink = netlink,
        .link_index = link_index,
    };

    return add_routes(&work, family, error) && activate(&work, family, error);
}

void rn_agent_end_hand_off(const RnNetworkPlan *plan, RnNetlink *netlink,
                           uint16_t family)
{
    const RnRule rules[] = {
        rule_to_network(plan, family),
        rule_for_all(family),
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autoptr(GError) failure = NULL;

        if (!rn_netlink_rule_remove(netlink, &rules[i], &failure))
            rn_log_debug("%s, ignoring", failure->message);
    }
}

bool rn_agent_hand_off(const RnNetworkPlan *plan, RnNetlink *netlink,
                       unsigned link_index, const uint16_t *families,
                       RnNft **out_nft, GError **error)
{
    g_autoptr(RnNft) nft = NULL;

    if (!rn_agent_prepare_hand_off(plan, netlink, families, &nft, error))
        return false;
    for (; *families != AF_UNSPEC; families++) {
        if (!rn_agent_begin_hand_off(plan, netlink, link_index, *families,
                                     error))
            return false;
    }
    *out_nft = g_steal_pointer(&nft);
    return true;
}
