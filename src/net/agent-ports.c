/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-ports - local delivery of what published services answer
 *
 * Runs in nsagent, while it configures and while it serves; needed where TCP is
 * not handed off. The other end of a service's connection is a transparent
 * socket of this same namespace, bound to the real client's address, so what
 * the guest sends from a published port goes to a table that delivers
 * everything here. A rule for each range of the set, which both families' rules
 * are made to match whenever it changes.
 *
 * Outgoing connections must not be given such a port: their answers would be
 * taken for a client's. The parameter for that is opened before nsagent
 * confines itself, and written again when the set changes.
 *
 * Failure: what can be done is, the first error is told.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/port-ranges.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#define RESERVED_PORTS "/proc/sys/net/ipv4/ip_local_reserved_ports"

enum {
    FAMILIES = 2,
    LOOPBACK_INDEX = 1, /* of `lo`, in every network namespace */
};

/* One family. */
typedef struct Delivery {
    bool is_wanted;
    GArray *rules; /* of RnPortRange: what the kernel has */
} Delivery;

struct RnAgentPorts {
    const RnNetworkPlan *plan;
    RnNetlink *netlink;
    GArray *ranges;  /* of RnPortRange, TCP */
    int reserved_fd; /* -1: not to be written */
    Delivery deliveries[FAMILIES];
};

RnAgentPorts *rn_agent_ports_new(const RnAgentSetup *setup,
                                 const RnNetworkPlan *plan, RnNetlink *netlink)
{
    RnAgentPorts *ports = g_new0(RnAgentPorts, 1);

    ports->plan = plan;
    ports->netlink = netlink;
    ports->reserved_fd = -1;
    ports->ranges = rn_port_ranges_new();
    for (uint32_t i = 0; i < setup->n_ranges; i++) {
        if (setup->ranges[i].transport == RN_TRANSPORT_TCP)
            rn_port_ranges_add(ports->ranges, &setup->ranges[i]);
    }
    for (unsigned i = 0; i < FAMILIES; i++)
        ports->deliveries[i].rules = rn_port_ranges_new();
    return ports;
}

void rn_agent_ports_free(RnAgentPorts *ports)
{
    if (ports == NULL)
        return;
    rn_fd_close(&ports->reserved_fd);
    g_array_unref(ports->ranges);
    for (unsigned i = 0; i < FAMILIES; i++)
        g_array_unref(ports->deliveries[i].rules);
    g_free(ports);
}

const GArray *rn_agent_ports_ranges(const RnAgentPorts *ports)
{
    return ports->ranges;
}

void rn_agent_ports_open_reserved(RnAgentPorts *ports)
{
    ports->reserved_fd = open(RESERVED_PORTS, O_WRONLY | O_CLOEXEC);
    if (ports->reserved_fd < 0)
        rn_log_debug("open \"%s\": %s, ignoring", RESERVED_PORTS,
                     g_strerror(errno));
}

/* One write from the start replaces them all. */
static void write_reserved(const RnAgentPorts *ports)
{
    g_autofree char *text =
        rn_port_ranges_format(ports->ranges, RN_TRANSPORT_TCP);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    if (ports->reserved_fd >= 0 &&
        pwrite(ports->reserved_fd, line, strlen(line), 0) < 0)
        rn_log_debug("write \"%s\": %s, ignoring", RESERVED_PORTS,
                     g_strerror(errno));
}

static bool has_range(const GArray *ranges, const RnPortRange *range)
{
    for (guint i = 0; i < ranges->len; i++) {
        const RnPortRange *other = &g_array_index(ranges, RnPortRange, i);

        if (other->first == range->first && other->last == range->last)
            return true;
    }
    return false;
}

static RnRule rule_of(const RnEndpoint *guest, const RnPortRange *range)
{
    return (RnRule){
        .family = guest->family,
        .from = *guest,
        .from_prefix = guest->family == AF_INET6 ? 128 : 32,
        .ip_protocol = IPPROTO_TCP,
        .first_port = range->first,
        .last_port = range->last,
        .table = RN_AGENT_TABLE,
        .preference = RN_AGENT_PREF_PUBLISHED,
        .may_exist = true,
    };
}

/* The highest port is one that no rule can name. */
static bool add_range(const RnAgentPorts *ports, const RnEndpoint *guest,
                      const RnPortRange *range, GError **error)
{
    RnRule rule = rule_of(guest, range);
    bool fits = range->last <= RN_RULE_MAX_PORT;

    if (!fits)
        rule.last_port = RN_RULE_MAX_PORT;
    if (rule.first_port <= rule.last_port &&
        !rn_netlink_rule_add(ports->netlink, &rule, error))
        return false;
    return fits ||
           rn_set_error(error, RN_ERROR_UNSUPPORTED,
                        "container port %u/tcp cannot be published without "
                        "TCP handoff: the kernel's routing rules end at port "
                        "%d",
                        range->last, RN_RULE_MAX_PORT);
}

static bool remove_range(const RnAgentPorts *ports, const RnEndpoint *guest,
                         const RnPortRange *range, GError **error)
{
    RnRule rule = rule_of(guest, range);

    rule.last_port = MIN(rule.last_port, RN_RULE_MAX_PORT);
    return rule.first_port > rule.last_port ||
           rn_netlink_rule_remove(ports->netlink, &rule, error);
}

/* Keeps the first of several failures. */
static void keep_failure(GError **failure, GError *take_other)
{
    if (*failure == NULL)
        *failure = take_other;
    else
        g_error_free(take_other);
}

/* Makes the kernel's rules those of `wanted`: first new ones, then old ones. */
static void match_rules(const RnAgentPorts *ports, const RnEndpoint *guest,
                        GArray *rules, const GArray *wanted, GError **failure)
{
    for (guint i = 0; i < wanted->len; i++) {
        RnPortRange range = g_array_index(wanted, RnPortRange, i);
        GError *refusal = NULL;

        if (has_range(rules, &range))
            continue;
        if (!add_range(ports, guest, &range, &refusal))
            keep_failure(failure, refusal);
        g_array_append_val(rules, range); /* a removal does no harm */
    }
    for (guint i = rules->len; i > 0; i--) {
        const RnPortRange *range = &g_array_index(rules, RnPortRange, i - 1);
        GError *refusal = NULL;

        if (has_range(wanted, range))
            continue;
        if (!remove_range(ports, guest, range, &refusal))
            keep_failure(failure, refusal);
        g_array_remove_index(rules, i - 1);
    }
}

static void add_table(const RnAgentPorts *ports, const RnEndpoint *guest,
                      GError **failure)
{
    const RnDefaultRoute route = {
        .family = guest->family,
        .table = RN_AGENT_TABLE,
        .link_index = LOOPBACK_INDEX,
        .source = *guest,
        .may_exist = true,
    };
    GError *refusal = NULL;

    if (!rn_netlink_route_add(ports->netlink, &route, &refusal))
        keep_failure(failure, refusal);
}

static void update_family(const RnAgentPorts *ports, uint16_t family,
                          GError **failure)
{
    const Delivery *delivery = &ports->deliveries[family == AF_INET6];
    const RnEndpoint *guest = rn_plan_guest(ports->plan, family);
    g_autoptr(GArray) none = rn_port_ranges_new();

    match_rules(ports, guest, delivery->rules,
                delivery->is_wanted ? ports->ranges : none, failure);
    if (delivery->is_wanted && ports->ranges->len > 0)
        add_table(ports, guest, failure);
}

bool rn_agent_ports_deliver(RnAgentPorts *ports, uint16_t family,
                            bool is_wanted, GError **error)
{
    g_autoptr(GError) failure = NULL;

    ports->deliveries[family == AF_INET6].is_wanted = is_wanted;
    update_family(ports, family, &failure);
    if (failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool rn_agent_ports_change(RnAgentPorts *ports, const RnPortRange *range,
                           bool is_published, GError **error)
{
    static const uint16_t families[] = { AF_INET, AF_INET6 };
    g_autoptr(GError) failure = NULL;

    if (range->transport != RN_TRANSPORT_TCP)
        return true;
    if (is_published)
        rn_port_ranges_add(ports->ranges, range);
    else
        rn_port_ranges_remove(ports->ranges, range);
    write_reserved(ports);
    for (unsigned i = 0; i < G_N_ELEMENTS(families); i++) {
        if (ports->deliveries[families[i] == AF_INET6].is_wanted)
            update_family(ports, families[i], &failure);
    }
    if (failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
