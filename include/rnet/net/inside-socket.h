/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inside-socket - a TCP socket of the container's namespace, in two halves
 *
 * The first half makes a socket that may bind to any address and port,
 * whatever the container listens on; it takes a process in the namespace with
 * CAP_NET_ADMIN. The second half binds and connects it; that takes CAP_NET_ADMIN
 * over the socket's namespace, which the owner of the container's user
 * namespace has from outside, too (user_namespaces(7), "Capabilities", rule 3).
 *
 * How it can bind to an address and port that a listener of the container
 * covers: a socket in repair mode (tcp(7) has no word on it; TCP_REPAIR in the
 * kernel's net/ipv4/tcp.c) skips the check for conflicts. It leaves that mode
 * before it connects, so the handshake is the usual one.
 */
#ifndef RNET_NET_INSIDE_SOCKET_H
#define RNET_NET_INSIDE_SOCKET_H

#include <rnet/util/inet.h>

/*
 * A spare: non-blocking, CLOEXEC, transparent (ip(7), IP_TRANSPARENT), tuned
 * (rn_tcp_tune()), in repair mode. Returns the fd, or -1 with a positive errno in *out_errno.
 */
int rn_inside_socket_new(uint16_t family, int *out_errno) RN_CHECK;

/*
 * Binds a spare to `local` (AF_UNSPEC: the kernel's choice; port 0: any port)
 * and begins to connect it to `remote`. Returns 0 (connected), EINPROGRESS, or
 * the errno of what failed: EPERM if the caller may not use spares, EADDRINUSE
 * or EADDRNOTAVAIL if these two ends have a connection already.
 */
int rn_inside_socket_connect(int fd, const RnEndpoint *local,
                             const RnEndpoint *remote) RN_CHECK;

/*
 * Whether the caller may use spares: takes one out of repair mode, after which
 * it is of no use. False: they are for nsagent alone.
 */
bool rn_inside_socket_is_usable(int fd);

#endif
