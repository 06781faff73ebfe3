/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address-plan - questions about the addresses of one network
 *
 * Pure. The frame filter and both kinds of published ports ask them.
 */
#ifndef RNET_NET_ADDRESS_PLAN_H
#define RNET_NET_ADDRESS_PLAN_H

#include <rnet/util/protocol.h>

/* Whether `address` begins with the first `bits` bits of `network`. */
bool rn_endpoint_in_network(const RnEndpoint *address,
                            const RnEndpoint *network, unsigned bits);

/*
 * Whether it is no host out in the world: unspecified, loopback, link-local,
 * multicast, broadcast, reserved, or IPv4 in the guise of IPv6. As a
 * destination these would reach the host itself or its link, as a source they
 * could not be answered.
 */
bool rn_endpoint_is_special(const RnEndpoint *address);

/* 127.0.0.1 or ::1. */
RnEndpoint rn_endpoint_loopback(uint16_t family, uint16_t port);

/* Whether it is one of the network's own addresses, of either family. */
bool rn_plan_is_inside(const RnNetworkPlan *plan, const RnEndpoint *address);

/* The guest's or the gateway's address of a family; AF_UNSPEC: it has none. */
const RnEndpoint *rn_plan_guest(const RnNetworkPlan *plan, uint16_t family);
const RnEndpoint *rn_plan_gateway(const RnNetworkPlan *plan, uint16_t family);

/*
 * The next hop of a guest's SYN that is to be handed off: the first address of
 * the network, which is nobody's; the plan's handoff_mac is its MAC.
 */
RnEndpoint rn_plan_handoff_hop(const RnNetworkPlan *plan, uint16_t family);

/*
 * How the guest sees a client of a published port: as itself, or, port kept,
 * as the gateway. The latter where its own address would lie (loopback: a
 * service trusts 127.0.0.1) or could not be answered: the network's own
 * addresses, link-local, unspecified and multicast ones, and IPv6 where the
 * network has none. *out_guest is the guest's address of the family that
 * *out_shown has, port 0.
 */
void rn_plan_show_client(const RnNetworkPlan *plan, const RnEndpoint *client,
                         RnEndpoint *out_shown, RnEndpoint *out_guest);

/*
 * The same for a client that is to be led to `target`, a port with or without
 * an address (RnRelayListener.guest), which *out_guest then is as a whole.
 * At a loopback address it is shown as that address with any port (0), since
 * nothing else may talk to it; at an address of a family that its own is not
 * of, as the gateway (AF_UNSPEC where the network has no IPv6).
 */
void rn_plan_lead_client(const RnNetworkPlan *plan, const RnEndpoint *client,
                         const RnEndpoint *target, RnEndpoint *out_shown,
                         RnEndpoint *out_guest);

#endif
