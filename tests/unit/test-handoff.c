/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-handoff - from a guest's SYN to two joined sockets, or to a refusal
 *
 * The agent is played (publish-bench.h): the "inside" socket that it hands out
 * is connected to a listener that stands for the guest's client.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <unistd.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/fd-room.h>
#include <rnet/net/filter.h>
#include <rnet/net/frame-fields.h>
#include <rnet/net/frame-refusal.h>
#include <rnet/net/handoff.h>
#include <rnet/sys/sysctl.h>
#include <rnet/util/fd.h>

#include "frames.h"
#include "netns.h"
#include "publish-bench.h"

typedef struct Guest {
    Bench *bench;
    RnHandoff *handoff;
    int server; /* the outside one, listening */
    RnEndpoint server_at;
    uint16_t port;          /* of the client */
    TestFrame sent, answer; /* the last of each; answer.length 0: none */
} Guest;

static void take_frame(const uint8_t *frame, gsize length, void *data)
{
    Guest *guest = data;

    assert_true(length <= sizeof guest->answer.bytes);
    memcpy(guest->answer.bytes, frame, length);
    guest->answer.length = length;
}

static Guest *make_guest(void)
{
    Guest *guest = g_new0(Guest, 1);
    RnHandoffParts parts = { .send = take_frame, .send_data = guest };

    guest->bench = make_bench("127.0.0.1");
    guest->bench->plan.host_loopback = 1;
    guest->port = 40000;
    guest->server = listen_on("127.0.0.1", &guest->server_at);
    parts.plan = &guest->bench->plan;
    parts.loop = guest->bench->loop;
    parts.inside = guest->bench->inside;
    parts.splicer = guest->bench->splicer;
    guest->handoff = rn_handoff_new(&parts);
    return guest;
}

static void free_guest(Guest *guest)
{
    rn_splicer_free(guest->bench->splicer);
    guest->bench->splicer = NULL;
    rn_handoff_free(guest->handoff);
    free_bench(guest->bench);
    rn_fd_close(&guest->server);
    g_free(guest);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, free_guest)

/* A SYN of the client, not sent yet. */
static void make_syn(Guest *guest, const char *to, uint16_t port,
                     uint32_t sequence)
{
    const RnNetworkPlan *plan = &guest->bench->plan;
    TestSegment segment = {
        .destination = test_endpoint(to, port),
        .sequence = sequence,
        .flags = RN_TCP_SYN,
    };

    segment.source = *rn_plan_guest(plan, segment.destination.family);
    segment.source.port = guest->port;
    test_tcp_frame(plan, &segment, &guest->sent);
    memcpy(guest->sent.bytes, plan->handoff_mac, 6);
}

static void send_syn(Guest *guest, const char *to, uint16_t port,
                     uint32_t sequence)
{
    RnFrame frame;

    make_syn(guest, to, port, sequence);
    assert_true(rn_frame_parse(guest->sent.bytes, guest->sent.length, &frame));
    assert_true(rn_filter_is_handoff(&guest->bench->plan, &frame));
    rn_handoff_take(guest->handoff, &frame);
}

static int await_server(Guest *guest)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        int fd = accept4(guest->server, NULL, NULL, SOCK_NONBLOCK);

        if (fd >= 0)
            return fd;
        turn(guest->bench);
    }
    fail_msg("nobody came to the server");
    return -1;
}

static void assert_nobody_comes(const Guest *guest)
{
    assert_int_equal(accept4(guest->server, NULL, NULL, SOCK_NONBLOCK), -1);
    assert_int_equal(errno, EAGAIN);
}

static void await_no_attempts(Guest *guest)
{
    for (unsigned i = 0;
         i < TURNS_MAX && rn_handoff_n_attempts(guest->handoff) > 0; i++)
        turn(guest->bench);
    assert_int_equal(rn_handoff_n_attempts(guest->handoff), 0);
}

/* The inside socket comes from the destination and goes to the client. */
static void assert_inside_request(const Guest *guest, unsigned i)
{
    const RnSocketRequest *request = &guest->bench->requests[i];
    RnEndpoint local = test_endpoint("10.0.2.2", guest->server_at.port);
    RnEndpoint remote = test_endpoint("10.0.2.100", 40000);

    assert_true(rn_endpoint_equal(&request->local, &local));
    assert_true(rn_endpoint_equal(&request->remote, &remote));
}

static void syn_connects_both_sides_and_bytes_pass(void **state)
{
    g_autoptr(Guest) guest = make_guest();
    rn_autofd int server = -1, client = -1;

    (void)state;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 1);
    server = await_server(guest);
    client = await_service(guest->bench);
    exchange(guest->bench, client, server);
    assert_int_equal(guest->bench->n_requests, 1);
    assert_inside_request(guest, 0);
    assert_int_equal(guest->answer.length, 0);
    assert_int_equal(rn_handoff_n_attempts(guest->handoff), 0);
}

static void syn_sent_again_makes_no_second_connection(void **state)
{
    g_autoptr(Guest) guest = make_guest();
    rn_autofd int server = -1, client = -1;

    (void)state;
    guest->bench->answers[0] = KEEP;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 7);
    send_syn(guest, "10.0.2.2", guest->server_at.port, 7);
    await_requests(guest->bench, 1);
    send_syn(guest, "10.0.2.2", guest->server_at.port, 7);
    reply(guest->bench, guest->bench->requests[0].id, CONNECT);
    server = await_server(guest);
    client = await_service(guest->bench);
    exchange(guest->bench, client, server);
    send_syn(guest, "10.0.2.2", guest->server_at.port, 7);
    exchange(guest->bench, client, server);
    assert_nobody_comes(guest);
    assert_int_equal(guest->bench->n_requests, 1);
}

static void other_syn_from_the_same_port_replaces_the_attempt(void **state)
{
    g_autoptr(Guest) guest = make_guest();
    rn_autofd int first = -1, second = -1, client = -1;

    (void)state;
    guest->bench->answers[0] = KEEP;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 1);
    await_requests(guest->bench, 1);
    first = await_server(guest);
    send_syn(guest, "10.0.2.2", guest->server_at.port, 2);
    second = await_server(guest);
    client = await_service(guest->bench);
    await_reset(guest->bench, first);
    exchange(guest->bench, client, second);
}

static void other_syn_from_a_joined_port_is_a_new_connection(void **state)
{
    g_autoptr(Guest) guest = make_guest();
    int servers[2] = { -1, -1 };
    int clients[2] = { -1, -1 };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        send_syn(guest, "10.0.2.2", guest->server_at.port, i);
        servers[i] = await_server(guest);
        clients[i] = await_service(guest->bench);
        await_no_attempts(guest);
    }
    for (unsigned i = 0; i < 2; i++) {
        exchange(guest->bench, clients[i], servers[i]);
        rn_fd_close(&clients[i]);
        rn_fd_close(&servers[i]);
    }
}

static void port_still_taken_inside_is_tried_again(void **state)
{
    g_autoptr(Guest) guest = make_guest();
    rn_autofd int server = -1, client = -1;

    (void)state;
    guest->bench->answers[0] = EADDRNOTAVAIL;
    guest->bench->answers[1] = EADDRNOTAVAIL;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 1);
    server = await_server(guest);
    client = await_service(guest->bench);
    exchange(guest->bench, client, server);
    assert_int_equal(guest->bench->n_requests, 3);
    assert_inside_request(guest, 2);
}

static void attempt_that_waits_for_its_retry_can_be_replaced(void **state)
{
    g_autoptr(Guest) guest = make_guest();
    rn_autofd int first = -1, second = -1;

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(guest->bench->answers); i++)
        guest->bench->answers[i] = EADDRNOTAVAIL;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 1);
    first = await_server(guest);
    await_requests(guest->bench, 2); /* the second is a retry */
    send_syn(guest, "10.0.2.2", guest->server_at.port, 2);
    second = await_server(guest);
    await_reset(guest->bench, first);
    await_requests(guest->bench, 4);
    assert_int_equal(rn_handoff_n_attempts(guest->handoff), 1);
}

static void client_that_gave_up_resets_the_server(void **state)
{
    g_autoptr(Guest) guest = make_guest();
    rn_autofd int server = -1;

    (void)state;
    guest->bench->answers[0] = ECONNREFUSED;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 1);
    server = await_server(guest);
    await_reset(guest->bench, server);
    await_no_attempts(guest);
    assert_int_equal(guest->bench->n_requests, 1);
    assert_int_equal(guest->answer.length, 0);
}

static void freeing_resets_what_is_under_way(void **state)
{
    Guest *guest = make_guest();
    rn_autofd int server = -1;
    Bench *bench = guest->bench;
    char byte;

    (void)state;
    bench->answers[0] = KEEP;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 1);
    server = await_server(guest);
    await_requests(bench, 1);
    free_guest(guest);
    assert_int_equal(read(server, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
}

/* The last frame is a reset that the SYN's sender takes for its own. */
static void assert_reset(const Guest *guest)
{
    RnFrame answer, sent;
    uint64_t sum = 0;

    assert_true(
        rn_frame_parse(guest->answer.bytes, guest->answer.length, &answer));
    assert_true(rn_frame_parse(guest->sent.bytes, guest->sent.length, &sent));
    assert_true(rn_endpoint_equal(&answer.source, &sent.destination));
    assert_true(rn_endpoint_equal(&answer.destination, &sent.source));
    assert_int_equal(answer.tcp_flags, RN_TCP_RST | RN_TCP_ACK);
    assert_int_equal(rn_get32(answer.transport + 8),
                     rn_get32(sent.transport + 4) + 1);
    sum = rn_checksum_pseudo(&answer.source, &answer.destination, IPPROTO_TCP,
                             answer.transport_length);
    sum = rn_checksum_add(sum, answer.transport, answer.transport_length);
    assert_int_equal(rn_checksum_finish(sum), 0);
}

static void closed_port_is_answered_with_a_reset(void **state)
{
    g_autoptr(Guest) guest = make_guest();

    (void)state;
    rn_fd_close(&guest->server);
    send_syn(guest, "10.0.2.2", guest->server_at.port, UINT32_MAX);
    await_no_attempts(guest);
    assert_reset(guest);
    assert_int_equal(guest->bench->n_requests, 0);
}

/* The last frame is an ICMP error that quotes the SYN. */
static void assert_icmp(const Guest *guest, uint8_t type, uint8_t code)
{
    const RnNetworkPlan *plan = &guest->bench->plan;
    RnFrame answer, sent;
    const uint8_t *quoted = NULL;
    uint64_t sum = 0;
    bool is_v6 = false;

    assert_true(
        rn_frame_parse(guest->answer.bytes, guest->answer.length, &answer));
    assert_true(rn_frame_parse(guest->sent.bytes, guest->sent.length, &sent));
    is_v6 = sent.source.family == AF_INET6;
    assert_memory_equal(guest->answer.bytes, plan->guest_mac, 6);
    assert_true(rn_endpoint_same_address(
        &answer.source, rn_plan_gateway(plan, sent.source.family)));
    assert_true(rn_endpoint_same_address(&answer.destination, &sent.source));
    assert_int_equal(answer.transport[0], type);
    assert_int_equal(answer.transport[1], code);
    if (is_v6)
        sum = rn_checksum_pseudo(&answer.source, &answer.destination,
                                 IPPROTO_ICMPV6, answer.transport_length);
    sum = rn_checksum_add(sum, answer.transport, answer.transport_length);
    assert_int_equal(rn_checksum_finish(sum), 0);
    /* what the kernel finds the socket by: addresses, ports, sequence */
    quoted = answer.transport + 8 + (is_v6 ? 8 : 12);
    assert_memory_equal(quoted, sent.transport - (is_v6 ? 32 : 8),
                        (is_v6 ? 32 : 8) + 8);
}

static void destination_without_a_way_is_answered_by_icmp(void **state)
{
    static const struct {
        const char *to;
        uint8_t type, code;
    } rows[] = {
        { "127.0.0.1", ICMP_DEST_UNREACH, ICMP_NET_UNREACH },
        { "169.254.169.254", ICMP_DEST_UNREACH, ICMP_NET_UNREACH },
        { "10.0.2.77", ICMP_DEST_UNREACH, ICMP_HOST_UNREACH },
        { "::1", ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE },
        { "fd00::77", ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR },
    };
    g_autoptr(Guest) guest = make_guest();

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        guest->answer.length = 0;
        send_syn(guest, rows[i].to, 80, i);
        assert_icmp(guest, rows[i].type, rows[i].code);
    }
    assert_int_equal(rn_handoff_n_attempts(guest->handoff), 0);
    assert_int_equal(guest->bench->n_requests, 0);
}

/* A server that lets everybody else wait; `places` are its full queue. */
static int open_silent_server(RnEndpoint *out_at, int places[2])
{
    int server = listen_on("127.0.0.1", out_at);

    assert_int_equal(listen(server, 0), 0);
    for (unsigned i = 0; i < 2; i++)
        places[i] = connect_to(out_at);
    return server;
}

enum {
    ATTEMPTS = 2048
}; /* at most, handoff.c */

static void require_fds(void)
{
    struct rlimit limit = { 0 };

    assert_true(rn_fd_room_raise(NULL));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 2 * ATTEMPTS + 256)
        skip_without("not enough fds");
}

/* They would be for minutes, whether their clients are there or not. */
static void attempts_at_silent_servers_do_not_keep_others_out(void **state)
{
    g_autoptr(Guest) guest = NULL;
    rn_autofd int silent = -1, first = -1, server = -1, client = -1;
    int places[2] = { -1, -1 };
    RnEndpoint silent_at;

    (void)state;
    require_fds();
    guest = make_guest();
    silent = open_silent_server(&silent_at, places);
    guest->bench->answers[0] = KEEP;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 1);
    first = await_server(guest);
    await_requests(guest->bench, 1);
    for (unsigned i = 1; i < ATTEMPTS; i++) {
        guest->port = (uint16_t)i;
        send_syn(guest, "10.0.2.2", silent_at.port, 1);
    }
    assert_int_equal(rn_handoff_n_attempts(guest->handoff), ATTEMPTS);

    /* the oldest attempt stays if its client still sends SYNs */
    guest->port = 40000;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 1);
    guest->port = 40001;
    send_syn(guest, "10.0.2.2", guest->server_at.port, 1);
    assert_int_equal(rn_handoff_n_attempts(guest->handoff), ATTEMPTS);
    server = await_server(guest);
    client = await_service(guest->bench);
    exchange(guest->bench, client, server);
    reply(guest->bench, guest->bench->requests[0].id, CONNECT);
    rn_fd_close(&client);
    client = await_service(guest->bench);
    exchange(guest->bench, client, first);
    for (unsigned i = 0; i < 2; i++)
        rn_fd_close(&places[i]);
}

static char *refuse_without_ipv6(void *data)
{
    Guest *guest = data;
    g_autoptr(GError) error = NULL;
    RnFrame frame, answer;

    if (!rn_sysctl_write("net/ipv6/conf/all/disable_ipv6", "1", &error))
        return g_strdup(error->message);
    if (!rn_frame_parse(guest->sent.bytes, guest->sent.length, &frame))
        return g_strdup("no SYN");
    rn_handoff_take(guest->handoff, &frame);
    if (guest->answer.length == 0)
        return g_strdup("no answer");
    if (!rn_frame_parse(guest->answer.bytes, guest->answer.length, &answer) ||
        answer.transport[0] != ICMP6_DST_UNREACH ||
        answer.transport[1] != ICMP6_DST_UNREACH_NOROUTE)
        return g_strdup("another answer");
    return NULL;
}

/* There connect(2) says EADDRNOTAVAIL, routes or not. */
static void host_with_ipv6_switched_off_is_no_network(void **state)
{
    g_autoptr(Guest) guest = make_guest();
    Netns netns;

    (void)state;
    netns_open(&netns);
    make_syn(guest, "2001:db8::1", 80, 1);
    netns_run(&netns, refuse_without_ipv6, guest);
    netns_close(&netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syn_connects_both_sides_and_bytes_pass),
        cmocka_unit_test(syn_sent_again_makes_no_second_connection),
        cmocka_unit_test(other_syn_from_the_same_port_replaces_the_attempt),
        cmocka_unit_test(other_syn_from_a_joined_port_is_a_new_connection),
        cmocka_unit_test(port_still_taken_inside_is_tried_again),
        cmocka_unit_test(attempt_that_waits_for_its_retry_can_be_replaced),
        cmocka_unit_test(client_that_gave_up_resets_the_server),
        cmocka_unit_test(freeing_resets_what_is_under_way),
        cmocka_unit_test(closed_port_is_answered_with_a_reset),
        cmocka_unit_test(destination_without_a_way_is_answered_by_icmp),
        cmocka_unit_test(attempts_at_silent_servers_do_not_keep_others_out),
        cmocka_unit_test(host_with_ipv6_switched_off_is_no_network),
    };

    return cmocka_run_group_tests_name("handoff", tests, NULL, NULL);
}
