/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper - a network of a namespace that something else made, and its end
 *
 * Runs in a foreground `rnet attach`, in the slirp4netns dialect and in the
 * detached monitor: brings the network up, serves the socket of its entry, and
 * notices when it is over. The network's end is the end of the process, of the
 * namespace (no process is in it, no path leads to it), an event on a fd, a
 * signal to the keeper, or CONTROL_DETACH; what counts, the request says. The
 * end of a link of the caller's counts always.
 *
 * What CONTROL_STATE has:
 *     { "key": "hook@web", "up": true, "handoff": true, "pid": 4711 (of the
 *       process, if there is one), "monitor": 4712, "netns": "DEV-INO",
 *       "interface": "tap0", "mac": "02:...", "mtu": 65520,
 *       "guest": ["10.0.2.100/24", "fd00::100/64"],
 *       "gateway": ["10.0.2.2", ...], "dns": ["10.0.2.3", ...],
 *       "ports": [{ "id": 1, "host": "0.0.0.0", "hostPort": 8080,
 *                   "guest": "", "guestPort": 80, "protocol": "tcp" }] }
 * While the namespace is waited for there is no "netns", and "up" is false.
 */
#ifndef RNET_RUNTIME_KEEPER_H
#define RNET_RUNTIME_KEEPER_H

#include <rnet/net/network.h>
#include <rnet/runtime/network-entry.h>
#include <rnet/runtime/network-target.h>

typedef struct RnKeeper RnKeeper;

typedef struct RnKeeperRequest {
    RnNetworkRequest network; /* but for link_ended, which is the keeper's */
    /* borrowed, like all of these; -1 with network.take_link. Without either
     * the network is started as soon as somebody hands its namespace over by
     * rn_network_hand_over(); that takes an entry */
    int netns_fd;
    int userns_fd;          /* -1: the caller's own */
    int pidfd;              /* its end is the network's; -1 */
    int exit_fd;            /* any event on it is the network's end; -1 */
    const char *netns_path; /* when it leads to the namespace no longer, the
                               network ends; NULL */
    bool until_unused;  /* when no process is in the namespace and netns_path
                          does not lead to it, the network ends */
    bool heeds_signals; /* SIGTERM, SIGINT, SIGHUP are the network's end. They
                           have to be blocked: rn_keeper_block_signals() */
    RnNetworkEntry *take_entry; /* NULL: it has none */
    const char *key;            /* of the entry; NULL without */
} RnKeeperRequest;

/* Blocks SIGTERM, SIGINT, SIGHUP and SIGPIPE in this process (its helpers do
 * not inherit that). */
bool rn_keeper_block_signals(GError **error) RN_CHECK;

/*
 * Starts the network and returns when it is up, or waited for, supervised from
 * `loop`, which outlives it. The loop quits (rn_loop_quit()) at the end of the network.
 */
RnKeeper *rn_keeper_new(const RnKeeperRequest *request, RnLoop *loop,
                        GError **error) RN_CHECK;

/* Borrowed; for publishing later. */
RnNetwork *rn_keeper_network(const RnKeeper *keeper);

/* The signal that ended it, or 0 for another reason. */
int rn_keeper_ended_by(const RnKeeper *keeper);

/* Ends the network, removes the entry. NULL is fine. */
void rn_keeper_free(RnKeeper *keeper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnKeeper, rn_keeper_free)

#endif
