/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-use - notices that a network namespace is used no more
 *
 * The kernel tells nobody of the end of a namespace, nor would it come: the
 * keeper's own fds and helpers hold it. What can be waited for are the end of
 * one process that is in it (then another is looked for) and changes around the
 * path: of its directory, of the mounts, of the process whose /proc it is in.
 */
#ifndef RNET_RUNTIME_NETWORK_USE_H
#define RNET_RUNTIME_NETWORK_USE_H

#include <sys/types.h>

#include <rnet/sys/loop.h>

typedef struct RnNetworkUse RnNetworkUse;

typedef struct RnNetworkUseRequest {
    dev_t dev; /* of the namespace */
    ino_t ino;
    const char *path;  /* that leads to it; NULL: none */
    bool until_unused; /* the processes in it count: the end has come when
                          there is none and the path does not lead there;
                          else the path alone */
    void (*ended)(void *data);
    void *data;
} RnNetworkUseRequest;

/*
 * Calls `ended` from `loop`, in the first turn if it is over already, perhaps
 * more than once. The caller and its children are no users.
 */
RnNetworkUse *rn_network_use_new(const RnNetworkUseRequest *request,
                                 RnLoop *loop, GError **error) RN_CHECK;

/* NULL is fine. */
void rn_network_use_free(RnNetworkUse *use);

#endif
