/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acceptor - takes the clients of listening TCP sockets, and stops in time
 *
 * For published and exposed ports. Clients that are accepted but not yet
 * connected to where they want to go are counted; while they are too many, or
 * fds are short, nobody is accepted and clients queue in the kernel.
 */
#ifndef RNET_NET_ACCEPTOR_H
#define RNET_NET_ACCEPTOR_H

#include <rnet/sys/loop.h>
#include <rnet/util/inet.h>

enum {
    RN_ACCEPTOR_WAITING_MAX = 2048, /* clients that wait */
};

typedef struct RnAcceptor RnAcceptor;
typedef struct RnAcceptorPort RnAcceptorPort; /* one listening socket */

/*
 * A client (non-blocking, CLOEXEC), the callee's, from `from`, of a port with
 * this `target`. True: it waits, until rn_acceptor_release() for its port,
 * which is called from the loop; false: it is dealt with.
 */
typedef bool (*RnAcceptFunc)(RnAcceptorPort *port, int take_client,
                             const RnEndpoint *from, const RnEndpoint *target,
                             void *data);

/* `loop` is borrowed. */
RnAcceptor *rn_acceptor_new(RnLoop *loop, RnAcceptFunc accepted,
                            void *data) RN_CHECK;

/* Closes the listening sockets. Nobody may be released afterwards. */
void rn_acceptor_free(RnAcceptor *acceptor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnAcceptor, rn_acceptor_free)

/*
 * Takes a listening socket, also on failure. Several may have one `id`;
 * `target` is only passed on.
 */
bool rn_acceptor_add(RnAcceptor *acceptor, uint32_t id,
                     const RnEndpoint *target, int take_fd,
                     GError **error) RN_CHECK;

/* Closes the sockets of an id, and returns how many; who waits goes on. */
unsigned rn_acceptor_remove(RnAcceptor *acceptor, uint32_t id);

/* One of the port's clients waits no longer; the port may be gone after it. */
void rn_acceptor_release(RnAcceptorPort *port);

/* A flow has ended: there may be room again. */
void rn_acceptor_resume(RnAcceptor *acceptor);

/* Whether accepting has stopped; it goes on by itself. */
bool rn_acceptor_is_paused(const RnAcceptor *acceptor);

/* The clients that wait. */
unsigned rn_acceptor_n_waiting(const RnAcceptor *acceptor);

#endif
