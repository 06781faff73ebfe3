/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-control - the keeper's side of the socket of its entry
 */
#ifndef RNET_RUNTIME_NETWORK_CONTROL_H
#define RNET_RUNTIME_NETWORK_CONTROL_H

#include <jansson.h>

#include <rnet/sys/loop.h>

typedef struct RnNetworkControl RnNetworkControl;

enum {
    RN_NETWORK_CONTROL_MAX = 32
}; /* connections; with one more the oldest is closed */

/* What a client may want; `data` is the keeper's. */
typedef struct RnNetworkControlCalls {
    json_t *(*describe)(void *data); /* a new reference */
    void (*detach)(void *data);
    /* Does the keeper wait for its namespace? Else nobody can give it one. NULL:
     * never. */
    bool (*is_waiting)(void *data);
    /* It is this one (borrowed). A failure is the end of the keeper. */
    bool (*attach)(void *data, int netns_fd, GError **error);
} RnNetworkControlCalls;

/*
 * Serves the connections of `listener` (non-blocking; a copy is kept: who waits
 * in its queue is told of the end, too). A client that breaks the protocol or does not read its answer loses its connection.
 */
RnNetworkControl *rn_network_control_new(int listener, RnLoop *loop,
                                         const RnNetworkControlCalls *calls,
                                         void *data, GError **error) RN_CHECK;

/* Closes all connections: whoever asked for the end knows then that it has
 * come. NULL is fine. */
void rn_network_control_free(RnNetworkControl *control);

#endif
