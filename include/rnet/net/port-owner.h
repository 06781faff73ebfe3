/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port-owner - who has a port of this network namespace, from /proc
 *
 * proc(5): /proc/net/{tcp,udp}{,6} names the socket's inode and user, the links
 * in /proc/PID/fd the process, but only to that process's user (and root).
 */
#ifndef RNET_NET_PORT_OWNER_H
#define RNET_NET_PORT_OWNER_H

#include <rnet/util/protocol.h>

/*
 * The socket that keeps `endpoint` (family, address and port) from being bound,
 * for an error message: "\"nginx\" (pid 123)", "a process of user 33" where
 * its process cannot be seen, or NULL if there is none. The caller's. Bounded
 * on hosts of any size; never fails.
 */
char *rn_port_owner_describe(RnTransport transport,
                             const RnEndpoint *endpoint) RN_CHECK;

#endif
