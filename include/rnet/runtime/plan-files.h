/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan-files - the texts of /etc/resolv.conf and /etc/hosts in a container
 */
#ifndef RNET_RUNTIME_PLAN_FILES_H
#define RNET_RUNTIME_PLAN_FILES_H

#include <rnet/runtime/plan.h>

/*
 * The text of /etc/resolv.conf in a network of rnet's: its name server, or
 * those that were given, with the search domains of the host's text. The
 * caller's; pure.
 */
char *rn_plan_resolv_conf(const RnNetworkPlan *network,
                          const RnNetworkOptions *options,
                          const char *host_text) RN_CHECK;

/*
 * Sets plan->resolv_conf and plan->hosts from the plan's network and hostname
 * (which are decided before). Pure.
 *
 * slirp: the network's DNS or the servers that were given, with the host's
 * search domains; hosts with the container's names, and
 * host.containers.internal where the host's loopback is open. host: what the
 * host has. none: hosts with the loopback names only.
 */
void rn_plan_files(RnPlan *plan, const RnNetworkOptions *options,
                   const RnHostFacts *facts, bool no_hosts);

#endif
