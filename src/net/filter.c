/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter - the verdict on one frame of the guest
 *
 * Role:     the gate before libslirp and before the handoff's connections;
 *           pure, decided by tables
 * Runs in:  the relay, on every frame that is no answer of a published port
 * Data:     plan, parsed frame -> verdict
 * Limits:   ports are only known in first fragments; a datagram whose first
 *           fragment is dropped is never completed (reassembly.c), so the
 *           others need no rule of their own
 */
#include "config.h"

#include <rnet/net/filter.h>

#include <string.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/exposed-spec.h>

enum {
    PORT_DNS = 53,
    PORT_DHCP_SERVER = 67,
    PORT_TFTP = 69,
    PORT_DHCPV6_SERVER = 547, /* RFC 8415, 7.2 */
    ARP_LENGTH = 28,          /* RFC 826 for Ethernet and IPv4 */
    ARP_SENDER = 14,          /* offset of the sender's IPv4 address there */
};

static const RnEndpoint broadcast4 = {
    .family = AF_INET,
    .address = { 255, 255, 255, 255 },
};

/* ff02::1:2, All_DHCP_Relay_Agents_and_Servers, RFC 8415, 7.1 */
static const RnEndpoint dhcp_servers6 = {
    .family = AF_INET6,
    .address = { 0xff, 0x02, [13] = 1, [15] = 2 },
};

/* Requests to libslirp's DHCP and DHCPv6 servers. */
static bool is_dhcp(const RnNetworkPlan *plan, const RnFrame *frame)
{
    uint16_t port = frame->destination.port;

    if (frame->protocol != IPPROTO_UDP || frame->is_fragment)
        return false;
    if (frame->destination.family == AF_INET6)
        return port == PORT_DHCPV6_SERVER &&
               rn_endpoint_same_address(&frame->destination, &dhcp_servers6);
    return port == PORT_DHCP_SERVER &&
           (rn_endpoint_same_address(&frame->destination, &broadcast4) ||
            rn_endpoint_same_address(&frame->destination, &plan->gateway4));
}

/* Router and neighbour discovery, RFC 4861, 4; duplicate detection included. */
static bool is_neighbour_discovery(const RnFrame *frame)
{
    return frame->protocol == IPPROTO_ICMPV6 && !frame->is_fragment &&
           frame->transport_length >= sizeof(struct icmp6_hdr) &&
           frame->transport[0] >= ND_ROUTER_SOLICIT &&
           frame->transport[0] <= ND_NEIGHBOR_ADVERT;
}

/*
 * A host outside, or the guest itself: not a special address, nor one
 * that libslirp speaks for.
 */
static bool is_good_source(const RnNetworkPlan *plan, const RnEndpoint *source)
{
    const RnEndpoint *dns =
        source->family == AF_INET6 ? &plan->dns6 : &plan->dns4;

    return !rn_endpoint_is_special(source) &&
           !rn_endpoint_same_address(source, dns) &&
           !rn_endpoint_same_address(source,
                                     rn_plan_gateway(plan, source->family));
}

/* An address inside the network: only the gateway and the name server. */
static bool is_service(const RnNetworkPlan *plan, const RnFrame *frame)
{
    const RnEndpoint *to = &frame->destination;
    const RnEndpoint *dns = to->family == AF_INET6 ? &plan->dns6 : &plan->dns4;
    bool has_ports =
        (frame->protocol == IPPROTO_TCP || frame->protocol == IPPROTO_UDP) &&
        frame->fragment_offset == 0;

    if (rn_endpoint_same_address(to, dns))
        return plan->no_dns == 0 && (!has_ports || to->port == PORT_DNS);
    if (!rn_endpoint_same_address(to, rn_plan_gateway(plan, to->family)))
        return false;
    /* libslirp's TFTP server has nothing to serve here */
    return !has_ports || frame->protocol != IPPROTO_UDP ||
           to->port != PORT_TFTP;
}

static bool is_carried(const RnFrame *frame)
{
    switch (frame->protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
        return true;
    case IPPROTO_ICMP:
        return frame->destination.family == AF_INET &&
               (frame->fragment_offset > 0 ||
                (frame->transport_length >= sizeof(struct icmphdr) &&
                 frame->transport[0] == ICMP_ECHO));
    case IPPROTO_ICMPV6:
        return frame->destination.family == AF_INET6 && !frame->is_fragment &&
               frame->transport_length >= sizeof(struct icmp6_hdr) &&
               frame->transport[0] == ICMP6_ECHO_REQUEST;
    default:
        return false;
    }
}

static bool passes_ip(const RnNetworkPlan *plan, const RnFrame *frame)
{
    if (frame->destination.family == AF_INET6 && plan->prefix6 == 0)
        return false;
    if (is_dhcp(plan, frame))
        return true;
    if (frame->destination.family == AF_INET6 && is_neighbour_discovery(frame))
        return true;
    if (!is_carried(frame) || !is_good_source(plan, &frame->source) ||
        rn_endpoint_is_special(&frame->destination))
        return false;
    return !rn_plan_is_inside(plan, &frame->destination) ||
           is_service(plan, frame);
}

RnVerdict rn_filter_frame(const RnNetworkPlan *plan, const RnFrame *frame)
{
    bool passes = false;

    if (frame->ether_type == RN_ETHER_TYPE_ARP)
        passes = frame->frame_length >= RN_ETHER_HEADER + ARP_LENGTH;
    else if (frame->destination.family != AF_UNSPEC)
        passes = passes_ip(plan, frame);
    return passes ? RN_VERDICT_SLIRP : RN_VERDICT_DROP;
}

bool rn_filter_is_guests_own(const RnNetworkPlan *plan, const RnFrame *frame)
{
    const RnEndpoint *guest = NULL;

    if (frame->ether_type == RN_ETHER_TYPE_ARP)
        return frame->frame_length >= RN_ETHER_HEADER + ARP_LENGTH &&
               memcmp(frame->ether + RN_ETHER_HEADER + ARP_SENDER,
                      plan->guest4.address, 4) == 0;
    guest = rn_plan_guest(plan, frame->source.family);
    return frame->source.family != AF_UNSPEC &&
           rn_endpoint_same_address(&frame->source, guest);
}

bool rn_filter_is_handoff(const RnNetworkPlan *plan, const RnFrame *frame)
{
    return frame->protocol == IPPROTO_TCP && !frame->is_fragment &&
           frame->source.family != AF_UNSPEC &&
           (frame->tcp_flags & (RN_TCP_SYN | RN_TCP_ACK)) == RN_TCP_SYN &&
           memcmp(frame->ether, plan->handoff_mac, 6) == 0 &&
           frame->source.port != 0 && frame->destination.port != 0 &&
           plan->handoff_mode != RN_HANDOFF_MODE_OFF &&
           rn_endpoint_same_address(&frame->source,
                                    rn_plan_guest(plan, frame->source.family));
}

static bool is_gateway_address(const RnNetworkPlan *plan,
                               const RnEndpoint *address)
{
    return rn_endpoint_same_address(address,
                                    rn_plan_gateway(plan, address->family));
}

/* Without regard to exposed ports. */
static RnReach find_reach(const RnNetworkPlan *plan,
                          const RnEndpoint *destination, RnEndpoint *out_target)
{
    bool is_gateway = is_gateway_address(plan, destination);

    if (rn_endpoint_is_special(destination))
        return RN_REACH_NO_NETWORK;
    if (is_gateway && plan->host_loopback == 0)
        return RN_REACH_NO_NETWORK;
    if (!is_gateway && rn_plan_is_inside(plan, destination))
        return RN_REACH_NO_HOST;
    *out_target = *destination;
    if (is_gateway)
        *out_target =
            rn_endpoint_loopback(destination->family, destination->port);
    return RN_REACH_HOST;
}

RnReach rn_filter_connection(const RnNetworkPlan *plan,
                             const RnEndpoint *destination,
                             RnEndpoint *out_target)
{
    uint16_t host_port = 0;

    if (plan->n_exposed > 0 && is_gateway_address(plan, destination))
        host_port = rn_exposed_host_port(plan, destination->port);
    if (host_port == 0)
        return find_reach(plan, destination, out_target);
    *out_target = rn_endpoint_loopback(AF_INET, host_port);
    return RN_REACH_EXPOSED;
}

bool rn_filter_is_udp_outside(const RnNetworkPlan *plan,
                              const RnEndpoint *destination,
                              RnEndpoint *out_target)
{
    /* a renewed DHCP lease, even where the gateway is open */
    if (destination->port == PORT_DHCP_SERVER &&
        rn_endpoint_same_address(destination, &plan->gateway4))
        return false;
    return find_reach(plan, destination, out_target) == RN_REACH_HOST;
}

bool rn_filter_may_be_answer(const RnNetworkPlan *plan, const RnFrame *frame)
{
    return frame->protocol == IPPROTO_UDP &&
           frame->source.family != AF_UNSPEC &&
           rn_endpoint_same_address(&frame->source,
                                    rn_plan_guest(plan, frame->source.family));
}
