/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame-icmp6 - ICMPv6 messages (RFC 4443) for the guest, as frames
 *
 * Pure. As with rn_frame_send_udp() the headers are written in place, in front
 * of the message, and the frame is only valid while `sink` is called.
 */
#ifndef RNET_NET_FRAME_ICMP6_H
#define RNET_NET_FRAME_ICMP6_H

#include <rnet/net/frame.h>

enum {
    RN_ICMP6_HEADER = 8, /* bytes, of echo and of error messages */

    /* bytes before a message: Ethernet and IPv6 */
    RN_ICMP6_HEADROOM = RN_ETHER_HEADER + 40,
    /* ... before a request that an error quotes: ICMPv6 and IPv6 more */
    RN_ICMP6_ERROR_HEADROOM = RN_ICMP6_HEADROOM + RN_ICMP6_HEADER + 40,

    /* so that an error fits IPv6's least MTU, RFC 4443, 2.4 (c) */
    RN_ICMP6_QUOTED_MAX = 1280 - 40 - RN_ICMP6_HEADER - 40,
};

/* What is put in front of a message. */
typedef struct RnIcmp6Headers {
    RnEndpoint source, destination;
    const uint8_t *source_mac, *destination_mac; /* 6 bytes each */
    uint8_t hop_limit;
} RnIcmp6Headers;

/* An error about a request that its reader had sent. */
typedef struct RnIcmp6Error {
    uint8_t type, code;     /* RFC 4443, 3 */
    uint8_t hop_limit;      /* of the request */
    RnEndpoint destination; /* of the request */
} RnIcmp6Error;

/* Whether the checksum of an ICMPv6 message that is no fragment holds. */
bool rn_icmp6_checksum_ok(const RnFrame *frame);

/*
 * Sends a message, at least RN_ICMP6_HEADER bytes, whose checksum is filled
 * in. RN_ICMP6_HEADROOM bytes before it must be writable.
 */
void rn_icmp6_send(const RnIcmp6Headers *headers, uint8_t *message,
                   gsize length, RnFrameSink sink, void *sink_data);

/*
 * Sends an error that quotes `request`, an ICMPv6 message which is cut to
 * RN_ICMP6_QUOTED_MAX; RN_ICMP6_ERROR_HEADROOM bytes before it must be
 * writable.
 */
void rn_icmp6_send_error(const RnIcmp6Headers *headers,
                         const RnIcmp6Error *error, uint8_t *request,
                         gsize length, RnFrameSink sink, void *sink_data);

#endif
