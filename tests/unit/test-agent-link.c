/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-agent-link - nsagent with a link: what it configures, and what for
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <rnet/net/link.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

#include "agent-world.h"
#include "frames.h"

enum {
    SEGMENT = 300,
    TURNS_MAX = 500, /* only a failure takes so many */
    TURN_MS = 20,
};

/* A client far away talks to a service inside, both ways. */
static void exchange(const World *world, const char *guest, const char *client,
                     uint16_t client_port, uint16_t port)
{
    RnSocketRequest request = {
        .id = 42,
        .local = endpoint_of(client, client_port),
        .remote = endpoint_of(guest, port),
    };
    int listener = netns_listen(
        &world->netns, SOCK_STREAM,
        request.remote.family == AF_INET6 ? "::" : "0.0.0.0", port);
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof address;
    RnEndpoint seen = { 0 };
    int errno_value = 0;
    int outside = ask(world, &request, &errno_value);
    int inside = -1;
    char byte = 'x';

    assert_int_equal(errno_value, 0);
    assert_int_equal(await_connect(outside), 0);
    inside =
        accept4(listener, (struct sockaddr *)&address, &length, SOCK_CLOEXEC);
    assert_true(inside >= 0);
    rn_endpoint_from_sockaddr(&address, &seen);
    assert_true(rn_endpoint_same_address(&seen, &request.local));
    if (client_port != 0)
        assert_int_equal(seen.port, client_port);
    assert_true(rn_fd_set_nonblocking(outside, false, NULL));
    assert_int_equal(write(inside, "a", 1), 1);
    assert_int_equal(read(outside, &byte, 1), 1);
    assert_int_equal(byte, 'a');
    assert_int_equal(write(outside, "b", 1), 1);
    assert_int_equal(read(inside, &byte, 1), 1);
    assert_int_equal(byte, 'b');
    (void)close(inside);
    (void)close(outside);
    (void)close(listener);
}

static void service_published_sees_the_address_of_the_client(void **state)
{
    static const struct {
        const char *guest, *client;
        uint16_t client_port, port;
    } cases[] = {
        { "10.0.2.100", "192.0.2.7", 4321, 80 },
        { "10.0.2.100", "192.0.2.7", 1000, 8010 }, /* a privileged one */
        { "10.0.2.100", "10.0.2.2", 0, 8000 },     /* the gateway, any port */
        { "fd00::100", "2001:db8::7", 4321, 80 },
        { "fd00::100", "fd00::2", 0, 8005 },
    };
    World world;

    (void)state;
    require_tun();
    open_world(&world, true);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        exchange(&world, cases[i].guest, cases[i].client, cases[i].client_port,
                 cases[i].port);
    close_world(&world);
}

/* Returns when nsagent has taken it: its socket for requests comes after. */
static void tell(World *world, uint32_t type, uint16_t first, uint16_t last)
{
    RnSocketRequest request = {
        .n_spares = 1,
        .remote = { .family = AF_INET },
    };
    RnPortRange range = { first, last, RN_TRANSPORT_TCP };
    int errno_value = 0;
    int fd = -1;

    assert_true(
        rn_msg_send(world->monitor, type, &range, sizeof range, NULL, 0, NULL));
    serve(world);
    fd = ask(world, &request, &errno_value);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void assert_reserved(const World *world, const char *wanted)
{
    g_autofree char *reserved =
        netns_read_sysctl(&world->netns, "net/ipv4/ip_local_reserved_ports");

    assert_string_equal(reserved, wanted);
}

static void port_published_later_is_delivered_like_the_others(void **state)
{
    World world;

    (void)state;
    require_tun();
    open_world(&world, true);
    tell(&world, RN_MSG_AGENT_PUBLISH, 8011, 8012); /* touches 8000-8010 */
    tell(&world, RN_MSG_AGENT_PUBLISH, 9000, 9000);
    assert_reserved(&world, "80,8000-8012,9000");
    exchange(&world, "10.0.2.100", "192.0.2.7", 4321, 8012);
    exchange(&world, "10.0.2.100", "192.0.2.7", 4321, 8000);
    exchange(&world, "fd00::100", "2001:db8::7", 4321, 9000);
    tell(&world, RN_MSG_AGENT_WITHDRAW, 8005, 8005);
    assert_reserved(&world, "80,8000-8004,8006-8012,9000");
    exchange(&world, "10.0.2.100", "192.0.2.7", 4322, 8004);
    exchange(&world, "10.0.2.100", "192.0.2.7", 4322, 8006);
    close_world(&world);
}

/* What was on its way when nsagent died, the next one has in its set-up. */
static void second_agent_adds_what_is_missing(void **state)
{
    RnAgentSetup setup = make_setup(false);
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) error = NULL;
    World world;

    (void)state;
    require_tun();
    open_world(&world, true);
    rn_fd_close(&world.monitor);
    (void)wait_for_exit(&world);
    setup.ranges[setup.n_ranges++] =
        (RnPortRange){ 9000, 9000, RN_TRANSPORT_TCP };
    start_agent(&world);
    assert_true(rn_msg_send(
        world.monitor, RN_MSG_AGENT_SETUP, &setup, sizeof setup,
        (int[]){ world.netns.netns_fd, world.netns.userns_fd }, 2, NULL));
    (void)!rn_msg_expect(world.monitor, RN_MSG_AGENT_READY,
                         sizeof(RnAgentReady), 0, &msg, &error);
    assert_no_error(error);
    serve(&world);
    exchange(&world, "10.0.2.100", "192.0.2.7", 4321, 9000);
    exchange(&world, "10.0.2.100", "192.0.2.7", 4321, 8005);
    exchange(&world, "fd00::100", "2001:db8::7", 4321, 9000);
    close_world(&world);
}

/* Its answers ask for the gateway's MAC. */
static void port_withdrawn_answers_by_the_link(void **state)
{
    RnSocketRequest request = {
        .local = endpoint_of("192.0.2.7", 4321),
        .remote = endpoint_of("10.0.2.100", 80),
    };
    static const uint8_t arp[] = { 0x08, 0x06 };
    enum {
        ETHER_TYPE = 10 + 12
    }; /* after the TAP's header, two addresses */
    uint8_t frame[65536] = { 0 };
    rn_autofd int listener = -1, client = -1;
    World world;
    int errno_value = 0;

    (void)state;
    require_tun();
    open_world(&world, true);
    tell(&world, RN_MSG_AGENT_WITHDRAW, 80, 80);
    assert_reserved(&world, "8000-8010");
    listener = netns_listen(&world.netns, SOCK_STREAM, "0.0.0.0", 80);
    client = ask(&world, &request, &errno_value);
    assert_true(client >= 0);
    assert_true(rn_fd_set_nonblocking(world.link, false, NULL));
    while (memcmp(frame + ETHER_TYPE, arp, sizeof arp) != 0)
        assert_true(read(world.link, frame, sizeof frame) > ETHER_TYPE + 2);
    close_world(&world);
}

static void address_of_the_client_in_use_reported(void **state)
{
    RnSocketRequest request = {
        .local = endpoint_of("192.0.2.7", 4321),
        .remote = endpoint_of("10.0.2.100", 80),
    };
    World world;
    int errno_value = 0;
    int listener = -1;
    int first = -1;

    (void)state;
    require_tun();
    open_world(&world, true);
    listener = netns_listen(&world.netns, SOCK_STREAM, "0.0.0.0", 80);
    first = ask(&world, &request, &errno_value);
    assert_int_equal(await_connect(first), 0);
    assert_int_equal(ask(&world, &request, &errno_value), -1);
    assert_true(errno_value == EADDRNOTAVAIL || errno_value == EADDRINUSE);
    rn_fd_close(&first);
    rn_fd_close(&listener);
    close_world(&world);
}

static void namespace_configured_has_the_parameters(void **state)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        { "net/ipv4/ip_local_reserved_ports", "80,8000-8010" },
        { "net/ipv4/ping_group_range", "0\t0" },
        { "net/ipv6/conf/tap0/accept_ra", "0" },
        { "net/ipv6/conf/tap0/autoconf", "0" },
        { "net/ipv6/conf/tap0/accept_dad", "0" },
    };
    World world;

    (void)state;
    require_tun();
    if (access("/proc/sys/net/ipv4/ip_local_reserved_ports", W_OK) < 0 &&
        errno == EROFS)
        skip_without("/proc/sys is read-only");
    open_world(&world, true);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *value = netns_read_sysctl(&world.netns, cases[i].name);

        if (strcmp(value, cases[i].value) != 0)
            fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].name, value,
                     cases[i].value);
    }
    close_world(&world);
}

static void ignore_frame(const uint8_t *frame, gsize length, void *data)
{
    (void)frame;
    (void)length;
    (void)data;
}

static void ignore_end(int errno_value, void *data)
{
    (void)errno_value;
    (void)data;
}

/* 4000 bytes as datagrams of SEGMENT, each full of its number. */
static bool send_burst(RnLink *link, const RnNetworkPlan *plan,
                       const RnUdpHeaders *addresses)
{
    static uint8_t bytes[RN_FRAME_HEADROOM + 4000];
    RnUdpHeaders headers = *addresses;
    struct iovec parts[2];
    RnFrameBurst burst = { .parts = parts, .n_parts = 2, .segment = SEGMENT };
    uint8_t *payload = bytes + RN_FRAME_HEADROOM;

    headers.source_mac = plan->gateway_mac;
    headers.destination_mac = plan->guest_mac;
    headers.mtu = plan->mtu;
    for (unsigned i = 0; i < 4000; i++)
        payload[i] = (uint8_t)(i / SEGMENT);
    parts[0].iov_base = rn_frame_put_burst(&headers, payload, 4000);
    burst.headers = (gsize)(payload - (uint8_t *)parts[0].iov_base);
    parts[0].iov_len = burst.headers + 1500;
    parts[1].iov_base = payload + 1500;
    parts[1].iov_len = 2500;
    return rn_link_send_burst(link, &burst);
}

/* For a moment after it comes up an interface drops all IPv6. */
static void send_until_it_arrives(RnLink *link, const RnNetworkPlan *plan,
                                  const RnUdpHeaders *headers, int inside)
{
    struct pollfd entry = { .fd = inside, .events = POLLIN };

    for (unsigned i = 0; i < TURNS_MAX && entry.revents == 0; i++) {
        if (!send_burst(link, plan, headers))
            skip_without("bursts through a TAP (Linux 6.2)");
        assert_true(poll(&entry, 1, TURN_MS) >= 0);
    }
}

static void burst_arrives_as_the_datagrams_that_it_is_of(void **state)
{
    static const char *const pairs[][2] = {
        { "192.0.2.1", "10.0.2.100" },
        { "2001:db8::1", "fd00::100" },
    };
    const RnAgentSetup setup = make_setup(true);
    const RnLinkHandlers handlers = { .frame = ignore_frame,
                                      .end = ignore_end };
    g_autoptr(RnLoop) loop = rn_loop_new(NULL);
    World world;
    RnLink *link = NULL;

    (void)state;
    require_tun();
    open_world_with(&world, &setup);
    link = rn_link_new(loop, g_steal_fd(&world.link), &handlers, NULL);
    assert_non_null(link);
    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        RnUdpHeaders headers = {
            .source = endpoint_of(pairs[i][0], 1000),
            .destination = endpoint_of(pairs[i][1], 5300),
        };
        rn_autofd int inside =
            netns_listen(&world.netns, SOCK_DGRAM, pairs[i][1], 5300);

        send_until_it_arrives(link, &setup.plan, &headers, inside);
        for (unsigned done = 0; done < 4000;) {
            struct pollfd entry = { .fd = inside, .events = POLLIN };
            uint8_t bytes[4000];
            ssize_t got = 0;

            assert_int_equal(poll(&entry, 1, TURNS_MAX * TURN_MS), 1);
            got = recv(inside, bytes, sizeof bytes, 0);
            assert_int_equal(got, MIN(SEGMENT, 4000 - done));
            assert_int_equal(bytes[0], done / SEGMENT);
            assert_int_equal(bytes[got - 1], done / SEGMENT);
            done += (unsigned)got;
        }
    }
    rn_link_free(link);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(service_published_sees_the_address_of_the_client),
        cmocka_unit_test(port_published_later_is_delivered_like_the_others),
        cmocka_unit_test(second_agent_adds_what_is_missing),
        cmocka_unit_test(port_withdrawn_answers_by_the_link),
        cmocka_unit_test(address_of_the_client_in_use_reported),
        cmocka_unit_test(namespace_configured_has_the_parameters),
        cmocka_unit_test(burst_arrives_as_the_datagrams_that_it_is_of),
    };

    return cmocka_run_group_tests_name("agent-link", tests, NULL, NULL);
}
