/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exposed-spec - `--expose-host PORT[:PORT]` as data (pure)
 *
 * The first is the host's, the second the container's, the same where it is
 * missing; 1 to 65535.
 */
#ifndef RNET_NET_EXPOSED_SPEC_H
#define RNET_NET_EXPOSED_SPEC_H

#include <rnet/util/protocol.h>

bool rn_exposed_parse(const char *text, RnExposedPort *out_port,
                      GError **error) RN_CHECK;

/*
 * Puts all of `texts` (NULL-terminated, NULL: none) into the plan. Refuses a
 * container port given twice, and more than RN_EXPOSED_MAX.
 */
bool rn_exposed_parse_all(const char *const *texts, RnNetworkPlan *plan,
                          GError **error) RN_CHECK;

/* The host's port behind the gateway's port `guest_port`, or 0. */
uint16_t rn_exposed_host_port(const RnNetworkPlan *plan, uint16_t guest_port);

#endif
