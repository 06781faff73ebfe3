/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-outbound - the address that the guest's traffic leaves from
 *
 * The relay runs in a namespace whose loopback has addresses of the world, so
 * that servers there see who comes.
 */
#include "config.h"

#include <unit.h>

#include <poll.h>
#include <unistd.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/net/frame-fields.h>
#include <rnet/sys/netlink.h>
#include <rnet/sys/sysctl.h>
#include <rnet/util/fd.h>

#include "netns.h"
#include "relay-bench.h"

enum {
    SERVER_PORT = 7000,
    TRIES_MAX = 500, /* of TRY_MS each: only a failure takes so many */
    TRY_MS = 20,
};

/* The host's addresses: the one that servers are on, and the one chosen. */
static const struct {
    const char *server, *outbound;
} hosts[] = {
    { "192.0.2.1", "192.0.2.2" },
    { "2001:db8::1", "2001:db8::2" },
};

static bool add_address(RnNetlink *netlink, unsigned lo, const char *text,
                        GError **error)
{
    RnEndpoint address = test_endpoint(text, 0);

    return rn_netlink_address_add(netlink, lo, &address,
                                  address.family == AF_INET6 ? 128 : 32,
                                  RN_ADDRESS_NODAD, error);
}

static int open_udp(const char *text, uint16_t port, RnEndpoint *out_at)
{
    RnEndpoint at = test_endpoint(text, port);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&at, &storage);
    rn_autofd int fd = socket(at.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    *out_at = at;
    if (bind(fd, (struct sockaddr *)&storage, length) < 0)
        return -1;
    return g_steal_fd(&fd);
}

/* The kernel makes a new address's routes a little later. */
static bool await_way(const char *from, const char *to)
{
    RnEndpoint from_at, to_at;
    struct sockaddr_storage storage;
    int n_ready = 0;

    for (unsigned i = 0; i < TRIES_MAX && n_ready == 0; i++) {
        rn_autofd int sender = open_udp(from, SERVER_PORT, &from_at);
        rn_autofd int receiver = open_udp(to, SERVER_PORT, &to_at);
        socklen_t length = rn_endpoint_to_sockaddr(&to_at, &storage);
        struct pollfd entry = { .fd = receiver, .events = POLLIN };

        (void)!sendto(sender, "x", 1, 0, (struct sockaddr *)&storage, length);
        n_ready = poll(&entry, 1, TRY_MS);
    }
    return n_ready == 1;
}

static char *set_up(void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(&error);
    unsigned lo = 0;
    bool ok = netlink != NULL &&
              rn_netlink_link_index(netlink, "lo", &lo, &error) &&
              rn_sysctl_write("net/ipv4/ping_group_range", "0 0", &error);

    (void)data;
    for (unsigned i = 0; ok && i < G_N_ELEMENTS(hosts); i++)
        ok = add_address(netlink, lo, hosts[i].server, &error) &&
             add_address(netlink, lo, hosts[i].outbound, &error);
    if (!ok)
        return g_strdup(error->message);
    for (unsigned i = 0; i < G_N_ELEMENTS(hosts); i++) {
        if (!await_way(hosts[i].outbound, hosts[i].server) ||
            !await_way(hosts[i].server, hosts[i].outbound))
            return g_strdup_printf("no way to %s", hosts[i].server);
    }
    return NULL;
}

typedef struct World {
    Netns netns;
    Bench *bench;
    int server;
} World;

/* A relay that is bound to hosts[i], and a server. */
static void make_world(World *world, unsigned i, RnHandoffMode handoff,
                       int type)
{
    RnNetworkPlan *plan = NULL;

    netns_open(&world->netns);
    netns_bring_up_loopback(&world->netns);
    netns_run(&world->netns, set_up, NULL);
    world->server =
        netns_listen(&world->netns, type, hosts[i].server, SERVER_PORT);
    world->bench =
        start_relay_in(world->netns.userns_fd, world->netns.netns_fd);
    plan = &world->bench->plan;
    plan->handoff_mode = (uint8_t)handoff;
    plan->outbound4 = test_endpoint(hosts[0].outbound, 0);
    plan->outbound6 = test_endpoint(hosts[1].outbound, 0);
    send_setup(world->bench);
    send_start(world->bench);
}

static void clear_world(World *world)
{
    end_relay(world->bench);
    rn_fd_close(&world->server);
    netns_close(&world->netns);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, clear_world)

static RnEndpoint get_guest(const World *world, unsigned i)
{
    RnEndpoint guest =
        i == 0 ? world->bench->plan.guest4 : world->bench->plan.guest6;

    guest.port = 40000;
    return guest;
}

static void make_syn(World *world, unsigned i, const uint8_t *mac,
                     TestFrame *out_frame)
{
    TestSegment segment = {
        .source = get_guest(world, i),
        .destination = test_endpoint(hosts[i].server, SERVER_PORT),
        .flags = RN_TCP_SYN,
    };

    test_tcp_frame(&world->bench->plan, &segment, out_frame);
    memcpy(out_frame->bytes, mac, 6);
}

static void assert_outbound(const struct sockaddr_storage *from, unsigned i)
{
    RnEndpoint wanted = test_endpoint(hosts[i].outbound, 0), got;

    rn_endpoint_from_sockaddr(from, &got);
    assert_true(rn_endpoint_same_address(&got, &wanted));
}

static void assert_client(World *world, unsigned i, const uint8_t *mac)
{
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    rn_autofd int client = -1;
    TestFrame frame;

    make_syn(world, i, mac, &frame);
    write_frame(world->bench, &frame);
    wait_readable(world->server);
    client = accept(world->server, (struct sockaddr *)&from, &length);
    assert_true(client >= 0);
    assert_outbound(&from, i);
}

static void connection_handed_off_comes_from_the_address(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_auto(World) world = { 0 };

        make_world(&world, i, RN_HANDOFF_MODE_ON, SOCK_STREAM);
        assert_client(&world, i, world.bench->plan.handoff_mac);
    }
}

static void connection_through_libslirp_comes_from_the_address(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_auto(World) world = { 0 };

        make_world(&world, i, RN_HANDOFF_MODE_OFF, SOCK_STREAM);
        assert_client(&world, i, world.bench->plan.gateway_mac);
    }
}

static void datagram_comes_from_the_address(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_auto(World) world = { 0 };
        RnEndpoint from = { 0 }, to = { 0 };
        struct sockaddr_storage sender;
        socklen_t length = sizeof sender;
        TestFrame frame;
        char byte;

        make_world(&world, i, RN_HANDOFF_MODE_ON, SOCK_DGRAM);
        from = get_guest(&world, i);
        to = test_endpoint(hosts[i].server, SERVER_PORT);
        test_udp_frame(&world.bench->plan, &from, &to, "x", 1, &frame);
        write_frame(world.bench, &frame);
        wait_readable(world.server);
        assert_int_equal(recvfrom(world.server, &byte, 1, 0,
                                  (struct sockaddr *)&sender, &length),
                         1);
        assert_outbound(&sender, i);
    }
}

/* Who sent it no ping socket tells; it has to be answered. */
static void ping_over_ipv6_works_bound_as_well(void **state)
{
    g_auto(World) world = { 0 };
    RnEndpoint to = test_endpoint(hosts[1].server, 0);
    RnEndpoint from = { 0 };
    TestFrame frame;

    (void)state;
    make_world(&world, 1, RN_HANDOFF_MODE_ON, SOCK_STREAM);
    from = get_guest(&world, 1);
    test_echo_frame(&world.bench->plan, &from, &to, &frame);
    write_frame(world.bench, &frame);
    do
        await_frame(world.bench, IPPROTO_ICMPV6);
    while (world.bench->frame.transport[0] != ICMP6_ECHO_REPLY);
}

/* An address that no interface has: told at once, not after a time-out. */
static void connection_from_a_lost_address_is_unreachable(void **state)
{
    g_auto(World) world = { 0 };
    TestFrame frame;

    (void)state;
    netns_open(&world.netns);
    netns_bring_up_loopback(&world.netns);
    world.server = -1;
    world.bench = start_relay_in(world.netns.userns_fd, world.netns.netns_fd);
    world.bench->plan.handoff_mode = RN_HANDOFF_MODE_ON;
    world.bench->plan.outbound4 = test_endpoint(hosts[0].outbound, 0);
    send_setup(world.bench);
    send_start(world.bench);
    make_syn(&world, 0, world.bench->plan.handoff_mac, &frame);
    write_frame(world.bench, &frame);
    await_frame(world.bench, IPPROTO_ICMP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_handed_off_comes_from_the_address),
        cmocka_unit_test(connection_through_libslirp_comes_from_the_address),
        cmocka_unit_test(datagram_comes_from_the_address),
        cmocka_unit_test(ping_over_ipv6_works_bound_as_well),
        cmocka_unit_test(connection_from_a_lost_address_is_unreachable),
    };

    return cmocka_run_group_tests_name("outbound", tests, NULL, NULL);
}
