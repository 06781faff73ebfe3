/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * veth - a link without /dev/net/tun: a veth pair whose outer end is a socket
 *
 * What rn_tap_open() gives, from veth(4) and packet(7): an interface in a
 * network namespace, and an fd that has its frames.
 */
#ifndef RNET_SYS_VETH_H
#define RNET_SYS_VETH_H

#include <stdint.h>

#include <rnet/util/error.h>

/*
 * Creates the interface `name` with an MTU in bytes in the network namespace
 * that the caller is in, down, and returns the fd of its other end in *out_fd:
 * non-blocking, CLOEXEC, one whole Ethernet frame a read or write, with
 * complete checksums. The interface goes when the last copy of the fd is
 * closed. Needs CAP_NET_ADMIN and CAP_NET_RAW over the namespace, and
 * CAP_SYS_ADMIN in the caller's user namespace. Errors are RN_ERRNO, with a
 * hint where one is known.
 */
bool rn_veth_open(const char *name, uint32_t mtu, int *out_fd,
                  GError **error) RN_CHECK;

#endif
