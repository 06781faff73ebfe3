/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-exposed - ports of the host's loopback that the container may reach
 *
 * By handoff, and on the container's own loopback; test-exposed-frame has the
 * way through libslirp.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

#include "relay-bench.h"

enum {
    GUEST_PORT = 80,
};

/* A relay that exposes one port, all else of the loopback closed. */
static Bench *expose_port(uint16_t host_port)
{
    Bench *bench = start_relay();

    bench->plan.host_loopback = 0;
    bench->plan.handoff_mode = RN_HANDOFF_MODE_ON;
    bench->plan.n_exposed = 1;
    bench->plan.exposed[0] = (RnExposedPort){
        .host_port = host_port,
        .guest_port = GUEST_PORT,
    };
    send_setup(bench);
    return bench;
}

/*
 * Listens on a free port of `address`. The other loopback address refuses that
 * port: *out_closed holds it, so that nobody else listens where the relay asks
 * as well.
 */
static int open_host(const char *address, RnEndpoint *out_at, int *out_closed)
{
    RnEndpoint other = test_endpoint(
        g_str_equal(address, "::1") ? "127.0.0.1" : "::1", 0);
    int host = -1;

    do {
        struct sockaddr_storage storage;
        socklen_t length = 0;

        rn_fd_close(&host);
        rn_fd_close(out_closed);
        host = open_socket_at(address, SOCK_STREAM, out_at);
        other.port = out_at->port;
        length = rn_endpoint_to_sockaddr(&other, &storage);
        *out_closed = socket(other.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(*out_closed, (struct sockaddr *)&storage, length) == 0)
            return host;
    } while (errno == EADDRINUSE);
    fail_msg("bind: %s", g_strerror(errno));
    return -1;
}

/* A SYN that the guest's kernel hands off. */
static void send_syn(Bench *bench, const char *to, uint16_t port)
{
    TestSegment segment = { .destination = test_endpoint(to, port),
                            .flags = RN_TCP_SYN };
    TestFrame frame;

    segment.source = segment.destination.family == AF_INET6
                         ? bench->plan.guest6
                         : bench->plan.guest4;
    segment.source.port = 40000;
    test_tcp_frame(&bench->plan, &segment, &frame);
    memcpy(frame.bytes, bench->plan.handoff_mac, 6);
    write_frame(bench, &frame);
}

/* The gateway that is asked, and the host's address that is listened on. */
static const struct {
    const char *gateway, *host;
} ways[] = {
    { "10.0.2.2", "127.0.0.1" },
    { "10.0.2.2", "::1" },
    { "fd00::2", "127.0.0.1" },
    { "fd00::2", "::1" },
};

static void exposed_port_is_reached_at_the_gateway(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        RnEndpoint host_at, guest_at;
        rn_autofd int closed = -1;
        rn_autofd int host = open_host(ways[i].host, &host_at, &closed);
        rn_autofd int guest = open_socket(SOCK_STREAM, &guest_at);
        g_autoptr(Bench) bench = expose_port(host_at.port);
        rn_autofd int client = -1, server = -1;

        send_start(bench);
        send_syn(bench, ways[i].gateway, GUEST_PORT);
        answer_request(bench, &guest_at);
        client = accept_client(guest);
        server = accept_client(host);
        exchange(client, server);
    }
}

/* Its number at the host is another port of the gateway, which is closed. */
static void other_ports_of_the_gateway_stay_closed(void **state)
{
    RnEndpoint at;
    rn_autofd int host = open_socket(SOCK_STREAM, &at);
    g_autoptr(Bench) bench = expose_port(at.port);

    (void)state;
    send_start(bench);
    send_syn(bench, "10.0.2.2", at.port);
    await_frame(bench, IPPROTO_ICMP);
    send_syn(bench, "fd00::2", at.port);
    await_frame(bench, IPPROTO_ICMPV6);
    assert_true(rn_fd_set_nonblocking(host, true, NULL));
    assert_int_equal(accept(host, NULL, NULL), -1);
}

static void exposed_port_where_nobody_listens_is_refused(void **state)
{
    RnEndpoint at;
    rn_autofd int host = open_socket(SOCK_STREAM, &at);
    g_autoptr(Bench) bench = expose_port(at.port);

    (void)state;
    rn_fd_close(&host);
    send_start(bench);
    send_syn(bench, "10.0.2.2", GUEST_PORT);
    await_frame(bench, IPPROTO_TCP);
    assert_int_equal(bench->frame.tcp_flags, RN_TCP_RST | RN_TCP_ACK);
}

/* Hands over what nsagent listens with; *out_at is where. */
static void send_exposed(Bench *bench, RnEndpoint *out_at)
{
    rn_autofd int fd = open_socket(SOCK_STREAM, out_at);

    assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_EXPOSE,
                            &bench->plan.exposed[0], sizeof(RnExposedPort), &fd,
                            1, NULL));
}

static void exposed_port_is_on_the_containers_loopback(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "::1" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(hosts); i++) {
        RnEndpoint host_at, inside;
        rn_autofd int closed = -1;
        rn_autofd int host = open_host(hosts[i], &host_at, &closed);
        g_autoptr(Bench) bench = expose_port(host_at.port);
        rn_autofd int client = -1, server = -1;

        send_exposed(bench, &inside);
        send_start(bench);
        client = connect_to(&inside, SOCK_STREAM);
        server = accept_client(host);
        exchange(client, server);
    }
}

/* Connected to what listens for it, and then reset. */
static void client_of_a_port_where_nobody_listens_is_reset(void **state)
{
    RnEndpoint at, inside;
    rn_autofd int host = open_socket(SOCK_STREAM, &at);
    g_autoptr(Bench) bench = expose_port(at.port);
    rn_autofd int client = -1;
    char byte;

    (void)state;
    rn_fd_close(&host);
    send_exposed(bench, &inside);
    send_start(bench);
    client = connect_to(&inside, SOCK_STREAM);
    wait_readable(client);
    assert_int_equal(read(client, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
}

/* What the plan does not expose is nothing that nsagent may hand over. */
static void socket_for_another_port_is_refused(void **state)
{
    static const RnExposedPort wrong[] = {
        { .host_port = 22, .guest_port = GUEST_PORT },
        { .host_port = 5000, .guest_port = 22 },
        { .host_port = 0, .guest_port = 22 },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(Bench) bench = expose_port(5000);
        g_autoptr(GError) error = NULL;
        g_auto(RnMsg) msg = { 0 };
        RnEndpoint at;
        rn_autofd int fd = open_socket(SOCK_STREAM, &at);

        assert_true(rn_msg_send(bench->monitor, RN_MSG_RELAY_EXPOSE, &wrong[i],
                                sizeof wrong[i], &fd, 1, NULL));
        wait_readable(bench->monitor);
        assert_false(rn_msg_expect(bench->monitor, RN_MSG_RELAY_READY, 0, 0,
                                   &msg, &error));
        assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "not exposed");
        assert_int_equal(await_exit(bench), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exposed_port_is_reached_at_the_gateway),
        cmocka_unit_test(other_ports_of_the_gateway_stay_closed),
        cmocka_unit_test(exposed_port_where_nobody_listens_is_refused),
        cmocka_unit_test(exposed_port_is_on_the_containers_loopback),
        cmocka_unit_test(client_of_a_port_where_nobody_listens_is_reset),
        cmocka_unit_test(socket_for_another_port_is_refused),
    };

    return cmocka_run_group_tests_name("exposed", tests, NULL, NULL);
}
