/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame-refusal - building: resets and ICMP errors about a SYN or a datagram
 *
 * Role:     headers from the back to the front, in a buffer of its own
 * Runs in:  the relay
 * Data:     addresses (and a SYN's sequence number) -> one frame -> sink
 */
#include "config.h"

#include <rnet/net/frame-refusal.h>

#include <string.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/frame-fields.h>

enum {
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    ICMP_HEADER = 8,
    HOP_LIMIT = 64, /* RFC 1700's default TTL */

    /* an IPv6 error that quotes an IPv6 packet is the longest */
    ROOM =
        RN_ETHER_HEADER + IPV6_HEADER + ICMP_HEADER + IPV6_HEADER + TCP_HEADER,
};

/* The packet is built at the end of the buffer; `start` moves forward. */
typedef struct Packet {
    uint8_t buffer[ROOM];
    uint8_t *start;
} Packet;

static const struct {
    uint8_t code4, code6; /* of "destination unreachable" */
} icmp_codes[] = {
    [RN_REFUSAL_RESET] = { ICMP_PORT_UNREACH, ICMP6_DST_UNREACH_NOPORT },
    [RN_REFUSAL_NO_NETWORK] = { ICMP_NET_UNREACH, ICMP6_DST_UNREACH_NOROUTE },
    [RN_REFUSAL_NO_HOST] = { ICMP_HOST_UNREACH, ICMP6_DST_UNREACH_ADDR },
    [RN_REFUSAL_PROHIBITED] = { ICMP_PKT_FILTERED, ICMP6_DST_UNREACH_ADMIN },
};
G_STATIC_ASSERT(G_N_ELEMENTS(icmp_codes) == RN_REFUSAL_N_);

static gsize get_length(const Packet *packet)
{
    return (gsize)(packet->buffer + ROOM - packet->start);
}

static void push_tcp(Packet *packet, const RnEndpoint *from,
                     const RnEndpoint *to, uint32_t sequence, uint32_t ack,
                     uint8_t flags)
{
    uint8_t *tcp = packet->start -= TCP_HEADER;
    uint64_t sum = rn_checksum_pseudo(from, to, IPPROTO_TCP, TCP_HEADER);

    rn_put16(tcp, from->port);
    rn_put16(tcp + 2, to->port);
    rn_put32(tcp + 4, sequence);
    rn_put32(tcp + 8, ack);
    tcp[12] = (TCP_HEADER / 4) << 4;
    tcp[13] = flags;
    rn_put16(tcp + 16,
             rn_checksum_finish(rn_checksum_add(sum, tcp, TCP_HEADER)));
}

static void push_ip(Packet *packet, const RnEndpoint *from,
                    const RnEndpoint *to, uint8_t protocol)
{
    gsize length = get_length(packet);
    uint8_t *ip = NULL;

    if (from->family == AF_INET6) {
        ip = packet->start -= IPV6_HEADER;
        rn_frame_put_ipv6(ip, &(RnIpv6Header){
                                  .source = from,
                                  .destination = to,
                                  .protocol = protocol,
                                  .hop_limit = HOP_LIMIT,
                                  .length = length,
                              });
        return;
    }
    ip = packet->start -= IPV4_HEADER;
    ip[0] = 4 << 4 | IPV4_HEADER / 4;
    rn_put16(ip + 2, (uint16_t)(IPV4_HEADER + length));
    ip[8] = HOP_LIMIT;
    ip[9] = protocol;
    memcpy(ip + 12, from->address, 4);
    memcpy(ip + 16, to->address, 4);
    rn_put16(ip + 10, rn_checksum_finish(rn_checksum_add(0, ip, IPV4_HEADER)));
}

/* In front of the quoted packet. */
static void push_icmp(Packet *packet, const RnEndpoint *from,
                      const RnEndpoint *to, uint8_t type, uint8_t code)
{
    bool is_v6 = from->family == AF_INET6;
    uint8_t *icmp = packet->start -= ICMP_HEADER;
    gsize length = get_length(packet);
    uint64_t sum = 0;

    icmp[0] = type;
    icmp[1] = code;
    if (is_v6) /* RFC 4443, 2.3; RFC 792 sums up the message only */
        sum = rn_checksum_pseudo(from, to, IPPROTO_ICMPV6, length);
    rn_put16(icmp + 2, rn_checksum_finish(rn_checksum_add(sum, icmp, length)));
}

static void push_ether(Packet *packet, const RnNetworkPlan *plan,
                       const uint8_t *source_mac, uint16_t family)
{
    uint8_t *ether = packet->start -= RN_ETHER_HEADER;

    memcpy(ether, plan->guest_mac, 6);
    memcpy(ether + 6, source_mac, 6);
    rn_put16(ether + 12,
             family == AF_INET6 ? RN_ETHER_TYPE_IPV6 : RN_ETHER_TYPE_IPV4);
}

void rn_syn_from_frame(const RnFrame *frame, RnSyn *out_syn)
{
    *out_syn = (RnSyn){
        .source = frame->source,
        .destination = frame->destination,
        .sequence = rn_get32(frame->transport + 4),
    };
}

void rn_refusal_get_icmp(RnRefusal refusal, uint16_t family, uint8_t *out_type,
                         uint8_t *out_code)
{
    bool is_v6 = family == AF_INET6;

    *out_type = is_v6 ? ICMP6_DST_UNREACH : ICMP_DEST_UNREACH;
    *out_code = is_v6 ? icmp_codes[refusal].code6 : icmp_codes[refusal].code4;
}

void rn_frame_refuse(const RnNetworkPlan *plan, const RnSyn *syn,
                     RnRefusal refusal, RnFrameSink sink, void *sink_data)
{
    const RnEndpoint *from = &syn->destination, *to = &syn->source;
    bool is_v6 = from->family == AF_INET6;
    Packet packet = { .buffer = { 0 } };
    uint8_t type = 0, code = 0;

    packet.start = packet.buffer + ROOM;
    if (refusal == RN_REFUSAL_RESET) {
        push_tcp(&packet, from, to, 0, syn->sequence + 1,
                 RN_TCP_RST | RN_TCP_ACK);
        push_ip(&packet, from, to, IPPROTO_TCP);
    } else {
        push_tcp(&packet, to, from, syn->sequence, 0, RN_TCP_SYN);
        push_ip(&packet, to, from, IPPROTO_TCP);
        from = rn_plan_gateway(plan, from->family);
        rn_refusal_get_icmp(refusal, from->family, &type, &code);
        push_icmp(&packet, from, to, type, code);
        push_ip(&packet, from, to, is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    }
    push_ether(&packet, plan, plan->handoff_mac, from->family);
    sink(packet.start, get_length(&packet), sink_data);
}

void rn_frame_udp_error(const RnNetworkPlan *plan, const RnUdpError *error,
                        RnFrameSink sink, void *sink_data)
{
    bool is_v6 = error->source.family == AF_INET6;
    Packet packet = { .buffer = { 0 } };
    uint8_t *udp = packet.buffer + ROOM - UDP_HEADER;

    packet.start = udp;
    rn_put16(udp, error->source.port);
    rn_put16(udp + 2, error->destination.port);
    rn_put16(udp + 4, UDP_HEADER);
    push_ip(&packet, &error->source, &error->destination, IPPROTO_UDP);
    push_icmp(&packet, &error->from, &error->source, error->type, error->code);
    push_ip(&packet, &error->from, &error->source,
            is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    push_ether(&packet, plan, plan->gateway_mac, error->source.family);
    sink(packet.start, get_length(&packet), sink_data);
}
