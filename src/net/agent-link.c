/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-link - makes the link that the plan asks for, or the one that is left
 *
 * Runs in nsagent, inside the container's network namespace. A TAP is the
 * first choice: its queue holds more frames than a user's packet socket may.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <rnet/sys/tap.h>
#include <rnet/sys/veth.h>
#include <rnet/util/log.h>

static bool open_tap(const RnNetworkPlan *plan, int *out_link, GError **error)
{
    return rn_tap_open(plan->interface, out_link, error);
}

static bool open_packet(const RnNetworkPlan *plan, int *out_link,
                        GError **error)
{
    if (rn_veth_open(plan->interface, plan->mtu, out_link, error))
        return true;
    g_prefix_error(error, "packet link: ");
    return false;
}

/*
 * Without either the TAP's error is told, since its hint is the better one,
 * with the other's text before it.
 */
static bool open_best(const RnNetworkPlan *plan, int *out_link, GError **error)
{
    g_autoptr(GError) no_tap = NULL;
    g_autoptr(GError) no_packet = NULL;
    g_autofree char *text = NULL;
    g_autofree char *hint = NULL;

    if (rn_tap_is_usable(&no_tap))
        return open_tap(plan, out_link, error);
    if (open_packet(plan, out_link, &no_packet)) {
        text = rn_error_split(no_tap, &hint);
        rn_log_info("%s; using a packet link", text);
        return true;
    }
    text = rn_error_split(no_packet, &hint);
    g_propagate_prefixed_error(error, g_steal_pointer(&no_tap),
                               "%s; tap: ", text);
    return false;
}

bool rn_agent_open_link(const RnNetworkPlan *plan, int *out_link,
                        GError **error)
{
    static bool (*const openers[])(const RnNetworkPlan *plan, int *out_link,
                                   GError **error) = {
        [RN_LINK_MODE_AUTO] = open_best,
        [RN_LINK_MODE_TAP] = open_tap,
        [RN_LINK_MODE_PACKET] = open_packet,
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(openers) == RN_LINK_MODE_N_);

    return openers[plan->link_mode](plan, out_link, error);
}
