/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame - parsing: bytes from the guest to an RnFrame
 *
 * Role:     the one place that reads headers of frames; total and bounded
 * Runs in:  the relay, on every frame of the link
 * Data:     bytes -> RnFrame that points into them; nothing is copied
 * Failure:  false: the frame contradicts itself and is to be dropped
 */
#include "config.h"

#include <rnet/net/frame.h>

#include <string.h>

#include <netinet/in.h>

#include <rnet/net/frame-fields.h>

/* minimum header lengths in bytes: RFC 791, 8200, 9293, 768 */
enum {
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    FRAGMENT_HEADER = 8,
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    PACKET_MAX = 65535,
};

enum {
    IPV4_MORE_FRAGMENTS = 0x2000,
    IPV4_OFFSET_MASK = 0x1fff,
};

static void set_address(RnEndpoint *endpoint, uint16_t family,
                        const uint8_t *address)
{
    *endpoint = (RnEndpoint){ .family = family };
    memcpy(endpoint->address, address, family == AF_INET ? 4 : 16);
}

static bool parse_tcp(RnFrame *frame)
{
    const uint8_t *tcp = frame->transport;
    gsize header = 0;

    if (frame->transport_length < TCP_HEADER)
        return false;
    header = (gsize)(tcp[12] >> 4) * 4;
    if (header < TCP_HEADER || header > frame->transport_length)
        return false;
    frame->tcp_flags = tcp[13];
    return true;
}

static bool parse_udp(RnFrame *frame)
{
    const uint8_t *udp = frame->transport;
    gsize length = 0;

    if (frame->transport_length < UDP_HEADER)
        return false;
    length = rn_get16(udp + 4);
    if (length < UDP_HEADER)
        return false;
    if (frame->is_fragment)
        return true;
    if (length > frame->transport_length)
        return false;
    frame->payload = udp + UDP_HEADER;
    frame->payload_length = length - UDP_HEADER;
    return true;
}

static bool parse_transport(RnFrame *frame)
{
    if (frame->is_fragment &&
        (frame->fragment_offset + frame->transport_length > PACKET_MAX ||
         frame->transport_length == 0))
        return false;
    if (frame->is_fragment && frame->fragment_offset > 0)
        return true;
    if (frame->protocol != IPPROTO_TCP && frame->protocol != IPPROTO_UDP)
        return true;
    if (frame->protocol == IPPROTO_TCP ? !parse_tcp(frame) : !parse_udp(frame))
        return false;
    frame->source.port = rn_get16(frame->transport);
    frame->destination.port = rn_get16(frame->transport + 2);
    return true;
}

static bool parse_ipv4(const uint8_t *ip, gsize available, RnFrame *frame)
{
    gsize header = 0, total = 0;
    uint16_t fragment = 0;

    if (available < IPV4_HEADER || ip[0] >> 4 != 4)
        return false;
    header = (gsize)(ip[0] & 0x0f) * 4;
    total = rn_get16(ip + 2);
    if (header < IPV4_HEADER || total < header || total > available)
        return false;
    if (rn_checksum_finish(rn_checksum_add(0, ip, header)) != 0)
        return false;

    fragment = rn_get16(ip + 6);
    frame->fragment_offset = (fragment & IPV4_OFFSET_MASK) * 8u;
    frame->more_fragments = (fragment & IPV4_MORE_FRAGMENTS) != 0;
    frame->is_fragment = frame->more_fragments || frame->fragment_offset > 0;
    frame->fragment_id = rn_get16(ip + 4);
    frame->protocol = ip[9];
    set_address(&frame->source, AF_INET, ip + 12);
    set_address(&frame->destination, AF_INET, ip + 16);
    frame->transport = ip + header;
    frame->transport_length = total - header;
    return parse_transport(frame);
}

/* RFC 8200, 4.5; the parser is behind the fixed header. */
static bool parse_fragment_header(RnFrame *frame)
{
    const uint8_t *header = frame->transport;
    uint16_t offset_and_flags = 0;

    if (frame->transport_length < FRAGMENT_HEADER)
        return false;
    offset_and_flags = rn_get16(header + 2);
    frame->protocol = header[0];
    frame->fragment_offset = offset_and_flags & 0xfff8u;
    frame->more_fragments = (offset_and_flags & 1) != 0;
    /* an "atomic" fragment (RFC 6946) is a whole packet */
    frame->is_fragment = frame->more_fragments || frame->fragment_offset > 0;
    frame->fragment_id = rn_get32(header + 4);
    frame->transport += FRAGMENT_HEADER;
    frame->transport_length -= FRAGMENT_HEADER;
    return true;
}

static bool is_extension_header(uint8_t protocol)
{
    return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
           protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS ||
           protocol == IPPROTO_MH || protocol == IPPROTO_AH;
}

static bool parse_ipv6(const uint8_t *ip, gsize available, RnFrame *frame)
{
    gsize length = 0;

    if (available < IPV6_HEADER || ip[0] >> 4 != 6)
        return false;
    length = rn_get16(ip + 4);
    if (length > available - IPV6_HEADER)
        return false;

    frame->protocol = ip[6];
    set_address(&frame->source, AF_INET6, ip + 8);
    set_address(&frame->destination, AF_INET6, ip + 24);
    frame->transport = ip + IPV6_HEADER;
    frame->transport_length = length;
    if (frame->protocol == IPPROTO_FRAGMENT && !parse_fragment_header(frame))
        return false;
    if (is_extension_header(frame->protocol))
        return false;
    return parse_transport(frame);
}

bool rn_frame_parse(const uint8_t *data, gsize length, RnFrame *out_frame)
{
    RnFrame frame = { .ether = data, .frame_length = length };
    bool ok = true;

    if (length < RN_ETHER_HEADER || length > RN_FRAME_MAX)
        return false;
    frame.ether_type = rn_get16(data + 12);
    if (frame.ether_type == RN_ETHER_TYPE_IPV4)
        ok = parse_ipv4(data + RN_ETHER_HEADER, length - RN_ETHER_HEADER,
                        &frame);
    else if (frame.ether_type == RN_ETHER_TYPE_IPV6)
        ok = parse_ipv6(data + RN_ETHER_HEADER, length - RN_ETHER_HEADER,
                        &frame);
    if (!ok)
        return false;
    *out_frame = frame;
    return true;
}

bool rn_frame_udp_checksum_ok(const RnFrame *frame)
{
    gsize length = UDP_HEADER + frame->payload_length;
    uint64_t sum = 0;

    if (rn_get16(frame->transport + 6) == 0)
        return frame->source.family == AF_INET;
    sum = rn_checksum_pseudo(&frame->source, &frame->destination, IPPROTO_UDP,
                             length);
    sum = rn_checksum_add(sum, frame->transport, length);
    return rn_checksum_finish(sum) == 0;
}
