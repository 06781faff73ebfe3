/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port-ranges - a set of ports as ranges (pure)
 *
 * A GArray of RnPortRange, in order of transport and first port; no two of them
 * touch.
 */
#ifndef RNET_NET_PORT_RANGES_H
#define RNET_NET_PORT_RANGES_H

#include <rnet/util/protocol.h>

/* An empty set, the caller's. */
GArray *rn_port_ranges_new(void) RN_CHECK;

/* Adds the ports of a range that is valid: 0 < first <= last. */
void rn_port_ranges_add(GArray *ranges, const RnPortRange *range);

/* Takes the ports of a range out, as far as they are in it. */
void rn_port_ranges_remove(GArray *ranges, const RnPortRange *range);

/* Whether a range of the set has this port. */
bool rn_port_ranges_have(const GArray *ranges, uint16_t transport,
                         uint16_t port);

/* "80-80,8000-8010": those of one transport, a new string. */
char *rn_port_ranges_format(const GArray *ranges, uint16_t transport) RN_CHECK;

#endif
