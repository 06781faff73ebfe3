/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ways - which way a packet takes, see the header
 *
 * The gateway's MAC is nobody's, so what the link sends is seen by the packet
 * socket only.
 */
#include "config.h"

#include "ways.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include <rnet/util/fd.h>

enum {
    GUARD_MS = 20000, /* ends a test that has failed */
    TO_PORT = 5000,
    ETHER_HEADER = 14,
};

static const uint8_t gateway_mac[6] = { 2, 0, 0, 0, 0, 9 };

RnEndpoint ways_address(const char *text)
{
    RnEndpoint endpoint = { 0 };

    g_assert_true(rn_endpoint_parse_address(text, &endpoint, NULL));
    return endpoint;
}

static bool add_link(Ways *ways, GError **error)
{
    rn_autofd int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    RnVeth veth = {
        .name = "far",
        .peer = "out",
        .peer_netns_fd = here,
        .mtu = 1500,
    };
    RnLinkChange change = { .up = true, .no_addresses = true };

    return rn_netlink_veth_add(ways->netlink, &veth, error) &&
           rn_netlink_link_change(ways->netlink, "far", &change, error) &&
           rn_netlink_link_change(ways->netlink, "out", &change, error) &&
           rn_netlink_link_change(ways->netlink, "lo",
                                  &(RnLinkChange){ .up = true }, error) &&
           rn_netlink_link_index(ways->netlink, "lo", &ways->lo_index, error) &&
           rn_netlink_link_index(ways->netlink, "out", &ways->link_index,
                                 error);
}

static bool add_address(const Ways *ways, const char *text, unsigned prefix,
                        GError **error)
{
    RnEndpoint address = ways_address(text);

    return rn_netlink_address_add(ways->netlink, ways->link_index, &address,
                                  prefix, RN_ADDRESS_NODAD, error);
}

/* The default route by the link, and the one of WAYS_TABLE. */
static bool add_routes(const Ways *ways, const char *gateway,
                       const char *source, GError **error)
{
    RnDefaultRoute away = {
        .gateway = ways_address(gateway),
        .link_index = ways->link_index,
    };
    RnDefaultRoute here = {
        .table = WAYS_TABLE,
        .link_index = ways->lo_index,
        .source = ways_address(source),
    };

    away.family = away.gateway.family;
    here.family = away.gateway.family;
    return rn_netlink_route_add(ways->netlink, &away, error) &&
           rn_netlink_route_add(ways->netlink, &here, error) &&
           rn_netlink_neighbour_add(ways->netlink, ways->link_index,
                                    &away.gateway, gateway_mac, error);
}

/*
 * Answers come to the link's IPv6 address at once: the kernel itself makes it
 * local a moment after the address has been added, in a worker.
 */
static bool make_local(const Ways *ways, GError **error)
{
    RnRule rule = {
        .family = AF_INET6,
        .to = ways_address(WAYS_ADDRESS6),
        .to_prefix = 128,
        .table = WAYS_TABLE,
        .preference = 1,
    };

    return rn_netlink_rule_add(ways->netlink, &rule, error);
}

static int watch_link(Ways *ways)
{
    unsigned index = 0;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
    };
    rn_autofd int fd =
        socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (!rn_netlink_link_index(ways->netlink, "far", &index, NULL))
        return -1;
    address.sll_ifindex = (int)index;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -1;
    return g_steal_fd(&fd);
}

char *ways_open(Ways *ways)
{
    g_autoptr(GError) error = NULL;

    *ways = (Ways){ .frames = -1 };
    ways->netlink = rn_netlink_open(&error);
    if (ways->netlink == NULL || !add_link(ways, &error) ||
        !add_address(ways, WAYS_ADDRESS, 24, &error) ||
        !add_address(ways, WAYS_ADDRESS_OTHER, 24, &error) ||
        !add_address(ways, WAYS_ADDRESS6, 64, &error) ||
        !add_routes(ways, "10.1.0.9", WAYS_ADDRESS, &error) ||
        !add_routes(ways, "fd01::9", WAYS_ADDRESS6, &error) ||
        !make_local(ways, &error))
        return g_strdup(error->message);
    ways->frames = watch_link(ways);
    if (ways->frames < 0)
        return g_strdup_printf("packet socket: %s", g_strerror(errno));
    return NULL;
}

void ways_close(Ways *ways)
{
    rn_netlink_close(ways->netlink);
    rn_fd_close(&ways->frames);
}

/* What identifies a packet on its way. */
typedef struct Trace {
    uint8_t ip_protocol;
    uint16_t from_port, to_port; /* network byte order */
    bool is_ipv6;
} Trace;

/* Without IP options, which no socket here sets. */
static bool is_traced(const Trace *trace, const uint8_t *frame, size_t length)
{
    const uint8_t *ip = frame + ETHER_HEADER;
    size_t header = trace->is_ipv6 ? 40 : 20;

    return length >= ETHER_HEADER + header + 4 &&
           ip[0] >> 4 == (trace->is_ipv6 ? 6 : 4) &&
           ip[trace->is_ipv6 ? 6 : 9] == trace->ip_protocol &&
           memcmp(ip + header, &trace->from_port, 2) == 0 &&
           memcmp(ip + header + 2, &trace->to_port, 2) == 0;
}

/*
 * Sets *out_way if the link has the packet. An ACK there says that the SYN
 * before it took the other way and was answered.
 */
static bool read_link(Ways *ways, const Trace *trace, Way *out_way)
{
    size_t flags = ETHER_HEADER + (trace->is_ipv6 ? 40 : 20) + 13;
    uint8_t frame[2048] = { 0 };
    ssize_t got = 0;

    while ((got = recv(ways->frames, frame, sizeof frame, 0)) >= 0) {
        if (!is_traced(trace, frame, (size_t)got))
            continue;
        memcpy(ways->mac, frame, sizeof ways->mac);
        *out_way =
            trace->ip_protocol == IPPROTO_TCP && (frame[flags] & TH_SYN) == 0
                ? WAY_HERE
                : WAY_LINK;
        return true;
    }
    return false;
}

/* Waits for the packet: `receiver` is readable, or the link has it. */
static Way wait_for(Ways *ways, const Trace *trace, int receiver)
{
    struct pollfd entries[] = {
        { .fd = receiver, .events = POLLIN },
        { .fd = ways->frames, .events = POLLIN },
    };
    Way way = WAY_LOST;

    while (poll(entries, G_N_ELEMENTS(entries), GUARD_MS) > 0) {
        if (entries[0].revents != 0)
            return WAY_HERE;
        if (read_link(ways, trace, &way))
            break;
    }
    return way;
}

/*
 * Receives what is sent to the port, whatever the address. It is transparent
 * so that a SYN gets its answer, which comes from no address of this place.
 */
static int open_receiver(uint16_t port, bool is_tcp)
{
    struct sockaddr_in6 any = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(port),
    };
    int on = 1;
    rn_autofd int fd =
        socket(AF_INET6, (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

    if (fd < 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&any, sizeof any) < 0 ||
        (is_tcp && listen(fd, 1) < 0))
        return -1;
    return g_steal_fd(&fd);
}

static int open_sender(const Packet *packet, uint16_t family)
{
    RnEndpoint from = { .family = family };
    struct sockaddr_storage address;
    int on = 1;
    rn_autofd int fd = socket(family,
                              (packet->is_tcp ? SOCK_STREAM : SOCK_DGRAM) |
                                  SOCK_NONBLOCK | SOCK_CLOEXEC,
                              0);

    if (packet->from != NULL)
        from = ways_address(packet->from);
    from.port = packet->from_port;
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_MARK, &packet->mark, sizeof(int)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&address,
             rn_endpoint_to_sockaddr(&from, &address)) < 0)
        return -1;
    return g_steal_fd(&fd);
}

static bool send_packet(int sender, const RnEndpoint *to, Trace *trace)
{
    struct sockaddr_storage address;
    socklen_t length = rn_endpoint_to_sockaddr(to, &address);
    RnEndpoint from = { 0 };

    if (connect(sender, (struct sockaddr *)&address, length) < 0 &&
        errno != EINPROGRESS)
        return false;
    length = sizeof address;
    if (getsockname(sender, (struct sockaddr *)&address, &length) < 0)
        return false;
    rn_endpoint_from_sockaddr(&address, &from);
    trace->from_port = htons(from.port);
    return trace->ip_protocol == IPPROTO_TCP || send(sender, "x", 1, 0) == 1;
}

static Way find_way(Ways *ways, const Packet *packet)
{
    RnEndpoint to = ways_address(packet->to);
    rn_autofd int sender = open_sender(packet, to.family);
    rn_autofd int receiver = open_receiver(TO_PORT, packet->is_tcp);
    Trace trace = {
        .ip_protocol = packet->is_tcp ? IPPROTO_TCP : IPPROTO_UDP,
        .to_port = htons(TO_PORT),
        .is_ipv6 = to.family == AF_INET6,
    };

    to.port = TO_PORT;
    if (sender < 0 || receiver < 0 || !send_packet(sender, &to, &trace))
        return WAY_LOST;
    return wait_for(ways, &trace, receiver);
}

char *ways_expect(Ways *ways, const Packet *packet, Way wanted)
{
    static const char *const names[] = { "by the link", "here", "lost" };
    Way way = find_way(ways, packet);

    if (way == wanted)
        return NULL;
    return g_strdup_printf("%s to %s (mark 0x%x): %s instead of %s (errno %d)",
                           packet->is_tcp ? "SYN" : "datagram", packet->to,
                           packet->mark, names[way], names[wanted], errno);
}
