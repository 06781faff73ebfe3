/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame - Ethernet frames as data: parse what comes in, build UDP that goes out
 *
 * Pure. Parsing is total: whatever the bytes are, it either fails or fills an
 * RnFrame whose pointers and lengths lie inside them. Understood are ARP, IPv4
 * (RFC 791), IPv6 (RFC 8200) with at most a fragment header, TCP (RFC 9293)
 * and UDP (RFC 768); everything else is "other" or refused.
 */
#ifndef RNET_NET_FRAME_H
#define RNET_NET_FRAME_H

#include <sys/uio.h>

#include <rnet/util/inet.h>

enum {
    RN_ETHER_HEADER = 14, /* bytes: two MACs and the EtherType */
    RN_ETHER_TYPE_IPV4 = 0x0800,
    RN_ETHER_TYPE_ARP = 0x0806,
    RN_ETHER_TYPE_IPV6 = 0x86dd,

    /* the largest frame on a link whose MTU is below 65536 */
    RN_FRAME_MAX = RN_ETHER_HEADER + 65535,

    /* the most before a UDP payload: Ethernet, IPv6, fragment, UDP */
    RN_FRAME_HEADROOM = RN_ETHER_HEADER + 40 + 8 + 8,

    /* RFC 768: a 16-bit length that includes the header's 8 bytes */
    RN_UDP_PAYLOAD_MAX = 65535 - 8,
};

/* TCP control bits, RFC 9293, 3.1 */
enum {
    RN_TCP_FIN = 0x01,
    RN_TCP_SYN = 0x02,
    RN_TCP_RST = 0x04,
    RN_TCP_ACK = 0x10,
};

/* A parsed frame; all pointers point into the bytes that were parsed. */
typedef struct RnFrame {
    const uint8_t *ether; /* the Ethernet header */
    gsize frame_length;   /* bytes, all of it */
    uint16_t ether_type;

    /*
     * For IPv4 and IPv6, AF_UNSPEC otherwise. The ports are those of TCP and
     * UDP, 0 for other protocols and for fragments that are not the first.
     */
    RnEndpoint source, destination;
    uint8_t protocol; /* IPPROTO_*, behind an IPv6 fragment header */

    bool is_fragment; /* one part of a larger packet */
    bool more_fragments;
    uint32_t fragment_id;
    uint32_t fragment_offset; /* bytes */

    /* behind the IP headers, without Ethernet padding */
    const uint8_t *transport;
    gsize transport_length;

    /* behind the UDP header; only for UDP that is no fragment */
    const uint8_t *payload;
    gsize payload_length;

    uint8_t tcp_flags; /* RN_TCP_*; only for TCP, first fragments included */
} RnFrame;

/*
 * False for a frame that is truncated or contradicts itself: an IP length
 * beyond the frame, a header length below the minimum, a TCP or UDP header
 * that does not fit, a UDP length beyond the packet, a fragment that would end
 * beyond 65535 bytes, a wrong IPv4 header checksum, an IPv6 extension header
 * other than the fragment header. The checksums of TCP and UDP are not
 * looked at; see rn_frame_udp_checksum_ok().
 */
bool rn_frame_parse(const uint8_t *data, gsize length,
                    RnFrame *out_frame) RN_CHECK;

/*
 * Whether the checksum of a UDP packet that is no fragment holds. IPv4 may
 * leave it out (0), IPv6 must not (RFC 8200, 8.1).
 */
bool rn_frame_udp_checksum_ok(const RnFrame *frame);

/*
 * The Internet checksum (RFC 1071) in parts: add up pieces that start at even
 * offsets, then finish. The result is in host byte order.
 */
uint64_t rn_checksum_add(uint64_t sum, const void *data, gsize length);
uint16_t rn_checksum_finish(uint64_t sum);

/* The sum over the pseudo header of TCP and UDP (RFC 9293, RFC 8200). */
uint64_t rn_checksum_pseudo(const RnEndpoint *source,
                            const RnEndpoint *destination, uint8_t protocol,
                            gsize transport_length);

/* What an IPv6 header (RFC 8200, 3) of rn_frame_put_ipv6() says. */
typedef struct RnIpv6Header {
    const RnEndpoint *source, *destination;
    uint8_t protocol; /* of what follows */
    uint8_t hop_limit;
    gsize length; /* bytes of what follows, at most 65535 */
} RnIpv6Header;

/* Writes the 40 bytes; traffic class and flow label are 0. */
void rn_frame_put_ipv6(uint8_t *ip, const RnIpv6Header *header);

/* Takes one frame of rn_frame_send_udp(); it is only valid during the call. */
typedef void (*RnFrameSink)(const uint8_t *frame, gsize length, void *data);

/* What rn_frame_send_udp() puts around a payload. */
typedef struct RnUdpHeaders {
    RnEndpoint source, destination;              /* of one family, with ports */
    const uint8_t *source_mac, *destination_mac; /* 6 bytes each */
    uint32_t mtu; /* bytes of IP packet a frame can hold, 68 to 65535 */
    uint32_t id;  /* of the IP packet, for its fragments */
} RnUdpHeaders;

/*
 * Hands the frame, or the fragments, of one UDP datagram to `sink`. The
 * headers are written in place: RN_FRAME_HEADROOM bytes before `payload` must
 * be writable, and where fragments are needed the payload is overwritten as
 * they go out. `length` is at most RN_UDP_PAYLOAD_MAX; what does not fit the
 * family's packet (65507 bytes in IPv4) is dropped: false.
 */
bool rn_frame_send_udp(const RnUdpHeaders *headers, uint8_t *payload,
                       gsize length, RnFrameSink sink, void *sink_data);

/*
 * Datagrams of one flow as one frame that is larger than any packet need be:
 * the reader's kernel takes it apart (generic segmentation offload). All have
 * `segment` bytes of payload, but the last, which may have less.
 */
typedef struct RnFrameBurst {
    const struct iovec *parts; /* the first begins with the headers */
    unsigned n_parts;          /* at most RN_BURST_PARTS_MAX */
    gsize headers;             /* bytes of Ethernet, IP and UDP header */
    uint16_t segment;
} RnFrameBurst;

enum {
    RN_BURST_PARTS_MAX = 64,

    /* bytes of payload that both families' packets can hold together */
    RN_BURST_PAYLOAD_MAX = 65535 - 20 - 8,
};

/*
 * Takes one burst, which is only valid during the call. False: it cannot take
 * any, and the datagrams have to be sent one by one.
 */
typedef bool (*RnBurstSink)(const RnFrameBurst *burst, void *data);

/*
 * Writes the headers of a burst in front of its first payload, where
 * RN_FRAME_HEADROOM bytes must be writable, and returns where they begin. The
 * lengths are those of the whole, `length` bytes of payload; the UDP checksum
 * covers the pseudo header only, the reader completes it for each datagram.
 */
uint8_t *rn_frame_put_burst(const RnUdpHeaders *headers, uint8_t *payload,
                            gsize length);

/* Whether a datagram fits one packet of headers->mtu bytes. */
bool rn_frame_udp_fits(const RnUdpHeaders *headers, gsize length);

#endif
