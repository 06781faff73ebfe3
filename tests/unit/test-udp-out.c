/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-udp-out - the guest's datagrams to host sockets, and what comes back
 */
#include "config.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <rnet/net/frame-fields.h>
#include <rnet/util/fd.h>

#include "udp-bench.h"

typedef struct TakeCase {
    const char *from, *to;
    uint16_t from_port, to_port;
    uint8_t host_loopback;
    bool is_taken;
} TakeCase;

static const TakeCase take_cases[] = {
    { "10.0.2.100", "10.0.2.2", 4000, 9, 1, true },
    { "10.0.2.100", "10.0.2.2", 4000, 9, 0, false },
    { "fd00::100", "fd00::2", 4000, 9, 1, true },
    { "fd00::100", "fd00::2", 4000, 9, 0, false },
    /* libslirp's: the name server, what a host inside sends, DHCP */
    { "10.0.2.100", "10.0.2.3", 4000, 53, 1, false },
    { "fd00::100", "fd00::3", 4000, 53, 1, false },
    { "172.20.0.2", "10.0.2.2", 4000, 9, 1, false },
    { "10.0.2.100", "10.0.2.2", 68, 67, 1, false },
    /* nobody's */
    { "10.0.2.100", "127.0.0.1", 4000, 9, 1, false },
    { "10.0.2.100", "10.0.2.77", 4000, 9, 1, false },
    { "10.0.2.100", "255.255.255.255", 4000, 67, 1, false },
    { "10.0.2.100", "10.0.2.2", 0, 9, 1, false },
    { "10.0.2.100", "10.0.2.2", 4000, 0, 1, false },
};

static void frame_is_taken_by_where_it_goes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(take_cases); i++) {
        const TakeCase *taken = &take_cases[i];
        g_autoptr(UdpBench) bench = make_udp_bench(4);
        RnEndpoint from = test_endpoint(taken->from, taken->from_port);
        RnEndpoint to = test_endpoint(taken->to, taken->to_port);
        TestFrame built;
        RnFrame frame;

        bench->plan.host_loopback = taken->host_loopback;
        test_udp_frame(&bench->plan, &from, &to, "x", 1, &built);
        assert_true(rn_frame_parse(built.bytes, built.length, &frame));
        if (rn_udp_out_take(bench->out, &frame) != taken->is_taken)
            fail_msg("%s:%u to %s:%u", taken->from, taken->from_port, taken->to,
                     taken->to_port);
        assert_int_equal(rn_udp_out_n_sockets(bench->out), taken->is_taken);
    }
}

static const char *const loopbacks[] = { "127.0.0.1", "::1" };

static void question_and_answer_pass_each_way(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(loopbacks); i++) {
        g_autoptr(UdpBench) bench = make_udp_bench(4);
        RnEndpoint at, from;
        rn_autofd int server = open_udp_server(loopbacks[i], &at);

        assert_true(guest_sends(bench, GUEST_PORT, &at, "question", 8));
        rn_udp_sender_flush(bench->sender);
        from = expect_datagram(server, "question", 8);
        send_to(server, &from, "answer", 6);
        await_frames(bench, 1);
        assert_int_equal(bench->frame.source.port, at.port);
        assert_int_equal(bench->frame.destination.port, GUEST_PORT);
        assert_int_equal(bench->frame.source.family, at.family);
        assert_memory_equal(bench->bytes, "answer", 6);
        assert_memory_equal(bench->frame.ether, bench->plan.guest_mac, 6);
    }
}

static void two_destinations_see_one_host_port(void **state)
{
    g_autoptr(UdpBench) bench = make_udp_bench(4);
    RnEndpoint at_a, at_b, from_a, from_b;
    rn_autofd int a = open_udp_server("127.0.0.1", &at_a);
    rn_autofd int b = open_udp_server("127.0.0.1", &at_b);

    (void)state;
    assert_true(guest_sends(bench, GUEST_PORT, &at_a, "a", 1));
    assert_true(guest_sends(bench, GUEST_PORT, &at_b, "b", 1));
    rn_udp_sender_flush(bench->sender);
    from_a = expect_datagram(a, "a", 1);
    from_b = expect_datagram(b, "b", 1);
    assert_true(rn_endpoint_equal(&from_a, &from_b));
    assert_int_equal(rn_udp_out_n_sockets(bench->out), 1);
}

/* Of somebody that the guest has not sent to. */
static void datagram_of_a_third_arrives_from_its_port(void **state)
{
    g_autoptr(UdpBench) bench = make_udp_bench(4);
    RnEndpoint at, at_third, from;
    rn_autofd int server = open_udp_server("127.0.0.1", &at);
    rn_autofd int third = open_udp_server("127.0.0.5", &at_third);

    (void)state;
    assert_true(guest_sends(bench, GUEST_PORT, &at, "q", 1));
    rn_udp_sender_flush(bench->sender);
    from = expect_datagram(server, "q", 1);
    send_to(third, &from, "hello", 5);
    await_frames(bench, 1);
    assert_int_equal(bench->frame.source.port, at_third.port);
    assert_true(
        rn_endpoint_same_address(&bench->frame.source, &bench->plan.gateway4));
}

static void closed_loopback_cannot_send_either(void **state)
{
    g_autoptr(UdpBench) bench = make_udp_bench(4);
    RnEndpoint at, from;
    rn_autofd int server = open_udp_server("127.0.0.1", &at);

    (void)state;
    assert_true(guest_sends(bench, GUEST_PORT, &at, "q", 1));
    rn_udp_sender_flush(bench->sender);
    from = expect_datagram(server, "q", 1);
    bench->plan.host_loopback = 0;
    send_to(server, &from, "dropped", 7);
    assert_true(rn_loop_turn(bench->loop, TURN_MS, NULL));
    assert_int_equal(bench->n_frames, 0);
    bench->plan.host_loopback = 1;
    send_to(server, &from, "passed", 6);
    await_frames(bench, 1);
    assert_memory_equal(bench->bytes, "passed", 6);
}

static void refused_datagram_is_told_to_the_guest(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(loopbacks); i++) {
        g_autoptr(UdpBench) bench = make_udp_bench(4);
        bool is_v6 = strchr(loopbacks[i], ':') != NULL;
        gsize ip_header = is_v6 ? 40 : 20;
        const uint8_t *quoted = NULL;
        RnEndpoint at;
        int server = open_udp_server(loopbacks[i], &at);

        rn_fd_close(&server);
        assert_true(guest_sends(bench, GUEST_PORT, &at, "q", 1));
        rn_udp_sender_flush(bench->sender);
        await_frames(bench, 1);
        assert_int_equal(bench->frame.protocol,
                         is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
        assert_int_equal(bench->frame.transport[0],
                         is_v6 ? ICMP6_DST_UNREACH : ICMP_DEST_UNREACH);
        assert_int_equal(bench->frame.transport[1],
                         is_v6 ? ICMP6_DST_UNREACH_NOPORT : ICMP_PORT_UNREACH);
        assert_true(rn_endpoint_same_address(&bench->frame.source,
                                             is_v6 ? &bench->plan.gateway6
                                                   : &bench->plan.gateway4));
        quoted = bench->frame.transport + 8 + ip_header;
        assert_int_equal(bench->frame.transport_length, 8 + ip_header + 8);
        assert_int_equal(rn_get16(quoted), GUEST_PORT);
        assert_int_equal(rn_get16(quoted + 2), at.port);
    }
}

/* After a refusal the socket has an error in store for the next datagram. */
static void refusal_costs_no_other_datagram(void **state)
{
    g_autoptr(UdpBench) bench = make_udp_bench(4);
    RnEndpoint at, gone;
    rn_autofd int server = open_udp_server("127.0.0.1", &at);
    int closed = open_udp_server("127.0.0.1", &gone);

    (void)state;
    rn_fd_close(&closed);
    assert_true(guest_sends(bench, GUEST_PORT, &gone, "lost", 4));
    rn_udp_sender_flush(bench->sender);
    assert_true(guest_sends(bench, GUEST_PORT, &at, "kept", 4));
    rn_udp_sender_flush(bench->sender);
    (void)expect_datagram(server, "kept", 4);
}

static void wrong_checksum_is_dropped(void **state)
{
    g_autoptr(UdpBench) bench = make_udp_bench(4);
    RnEndpoint from = bench->plan.guest4, to = bench->plan.gateway4, at;
    rn_autofd int server = open_udp_server("127.0.0.1", &at);
    TestFrame built;
    RnFrame frame;

    (void)state;
    from.port = GUEST_PORT;
    to.port = at.port;
    test_udp_frame(&bench->plan, &from, &to, "bad", 3, &built);
    built.bytes[built.length - 1] ^= 1;
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    assert_true(rn_udp_out_take(bench->out, &frame));
    assert_true(guest_sends(bench, GUEST_PORT, &at, "good", 4));
    rn_udp_sender_flush(bench->sender);
    (void)expect_datagram(server, "good", 4);
}

static void fragments_go_out_whole(void **state)
{
    enum {
        PIECE = 1480
    };
    g_autoptr(UdpBench) bench = make_udp_bench(4);
    RnEndpoint at;
    rn_autofd int server = open_udp_server("127.0.0.1", &at);
    uint8_t udp[3008] = { GUEST_PORT >> 8, GUEST_PORT & 0xff, [2500] = 'x' };
    uint64_t sum = rn_checksum_pseudo(
        &bench->plan.guest4, &bench->plan.gateway4, IPPROTO_UDP, sizeof udp);

    (void)state;
    rn_put16(udp + 2, at.port);
    rn_put16(udp + 4, sizeof udp);
    rn_put16(udp + 6,
             rn_checksum_finish(rn_checksum_add(sum, udp, sizeof udp)));
    for (gsize offset = 0; offset < sizeof udp; offset += PIECE) {
        bool is_last = offset + PIECE >= sizeof udp;
        TestFrame built;
        RnFrame frame;
        uint8_t *ip = built.bytes + 14;

        test_ip_frame(&bench->plan, &bench->plan.guest4, &bench->plan.gateway4,
                      IPPROTO_UDP, udp + offset,
                      MIN(PIECE, sizeof udp - offset), &built);
        rn_put16(ip + 6, (uint16_t)(offset / 8 | (is_last ? 0 : 0x2000)));
        rn_put16(ip + 10, 0);
        rn_put16(ip + 10, rn_checksum_finish(rn_checksum_add(0, ip, 20)));
        assert_true(rn_frame_parse(built.bytes, built.length, &frame));
        assert_true(rn_udp_out_take(bench->out, &frame));
    }
    rn_udp_sender_flush(bench->sender);
    (void)expect_datagram(server, udp + 8, sizeof udp - 8);
}

static void sockets_beyond_the_bound_replace_the_most_idle(void **state)
{
    enum {
        MAX_PORTS = 4
    };
    g_autoptr(UdpBench) bench = make_udp_bench(MAX_PORTS);
    RnEndpoint at, from = { 0 }, again;
    rn_autofd int server = open_udp_server("127.0.0.1", &at);

    (void)state;
    for (uint16_t port = 1; port <= 100; port++) {
        assert_true(guest_sends(bench, port, &at, "x", 1));
        rn_udp_sender_flush(bench->sender);
        from = expect_datagram(server, "x", 1);
        assert_true(rn_udp_out_n_sockets(bench->out) <= MAX_PORTS);
    }
    assert_int_equal(rn_udp_out_n_sockets(bench->out), MAX_PORTS);
    /* the newest is still there, with its port */
    assert_true(guest_sends(bench, 100, &at, "y", 1));
    rn_udp_sender_flush(bench->sender);
    again = expect_datagram(server, "y", 1);
    assert_true(rn_endpoint_equal(&from, &again));
}

/* What is collected for a socket goes out before it is closed. */
static void socket_replaced_sends_what_it_has(void **state)
{
    g_autoptr(UdpBench) bench = make_udp_bench(1);
    RnEndpoint at, first, second;
    rn_autofd int server = open_udp_server("127.0.0.1", &at);

    (void)state;
    assert_true(guest_sends(bench, 1, &at, "first", 5));
    assert_true(guest_sends(bench, 2, &at, "second", 6));
    rn_udp_sender_flush(bench->sender);
    first = expect_datagram(server, "first", 5);
    second = expect_datagram(server, "second", 6);
    assert_int_not_equal(first.port, second.port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_is_taken_by_where_it_goes),
        cmocka_unit_test(question_and_answer_pass_each_way),
        cmocka_unit_test(two_destinations_see_one_host_port),
        cmocka_unit_test(datagram_of_a_third_arrives_from_its_port),
        cmocka_unit_test(closed_loopback_cannot_send_either),
        cmocka_unit_test(refused_datagram_is_told_to_the_guest),
        cmocka_unit_test(refusal_costs_no_other_datagram),
        cmocka_unit_test(wrong_checksum_is_dropped),
        cmocka_unit_test(fragments_go_out_whole),
        cmocka_unit_test(sockets_beyond_the_bound_replace_the_most_idle),
        cmocka_unit_test(socket_replaced_sends_what_it_has),
    };

    return cmocka_run_group_tests_name("udp-out", tests, NULL, NULL);
}
