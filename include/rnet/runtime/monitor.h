/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor - the network of a container that runs without its launcher
 *
 * A process of its own ("rnet-monitor") that does what the launcher of a
 * foreground `rnet run` does: it holds the link, the listeners and the
 * namespaces, and keeps nsagent and the relay running, until init ends.
 */
#ifndef RNET_RUNTIME_MONITOR_H
#define RNET_RUNTIME_MONITOR_H

#include <sys/types.h>

#include <rnet/util/protocol.h>

#define RN_MONITOR_NAME "rnet-monitor"

typedef struct RnMonitorRequest {
    const RnNetworkPlan *plan;
    const GArray *ranges;    /* of RnPortRange */
    const GArray *listeners; /* of RnListener; NULL: none */
    int pidfd;               /* of init: its end is the network's */
    int netns_fd;
    int userns_fd; /* -1: the caller's */
} RnMonitorRequest;

/*
 * Starts it and returns when the network is up. All fds stay the caller's.
 * It is a child of the caller which outlives it.
 */
bool rn_monitor_spawn(const RnMonitorRequest *request, pid_t *out_pid,
                      GError **error) RN_CHECK;

/* The helper's main function; main() calls it by argv[0]. */
int rn_monitor_main(void);

#endif
