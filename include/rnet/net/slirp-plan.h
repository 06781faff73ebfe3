/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp-plan - what libslirp can do in a network of this plan
 *
 * Pure. Part of slirp.
 */
#ifndef RNET_NET_SLIRP_PLAN_H
#define RNET_NET_SLIRP_PLAN_H

#include <rnet/util/protocol.h>

/*
 * RN_ERROR_INVALID for an MTU or a prefix out of range, or addresses outside
 * their network.
 */
bool rn_slirp_check_plan(const RnNetworkPlan *plan, GError **error) RN_CHECK;

/*
 * Where libslirp leads the clients of a published port: info->guest, or the
 * guest's own address of the listener's family. RN_ERROR_INVALID if that is of
 * the other family, or a loopback.
 */
bool rn_slirp_find_target(const RnNetworkPlan *plan,
                          const RnRelayListener *info, RnEndpoint *out_target,
                          GError **error) RN_CHECK;

#endif
