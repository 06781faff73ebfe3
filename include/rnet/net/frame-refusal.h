/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame-refusal - the answer to a guest's SYN that gets no connection, and
 * ICMP errors about its UDP
 *
 * Pure. What a connect() in the guest comes to: a reset is ECONNREFUSED, the
 * ICMP errors (RFC 792, RFC 4443) are ENETUNREACH and EHOSTUNREACH; for
 * RN_REFUSAL_PROHIBITED EHOSTUNREACH over IPv4 and EACCES over IPv6.
 */
#ifndef RNET_NET_FRAME_REFUSAL_H
#define RNET_NET_FRAME_REFUSAL_H

#include <rnet/net/frame.h>
#include <rnet/util/protocol.h>

typedef enum RnRefusal {
    RN_REFUSAL_RESET,
    RN_REFUSAL_NO_NETWORK,
    RN_REFUSAL_NO_HOST,
    RN_REFUSAL_PROHIBITED,
    RN_REFUSAL_N_
} RnRefusal;

/* What the answer has to repeat of a SYN. */
typedef struct RnSyn {
    RnEndpoint source, destination;
    uint32_t sequence; /* host byte order */
} RnSyn;

/* The SYN in a frame whose tcp_flags say so. */
void rn_syn_from_frame(const RnFrame *frame, RnSyn *out_syn);

/* Hands the answer's frame to `sink`; ICMP errors come from the gateway. */
void rn_frame_refuse(const RnNetworkPlan *plan, const RnSyn *syn,
                     RnRefusal refusal, RnFrameSink sink, void *sink_data);

/* An ICMP or ICMPv6 error about a datagram of the guest. */
typedef struct RnUdpError {
    RnEndpoint from;                /* who tells it; the port does not matter */
    RnEndpoint source, destination; /* of the datagram, with ports */
    uint8_t type, code;             /* RFC 792, RFC 4443 */
} RnUdpError;

/*
 * The type and code that a refusal has for UDP, where RN_REFUSAL_RESET is
 * "port unreachable".
 */
void rn_refusal_get_icmp(RnRefusal refusal, uint16_t family, uint8_t *out_type,
                         uint8_t *out_code);

/*
 * Hands the error's frame to `sink`. It quotes the datagram's headers without
 * a payload, as much as RFC 792 asks for.
 */
void rn_frame_udp_error(const RnNetworkPlan *plan, const RnUdpError *error,
                        RnFrameSink sink, void *sink_data);

#endif
