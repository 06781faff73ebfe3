/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach - gives a network to a namespace that something else made
 *
 * What `rnet attach`, the hook and the CNI plugin share: listeners are opened,
 * the entry is made, and the network is kept by a detached monitor or by this
 * process.
 */
#ifndef RNET_RUNTIME_ATTACH_H
#define RNET_RUNTIME_ATTACH_H

#include <rnet/runtime/keeper.h>
#include <rnet/runtime/network-wish.h>

typedef struct RnAttachRequest {
    const char *state_dir;
    const char *key;           /* network-entry.h */
    const RnNetworkWish *wish; /* its plan may have been changed by a dialect */
    const RnNetworkTarget *target;
    bool until_unused;
    int exit_fd; /* -1: none */
    /* ports that rnet picked; in the foreground those of auto-publish, too;
     * NULL: nobody asks */
    void (*notice)(const char *line);
} RnAttachRequest;

/*
 * Returns when the network is up; it is left to a monitor. A target with a
 * pidfd alone has a namespace that only its own processes can open: then this
 * returns when the ports are bound and the monitor waits, until the process
 * ends, for rn_network_hand_over() to bring the namespace. RN_ERROR_EXISTS if
 * the key is taken or the namespace has a network of rnet's, whoever made it.
 */
bool rn_attach_detached(const RnAttachRequest *request,
                        GError **error) RN_CHECK;

/*
 * Keeps the network in this process until it is over. `ready` is called once
 * it is up; false from it ends all. *out_signal: what ended it, or 0.
 */
typedef bool (*RnAttachReady)(void *data, GError **error);
bool rn_attach_foreground(const RnAttachRequest *request, RnAttachReady ready,
                          void *data, int *out_signal, GError **error) RN_CHECK;

#endif
