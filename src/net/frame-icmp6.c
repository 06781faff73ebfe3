/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame-icmp6 - building: ICMPv6 messages to the frames that carry them
 *
 * Role:     the headers around replies and errors of pinged hosts
 * Runs in:  the relay
 * Data:     message with headroom -> one frame -> sink
 */
#include "config.h"

#include <rnet/net/frame-icmp6.h>

#include <string.h>

#include <netinet/in.h>

#include <rnet/net/frame-fields.h>

enum {
    IPV6_HEADER = 40,
};

static uint16_t sum_message(const RnEndpoint *source,
                            const RnEndpoint *destination,
                            const uint8_t *message, gsize length)
{
    uint64_t sum =
        rn_checksum_pseudo(source, destination, IPPROTO_ICMPV6, length);

    return rn_checksum_finish(rn_checksum_add(sum, message, length));
}

static void put_ipv6_header(uint8_t *ip, const RnEndpoint *source,
                            const RnEndpoint *destination, uint8_t hop_limit,
                            gsize length)
{
    rn_frame_put_ipv6(ip, &(RnIpv6Header){
                              .source = source,
                              .destination = destination,
                              .protocol = IPPROTO_ICMPV6,
                              .hop_limit = hop_limit,
                              .length = length,
                          });
}

bool rn_icmp6_checksum_ok(const RnFrame *frame)
{
    return sum_message(&frame->source, &frame->destination, frame->transport,
                       frame->transport_length) == 0;
}

void rn_icmp6_send(const RnIcmp6Headers *headers, uint8_t *message,
                   gsize length, RnFrameSink sink, void *sink_data)
{
    uint8_t *ip = message - IPV6_HEADER;
    uint8_t *ether = ip - RN_ETHER_HEADER;

    rn_put16(message + 2, 0);
    rn_put16(message + 2, sum_message(&headers->source, &headers->destination,
                                      message, length));
    put_ipv6_header(ip, &headers->source, &headers->destination,
                    headers->hop_limit, length);
    memcpy(ether, headers->destination_mac, 6);
    memcpy(ether + 6, headers->source_mac, 6);
    rn_put16(ether + 12, RN_ETHER_TYPE_IPV6);
    sink(ether, RN_ICMP6_HEADROOM + length, sink_data);
}

void rn_icmp6_send_error(const RnIcmp6Headers *headers,
                         const RnIcmp6Error *error, uint8_t *request,
                         gsize length, RnFrameSink sink, void *sink_data)
{
    uint8_t *ip = request - IPV6_HEADER;
    uint8_t *message = ip - RN_ICMP6_HEADER;

    length = MIN(length, RN_ICMP6_QUOTED_MAX);
    put_ipv6_header(ip, &headers->destination, &error->destination,
                    error->hop_limit, length);
    memset(message, 0, RN_ICMP6_HEADER);
    message[0] = error->type;
    message[1] = error->code;
    rn_icmp6_send(headers, message, RN_ICMP6_HEADER + IPV6_HEADER + length,
                  sink, sink_data);
}
