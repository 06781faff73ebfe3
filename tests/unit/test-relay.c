/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-relay - the whole relay in a process of its own, confined
 *
 * The test is its monitor, its agent and its guest; what works here works
 * under the seccomp filter.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <rnet/net/frame-fields.h>
#include <rnet/net/relay.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

#include "frames.h"

enum {
    DEADLINE_MS = 20000, /* for any one event; only a failure takes so long */
    REFUSAL_TRIES = 20000,
};

typedef struct Bench {
    RnNetworkPlan plan;
    pid_t relay;
    int monitor, agent, guest; /* our ends */
    RnEndpoint tcp_front, udp_front;
    TestFrame got;
    RnFrame frame;
} Bench;

static void run_relay(int socket)
{
    g_autoptr(GError) error = NULL;

    /* so that no failure of the test leaves it behind */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!rn_relay_prepare(&error) || !rn_relay_run(socket, &error))
        _exit(1);
    _exit(0);
}

/* Starts the relay's process with nothing but its socket. */
static Bench *start_relay(void)
{
    Bench *bench = g_new0(Bench, 1);
    int pair[2];

    bench->plan = test_plan();
    bench->plan.host_loopback = 1;
    bench->agent = bench->guest = -1;
    assert_true(rn_msg_pair(pair, NULL));
    bench->monitor = pair[0];
    bench->relay = fork();
    assert_true(bench->relay >= 0);
    if (bench->relay == 0) {
        rn_fd_close_all_but(&pair[1], 1);
        run_relay(pair[1]);
    }
    rn_fd_close(&pair[1]);
    return bench;
}

static void wait_readable(int fd)
{
    struct pollfd entry = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&entry, 1, DEADLINE_MS), 1);
}

/* Reaps the relay, which has to end by itself; its exit status. */
static int await_exit(Bench *bench)
{
    int status = 0;

    wait_readable(bench->monitor); /* EOF, or FAILED and EOF */
    assert_int_equal(waitpid(bench->relay, &status, 0), bench->relay);
    bench->relay = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void end_relay(Bench *bench)
{
    if (bench->relay > 0) {
        kill(bench->relay, SIGKILL);
        waitpid(bench->relay, NULL, 0);
    }
    rn_fd_close(&bench->monitor);
    rn_fd_close(&bench->agent);
    rn_fd_close(&bench->guest);
    g_free(bench);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, end_relay)

static void send_setup(Bench *bench)
{
    RnRelaySetup setup = { .plan = bench->plan, .log_level = RN_LOG_WARNING };
    int link[2], serving[2];
    int fds[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link), 0);
    assert_true(rn_msg_pair(serving, NULL));
    bench->guest = link[0];
    bench->agent = serving[0];
    fds[0] = link[1];
    fds[1] = serving[1];
    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_SETUP, &setup,
                            sizeof setup, fds, 2, NULL));
    rn_fd_close(&fds[0]);
    rn_fd_close(&fds[1]);
}

static int open_socket(int type, RnEndpoint *out_at)
{
    RnEndpoint at = test_endpoint("127.0.0.1", 0);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&at, &storage);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 5), 0);
    length = sizeof storage;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, out_at);
    return fd;
}

static int connect_to(const RnEndpoint *at, int type)
{
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(at, &storage);
    int fd = socket(at->family, type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&storage, length), 0);
    return fd;
}

enum {
    FIRST_ID = 1, /* of what is published from the start */
    LATE_ID,
};

static void send_listener(Bench *bench, RnTransport transport, uint32_t id,
                          RnEndpoint *out_front)
{
    RnRelayListener info = { .transport = transport,
                             .id = id,
                             .guest = { .port = 80 } };
    rn_autofd int fd = open_socket(
        transport == RN_TRANSPORT_TCP ? SOCK_STREAM : SOCK_DGRAM, out_front);

    info.host = *out_front;
    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_LISTENER, &info,
                            sizeof info, &fd, 1, NULL));
}

static Bench *make_ready_relay(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };
    Bench *bench = start_relay();

    send_setup(bench);
    send_listener(bench, RN_TRANSPORT_TCP, FIRST_ID, &bench->tcp_front);
    send_listener(bench, RN_TRANSPORT_UDP, FIRST_ID, &bench->udp_front);
    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_START, NULL, 0, NULL,
                            0, NULL));
    wait_readable(bench->monitor);
    if (!rn_msg_expect(bench->monitor, RN_MSG_RELAY_READY, 0, 0, &msg, &error))
        fail_msg("not ready: %s", error->message);
    return bench;
}

static void write_frame(Bench *bench, const TestFrame *frame)
{
    assert_int_equal(write(bench->guest, frame->bytes, frame->length),
                     frame->length);
}

/* Reads frames until one of this protocol comes (0: any that is no IP). */
static void await_frame(Bench *bench, uint8_t protocol)
{
    do {
        ssize_t got = 0;

        wait_readable(bench->guest);
        got = read(bench->guest, bench->got.bytes, RN_FRAME_MAX);
        assert_true(got > 0);
        assert_true(
            rn_frame_parse(bench->got.bytes, (gsize)got, &bench->frame));
    } while (bench->frame.protocol != protocol);
}

static void resolve_gateway(Bench *bench)
{
    TestFrame request;

    test_arp_frame(&bench->plan, &bench->plan.gateway4, &request);
    write_frame(bench, &request);
    await_frame(bench, 0);
}

static void read_exactly(int fd, void *buffer, gsize length)
{
    for (gsize done = 0; done < length;) {
        ssize_t got = 0;

        wait_readable(fd);
        got = read(fd, (uint8_t *)buffer + done, length - done);
        assert_true(got > 0);
        done += (gsize)got;
    }
}

static void take_request(Bench *bench, RnSocketRequest *out_request)
{
    g_auto(RnMsg) msg = { 0 };

    wait_readable(bench->agent);
    assert_true(rn_msg_expect(bench->agent, RN_MSG_SOCKET_REQUEST,
                              sizeof *out_request, 0, &msg, NULL));
    memcpy(out_request, msg.payload, sizeof *out_request);
}

/*
 * Plays the agent once: a socket that connects to `service`. Requests for
 * spares, which can come at any time, are refused.
 */
static void answer_request(Bench *bench, const RnEndpoint *service)
{
    RnSocketRequest request = { .n_spares = 1 };
    rn_autofd int fd = -1;

    while (request.n_spares > 0) {
        RnSocketReply answer = { .errno_value = EMFILE };

        take_request(bench, &request);
        answer.id = request.id;
        if (request.n_spares == 0) {
            fd = connect_to(service, SOCK_STREAM);
            answer.errno_value = 0;
        }
        assert_true(rn_msg_send(bench->agent, RN_MSG_SOCKET_REPLY, &answer,
                                sizeof answer, &fd, fd >= 0 ? 1 : 0, NULL));
    }
}

static void withdraw(Bench *bench, uint32_t id)
{
    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_WITHDRAW, &id,
                            sizeof id, NULL, 0, NULL));
}

/* Connects until nobody listens there any more. */
static void await_refusal(const RnEndpoint *at)
{
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(at, &storage);

    for (unsigned i = 0; i < REFUSAL_TRIES; i++) {
        rn_autofd int fd = socket(at->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(fd, (struct sockaddr *)&storage, length) < 0) {
            assert_int_equal(errno, ECONNREFUSED);
            return;
        }
    }
    fail_msg("the port is still open");
}

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
    service = accept(listener, NULL, NULL);
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

static void exchange(int client, int service)
{
    char text[4];

    assert_int_equal(send(client, "ping", 4, 0), 4);
    read_exactly(service, text, 4);
    assert_int_equal(send(service, "pong", 4, 0), 4);
    read_exactly(client, text, 4);
}

static void port_comes_and_goes_while_its_connection_stays(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    RnEndpoint at, front;
    rn_autofd int listener = open_socket(SOCK_STREAM, &at);
    rn_autofd int client = -1, service = -1, other = -1, other_service = -1;

    (void)state;
    send_listener(bench, RN_TRANSPORT_TCP, LATE_ID, &front);
    client = connect_to(&front, SOCK_STREAM);
    answer_request(bench, &at);
    service = accept(listener, NULL, NULL);
    exchange(client, service);

    withdraw(bench, LATE_ID);
    await_refusal(&front);
    exchange(client, service);
    other = connect_to(&bench->tcp_front, SOCK_STREAM);
    answer_request(bench, &at);
    other_service = accept(listener, NULL, NULL);
    exchange(other, other_service);
}

static void udp_port_comes_and_goes(void **state)
{
    g_autoptr(Bench) bench = make_ready_relay();
    RnEndpoint front;
    rn_autofd int client = -1;
    char byte;

    (void)state;
    send_listener(bench, RN_TRANSPORT_UDP, LATE_ID, &front);
    client = connect_to(&front, SOCK_DGRAM);
    assert_int_equal(send(client, "question", 8, 0), 8);
    await_frame(bench, IPPROTO_UDP);
    withdraw(bench, LATE_ID);
    /* closed: the host says so, once a datagram comes */
    for (unsigned i = 0; i < REFUSAL_TRIES; i++) {
        if (send(client, "again", 5, 0) < 0 ||
            (recv(client, &byte, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN))
            break;
    }
    assert_int_equal(errno, ECONNREFUSED);
}

/* What a monitor may not send to a relay that is up. */
static const struct {
    RnMsgType type;
    gsize length;
} bad_orders[] = {
    { RN_MSG_RELAY_START, 0 },
    { RN_MSG_RELAY_WITHDRAW, sizeof(uint32_t) }, /* an id that is not there */
    { RN_MSG_RELAY_WITHDRAW, 1 },
    { RN_MSG_RELAY_LISTENER, sizeof(RnRelayListener) }, /* without its fd */
    { RN_MSG_RELAY_SETUP, sizeof(RnRelaySetup) },
    { RN_MSG_N_, 0 },
};

static void bad_order_ends_the_relay_with_a_message(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad_orders); i++) {
        static const uint8_t payload[RN_MSG_MAX_PAYLOAD] = { 99 };
        g_autoptr(Bench) bench = make_ready_relay();
        g_autoptr(GError) error = NULL;
        g_auto(RnMsg) msg = { 0 };

        assert_true(rn_msg_send(bench->monitor, bad_orders[i].type, payload,
                                bad_orders[i].length, NULL, 0, NULL));
        wait_readable(bench->monitor);
        assert_false(rn_msg_expect(bench->monitor, RN_MSG_RELAY_READY, 0, 0,
                                   &msg, &error));
        assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "");
        assert_int_equal(await_exit(bench), 1);
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
        cmocka_unit_test(syn_to_the_hosts_loopback_is_answered),
        cmocka_unit_test(dns_query_leaves_the_relay_alive),
        cmocka_unit_test(published_tcp_carries_small_and_large),
        cmocka_unit_test(published_udp_passes_both_ways),
        cmocka_unit_test(port_comes_and_goes_while_its_connection_stays),
        cmocka_unit_test(udp_port_comes_and_goes),
        cmocka_unit_test(bad_order_ends_the_relay_with_a_message),
    };

    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
