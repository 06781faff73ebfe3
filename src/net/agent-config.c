/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-config - turns a fresh network namespace into the plan's network
 *
 * Runs in nsagent, inside the container's user and network namespace, with all
 * capabilities there, before it confines itself. Link, addresses and routes
 * are as slirp4netns has them, or their owner's business (agent-manual.c).
 * Where TCP is not handed off (agent-handoff.c), published ports get rules of
 * their own (agent-ports.c). The first step that fails ends it; the error names
 * the step.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rnet/sys/netlink-look.h>
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
        setup->log_level >= RN_LOG_N_ || setup->watch_ports > 1 ||
        setup->plan.is_manual > 1 || setup->plan.n_exposed > RN_EXPOSED_MAX ||
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
                                 &work->network->link_index, error);
}

static bool add_default_route(Work *work, const RnEndpoint *gateway,
                              GError **error)
{
    RnDefaultRoute route = {
        .family = gateway->family,
        .link_index = work->network->link_index,
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
    return rn_netlink_address_add(work->netlink, work->network->link_index,
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
    work->network->has_ipv6 = false;
    return true;
}

static bool configure_ipv6(Work *work, GError **error)
{
    GError *failure = NULL;

    if (!work->network->has_ipv6)
        return true;
    if (rn_netlink_address_add(work->netlink, work->network->link_index,
                               &work->plan->guest6, work->plan->prefix6,
                               RN_ADDRESS_NODAD, &failure))
        return add_default_route(work, &work->plan->gateway6, error);
    return give_up_ipv6(work, failure, error);
}

static bool hand_off(Work *work, GError **error)
{
    RnAgentNetwork *network = work->network;
    const uint16_t families[FAMILIES] = {
        AF_INET,
        work->network->has_ipv6 ? AF_INET6 : AF_UNSPEC,
    };
    g_autoptr(GError) failure = NULL;
    g_autofree char *why = NULL;
    g_autofree char *hint = NULL;

    if (work->plan->handoff_mode == RN_HANDOFF_MODE_OFF)
        return true;
    if (work->plan->is_manual
            ? rn_agent_prepare_hand_off(work->plan, work->netlink, families,
                                        &network->nft, &failure)
            : rn_agent_hand_off(work->plan, work->netlink, network->link_index,
                                families, &network->nft, &failure))
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
    if (!work->network->has_ipv6 ||
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

/* A kernel without IPv6 has not told of it yet where no address is added. */
static bool look_at_link(Work *work, GError **error)
{
    RnAgentNetwork *network = work->network;
    RnLinkLook look = { 0 };

    if (access("/proc/sys/net/ipv6", F_OK) < 0)
        network->has_ipv6 = false;
    if (!rn_netlink_link_look(work->netlink, network->link_index, &look, error))
        return false;
    memcpy(network->plan.guest_mac, look.mac, sizeof look.mac);
    return true;
}

/* The rules come and go, see agent-manual.c. */
static bool prepare_publishing(Work *work, G_GNUC_UNUSED GError **error)
{
    rn_agent_ports_open_reserved(work->network->ports);
    return true;
}

static bool tune_manual(Work *work, G_GNUC_UNUSED GError **error)
{
    rn_agent_tune_namespace(rn_agent_ports_ranges(work->network->ports));
    return true;
}

typedef struct Step {
    const char *name; /* of the step, in errors; NULL: as the error has it */
    bool (*func)(Work *work, GError **error);
} Step;

static const Step steps[] = {
    { NULL, open_link },
    { "loopback", bring_up_loopback },
    { "link", bring_up_link },
    { "link", find_link },
    { "IPv4", configure_ipv4 },
    { "IPv6", configure_ipv6 },
    { "TCP handoff", hand_off },
    { "published ports", configure_publishing },
    { "parameters", tune_namespace },
    { NULL, NULL },
};

/* An interface of its owner's, and the same for another nsagent of it. */
static const Step manual_steps[] = {
    { NULL, open_link },
    { "link", find_link },
    { "link", look_at_link },
    { "TCP handoff", hand_off },
    { "published ports", prepare_publishing },
    { "parameters", tune_manual },
    { NULL, NULL },
};

static const Step *const manual_steps_again = &manual_steps[1];

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
        work->network->has_ipv6 ? AF_INET6 : AF_UNSPEC,
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

static bool run_steps(Work *work, const Step *step, GError **error)
{
    for (; step->func != NULL; step++) {
        if (step->func(work, error))
            continue;
        if (step->name != NULL)
            g_prefix_error(error, "%s: ", step->name);
        return false;
    }
    return true;
}

static void do_manual_again(Work *work)
{
    g_autoptr(GError) failure = NULL;

    if (run_steps(work, manual_steps_again, &failure))
        return;
    g_prefix_error(&failure, "the network as its owner has it, ignoring: ");
    rn_log_gerror(RN_LOG_WARNING, failure);
}

bool rn_agent_configure(const RnAgentSetup *setup, RnAgentNetwork *out_network,
                        GError **error)
{
    RnAgentNetwork *network = out_network;
    Work work = {
        .setup = setup,
        .plan = &network->plan,
        .network = network,
    };

    network->plan = setup->plan;
    network->has_ipv6 = setup->plan.network6.family != AF_UNSPEC;
    work.netlink = network->netlink = rn_netlink_open(error);
    if (network->netlink == NULL)
        return false;
    network->ports =
        rn_agent_ports_new(setup, &network->plan, network->netlink);
    if (setup->make_link != 0)
        return run_steps(&work, setup->plan.is_manual ? manual_steps : steps,
                         error);
    if (setup->plan.is_manual)
        do_manual_again(&work);
    else
        do_again(&work);
    return true;
}
