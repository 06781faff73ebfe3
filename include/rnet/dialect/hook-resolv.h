/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-resolv - the name servers of a container that rnet hook gave a network
 *
 * Podman makes no /etc/resolv.conf for --network none, and refuses --dns there.
 */
#ifndef RNET_DIALECT_HOOK_RESOLV_H
#define RNET_DIALECT_HOOK_RESOLV_H

#include <rnet/runtime/network-wish.h>

/*
 * Writes /etc/resolv.conf into the root file system of the bundle (an absolute
 * path), unless the container's engine sees to it: a file that has a byte stays
 * as it is, and so does one that config.json mounts. Nothing outside of the
 * root is touched, whatever links it has. With dns=none nothing is done.
 */
bool rn_hook_write_resolv(const char *bundle, const RnNetworkWish *wish,
                          GError **error) RN_CHECK;

#endif
