/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-slirp-engine - the real libslirp behind a link, talked to in frames
 *
 * The guest is this test: it writes frames into one end of a socket pair and
 * reads what comes back. Host sockets are on the loopback.
 */
#include "config.h"

#include <unit.h>

#include <fcntl.h>
#include <unistd.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <rnet/net/frame-fields.h>
#include <rnet/net/relay.h>
#include <rnet/util/fd.h>

#include "engine.h"

static bool is_tcp(const Engine *engine)
{
    return engine->frame.protocol == IPPROTO_TCP;
}

static bool is_udp(const Engine *engine)
{
    return engine->frame.protocol == IPPROTO_UDP;
}

static bool is_icmp4(const Engine *engine)
{
    return engine->frame.protocol == IPPROTO_ICMP;
}

static bool is_unreachable6(const Engine *engine)
{
    return engine->frame.protocol == IPPROTO_ICMPV6 &&
           engine->frame.transport[0] == ICMP6_DST_UNREACH;
}

/* A socket on the host's loopback; its port is *out_port. */
static int open_host_socket(int family, int type, uint16_t *out_port)
{
    RnEndpoint endpoint =
        test_endpoint(family == AF_INET ? "127.0.0.1" : "::1", 0);
    struct sockaddr_storage address;
    socklen_t length = rn_endpoint_to_sockaddr(&endpoint, &address);
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    length = sizeof address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    rn_endpoint_from_sockaddr(&address, &endpoint);
    *out_port = endpoint.port;
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static RnNetworkPlan open_plan(void)
{
    RnNetworkPlan plan = test_plan();

    plan.host_loopback = 1;
    return plan;
}

static void send_datagram(Engine *engine, const RnEndpoint *to, uint16_t port)
{
    RnEndpoint from = engine->plan.guest4, target = *to;
    TestFrame frame;

    from.port = 40000;
    target.port = port;
    test_udp_frame(&engine->plan, &from, &target, "question", 8, &frame);
    write_frame(engine, &frame);
}

static void arp_for_gateway_is_answered_with_its_mac(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(Engine) engine = make_engine(&plan);

    (void)state;
    resolve_gateway(engine);
    assert_memory_equal(engine->got.bytes + 14 + 8, plan.gateway_mac, 6);
    assert_memory_equal(engine->got.bytes + 14 + 14, plan.gateway4.address, 4);
}

static void ping_of_gateway_is_answered(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    TestFrame request;

    (void)state;
    resolve_gateway(engine);
    test_echo_frame(&plan, &plan.guest4, &plan.gateway4, &request);
    write_frame(engine, &request);
    await_frame(engine, is_icmp4, "echo reply");
    assert_int_equal(engine->frame.transport[0], ICMP_ECHOREPLY);
    assert_memory_equal(engine->frame.transport + 8, "ping", 4);
}

/* RFC 2131: a DISCOVER gets an OFFER of the guest's address. */
static void dhcp_discover_is_offered_the_guests_address(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    RnEndpoint from = test_endpoint("0.0.0.0", 68);
    RnEndpoint to = test_endpoint("255.255.255.255", 67);
    uint8_t bootp[300] = { 1,  1, 6, [236] = 0x63, 0x82, 0x53, 0x63,
                           53, 1, 1, 255 };
    TestFrame request;

    (void)state;
    memcpy(bootp + 28, plan.guest_mac, 6);
    test_udp_frame(&plan, &from, &to, bootp, sizeof bootp, &request);
    write_frame(engine, &request);
    await_frame(engine, is_udp, "DHCP offer");
    assert_int_equal(engine->frame.source.port, 67);
    assert_memory_equal(engine->frame.payload + 16, plan.guest4.address, 4);
}

static void syn_to_open_host_loopback_gets_syn_ack(void **state)
{
    RnNetworkPlan plan = open_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    uint16_t port = 0;
    rn_autofd int listener = open_host_socket(AF_INET, SOCK_STREAM, &port);
    rn_autofd int accepted = -1;

    (void)state;
    resolve_gateway(engine);
    send_syn(engine, &plan.guest4, &plan.gateway4, port);
    await_frame(engine, is_tcp, "SYN-ACK");
    assert_int_equal(engine->frame.tcp_flags, RN_TCP_SYN | RN_TCP_ACK);
    assert_int_equal(rn_get32(engine->frame.transport + 8), 1001);
    assert_int_equal(engine->frame.source.port, port);
    accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    assert_int_equal(rn_slirp_n_sockets(engine->slirp), 1);
}

static void note_fired(RnTimer *timer)
{
    *(bool *)timer->data = true;
}

/* libslirp's sockets are waited for in another way than none of them. */
static void loops_timer_fires_with_and_without_sockets(void **state)
{
    RnNetworkPlan plan = open_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    uint16_t port = 0;
    rn_autofd int listener = open_host_socket(AF_INET, SOCK_STREAM, &port);

    (void)state;
    assert_true(listener >= 0);
    resolve_gateway(engine);
    for (unsigned wanted = 0; wanted < 2; wanted++) {
        RnTimer timer = { 0 };
        bool fired = false;

        assert_int_equal(rn_slirp_n_sockets(engine->slirp), wanted);
        rn_loop_set_timer(engine->loop, &timer, 1, note_fired, &fired);
        for (unsigned i = 0; i < TURNS_MAX && !fired; i++)
            assert_true(rn_slirp_turn(engine->slirp, -1, NULL));
        assert_true(fired);
        if (wanted == 0) {
            send_syn(engine, &plan.guest4, &plan.gateway4, port);
            await_frame(engine, is_tcp, "SYN-ACK");
        }
    }
}

static void syn_to_refusing_port_gets_reset(void **state)
{
    RnNetworkPlan plan = open_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    uint16_t port = 0;
    int bound = open_host_socket(AF_INET, SOCK_STREAM, &port);

    (void)state;
    rn_fd_close(&bound);
    resolve_gateway(engine);
    send_syn(engine, &plan.guest4, &plan.gateway4, port);
    await_frame(engine, is_tcp, "RST");
    assert_int_equal(engine->frame.tcp_flags & RN_TCP_RST, RN_TCP_RST);
}

static void assert_nobody_came(Engine *engine, int listener)
{
    for (unsigned i = 0; i < QUIET_TURNS; i++)
        turn(engine);
    assert_int_equal(accept(listener, NULL, NULL), -1);
}

static void syn_to_closed_host_loopback_is_unreachable(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    uint16_t port = 0;
    rn_autofd int listener = open_host_socket(AF_INET, SOCK_STREAM, &port);

    (void)state;
    resolve_gateway(engine);
    send_syn(engine, &plan.guest4, &plan.gateway4, port);
    await_frame(engine, is_icmp4, "ICMP error");
    assert_int_equal(engine->frame.transport[0], ICMP_DEST_UNREACH);
    assert_nobody_came(engine, listener);
}

/* Frames that no kernel sends; libslirp alone would connect some of them. */
static void syn_to_raw_loopback_addresses_reaches_nobody(void **state)
{
    static const char *const addresses[] = { "127.0.0.1",       "0.0.0.0",
                                             "255.255.255.255", "10.0.2.3",
                                             "10.0.2.255",      "10.0.2.50" };
    RnNetworkPlan plan = open_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    uint16_t port = 0;
    rn_autofd int listener = open_host_socket(AF_INET, SOCK_STREAM, &port);

    (void)state;
    resolve_gateway(engine);
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        RnEndpoint to = test_endpoint(addresses[i], 0);

        send_syn(engine, &plan.guest4, &to, port);
    }
    assert_nobody_came(engine, listener);
}

static void syn_over_ipv6_follows_the_plan(void **state)
{
    (void)state;
    for (unsigned is_open = 0; is_open < 2; is_open++) {
        RnNetworkPlan plan = is_open ? open_plan() : test_plan();
        g_autoptr(Engine) engine = make_engine(&plan);
        uint16_t port = 0;
        rn_autofd int listener = open_host_socket(AF_INET6, SOCK_STREAM, &port);

        resolve_gateway6(engine);
        send_syn(engine, &plan.guest6, &plan.gateway6, port);
        if (is_open) {
            await_frame(engine, is_tcp, "SYN-ACK over IPv6");
            assert_int_equal(engine->frame.tcp_flags, RN_TCP_SYN | RN_TCP_ACK);
        } else {
            await_frame(engine, is_unreachable6, "ICMPv6 error");
            assert_nobody_came(engine, listener);
        }
    }
}

static void datagram_to_open_host_loopback_is_echoed(void **state)
{
    RnNetworkPlan plan = open_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    uint16_t port = 0;
    rn_autofd int host = open_host_socket(AF_INET, SOCK_DGRAM, &port);
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    char text[16] = "";
    ssize_t got = -1;

    (void)state;
    resolve_gateway(engine);
    send_datagram(engine, &plan.gateway4, port);
    for (unsigned i = 0; i < TURNS_MAX && got < 0; i++) {
        turn(engine);
        got = recvfrom(host, text, sizeof text, 0, (struct sockaddr *)&from,
                       &length);
    }
    assert_int_equal(got, 8);
    assert_memory_equal(text, "question", 8);
    assert_int_equal(
        sendto(host, "answer", 6, 0, (struct sockaddr *)&from, length), 6);
    await_frame(engine, is_udp, "answer");
    assert_true(
        rn_endpoint_same_address(&engine->frame.source, &plan.gateway4));
    assert_int_equal(engine->frame.source.port, port);
    assert_int_equal(engine->frame.destination.port, 40000);
    assert_memory_equal(engine->frame.payload, "answer", 6);
}

static void datagram_to_closed_host_loopback_is_unreachable(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    uint16_t port = 0;
    rn_autofd int host = open_host_socket(AF_INET, SOCK_DGRAM, &port);
    char text[16];

    (void)state;
    resolve_gateway(engine);
    send_datagram(engine, &plan.gateway4, port);
    await_frame(engine, is_icmp4, "ICMP error");
    assert_int_equal(engine->frame.transport[0], ICMP_DEST_UNREACH);
    assert_int_equal(recv(host, text, sizeof text, 0), -1);
}

static void link_without_reader_drops_and_counts(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(Engine) engine = make_engine(&plan);
    TestFrame frame;

    (void)state;
    test_arp_frame(&plan, &plan.gateway4, &frame);
    for (unsigned i = 0; i < 100000; i++) {
        rn_link_send(engine->link, frame.bytes, frame.length);
        if (rn_link_counters(engine->link)->dropped > 0)
            break;
    }
    assert_true(rn_link_counters(engine->link)->sent > 0);
    assert_int_equal(rn_link_counters(engine->link)->dropped, 1);
    /* and goes on once there is a reader again */
    while (read_frame(engine))
        continue;
    resolve_gateway(engine);
}

static void link_whose_other_end_closes_says_so_once(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(Engine) engine = make_engine(&plan);

    (void)state;
    rn_fd_close(&engine->guest);
    for (unsigned i = 0; i < TURNS_MAX && !engine->has_link_ended; i++)
        turn(engine);
    assert_true(engine->has_link_ended);
    engine->has_link_ended = false;
    turn(engine);
    assert_false(engine->has_link_ended);
}

typedef struct BadPlan {
    const char *part; /* of the error */
    uint32_t mtu;
    uint8_t prefix4, prefix6;
    const char *guest4, *dns6;
} BadPlan;

static const BadPlan bad_plans[] = {
    { "mtu 67", 67, 24, 64, "10.0.2.100", "fd00::3" },
    { "mtu 65522", 65522, 24, 64, "10.0.2.100", "fd00::3" },
    { "prefix /0", 1500, 0, 64, "10.0.2.100", "fd00::3" },
    { "prefix /31", 1500, 31, 64, "10.0.2.100", "fd00::3" },
    { "/127", 1500, 24, 127, "10.0.2.100", "fd00::3" },
    { "\"10.0.3.1\"", 1500, 24, 64, "10.0.3.1", "fd00::3" },
    { "\"fd01::3\"", 1500, 24, 64, "10.0.2.100", "fd01::3" },
};

static void ignore_frame(const uint8_t *bytes, gsize length, void *data)
{
    (void)bytes;
    (void)length;
    (void)data;
}

static void impossible_plans_are_refused_by_name(void **state)
{
    g_autoptr(RnLoop) loop = rn_loop_new(NULL);

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad_plans); i++) {
        g_autoptr(GError) error = NULL;
        RnNetworkPlan plan = test_plan();

        plan.mtu = bad_plans[i].mtu;
        plan.prefix4 = bad_plans[i].prefix4;
        plan.prefix6 = bad_plans[i].prefix6;
        plan.guest4 = test_endpoint(bad_plans[i].guest4, 0);
        plan.dns6 = test_endpoint(bad_plans[i].dns6, 0);
        assert_null(rn_slirp_new(&plan, loop, ignore_frame, NULL, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, bad_plans[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arp_for_gateway_is_answered_with_its_mac),
        cmocka_unit_test(ping_of_gateway_is_answered),
        cmocka_unit_test(dhcp_discover_is_offered_the_guests_address),
        cmocka_unit_test(syn_to_open_host_loopback_gets_syn_ack),
        cmocka_unit_test(loops_timer_fires_with_and_without_sockets),
        cmocka_unit_test(syn_to_refusing_port_gets_reset),
        cmocka_unit_test(syn_to_closed_host_loopback_is_unreachable),
        cmocka_unit_test(syn_to_raw_loopback_addresses_reaches_nobody),
        cmocka_unit_test(syn_over_ipv6_follows_the_plan),
        cmocka_unit_test(datagram_to_open_host_loopback_is_echoed),
        cmocka_unit_test(datagram_to_closed_host_loopback_is_unreachable),
        cmocka_unit_test(link_without_reader_drops_and_counts),
        cmocka_unit_test(link_whose_other_end_closes_says_so_once),
        cmocka_unit_test(impossible_plans_are_refused_by_name),
    };

    if (!rn_relay_prepare(NULL))
        return 1;
    return cmocka_run_group_tests_name("slirp-engine", tests, NULL, NULL);
}
