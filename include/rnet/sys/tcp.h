/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp - TCP sockets as a relay needs them
 */
#ifndef RNET_SYS_TCP_H
#define RNET_SYS_TCP_H

#include <rnet/util/inet.h>

/*
 * Begins to connect a non-blocking socket. Returns 0 if it is connected,
 * EINPROGRESS if that takes time (EPOLLOUT will tell), or the errno of why not.
 */
int rn_tcp_connect(int fd, const RnEndpoint *to) RN_CHECK;

/*
 * Whether a connected socket is its own peer. A connect to an address of this
 * host where nobody listens comes to that, once in a while, if the port is one
 * of those that connect(2) chooses from: the SYN meets itself (simultaneous
 * open). It was refused, rather.
 */
bool rn_tcp_is_own_peer(int fd);

/*
 * Options for a socket whose bytes are passed on as they come. Sockets that a
 * listener accepts have those of the listener (its TCP ones, too). A socket of
 * another kind stays as it is.
 */
void rn_tcp_tune(int fd);

#endif
