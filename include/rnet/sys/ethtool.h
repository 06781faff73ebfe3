/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ethtool - what an interface leaves to its hardware, SIOCETHTOOL
 */
#ifndef RNET_SYS_ETHTOOL_H
#define RNET_SYS_ETHTOOL_H

#include <rnet/util/error.h>

/*
 * Makes the kernel complete every frame before it leaves through the
 * interface: checksums, segments no larger than the MTU, VLAN tags. Scattered
 * memory stays allowed. Needs CAP_NET_ADMIN over the network namespace.
 */
bool rn_ethtool_stop_offloads(const char *name, GError **error) RN_CHECK;

/* True for a feature (its ethtool(8) name) that makes incomplete frames. Pure.
 */
bool rn_ethtool_is_offload(const char *feature);

#endif
