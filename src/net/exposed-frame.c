/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exposed-frame - rewrites one end of a TCP segment, checksums included
 *
 * Role:     between filter and libslirp; pure
 * Runs in:  the relay, on TCP to and from exposed ports
 * Failure:  what is no such segment, or a fragment of one, stays as it is, and
 *           libslirp treats it like any other to the closed gateway
 */
#include "config.h"

#include <rnet/net/exposed-frame.h>

#include <string.h>

#include <netinet/in.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/exposed-spec.h>
#include <rnet/net/frame-fields.h>

enum {
    IPV4_CHECKSUM = 10, /* offsets in its header, RFC 791 */
    IPV4_SOURCE = 12,
    IPV6_SOURCE = 8,   /* RFC 8200 */
    TCP_CHECKSUM = 16, /* RFC 9293 */
};

/* What a field adds to a checksum changes, RFC 1624, 3. */
static void adjust(uint8_t *checksum, const uint8_t *old_field,
                   const uint8_t *new_field, gsize length)
{
    uint32_t sum = (uint16_t)~rn_get16(checksum);

    for (gsize i = 0; i < length; i += 2)
        sum += (uint32_t)(uint16_t)~rn_get16(old_field + i) +
               rn_get16(new_field + i);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    rn_put16(checksum, (uint16_t)~sum);
}

/* A copy of a whole segment with another source or destination. */
static const uint8_t *change_end(const RnFrame *frame, bool is_source,
                                 const RnEndpoint *end, uint8_t *buffer)
{
    bool is_v6 = end->family == AF_INET6;
    gsize size = is_v6 ? 16 : 4;
    uint8_t *ip = buffer + RN_ETHER_HEADER;
    uint8_t *tcp = buffer + (frame->transport - frame->ether);
    uint8_t *address = ip + (is_v6 ? IPV6_SOURCE : IPV4_SOURCE);
    uint8_t *port = tcp;
    uint8_t new_port[2];

    memcpy(buffer, frame->ether, frame->frame_length);
    if (!is_source) {
        address += size;
        port += sizeof new_port;
    }
    rn_put16(new_port, end->port);
    if (!is_v6)
        adjust(ip + IPV4_CHECKSUM, address, end->address, size);
    adjust(tcp + TCP_CHECKSUM, address, end->address, size);
    adjust(tcp + TCP_CHECKSUM, port, new_port, sizeof new_port);
    memcpy(address, end->address, size);
    memcpy(port, new_port, sizeof new_port);
    return buffer;
}

/* The first port that leads to this one of the host; 0: none does. */
static uint16_t find_guest_port(const RnNetworkPlan *plan, uint16_t host_port)
{
    for (unsigned i = 0; i < plan->n_exposed; i++) {
        if (plan->exposed[i].host_port == host_port)
            return plan->exposed[i].guest_port;
    }
    return 0;
}

static bool is_whole_segment(const RnFrame *frame)
{
    return frame->protocol == IPPROTO_TCP && !frame->is_fragment &&
           frame->destination.family != AF_UNSPEC;
}

const uint8_t *rn_exposed_frame_enter(const RnNetworkPlan *plan,
                                      const RnFrame *frame, uint8_t *buffer)
{
    const RnEndpoint *to = &frame->destination;
    RnEndpoint target;
    uint16_t host_port = 0;

    if (plan->n_exposed == 0 || !is_whole_segment(frame) ||
        !rn_endpoint_same_address(to, rn_plan_gateway(plan, to->family)))
        return frame->ether;
    host_port = rn_exposed_host_port(plan, to->port);
    if (host_port == 0 || find_guest_port(plan, host_port) != to->port)
        return frame->ether;
    target = rn_endpoint_loopback(to->family, host_port);
    return change_end(frame, false, &target, buffer);
}

const uint8_t *rn_exposed_frame_leave(const RnNetworkPlan *plan,
                                      const uint8_t *bytes, gsize length,
                                      uint8_t *buffer)
{
    RnEndpoint source;
    RnFrame frame;

    if (plan->n_exposed == 0 || !rn_frame_parse(bytes, length, &frame) ||
        !is_whole_segment(&frame) || !rn_endpoint_is_loopback(&frame.source))
        return bytes;
    source = *rn_plan_gateway(plan, frame.source.family);
    source.port = find_guest_port(plan, frame.source.port);
    if (source.port == 0)
        return bytes;
    return change_end(&frame, true, &source, buffer);
}
