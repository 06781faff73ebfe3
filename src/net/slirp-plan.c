/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp-plan - checks of plan and ports against what libslirp can do
 *
 * Role:     before slirp_new(), which would answer a bad plan with NULL; pure
 * Runs in:  the relay
 */
#include "config.h"

#include <rnet/net/slirp-plan.h>

#include <rnet/net/address-plan.h>

enum {
    MTU_MIN = 68,    /* IF_MTU_MIN of libslirp's src/if.h, RFC 791 */
    MTU_MAX = 65521, /* IF_MTU_MAX */
};

static bool check_addresses(const RnNetworkPlan *plan,
                            const RnEndpoint *const *addresses, GError **error)
{
    for (; *addresses != NULL; addresses++) {
        char text[RN_ENDPOINT_TEXT];

        if (rn_plan_is_inside(plan, *addresses))
            continue;
        return rn_set_error(error, RN_ERROR_INVALID,
                            "address \"%s\" is outside its network",
                            rn_endpoint_format_address(*addresses, text));
    }
    return true;
}

bool rn_slirp_check_plan(const RnNetworkPlan *plan, GError **error)
{
    const RnEndpoint *addresses4[] = { &plan->guest4, &plan->gateway4,
                                       &plan->dns4, NULL };
    const RnEndpoint *addresses6[] = { &plan->guest6, &plan->gateway6,
                                       &plan->dns6, NULL };

    if (plan->mtu < MTU_MIN || plan->mtu > MTU_MAX)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "mtu %u is not from %d to %d", plan->mtu, MTU_MIN,
                            MTU_MAX);
    if (plan->prefix4 < 1 || plan->prefix4 > 30 || plan->prefix6 > 126)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "prefix /%u or /%u is out of range", plan->prefix4,
                            plan->prefix6);
    if (!check_addresses(plan, addresses4, error))
        return false;
    return plan->prefix6 == 0 || check_addresses(plan, addresses6, error);
}

bool rn_slirp_find_target(const RnNetworkPlan *plan,
                          const RnRelayListener *info, RnEndpoint *out_target,
                          GError **error)
{
    char text[RN_ENDPOINT_TEXT];

    *out_target = info->guest;
    if (info->guest.family == AF_UNSPEC)
        *out_target = *rn_plan_guest(plan, info->host.family);
    out_target->port = info->guest.port;
    if (out_target->family == info->host.family &&
        !rn_endpoint_is_loopback(out_target))
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "nothing leads from there to %s inside",
                        out_target->family == AF_UNSPEC
                            ? "IPv6"
                            : rn_endpoint_format_address(out_target, text));
}
