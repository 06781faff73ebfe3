/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reassembly - a few places where fragments are appended to each other
 *
 * Role:     fragments -> datagram; pure, time is an argument
 * Runs in:  the relay
 * Limits:   RN_REASSEMBLY_MAX places, 64 KiB each, which the parser's check of
 *           offsets guarantees; RN_REASSEMBLY_MS from the first fragment on
 * Failure:  the datagram is dropped
 */
#include "config.h"

#include <rnet/net/reassembly.h>

#include <string.h>

#include <netinet/in.h>

#include <rnet/net/frame-fields.h>

enum {
    UDP_HEADER = 8,
    IPV4_HEADER = 20, /* without options, RFC 791, 3.1, as the offsets are */
    IPV4_LENGTH = 2,
    IPV4_FRAGMENT = 6,
    IPV4_CHECKSUM = 10,
};

typedef struct Place {
    bool is_open;
    RnEndpoint source, destination; /* with ports */
    uint32_t id;
    int64_t begun_ms;
    GByteArray *bytes; /* behind the IP header, so far */
} Place;

struct RnReassembly {
    Place places[RN_REASSEMBLY_MAX];
};

RnReassembly *rn_reassembly_new(void)
{
    RnReassembly *reassembly = g_new0(RnReassembly, 1);

    for (unsigned i = 0; i < RN_REASSEMBLY_MAX; i++)
        reassembly->places[i].bytes = g_byte_array_new();
    return reassembly;
}

void rn_reassembly_free(RnReassembly *reassembly)
{
    if (reassembly == NULL)
        return;
    for (unsigned i = 0; i < RN_REASSEMBLY_MAX; i++)
        g_byte_array_unref(reassembly->places[i].bytes);
    g_free(reassembly);
}

static Place *find_place(RnReassembly *reassembly, const RnFrame *fragment,
                         int64_t now_ms)
{
    for (unsigned i = 0; i < RN_REASSEMBLY_MAX; i++) {
        Place *place = &reassembly->places[i];

        if (place->is_open && now_ms - place->begun_ms >= RN_REASSEMBLY_MS)
            place->is_open = false;
        if (place->is_open && place->id == fragment->fragment_id &&
            rn_endpoint_same_address(&place->source, &fragment->source) &&
            rn_endpoint_same_address(&place->destination,
                                     &fragment->destination))
            return place;
    }
    return NULL;
}

static Place *open_place(RnReassembly *reassembly, const RnFrame *fragment,
                         int64_t now_ms)
{
    Place *chosen = &reassembly->places[0];

    for (unsigned i = 0; i < RN_REASSEMBLY_MAX; i++) {
        Place *place = &reassembly->places[i];

        if (!place->is_open) {
            chosen = place;
            break;
        }
        if (place->begun_ms < chosen->begun_ms)
            chosen = place;
    }
    chosen->is_open = true;
    chosen->source = fragment->source;
    chosen->destination = fragment->destination;
    chosen->id = fragment->fragment_id;
    chosen->begun_ms = now_ms;
    g_byte_array_set_size(chosen->bytes, 0);
    return chosen;
}

/* Checks a complete datagram as the parser does one that came whole. */
static void finish(const Place *place, RnDatagram *whole)
{
    RnFrame frame = {
        .source = place->source,
        .destination = place->destination,
        .transport = place->bytes->data,
        .transport_length = place->bytes->len,
        .payload_length = place->bytes->len - UDP_HEADER,
    };

    if (rn_get16(frame.transport + 4) != frame.transport_length ||
        !rn_frame_udp_checksum_ok(&frame))
        return;
    *whole = (RnDatagram){
        .source = place->source,
        .destination = place->destination,
        .payload = frame.transport + UDP_HEADER,
        .length = frame.payload_length,
    };
}

/* False: nobody waits for it. *out_whole: its place, if it was the last one. */
static bool append(RnReassembly *reassembly, const RnFrame *fragment,
                   int64_t now_ms, Place **out_whole)
{
    Place *place = find_place(reassembly, fragment, now_ms);

    *out_whole = NULL;
    if (place == NULL && fragment->fragment_offset > 0)
        return false;
    if (place == NULL)
        place = open_place(reassembly, fragment, now_ms);

    /* a gap, an overlap, or a middle part that could not be followed */
    if (fragment->fragment_offset != place->bytes->len ||
        (fragment->more_fragments && fragment->transport_length % 8 != 0)) {
        place->is_open = false;
        return true;
    }
    g_byte_array_append(place->bytes, fragment->transport,
                        (guint)fragment->transport_length);
    if (!fragment->more_fragments) {
        place->is_open = false;
        *out_whole = place;
    }
    return true;
}

bool rn_reassembly_add(RnReassembly *reassembly, const RnFrame *fragment,
                       int64_t now_ms, RnDatagram *out_whole)
{
    Place *whole = NULL;

    out_whole->payload = NULL;
    if (fragment->protocol != IPPROTO_UDP ||
        !append(reassembly, fragment, now_ms, &whole))
        return false;
    if (whole != NULL)
        finish(whole, out_whole);
    return true;
}

gsize rn_reassembly_add_ping(RnReassembly *reassembly, const RnFrame *fragment,
                             int64_t now_ms, uint8_t *buffer)
{
    uint8_t *ip = buffer + RN_ETHER_HEADER;
    Place *whole = NULL;
    gsize length = 0;

    if (fragment->protocol != IPPROTO_ICMP ||
        fragment->source.family != AF_INET ||
        !append(reassembly, fragment, now_ms, &whole) || whole == NULL ||
        whole->bytes->len > UINT16_MAX - IPV4_HEADER)
        return 0;
    length = IPV4_HEADER + whole->bytes->len;
    memcpy(buffer, fragment->ether, RN_ETHER_HEADER + IPV4_HEADER);
    ip[0] = 4 << 4 | IPV4_HEADER / 4;
    rn_put16(ip + IPV4_LENGTH, (uint16_t)length);
    rn_put16(ip + IPV4_FRAGMENT, 0);
    rn_put16(ip + IPV4_CHECKSUM, 0);
    rn_put16(ip + IPV4_CHECKSUM,
             rn_checksum_finish(rn_checksum_add(0, ip, IPV4_HEADER)));
    memcpy(ip + IPV4_HEADER, whole->bytes->data, whole->bytes->len);
    return RN_ETHER_HEADER + length;
}
