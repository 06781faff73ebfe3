/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-config - turns a fresh network namespace into the plan's network
 *
 * Runs in nsagent, inside the container's user and network namespace, with all
 * capabilities there, before it confines itself. Link, addresses and routes
 * are as slirp4netns has them. For published TCP ports, answers of the service
 * are delivered locally, whoever they are for: the other end is a transparent
 * socket in this same namespace, bound to the real client's address; where TCP
 * is handed off (agent-handoff.c) that is so anyway. The first step that fails
 * ends it; the error names the step.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>
#include <string.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    MTU_MIN = 68,    /* RFC 791, 3.2 */
    MTU_MIN6 = 1280, /* RFC 8200, 5 */
    MTU_MAX = 65521, /* what a TAP takes: 65535 less the Ethernet header; a
                        veth takes more */
    PREFIX4_MAX = 31,
    PREFIX6_MAX = 127,
    FAMILIES = 3, /* IPv4, maybe IPv6, and the end */
};

/* What the steps share. */
typedef struct Work {
    const RnAgentSetup *setup;
    const RnNetworkPlan *plan;
    RnNetlink *netlink;
    unsigned link_index;
    bool has_ipv6;
    RnAgentNetwork *network;
} Work;

static bool has_family(const RnEndpoint *endpoint, uint16_t family)
{
    return endpoint->family == family;
}

static bool check_plan(const RnNetworkPlan *plan, GError **error)
{
    bool has_ipv6 = plan->network6.family != AF_UNSPEC;
    uint32_t mtu_min = has_ipv6 ? MTU_MIN6 : MTU_MIN;

    if (memchr(plan->interface, '\0', sizeof plan->interface) == NULL ||
        !rn_link_name_is_valid(plan->interface))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"%.*s\" is not an interface name",
                            (int)sizeof plan->interface, plan->interface);
    if (plan->mtu < mtu_min || plan->mtu > MTU_MAX)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "mtu %u is not from %u to %d", plan->mtu, mtu_min,
                            MTU_MAX);
    if (!has_family(&plan->guest4, AF_INET) ||
        !has_family(&plan->gateway4, AF_INET) || plan->prefix4 < 1 ||
        plan->prefix4 > PREFIX4_MAX)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "incomplete IPv4 address plan");
    if (has_ipv6 && (!has_family(&plan->guest6, AF_INET6) ||
                     !has_family(&plan->gateway6, AF_INET6) ||
                     plan->prefix6 < 1 || plan->prefix6 > PREFIX6_MAX))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "incomplete IPv6 address plan");
    return true;
}

bool rn_agent_check_range(const RnPortRange *range, GError **error)
{
    if (range->transport >= RN_TRANSPORT_N_ || range->first == 0 ||
        range->first > range->last)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "%u-%u is not a range of published ports",
                            range->first, range->last);
    return true;
}

bool rn_agent_check_setup(const RnAgentSetup *setup, GError **error)
{
    if (setup->make_link > 1 || setup->n_ranges > RN_AGENT_MAX_RANGES ||
        setup->log_level >= RN_LOG_N_ ||
        setup->plan.link_mode >= RN_LINK_MODE_N_ ||
        setup->plan.handoff_mode >= RN_HANDOFF_MODE_N_)
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "malformed set-up message");
    if (!check_plan(&setup->plan, error))
        return false;
    for (uint32_t i = 0; i < setup->n_ranges; i++) {
        if (!rn_agent_check_range(&setup->ranges[i], error))
            return false;
    }
    return true;
}

static bool bring_up_loopback(Work *work, GError **error)
{
    return rn_netlink_link_change(work->netlink, "lo",
                                  &(RnLinkChange){ .up = true }, error);
}

static bool bring_up_link(Work *work, GError **error)
{
    RnLinkChange change = {
        .mac = work->plan->guest_mac,
        .mtu = work->plan->mtu,
        .up = true,
    };

    rn_agent_tune_link(work->plan);
    return rn_netlink_link_change(work->netlink, work->plan->interface, &change,
                                  error);
}

static bool find_link(Work *work, GError **error)
{
    return rn_netlink_link_index(work->netlink, work->plan->interface,
                                 &work->link_index, error);
}

static bool add_default_route(Work *work, const RnEndpoint *gateway,
                              GError **error)
{
    RnDefaultRoute route = {
        .family = gateway->family,
        .link_index = work->link_index,
        .gateway = *gateway,
    };

    if (rn_netlink_route_add(work->netlink, &route, error))
        return true;
    if (error != NULL && rn_error_is_errno(*error, EEXIST))
        (void)rn_error_add_hint(error, "the network namespace has a default "
                                       "route already; use a fresh one");
    return false;
}

static bool configure_ipv4(Work *work, GError **error)
{
    return rn_netlink_address_add(work->netlink, work->link_index,
                                  &work->plan->guest4, work->plan->prefix4,
                                  RN_ADDRESS_PLAIN, error) &&
           add_default_route(work, &work->plan->gateway4, error);
}

/*
 * A kernel without IPv6, or told to have none, is no reason not to start: the
 * container does without. Any other failure goes on to *error.
 */
static bool give_up_ipv6(Work *work, GError *take_failure, GError **error)
{
    g_autoptr(GError) failure = take_failure;

    if (!rn_error_is_errno(failure, EAFNOSUPPORT) &&
        !rn_error_is_errno(failure, EOPNOTSUPP) &&
        !rn_error_is_errno(failure, EACCES)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    rn_log_warning("%s: no IPv6 for this container, ignoring",
                   failure->message);
    work->has_ipv6 = false;
    return true;
}

static bool configure_ipv6(Work *work, GError **error)
{
    GError *failure = NULL;

    if (!work->has_ipv6)
        return true;
    if (rn_netlink_address_add(work->netlink, work->link_index,
                               &work->plan->guest6, work->plan->prefix6,
                               RN_ADDRESS_NODAD, &failure))
        return add_default_route(work, &work->plan->gateway6, error);
    return give_up_ipv6(work, failure, error);
}

static bool hand_off(Work *work, GError **error)
{
    const uint16_t families[FAMILIES] = {
        AF_INET,
        work->has_ipv6 ? AF_INET6 : AF_UNSPEC,
    };
    g_autoptr(GError) failure = NULL;
    g_autofree char *why = NULL;
    g_autofree char *hint = NULL;

    if (work->plan->handoff_mode == RN_HANDOFF_MODE_OFF)
        return true;
    if (rn_agent_hand_off(work->plan, work->netlink, work->link_index, families,
                          &work->network->nft, &failure))
        return true;
    if (work->plan->handoff_mode == RN_HANDOFF_MODE_ON) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    why = rn_error_split(failure, &hint);
    rn_log_info("no TCP handoff here: %s; libslirp carries TCP", why);
    return true;
}

static bool configure_publishing(Work *work, GError **error)
{
    RnAgentPorts *ports = work->network->ports;
    GError *failure = NULL;

    if (work->network->nft != NULL)
        return true;
    rn_agent_ports_open_reserved(ports);
    if (!rn_agent_ports_deliver(ports, AF_INET, true, error))
        return false;
    if (!work->has_ipv6 ||
        rn_agent_ports_deliver(ports, AF_INET6, true, &failure))
        return true;
    /* nor is it tried with ports that come later */
    (void)!rn_agent_ports_deliver(ports, AF_INET6, false, NULL);
    return give_up_ipv6(work, failure, error);
}

static bool tune_namespace(Work *work, G_GNUC_UNUSED GError **error)
{
    const RnAgentNetwork *network = work->network;

    rn_agent_tune_namespace(
        network->nft == NULL ? rn_agent_ports_ranges(network->ports) : NULL);
    return true;
}

static bool open_link(Work *work, GError **error)
{
    return rn_agent_open_link(work->plan, &work->network->link, error);
}

static const struct {
    const char *name; /* of the step, in errors; NULL: as the error has it */
    bool (*func)(Work *work, GError **error);
} steps[] = {
    { NULL, open_link },
    { "loopback", bring_up_loopback },
    { "link", bring_up_link },
    { "link", find_link },
    { "IPv4", configure_ipv4 },
    { "IPv6", configure_ipv6 },
    { "TCP handoff", hand_off },
    { "published ports", configure_publishing },
    { "parameters", tune_namespace },
};

void rn_agent_network_clear(RnAgentNetwork *network)
{
    rn_fd_close(&network->link);
    g_clear_pointer(&network->nft, rn_nft_close);
    g_clear_pointer(&network->ports, rn_agent_ports_free);
    g_clear_pointer(&network->netlink, rn_netlink_close);
}

static void repeat_hand_off(Work *work)
{
    const uint16_t families[FAMILIES] = {
        AF_INET,
        work->has_ipv6 ? AF_INET6 : AF_UNSPEC,
    };

    g_autoptr(GError) failure = NULL;

    if (rn_agent_mark_syns(work->plan, families, &work->network->nft, &failure))
        return;
    g_prefix_error(&failure, "no outbound TCP for this container, ignoring: "
                             "TCP handoff: ");
    rn_log_gerror(RN_LOG_WARNING, failure); /* the hint in a line of its own */
}

/*
 * What went with the nsagent before, or may have been on its way when it died:
 * of published ports only rules that are missing change anything.
 */
static void do_again(Work *work)
{
    g_autoptr(GError) failure = NULL;

    if (work->plan->handoff_mode != RN_HANDOFF_MODE_OFF)
        repeat_hand_off(work);
    else if (!configure_publishing(work, &failure))
        rn_log_info("published ports: %s, ignoring", failure->message);
}

static bool run_steps(Work *work, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (steps[i].func(work, error))
            continue;
        if (steps[i].name != NULL)
            g_prefix_error(error, "%s: ", steps[i].name);
        return false;
    }
    return true;
}

bool rn_agent_configure(const RnAgentSetup *setup, RnAgentNetwork *out_network,
                        GError **error)
{
    RnAgentNetwork *network = out_network;
    Work work = {
        .setup = setup,
        .plan = &network->plan,
        .has_ipv6 = setup->plan.network6.family != AF_UNSPEC,
        .network = network,
    };

    network->plan = setup->plan;
    work.netlink = network->netlink = rn_netlink_open(error);
    if (network->netlink == NULL)
        return false;
    network->ports =
        rn_agent_ports_new(setup, &network->plan, network->netlink);
    if (setup->make_link == 0) {
        do_again(&work);
        return true;
    }
    return run_steps(&work, error);
}
