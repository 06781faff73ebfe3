/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-target - a network namespace that something else made
 */
#ifndef RNET_RUNTIME_NETWORK_TARGET_H
#define RNET_RUNTIME_NETWORK_TARGET_H

#include <sys/types.h>

#include <rnet/util/error.h>

typedef struct RnNetworkTarget {
    int netns_fd;
    int userns_fd; /* the user namespace that owns it; -1: the caller's own */
    int pidfd;     /* -1: named by a path */
    pid_t pid;     /* 0: named by a path */
    char *path;    /* absolute; NULL: named by a pid */
    dev_t dev;     /* the namespace's identity, as stat(2) has it */
    ino_t ino;
} RnNetworkTarget;

/*
 * Opens the network namespace of a process ("1234") or at a path
 * ("/run/netns/web", "/proc/1234/ns/net") and finds the user namespace that
 * owns it (ioctl_ns(2), NS_GET_USERNS). Refuses what is no network namespace,
 * the caller's own, and one that the caller may not enter: each error says
 * which, with a hint. *target is initialised in any case.
 */
bool rn_network_target_open(const char *word, RnNetworkTarget *target,
                            GError **error) RN_CHECK;

/* The same for a pid. */
bool rn_network_target_open_pid(pid_t pid, RnNetworkTarget *target,
                                GError **error) RN_CHECK;

/* For one that is open already (borrowed); `userns_path` may be NULL. */
bool rn_network_target_from_fd(int netns_fd, const char *userns_path,
                               RnNetworkTarget *target,
                               GError **error) RN_CHECK;

void rn_network_target_clear(RnNetworkTarget *target);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnNetworkTarget, rn_network_target_clear)

/*
 * A pidfd of any process that is in the namespace; *out_pidfd -1: there is none.
 * Those in `but` (n pids) and their children do not count: they are the
 * caller's own and its helpers. /proc is searched; a process that this one may
 * not look at is not found.
 */
bool rn_network_target_find_user(dev_t dev, ino_t ino, const pid_t *but,
                                 unsigned n, int *out_pidfd,
                                 GError **error) RN_CHECK;

#endif
