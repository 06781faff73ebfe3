/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-state - what is told about a network
 *
 * Runs in the keeper; pure. What does not apply is left out.
 */
#include "config.h"

#include <rnet/runtime/network-state.h>

#include <rnet/oci/json.h>

static void add_address(json_t *list, const RnEndpoint *address,
                        unsigned prefix)
{
    char text[RN_ENDPOINT_TEXT];
    g_autofree char *with_prefix = NULL;

    if (address->family == AF_UNSPEC)
        return;
    (void)rn_endpoint_format_address(address, text);
    if (prefix > 0)
        with_prefix = g_strdup_printf("%s/%u", text, prefix);
    (void)json_array_append_new(
        list, json_string(with_prefix != NULL ? with_prefix : text));
}

/* An array of one or two; the prefixes are 0 where none is to be shown. */
static json_t *list_addresses(const RnEndpoint *v4, unsigned prefix4,
                              const RnEndpoint *v6, unsigned prefix6)
{
    json_t *list = json_array();

    add_address(list, v4, prefix4);
    add_address(list, v6, prefix6);
    return list;
}

static json_t *describe_port(const RnRelayListener *info)
{
    static const char *const transports[] = {
        [RN_TRANSPORT_TCP] = "tcp",
        [RN_TRANSPORT_UDP] = "udp",
    };
    char host[RN_ENDPOINT_TEXT];
    char guest[RN_ENDPOINT_TEXT] = "";

    G_STATIC_ASSERT(G_N_ELEMENTS(transports) == RN_TRANSPORT_N_);
    (void)rn_endpoint_format_address(&info->host, host);
    if (info->guest.family != AF_UNSPEC)
        (void)rn_endpoint_format_address(&info->guest, guest);
    return json_pack("{s:i, s:s, s:i, s:s, s:i, s:s}", "id", (int)info->id,
                     "host", host, "hostPort", (int)info->host.port, "guest",
                     guest, "guestPort", (int)info->guest.port, "protocol",
                     transports[info->transport]);
}

static json_t *list_ports(const GArray *listeners)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < listeners->len; i++) {
        const RnListener *listener = &g_array_index(listeners, RnListener, i);

        (void)json_array_append_new(list, describe_port(&listener->info));
    }
    return list;
}

static void set(json_t *state, const char *name, json_t *take_value)
{
    (void)json_object_set_new(state, name, take_value);
}

static void add_plan(json_t *state, const RnNetworkPlan *plan)
{
    const uint8_t *mac = plan->guest_mac;
    g_autofree char *mac_text =
        g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                        mac[3], mac[4], mac[5]);

    set(state, "interface", json_string(plan->interface));
    set(state, "mac", json_string(mac_text));
    set(state, "mtu", json_integer(plan->mtu));
    set(state, "guest",
        list_addresses(&plan->guest4, plan->prefix4, &plan->guest6,
                       plan->prefix6));
    set(state, "gateway",
        list_addresses(&plan->gateway4, 0, &plan->gateway6, 0));
    set(state, "dns",
        plan->no_dns ? json_array()
                     : list_addresses(&plan->dns4, 0, &plan->dns6, 0));
}

json_t *rn_network_state(const RnNetworkStateFacts *facts)
{
    const RnNetworkPlan *plan = facts->plan;
    json_t *state = json_object();

    if (facts->key != NULL)
        set(state, "key", json_string(facts->key));
    set(state, "up", json_boolean(facts->is_up));
    set(state, "handoff",
        json_boolean(plan->handoff_mode == RN_HANDOFF_MODE_ON));
    if (facts->pid != 0)
        set(state, "pid", json_integer(facts->pid));
    set(state, "monitor", json_integer(facts->monitor));
    if (facts->ino != 0) {
        g_autofree char *netns = g_strdup_printf(
            "%ju-%ju", (uintmax_t)facts->dev, (uintmax_t)facts->ino);

        set(state, "netns", json_string(netns));
    }
    add_plan(state, plan);
    set(state, "ports", list_ports(facts->listeners));
    return state;
}
