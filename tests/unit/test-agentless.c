/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-agentless - a relay with a link of the caller's, and no nsagent
 *
 * The guest is a machine at the other end of a socket (slirp4netns' bess target,
 * a SOCK_SEQPACKET connection): all goes by frames, and published TCP through
 * libslirp.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/net/frame-fields.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

#include "relay-bench.h"

static const uint8_t guest_mac[] = { 2, 0xaa, 0, 0, 0, 1 };

static Bench *make_agentless(void)
{
    Bench *bench = start_relay();

    bench->has_no_agent = true;
    send_setup(bench);
    send_listener(bench, RN_TRANSPORT_TCP, FIRST_ID, &bench->tcp_front);
    send_listener(bench, RN_TRANSPORT_UDP, FIRST_ID, &bench->udp_front);
    send_start(bench);
    memcpy(bench->plan.guest_mac, guest_mac, 6); /* which nobody told */
    resolve_gateway(bench);
    return bench;
}

/* Answers the last frame, a segment, as the guest's kernel would. */
static void answer_segment(Bench *bench, uint8_t flags, uint32_t sequence)
{
    const RnFrame *got = &bench->frame;
    uint32_t used = (got->tcp_flags & (RN_TCP_SYN | RN_TCP_FIN)) != 0;
    TestSegment segment = {
        .source = got->destination,
        .destination = got->source,
        .sequence = sequence,
        .acknowledged = rn_get32(got->transport + 4) + used,
        .flags = flags,
    };
    TestFrame frame;

    test_tcp_frame(&bench->plan, &segment, &frame);
    write_frame(bench, &frame);
}

static void await_flags(Bench *bench, uint8_t flags)
{
    do
        await_frame(bench, IPPROTO_TCP);
    while (bench->frame.tcp_flags != flags);
}

/* Of the connection that this client's has become. */
static void await_clients_frame(Bench *bench, int client)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    RnEndpoint name;

    assert_int_equal(getsockname(client, (struct sockaddr *)&storage, &length),
                     0);
    rn_endpoint_from_sockaddr(&storage, &name);
    do
        await_frame(bench, IPPROTO_TCP);
    while (bench->frame.source.port != name.port);
}

/* A client of `front` becomes a connection to the guest's port 80. */
static int connect_client(Bench *bench, const RnEndpoint *front)
{
    int client = connect_to(front, SOCK_STREAM);

    await_clients_frame(bench, client);
    assert_int_equal(bench->frame.tcp_flags, RN_TCP_SYN);
    answer_segment(bench, RN_TCP_SYN | RN_TCP_ACK, 5000);
    await_clients_frame(bench, client);
    assert_int_equal(bench->frame.tcp_flags, RN_TCP_ACK);
    return client;
}

/* Sends a byte to the guest, which it gets. */
static void assert_carries(Bench *bench, int client)
{
    assert_int_equal(send(client, "!", 1, 0), 1);
    do
        await_clients_frame(bench, client);
    while (bench->frame.transport_length <=
           (gsize)(bench->frame.transport[12] >> 4) * 4);
    assert_int_equal(bench->frame.transport[bench->frame.transport_length - 1],
                     '!');
}

static void published_tcp_reaches_the_guest_by_frames(void **state)
{
    g_autoptr(Bench) bench = make_agentless();
    rn_autofd int client = connect_to(&bench->tcp_front, SOCK_STREAM);
    RnEndpoint to = bench->plan.guest4;

    (void)state;
    to.port = 80;
    await_flags(bench, RN_TCP_SYN);
    assert_true(rn_endpoint_equal(&bench->frame.destination, &to));
    assert_true(
        rn_endpoint_same_address(&bench->frame.source, &bench->plan.gateway4));
    assert_memory_equal(bench->got.bytes, guest_mac, 6);
    answer_segment(bench, RN_TCP_SYN | RN_TCP_ACK, 5000);
    await_flags(bench, RN_TCP_ACK);
    assert_carries(bench, client);
}

static void client_of_a_port_that_the_guest_refuses_is_let_go(void **state)
{
    g_autoptr(Bench) bench = make_agentless();
    rn_autofd int client = connect_to(&bench->tcp_front, SOCK_STREAM);
    char byte;

    (void)state;
    await_flags(bench, RN_TCP_SYN);
    answer_segment(bench, RN_TCP_RST | RN_TCP_ACK, 0);
    wait_readable(client);
    assert_true(read(client, &byte, 1) <= 0);
}

/* More at once than libslirp's own listeners have room for. */
static void crowd_of_clients_is_accepted(void **state)
{
    enum {
        CLIENTS = 30
    };
    g_autoptr(Bench) bench = make_agentless();
    int clients[CLIENTS];

    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = connect_to(&bench->tcp_front, SOCK_STREAM);
    for (unsigned i = 0; i < CLIENTS; i++) {
        await_flags(bench, RN_TCP_SYN);
        answer_segment(bench, RN_TCP_SYN | RN_TCP_ACK, 5000);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        rn_fd_close(&clients[i]);
}

static void port_comes_and_goes_while_its_connection_stays(void **state)
{
    g_autoptr(Bench) bench = make_agentless();
    RnEndpoint front;
    rn_autofd int client = -1, other = -1;

    (void)state;
    send_listener(bench, RN_TRANSPORT_TCP, LATE_ID, &front);
    client = connect_client(bench, &front);
    withdraw(bench, LATE_ID);
    await_refusal(&front);
    assert_carries(bench, client);
    other = connect_client(bench, &bench->tcp_front);
    assert_carries(bench, other);
}

static void published_udp_goes_to_the_learned_mac(void **state)
{
    g_autoptr(Bench) bench = make_agentless();
    rn_autofd int client = connect_to(&bench->udp_front, SOCK_DGRAM);

    (void)state;
    assert_int_equal(send(client, "question", 8, 0), 8);
    await_frame(bench, IPPROTO_UDP);
    assert_memory_equal(bench->got.bytes, guest_mac, 6);
}

/* Nobody is inside to make a socket there, nor to have made one. */
static void what_takes_an_agent_is_refused(void **state)
{
    static const char *const targets[] = { "127.0.0.1", "fd00::100" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autoptr(Bench) bench = make_agentless();
        g_autoptr(GError) error = NULL;
        g_auto(RnMsg) msg = { 0 };
        RnRelayListener info = { .id = LATE_ID,
                                 .guest = test_endpoint(targets[i], 80) };
        rn_autofd int fd = open_socket(SOCK_STREAM, &info.host);

        assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_LISTENER, &info,
                                sizeof info, &fd, 1, NULL));
        wait_readable(bench->monitor);
        assert_false(rn_msg_expect(bench->monitor, RN_MSG_RELAY_READY, 0, 0,
                                   &msg, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, targets[i]);
        assert_int_equal(await_exit(bench), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_tcp_reaches_the_guest_by_frames),
        cmocka_unit_test(client_of_a_port_that_the_guest_refuses_is_let_go),
        cmocka_unit_test(crowd_of_clients_is_accepted),
        cmocka_unit_test(port_comes_and_goes_while_its_connection_stays),
        cmocka_unit_test(published_udp_goes_to_the_learned_mac),
        cmocka_unit_test(what_takes_an_agent_is_refused),
    };

    return cmocka_run_group_tests_name("agentless", tests, NULL, NULL);
}
