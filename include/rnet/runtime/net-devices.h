/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net-devices - linux.netDevices: interfaces of the host for the container
 *
 * runtime-spec config-linux.md, Network Devices. An interface is taken out of
 * the caller's network namespace; it goes back to the initial one, or away,
 * with the container's (network_namespaces(7)).
 */
#ifndef RNET_RUNTIME_NET_DEVICES_H
#define RNET_RUNTIME_NET_DEVICES_H

#include <rnet/runtime/plan.h>

/*
 * Refuses (RN_ERROR_INVALID) names that cannot be an interface's, one that is
 * given twice, and a container without a network namespace of its own. A new
 * name may end in "%d", for which the kernel puts a number that is free.
 */
bool rn_net_devices_check(const RnPlan *plan, GError **error) RN_CHECK;

/*
 * In the launcher, when the container's network namespace is there: moves the
 * plan's interfaces into it, renames them, gives them back the addresses that
 * are permanent and of global scope, and sets them up. Takes root's rights over
 * both network namespaces. After a failure the interfaces that were moved stay
 * where they are: the caller ends the container.
 */
bool rn_net_devices_move(const RnPlan *plan, int netns_fd,
                         GError **error) RN_CHECK;

#endif
