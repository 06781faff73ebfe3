/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expose - ports of the host's loopback on the container's own
 *
 * The sockets that nsagent listens with on the namespace's loopback
 * (AGENT_EXPOSED) are accepted at here. Each client is connected to the host's
 * port on 127.0.0.1, if nobody listens there on ::1, and both are joined
 * (splice). Where nobody listens at all, or the host has no room, the client is
 * reset: it was connected already when that became known.
 */
#ifndef RNET_NET_EXPOSE_H
#define RNET_NET_EXPOSE_H

#include <rnet/net/splice.h>
#include <rnet/util/protocol.h>

typedef struct RnExpose RnExpose;

/*
 * Both are borrowed and outlive it, but for the splicer, which is freed first:
 * its flows report their end here.
 */
RnExpose *rn_expose_new(RnLoop *loop, RnSplicer *splicer) RN_CHECK;

/* Closes the listening sockets and resets the clients that wait. */
void rn_expose_free(RnExpose *expose);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnExpose, rn_expose_free)

/* Takes a listening socket, also on failure. */
bool rn_expose_add(RnExpose *expose, const RnExposedPort *port, int take_fd,
                   GError **error) RN_CHECK;

/* Clients that were accepted and are not joined yet. */
unsigned rn_expose_n_waiting(const RnExpose *expose);

#endif
