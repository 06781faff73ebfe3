/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames - builds frames field by field, on its own so that a mistake in
 * src/net/frame*.c is not made here too (checksums excepted; those have their
 * own tests)
 */
#include "config.h"

#include "frames.h"

#include <string.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <rnet/net/frame-fields.h>

RnEndpoint test_endpoint(const char *address, uint16_t port)
{
    RnEndpoint endpoint = { 0 };

    if (!rn_endpoint_parse_address(address, &endpoint, NULL))
        g_error("bad address in a test: %s", address);
    endpoint.port = port;
    return endpoint;
}

RnNetworkPlan test_plan(void)
{
    return (RnNetworkPlan){
        .interface = "tap0",
        .mtu = 65520,
        .guest_mac = { 0x02, 0, 0, 0, 0, 0x64 },
        .gateway_mac = { 0x52, 0x55, 10, 0, 2, 2 },
        .handoff_mac = { 0x06, 'r', 'n', 0, 2, 0x64 },
        .prefix4 = 24,
        .prefix6 = 64,
        .network4 = test_endpoint("10.0.2.0", 0),
        .guest4 = test_endpoint("10.0.2.100", 0),
        .gateway4 = test_endpoint("10.0.2.2", 0),
        .dns4 = test_endpoint("10.0.2.3", 0),
        .network6 = test_endpoint("fd00::", 0),
        .guest6 = test_endpoint("fd00::100", 0),
        .gateway6 = test_endpoint("fd00::2", 0),
        .dns6 = test_endpoint("fd00::3", 0),
    };
}

static void put_ether(const RnNetworkPlan *plan, uint16_t type,
                      TestFrame *frame)
{
    memcpy(frame->bytes, plan->gateway_mac, 6);
    memcpy(frame->bytes + 6, plan->guest_mac, 6);
    rn_put16(frame->bytes + 12, type);
}

void test_ip_frame(const RnNetworkPlan *plan, const RnEndpoint *source,
                   const RnEndpoint *destination, uint8_t protocol,
                   const void *transport, gsize length, TestFrame *out_frame)
{
    bool is_v6 = source->family == AF_INET6;
    uint8_t *ip = out_frame->bytes + 14;
    gsize header = is_v6 ? 40 : 20;

    memset(out_frame->bytes, 0, 14 + header);
    put_ether(plan, is_v6 ? 0x86dd : 0x0800, out_frame);
    memcpy(ip + header, transport, length);
    out_frame->length = 14 + header + length;
    if (is_v6) {
        ip[0] = 0x60;
        rn_put16(ip + 4, (uint16_t)length);
        ip[6] = protocol;
        ip[7] = 255; /* neighbour discovery wants it, RFC 4861 */
        memcpy(ip + 8, source->address, 16);
        memcpy(ip + 24, destination->address, 16);
        return;
    }
    ip[0] = 0x45;
    rn_put16(ip + 2, (uint16_t)(header + length));
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, source->address, 4);
    memcpy(ip + 16, destination->address, 4);
    rn_put16(ip + 10, rn_checksum_finish(rn_checksum_add(0, ip, 20)));
}

static uint16_t sum_transport(const RnEndpoint *source,
                              const RnEndpoint *destination, uint8_t protocol,
                              const void *transport, gsize length)
{
    uint64_t sum = rn_checksum_pseudo(source, destination, protocol, length);

    return rn_checksum_finish(rn_checksum_add(sum, transport, length));
}

void test_tcp_frame(const RnNetworkPlan *plan, const TestSegment *segment,
                    TestFrame *out_frame)
{
    uint8_t tcp[20] = { 0 };

    rn_put16(tcp, segment->source.port);
    rn_put16(tcp + 2, segment->destination.port);
    rn_put32(tcp + 4, segment->sequence);
    rn_put32(tcp + 8, segment->acknowledged);
    tcp[12] = 5 << 4;
    tcp[13] = segment->flags;
    rn_put16(tcp + 14, 65535);
    rn_put16(tcp + 16, sum_transport(&segment->source, &segment->destination,
                                     IPPROTO_TCP, tcp, sizeof tcp));
    test_ip_frame(plan, &segment->source, &segment->destination, IPPROTO_TCP,
                  tcp, sizeof tcp, out_frame);
}

void test_udp_frame(const RnNetworkPlan *plan, const RnEndpoint *source,
                    const RnEndpoint *destination, const void *payload,
                    gsize length, TestFrame *out_frame)
{
    g_autofree uint8_t *udp = g_malloc0(8 + length);

    rn_put16(udp, source->port);
    rn_put16(udp + 2, destination->port);
    rn_put16(udp + 4, (uint16_t)(8 + length));
    memcpy(udp + 8, payload, length);
    rn_put16(udp + 6,
             sum_transport(source, destination, IPPROTO_UDP, udp, 8 + length));
    test_ip_frame(plan, source, destination, IPPROTO_UDP, udp, 8 + length,
                  out_frame);
}

void test_echo_frame(const RnNetworkPlan *plan, const RnEndpoint *source,
                     const RnEndpoint *destination, TestFrame *out_frame)
{
    uint8_t icmp[16] = { 0, [4] = 0x12, [7] = 1, [8] = 'p', 'i', 'n', 'g' };
    bool is_v6 = source->family == AF_INET6;

    icmp[0] = is_v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
    if (is_v6)
        rn_put16(icmp + 2, sum_transport(source, destination, IPPROTO_ICMPV6,
                                         icmp, sizeof icmp));
    else
        rn_put16(icmp + 2,
                 rn_checksum_finish(rn_checksum_add(0, icmp, sizeof icmp)));
    test_ip_frame(plan, source, destination,
                  is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, icmp, sizeof icmp,
                  out_frame);
}

void test_arp_frame(const RnNetworkPlan *plan, const RnEndpoint *target,
                    TestFrame *out_frame)
{
    uint8_t *arp = out_frame->bytes + 14;

    memset(out_frame->bytes, 0, 14 + 28);
    put_ether(plan, 0x0806, out_frame);
    memset(out_frame->bytes, 0xff, 6);
    rn_put16(arp, 1); /* Ethernet, RFC 826 */
    rn_put16(arp + 2, 0x0800);
    arp[4] = 6;
    arp[5] = 4;
    rn_put16(arp + 6, 1); /* request */
    memcpy(arp + 8, plan->guest_mac, 6);
    memcpy(arp + 14, plan->guest4.address, 4);
    memcpy(arp + 24, target->address, 4);
    out_frame->length = 14 + 28;
}
