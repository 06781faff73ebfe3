/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-plan - the address plan that slirp4netns' options ask for
 */
#ifndef RNET_DIALECT_SLIRP4NETNS_PLAN_H
#define RNET_DIALECT_SLIRP4NETNS_PLAN_H

#include <rnet/dialect/slirp4netns-options.h>
#include <rnet/util/protocol.h>

/*
 * Errors have the original's texts. The interfaces of the host are looked up
 * where an outbound address is not an address.
 */
bool rn_slirp_plan(const RnSlirpOptions *options, RnNetworkPlan *out_plan,
                   GError **error) RN_CHECK;

#endif
