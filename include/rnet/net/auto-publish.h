/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auto-publish - which ports to publish, from what listens inside (pure)
 *
 * What listens (AGENT_LISTENING) against what is published so far gives what to
 * publish and what to withdraw. One host port serves one container port,
 * whatever it listens on: a wildcard goes before the guest's own addresses, these
 * before others, these before loopback; of each IPv4 before IPv6.
 */
#ifndef RNET_NET_AUTO_PUBLISH_H
#define RNET_NET_AUTO_PUBLISH_H

#include <rnet/util/protocol.h>

/* "" (all ports) or FIRST-LAST or PORT, as --publish-all=... has it. */
bool rn_auto_publish_parse(const char *text, RnPortRange *out_range,
                           GError **error) RN_CHECK;

/* A port inside and where its clients are to be connected to: AF_UNSPEC for
 * the guest's own addresses (RnRelayListener.guest). */
typedef struct RnAutoPort {
    uint16_t port;
    uint16_t reserved;
    RnEndpoint guest;
    uint32_t id; /* of rn_network_publish(); 0: not published yet */
} RnAutoPort;

/*
 * `now`: what listens. `published`: GArray of RnAutoPort. Ports of `skip`
 * (GArray of RnPortRange: those published by hand; may be NULL) and outside of
 * `range` do not count. *out_new and *out_gone are GArrays of RnAutoPort, the
 * caller's; a port whose target has changed is in both.
 */
void rn_auto_publish_compare(const RnNetworkPlan *plan,
                             const RnAgentListening *now,
                             const RnPortRange *range, const GArray *skip,
                             const GArray *published, GArray **out_new,
                             GArray **out_gone);

#endif
