/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor - a network that outlives the command that made it
 *
 * A process of its own ("rnet-monitor") that keeps (keeper.h) the network of a
 * detached container, of `rnet attach --detach`, of a hook or a CNI plugin.
 */
#ifndef RNET_RUNTIME_MONITOR_H
#define RNET_RUNTIME_MONITOR_H

#include <sys/types.h>

#include <rnet/runtime/keeper.h>

#define RN_MONITOR_NAME "rnet-monitor"

/*
 * Starts it and returns when the network is up, or waited for. Of the request nothing is taken
 * but take_entry, on success: all fds and the listeners stay the caller's. Not
 * for a link of the caller's; no notices. It is a child of the caller which
 * outlives it, in a session of its own, its stdio /dev/null, in "/".
 */
bool rn_monitor_spawn(const RnKeeperRequest *request, pid_t *out_pid,
                      GError **error) RN_CHECK;

/* The helper's main function; main() calls it by argv[0]. */
int rn_monitor_main(void);

#endif
