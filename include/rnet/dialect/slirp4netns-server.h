/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-server - slirp4netns' API socket: its file and its clients
 */
#ifndef RNET_DIALECT_SLIRP4NETNS_SERVER_H
#define RNET_DIALECT_SLIRP4NETNS_SERVER_H

#include <sys/types.h>

#include <rnet/dialect/slirp4netns-api.h>
#include <rnet/sys/loop.h>

/*
 * The socket at a path. What is there already is removed, as the original does.
 * Its file is removed at the end by a process of its own, which waits for the
 * end of this one: so also when this one is in a sandbox that has no such
 * path, and when it was killed.
 */
typedef struct RnSlirpSocket {
    int listener;  /* non-blocking; -1: stolen */
    int lifeline;  /* its EOF makes the remover do its work */
    pid_t remover; /* 0: there is no socket */
} RnSlirpSocket;

bool rn_slirp_socket_open(const char *path, RnSlirpSocket *socket,
                          GError **error) RN_CHECK;

/* Returns when the file is gone; a zeroed one is fine. */
void rn_slirp_socket_close(RnSlirpSocket *socket);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnSlirpSocket, rn_slirp_socket_close)

/* What the requests are done with; `data` for both. */
typedef struct RnSlirpPorts {
    bool (*add)(const RnSlirpForward *forward, uint32_t *out_id, void *data,
                GError **error);
    bool (*remove)(uint32_t id, void *data, GError **error);
    void *data;
} RnSlirpPorts;

enum {
    RN_SLIRP_CLIENTS_MAX = 32 /* at a time: a further one takes the place of
                                 the one that came first */
};

typedef struct RnSlirpServer RnSlirpServer;

/*
 * Serves from `loop`, which outlives it. A client has all the time it wants; it
 * costs its buffers, and no other client waits for it. Takes the fd, also on
 * failure.
 */
RnSlirpServer *rn_slirp_server_new(int take_listener, RnLoop *loop,
                                   const RnNetworkPlan *plan,
                                   const RnSlirpPorts *ports,
                                   GError **error) RN_CHECK;

/* Closes all connections. NULL is fine. */
void rn_slirp_server_free(RnSlirpServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnSlirpServer, rn_slirp_server_free)

#endif
