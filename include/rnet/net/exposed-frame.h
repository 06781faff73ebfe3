/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exposed-frame - exposed ports of the host's loopback, through libslirp
 *
 * For TCP that is not handed off. libslirp keeps the gateway closed, but
 * connects to whatever other destination a frame names: a segment to the
 * gateway's port of plan.exposed gets the host's loopback for its destination,
 * and its answers get the gateway back for their source. Pure, and without any
 * state; so of several ports that lead to one port of the host only the first
 * is open here, and IPv4 leads to 127.0.0.1 alone, IPv6 to ::1.
 */
#ifndef RNET_NET_EXPOSED_FRAME_H
#define RNET_NET_EXPOSED_FRAME_H

#include <rnet/net/frame.h>
#include <rnet/util/protocol.h>

/*
 * The frame of the guest as libslirp is to see it: its own bytes, or changed
 * ones in `buffer` (RN_FRAME_MAX), of the same length.
 */
const uint8_t *rn_exposed_frame_enter(const RnNetworkPlan *plan,
                                      const RnFrame *frame, uint8_t *buffer);

/* The same for a frame of libslirp's as the guest is to see it. */
const uint8_t *rn_exposed_frame_leave(const RnNetworkPlan *plan,
                                      const uint8_t *bytes, gsize length,
                                      uint8_t *buffer);

#endif
