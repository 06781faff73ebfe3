/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-relay - the relay from its set-up to its end, and what it carries
 */
#include "config.h"

#include <unit.h>

#include <unistd.h>

#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <rnet/net/frame-fields.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

#include "relay-bench.h"

static void relay_ends_well_with_its_monitor(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    int status = 0;

    (void)state;
    rn_fd_close(&bench->monitor);
    assert_int_equal(waitpid(bench->relay, &status, 0), bench->relay);
    bench->relay = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void relay_without_agent_fails(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };

    (void)state;
    rn_fd_close(&bench->agent);
    wait_readable(bench->monitor);
    assert_false(
        rn_msg_expect(bench->monitor, RN_MSG_RELAY_READY, 0, 0, &msg, &error));
    assert_error(error, RN_ERROR, RN_ERROR_HELPER_LOST, "nsagent");
    assert_int_equal(await_exit(bench), 1);
}

static void relay_without_link_fails(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();

    (void)state;
    rn_fd_close(&bench->guest);
    assert_int_equal(await_exit(bench), 1);
}

static void bad_setup_is_refused_by_a_message(void **state)
{
    g_autoptr(Bench) bench = start_relay();
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };

    (void)state;
    bench->plan.mtu = 10;
    send_setup(bench);
    wait_readable(bench->monitor);
    assert_false(
        rn_msg_expect(bench->monitor, RN_MSG_RELAY_READY, 0, 0, &msg, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "mtu 10");
    assert_int_equal(await_exit(bench), 1);
}

static void unexpected_message_is_refused(void **state)
{
    g_autoptr(Bench) bench = start_relay();
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };

    (void)state;
    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_START, NULL, 0, NULL,
                            0, NULL));
    wait_readable(bench->monitor);
    assert_false(
        rn_msg_expect(bench->monitor, RN_MSG_RELAY_READY, 0, 0, &msg, &error));
    assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "");
    assert_int_equal(await_exit(bench), 1);
}

static void ping_is_answered_after_garbage(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    TestFrame frame;

    (void)state;
    resolve_gateway(bench);
    for (unsigned i = 0; i < 2000; i++) {
        frame.length = (gsize)g_rand_int_range(random, 1, 100);
        for (gsize j = 0; j < frame.length; j++)
            frame.bytes[j] = (uint8_t)g_rand_int(random);
        rn_put16(frame.bytes + 12, i % 2 == 0 ? 0x0800 : 0x86dd);
        write_frame(bench, &frame);
    }
    test_echo_frame(&bench->plan, &bench->plan.guest4, &bench->plan.gateway4,
                    &frame);
    write_frame(bench, &frame);
    await_frame(bench, IPPROTO_ICMP);
    assert_int_equal(bench->frame.transport[0], ICMP_ECHOREPLY);
}

/* A part of a packet, with a checksum that is right. */
static void write_fragment(Bench *bench, const TestFrame *whole,
                           unsigned offset, unsigned length, bool is_last)
{
    TestFrame part = *whole;
    uint8_t *ip = part.bytes + 14;

    part.length = 34 + length;
    memmove(ip + 20, whole->bytes + 34 + offset, length);
    rn_put16(ip + 2, (uint16_t)(20 + length));
    rn_put16(ip + 6, (uint16_t)(offset / 8 | (is_last ? 0 : 0x2000)));
    rn_put16(ip + 10, 0);
    rn_put16(ip + 10, rn_checksum_finish(rn_checksum_add(0, ip, 20)));
    write_frame(bench, &part);
}

/* Enough of them end libslirp 4.7. */
static void last_fragments_without_others_reach_nobody(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    TestFrame frame, other;

    (void)state;
    resolve_gateway(bench);
    test_echo_frame(&bench->plan, &bench->plan.guest4, &bench->plan.gateway4,
                    &frame);
    other = frame;
    for (unsigned i = 0; i < 500; i++) {
        rn_put16(other.bytes + 14 + 4, (uint16_t)i);
        write_fragment(bench, &other, 8, 8, true);
    }
    write_frame(bench, &frame);
    await_frame(bench, IPPROTO_ICMP);
    assert_int_equal(bench->frame.transport[0], ICMP_ECHOREPLY);
}

static void ping_in_fragments_is_answered(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    TestFrame frame;

    (void)state;
    resolve_gateway(bench);
    test_echo_frame(&bench->plan, &bench->plan.guest4, &bench->plan.gateway4,
                    &frame);
    write_fragment(bench, &frame, 0, 8, false);
    write_fragment(bench, &frame, 8, (unsigned)frame.length - 34 - 8, true);
    await_frame(bench, IPPROTO_ICMP);
    assert_int_equal(bench->frame.transport[0], ICMP_ECHOREPLY);
    assert_int_equal(bench->frame.transport_length, frame.length - 34);
}

static void syn_to_the_hosts_loopback_is_answered(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    RnEndpoint at;
    rn_autofd int listener = open_socket(SOCK_STREAM, &at);
    TestSegment segment = { .source = bench->plan.guest4,
                            .destination = bench->plan.gateway4,
                            .flags = RN_TCP_SYN };
    TestFrame frame;

    (void)state;
    assert_true(listener >= 0);
    resolve_gateway(bench);
    segment.source.port = 40000;
    segment.destination.port = at.port;
    test_tcp_frame(&bench->plan, &segment, &frame);
    write_frame(bench, &frame);
    await_frame(bench, IPPROTO_TCP);
    assert_int_equal(bench->frame.tcp_flags, RN_TCP_SYN | RN_TCP_ACK);
}

/*
 * libslirp reads resolv.conf for it, then sends to the server named there,
 * if there is one: no more can be known here than that nothing breaks.
 */
static void dns_query_leaves_the_relay_alive(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    RnEndpoint from = bench->plan.guest4, to = bench->plan.dns4;
    TestFrame frame;

    (void)state;
    resolve_gateway(bench);
    from.port = 40000;
    to.port = 53;
    test_udp_frame(&bench->plan, &from, &to, "not really DNS", 14, &frame);
    write_frame(bench, &frame);
    test_echo_frame(&bench->plan, &bench->plan.guest4, &bench->plan.gateway4,
                    &frame);
    write_frame(bench, &frame);
    do
        await_frame(bench, IPPROTO_ICMP);
    while (bench->frame.transport[0] != ICMP_ECHOREPLY);
}

static void published_tcp_carries_small_and_large(void **state)
{
    enum {
        LARGE = 1 << 20
    };
    g_autoptr(Bench) bench = make_ready_relay();
    RnEndpoint at;
    rn_autofd int listener = open_socket(SOCK_STREAM, &at);
    rn_autofd int client = connect_to(&bench->tcp_front, SOCK_STREAM);
    rn_autofd int service = -1;
    g_autofree uint8_t *sent = g_malloc(LARGE), *got = g_malloc(LARGE);

    (void)state;
    answer_request(bench, &at);
    service = accept_client(listener);
    assert_int_equal(send(client, "ping", 4, 0), 4);
    read_exactly(service, got, 4);
    assert_memory_equal(got, "ping", 4);

    for (unsigned i = 0; i < LARGE; i++)
        sent[i] = (uint8_t)(i * 13 + i / 1000);
    /* in pieces that the kernel's buffers take while nobody reads */
    for (unsigned i = 0; i < LARGE; i += LARGE / 16) {
        assert_true(rn_fd_write_all(client, sent + i, LARGE / 16, NULL));
        read_exactly(service, got + i, LARGE / 16);
    }
    assert_memory_equal(sent, got, LARGE);
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    wait_readable(service);
    assert_int_equal(read(service, got, 1), 0);
}

static void published_udp_passes_both_ways(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    rn_autofd int client = connect_to(&bench->udp_front, SOCK_DGRAM);
    TestFrame frame;
    char text[16];

    (void)state;
    assert_int_equal(send(client, "question", 8, 0), 8);
    await_frame(bench, IPPROTO_UDP);
    assert_memory_equal(bench->frame.payload, "question", 8);
    assert_true(
        rn_endpoint_same_address(&bench->frame.source, &bench->plan.gateway4));
    test_udp_frame(&bench->plan, &bench->frame.destination,
                   &bench->frame.source, "answer", 6, &frame);
    write_frame(bench, &frame);
    wait_readable(client);
    assert_int_equal(recv(client, text, sizeof text, 0), 6);
}

/* The MAC that the next datagram of a client is sent to. */
static const uint8_t *ask_for_mac(Bench *bench, int client)
{
    assert_int_equal(send(client, "question", 8, 0), 8);
    await_frame(bench, IPPROTO_UDP);
    return bench->got.bytes;
}

static void write_arp(Bench *bench, const RnEndpoint *sender,
                      const uint8_t mac[6])
{
    RnNetworkPlan plan = bench->plan;
    TestFrame request;

    plan.guest4 = *sender;
    memcpy(plan.guest_mac, mac, 6);
    test_arp_frame(&plan, &plan.gateway4, &request);
    write_frame(bench, &request);
    await_frame(bench, 0);
}

/* Of an interface that is another's business; from its own address only. */
static void changed_mac_is_learned_from_the_guests_frames(void **state)
{
    static const uint8_t first[] = { 2, 0, 0, 0, 0, 1 };
    static const uint8_t second[] = { 2, 0, 0, 0, 0, 2 };
    static const uint8_t multicast[] = { 3, 0, 0, 0, 0, 3 };

    (void)state;
    for (uint8_t is_manual = 0; is_manual < 2; is_manual++) {
        g_autoptr(Bench) bench = start_relay();
        RnEndpoint other = test_endpoint("10.0.2.77", 0);
        RnEndpoint front;
        rn_autofd int client = -1;

        bench->plan.is_manual = is_manual;
        send_setup(bench);
        send_listener(bench, RN_TRANSPORT_UDP, FIRST_ID, &front);
        send_start(bench);
        client = connect_to(&front, SOCK_DGRAM);
        assert_memory_equal(ask_for_mac(bench, client), bench->plan.guest_mac,
                            6);
        write_arp(bench, &bench->plan.guest4, first);
        write_arp(bench, &other, second);
        write_arp(bench, &bench->plan.guest4, multicast);
        assert_memory_equal(ask_for_mac(bench, client),
                            is_manual != 0 ? first : bench->plan.guest_mac, 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay_ends_well_with_its_monitor),
        cmocka_unit_test(relay_without_agent_fails),
        cmocka_unit_test(relay_without_link_fails),
        cmocka_unit_test(bad_setup_is_refused_by_a_message),
        cmocka_unit_test(unexpected_message_is_refused),
        cmocka_unit_test(ping_is_answered_after_garbage),
        cmocka_unit_test(last_fragments_without_others_reach_nobody),
        cmocka_unit_test(ping_in_fragments_is_answered),
        cmocka_unit_test(syn_to_the_hosts_loopback_is_answered),
        cmocka_unit_test(dns_query_leaves_the_relay_alive),
        cmocka_unit_test(published_tcp_carries_small_and_large),
        cmocka_unit_test(published_udp_passes_both_ways),
        cmocka_unit_test(changed_mac_is_learned_from_the_guests_frames),
    };

    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
