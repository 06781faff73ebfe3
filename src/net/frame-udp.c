/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame-udp - building: a UDP payload to the frames that carry it; checksums and
 * the IPv6 header, which the other builders use, too
 *
 * Role:     the headers around a datagram of a published UDP port, written in
 *           front of the payload where it lies
 * Runs in:  the relay
 * Data:     payload with headroom -> frames -> sink, one after the other; the
 *           header of a fragment overwrites the end of the one before it,
 *           which is out already
 * Failure:  a payload that no packet can hold is dropped
 */
#include "config.h"

#include <rnet/net/frame.h>

#include <string.h>

#include <netinet/in.h>

#include <rnet/net/frame-fields.h>

enum {
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    FRAGMENT_HEADER = 8,
    UDP_HEADER = 8,
    PACKET_MAX = 65535,
    HOP_LIMIT = 64, /* RFC 1700's default TTL */
    IPV4_MORE_FRAGMENTS = 0x2000,
};

/* One piece of the IP payload (UDP header included), and where it goes. */
typedef struct Piece {
    uint8_t *data;
    gsize length, offset; /* bytes */
    bool is_fragment, is_last;
} Piece;

uint64_t rn_checksum_add(uint64_t sum, const void *data, gsize length)
{
    const uint8_t *bytes = data;
    uint64_t words = 0;

    /*
     * Words of 32 bits into 64: no carry is lost before 2^32 words, and by
     * RFC 1071, 2 (B) and (C), folding them later gives the 16-bit sum. Added
     * up in the host's byte order, in which the sum is the same with its bytes
     * exchanged.
     */
    for (; length >= 16; bytes += 16, length -= 16) {
        uint32_t four[4];

        memcpy(four, bytes, sizeof four);
        words += ((uint64_t)four[0] + four[1]) + ((uint64_t)four[2] + four[3]);
    }
    while (words >> 16 != 0)
        words = (words & 0xffff) + (words >> 16);
    sum += g_ntohs((uint16_t)words);
    for (; length >= 4; bytes += 4, length -= 4)
        sum += rn_get32(bytes);
    if (length >= 2) {
        sum += rn_get16(bytes);
        bytes += 2;
        length -= 2;
    }
    if (length > 0)
        sum += (uint64_t)bytes[0] << 8;
    return sum;
}

uint16_t rn_checksum_finish(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint64_t rn_checksum_pseudo(const RnEndpoint *source,
                            const RnEndpoint *destination, uint8_t protocol,
                            gsize transport_length)
{
    gsize address_length = source->family == AF_INET ? 4 : 16;
    uint64_t sum = (uint64_t)protocol + transport_length;

    sum = rn_checksum_add(sum, source->address, address_length);
    return rn_checksum_add(sum, destination->address, address_length);
}

/* All but the checksum, of which the sum over the pseudo header is returned. */
static uint64_t put_udp_fields(const RnUdpHeaders *headers, uint8_t *udp,
                               gsize length)
{
    rn_put16(udp, headers->source.port);
    rn_put16(udp + 2, headers->destination.port);
    rn_put16(udp + 4, (uint16_t)length);
    rn_put16(udp + 6, 0);
    return rn_checksum_pseudo(&headers->source, &headers->destination,
                              IPPROTO_UDP, length);
}

static void put_udp_header(const RnUdpHeaders *headers, uint8_t *udp,
                           gsize length)
{
    uint64_t sum = put_udp_fields(headers, udp, length);
    uint16_t checksum = rn_checksum_finish(rn_checksum_add(sum, udp, length));

    /* 0 says "no checksum", so that a sum of 0 is sent as its other form */
    rn_put16(udp + 6, checksum == 0 ? 0xffff : checksum);
}

void rn_frame_put_ipv6(uint8_t *ip, const RnIpv6Header *header)
{
    memset(ip, 0, IPV6_HEADER);
    ip[0] = 6 << 4;
    rn_put16(ip + 4, (uint16_t)header->length);
    ip[6] = header->protocol;
    ip[7] = header->hop_limit;
    memcpy(ip + 8, header->source->address, 16);
    memcpy(ip + 24, header->destination->address, 16);
}

static uint8_t *put_ipv4_header(const RnUdpHeaders *headers, const Piece *piece)
{
    uint8_t *ip = piece->data - IPV4_HEADER;
    uint16_t fragment = (uint16_t)(piece->offset / 8);

    if (!piece->is_last)
        fragment |= IPV4_MORE_FRAGMENTS;
    memset(ip, 0, IPV4_HEADER);
    ip[0] = 4 << 4 | IPV4_HEADER / 4;
    rn_put16(ip + 2, (uint16_t)(IPV4_HEADER + piece->length));
    rn_put16(ip + 4, (uint16_t)headers->id);
    rn_put16(ip + 6, fragment);
    ip[8] = HOP_LIMIT;
    ip[9] = IPPROTO_UDP;
    memcpy(ip + 12, headers->source.address, 4);
    memcpy(ip + 16, headers->destination.address, 4);
    rn_put16(ip + 10, rn_checksum_finish(rn_checksum_add(0, ip, IPV4_HEADER)));
    return ip;
}

static uint8_t *put_ipv6_header(const RnUdpHeaders *headers, const Piece *piece)
{
    gsize extra = piece->is_fragment ? FRAGMENT_HEADER : 0;
    uint8_t *ip = piece->data - extra - IPV6_HEADER;
    uint8_t *fragment = ip + IPV6_HEADER;

    rn_frame_put_ipv6(
        ip, &(RnIpv6Header){
                .source = &headers->source,
                .destination = &headers->destination,
                .protocol = piece->is_fragment ? IPPROTO_FRAGMENT : IPPROTO_UDP,
                .hop_limit = HOP_LIMIT,
                .length = extra + piece->length,
            });
    if (piece->is_fragment) {
        memset(fragment, 0, FRAGMENT_HEADER);
        fragment[0] = IPPROTO_UDP;
        rn_put16(fragment + 2,
                 (uint16_t)(piece->offset | (piece->is_last ? 0 : 1)));
        rn_put32(fragment + 4, headers->id);
    }
    return ip;
}

/* The Ethernet header in front of the IP header; returns where it begins. */
static uint8_t *put_ether_header(const RnUdpHeaders *headers, uint8_t *ip)
{
    uint8_t *ether = ip - RN_ETHER_HEADER;

    memcpy(ether, headers->destination_mac, 6);
    memcpy(ether + 6, headers->source_mac, 6);
    rn_put16(ether + 12, headers->source.family == AF_INET
                             ? RN_ETHER_TYPE_IPV4
                             : RN_ETHER_TYPE_IPV6);
    return ether;
}

static void send_piece(const RnUdpHeaders *headers, const Piece *piece,
                       RnFrameSink sink, void *sink_data)
{
    bool is_ipv4 = headers->source.family == AF_INET;
    uint8_t *ip = is_ipv4 ? put_ipv4_header(headers, piece)
                          : put_ipv6_header(headers, piece);
    uint8_t *ether = put_ether_header(headers, ip);

    sink(ether, (gsize)(piece->data - ether) + piece->length, sink_data);
}

bool rn_frame_send_udp(const RnUdpHeaders *headers, uint8_t *payload,
                       gsize length, RnFrameSink sink, void *sink_data)
{
    bool is_ipv4 = headers->source.family == AF_INET;
    gsize ip_header = is_ipv4 ? IPV4_HEADER : IPV6_HEADER;
    gsize total = UDP_HEADER + length;
    gsize room = 0;
    Piece piece = { .data = payload - UDP_HEADER,
                    .length = total,
                    .is_last = true };

    if (total + (is_ipv4 ? IPV4_HEADER : 0) > PACKET_MAX)
        return false;
    put_udp_header(headers, piece.data, total);
    if (ip_header + total <= headers->mtu) {
        send_piece(headers, &piece, sink, sink_data);
        return true;
    }

    if (!is_ipv4)
        ip_header += FRAGMENT_HEADER;
    /* all but the last carry a multiple of 8 bytes: RFC 791, RFC 8200 4.5 */
    room = (headers->mtu - ip_header) & ~(gsize)7;
    piece.is_fragment = true;
    for (; piece.offset < total; piece.offset += room, piece.data += room) {
        piece.length = MIN(room, total - piece.offset);
        piece.is_last = piece.offset + piece.length == total;
        send_piece(headers, &piece, sink, sink_data);
    }
    return true;
}

uint8_t *rn_frame_put_burst(const RnUdpHeaders *headers, uint8_t *payload,
                            gsize length)
{
    Piece piece = {
        .data = payload - UDP_HEADER,
        .length = UDP_HEADER + length,
        .is_last = true,
    };
    uint64_t sum = put_udp_fields(headers, piece.data, piece.length);
    uint8_t *ip = headers->source.family == AF_INET
                      ? put_ipv4_header(headers, &piece)
                      : put_ipv6_header(headers, &piece);

    /* what is completed is not complemented yet */
    rn_put16(piece.data + 6, (uint16_t)~rn_checksum_finish(sum));
    return put_ether_header(headers, ip);
}

bool rn_frame_udp_fits(const RnUdpHeaders *headers, gsize length)
{
    gsize ip_header =
        headers->source.family == AF_INET ? IPV4_HEADER : IPV6_HEADER;

    return ip_header + UDP_HEADER + length <= headers->mtu;
}
