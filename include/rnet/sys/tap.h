/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tap - a TAP interface: Ethernet frames of a namespace as reads and writes
 *
 * Documentation/networking/tuntap.rst of the kernel.
 */
#ifndef RNET_SYS_TAP_H
#define RNET_SYS_TAP_H

#include <rnet/util/error.h>

/*
 * Creates the interface `name` in the network namespace that the caller is in,
 * or attaches to the TAP of that name that is there, persistent (`ip tuntap
 * add`) and held by nobody, and returns its fd in *out_fd: non-blocking, CLOEXEC, one frame a read or
 * write, behind a struct virtio_net_hdr (linux/virtio_net.h, 10 bytes) in the
 * host's byte order and without packet information. The kernel fills the
 * header with zeros; written, it can tell of a burst of UDP datagrams. The
 * interface goes, unless it is persistent, when the last copy of the fd is
 * closed. Needs CAP_NET_ADMIN over the namespace, and
 * /dev/net/tun. Errors are RN_ERRNO, with a hint where one is known.
 */
bool rn_tap_open(const char *name, int *out_fd, GError **error) RN_CHECK;

/* True if /dev/net/tun can be opened; else the error of rn_tap_open(). */
bool rn_tap_is_usable(GError **error) RN_CHECK;

typedef enum RnTapStep {
    RN_TAP_OPEN,   /* open(2) of /dev/net/tun */
    RN_TAP_CREATE, /* TUNSETIFF */
    RN_TAP_N_
} RnTapStep;

/*
 * Sets the error of rn_tap_open() for a step that failed with errno_value.
 * Pure, so that each message can be tested. Always false.
 */
bool rn_tap_explain(RnTapStep step, int errno_value, const char *name,
                    GError **error);

#endif
