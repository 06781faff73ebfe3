/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sock-diag - the sockets of a network namespace, sock_diag(7)
 */
#ifndef RNET_SYS_SOCK_DIAG_H
#define RNET_SYS_SOCK_DIAG_H

#include <rnet/sys/netlink.h>

/* A socket that asks about the network namespace of the moment. Errors as in
 * netlink.h. */
RnNetlink *rn_sock_diag_open(GError **error) RN_CHECK;

typedef void (*RnListeningFunc)(const RnEndpoint *endpoint, void *data);

/*
 * Calls func for each TCP socket that listens, both families; an IPv4-mapped
 * address is told as IPv4. The same endpoint may come more than once. ENOENT,
 * with a hint: the kernel has no tcp_diag.
 */
bool rn_sock_diag_listening(RnNetlink *diag, RnListeningFunc func, void *data,
                            GError **error) RN_CHECK;

#endif
