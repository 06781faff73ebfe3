/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inside - connected sockets of the container's namespace, for the relay
 *
 * Keeps a few spare sockets (inside-socket.h) that nsagent made, and connects
 * them itself: mostly the connection is there before the call returns. Where
 * the relay may not do that, or has no spare left, nsagent is asked for the
 * whole of it.
 */
#ifndef RNET_NET_INSIDE_H
#define RNET_NET_INSIDE_H

#include <rnet/net/agent-client.h>

typedef struct RnInside RnInside;

/* Connected: take_fd is the callee's, errno_value 0; or -1 and why not. */
typedef void (*RnInsideFunc)(int take_fd, int errno_value, void *data);

/* One connection on its way. Zero it; the members are inside.c's. */
typedef struct RnInsideAttempt {
    RnInside *inside; /* NULL: nothing is under way */
    uint64_t request;
    int fd; /* -1: not there yet */
    RnWatch watch;
    RnInsideFunc done;
    void *data;
} RnInsideAttempt;

/*
 * `agent` is borrowed. With `use_spares` false nsagent is asked for every
 * socket.
 */
RnInside *rn_inside_new(RnLoop *loop, RnAgentClient *agent,
                        bool use_spares) RN_CHECK;
void rn_inside_free(RnInside *inside);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnInside, rn_inside_free)

/*
 * A connection from `local` (port 0: any) to `remote`. Returns 0 and the
 * connected socket in *out_fd; or EINPROGRESS, and `done` is called from the
 * loop, unless rn_inside_cancel() is first; or another errno, and it failed:
 * EAGAIN for too many requests under way.
 */
int rn_inside_connect(RnInside *inside, RnInsideAttempt *attempt,
                      const RnEndpoint *local, const RnEndpoint *remote,
                      RnInsideFunc done, void *data, int *out_fd) RN_CHECK;

/* Closes what has come of it; harmless if nothing is under way. */
void rn_inside_cancel(RnInsideAttempt *attempt);

#endif
