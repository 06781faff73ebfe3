/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-out-error - the sockets of udp-out, and what goes wrong with them
 *
 * The sockets queue ICMP errors (IP_RECVERR, ip(7)), since without that an
 * unconnected socket is not told of any.
 */
#ifndef RNET_NET_UDP_OUT_ERROR_H
#define RNET_NET_UDP_OUT_ERROR_H

#include <rnet/net/frame.h>
#include <rnet/util/protocol.h>

/* An unconnected UDP socket of one family only; -1 and errno. */
int rn_udp_out_socket(uint16_t family);

/* The TTL, or hop limit, of what is sent from now on. */
void rn_udp_out_set_hop_limit(int fd, uint16_t family, uint8_t hop_limit);

/*
 * Passes at most `max` queued ICMP errors on, about datagrams of `guest`, as
 * frames from the router that sent them, if that can be shown. Takes the
 * socket's pending error off it as well.
 */
void rn_udp_out_pass_errors(const RnNetworkPlan *plan, int fd,
                            const RnEndpoint *guest, unsigned max,
                            RnFrameSink sink, void *sink_data);

/* Answers, as the gateway, a datagram that could not be sent: errno_value. */
void rn_udp_out_refuse(const RnNetworkPlan *plan, const RnEndpoint *guest,
                       const RnEndpoint *destination, int errno_value,
                       RnFrameSink sink, void *sink_data);

#endif
