/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outbound - the host's address that the guest's connections leave from
 *
 * plan.outbound4 and plan.outbound6. What goes to the host's own loopback over
 * TCP is not outbound, and stays as it is.
 */
#ifndef RNET_NET_OUTBOUND_H
#define RNET_NET_OUTBOUND_H

#include <rnet/util/protocol.h>

/*
 * Binds a new socket of this family to it, if the plan has one; any port.
 * Returns 0 or the errno: EADDRNOTAVAIL if no interface has the address (any
 * more).
 */
int rn_outbound_bind(const RnNetworkPlan *plan, uint16_t family,
                     int fd) RN_CHECK;

/* The same for a TCP socket that is about to be connected to `target`. */
int rn_outbound_bind_tcp(const RnNetworkPlan *plan, const RnEndpoint *target,
                         int fd) RN_CHECK;

#endif
