/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attached - questions about a network that a dialect has made before
 */
#ifndef RNET_DIALECT_ATTACHED_H
#define RNET_DIALECT_ATTACHED_H

#include <jansson.h>

#include <rnet/runtime/network-target.h>

/* Is `state` (rn_network_ask()) that of a network of this namespace which is
 * up? */
bool rn_attached_to(const json_t *state, const RnNetworkTarget *target);

/* Is it that of a network which waits for the namespace of this process? */
bool rn_attached_waits(const json_t *state, pid_t pid);

/* Ends the network of `key`; that there is none is success. May be tried. */
bool rn_attached_end(const char *state_dir, const char *key, GError **error);

#endif
