/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-publish-tcp - from a published TCP port to a socket inside
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <rnet/net/fd-room.h>
#include <rnet/net/relay.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

#include "frames.h"
#include "own-peer.h"
#include "publish-bench.h"

static void loopback_client_is_shown_as_gateway_and_served(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    rn_autofd int client = connect_to(&bench->front), service = -1;

    (void)state;
    service = await_service(bench);
    assert_request(bench, 0, "10.0.2.2", get_name(client).port, "10.0.2.100");
    exchange(bench, client, service);
    rn_fd_close(&service);
}

static void loopback_client_over_ipv6_is_shown_as_its_gateway(void **state)
{
    g_autoptr(Bench) bench = make_bench("::1");
    rn_autofd int client = connect_to(&bench->front), service = -1;

    (void)state;
    service = await_service(bench);
    assert_request(bench, 0, "fd00::2", get_name(client).port, "fd00::100");
    exchange(bench, client, service);
    rn_fd_close(&service);
}

static void bytes_sent_while_the_agent_thinks_are_kept(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    rn_autofd int client = -1, service = -1;
    char text[8];

    (void)state;
    bench->answers[0] = KEEP;
    client = connect_to(&bench->front);
    await_requests(bench, 1);
    assert_int_equal(send(client, "early", 5, 0), 5);
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    turn(bench);
    reply(bench, bench->requests[0].id, CONNECT);
    service = await_service(bench);
    assert_int_equal(await_read(bench, service, text, sizeof text), 5);
    assert_int_equal(await_read(bench, service, text, sizeof text), 0);
}

/* What the agent answers, and what is asked then. */
typedef struct Attempts {
    const char *name, *front;
    int answers[4];
    unsigned n_requests;
    bool is_served;
} Attempts;

static const Attempts attempts[] = {
    { "port in use", "127.0.0.1", { EADDRINUSE, CONNECT }, 2, true },
    { "address in use", "127.0.0.1", { EADDRNOTAVAIL, CONNECT }, 2, true },
    { "in use twice", "127.0.0.1", { EADDRINUSE, EADDRINUSE }, 2, false },
    { "refused, then other family", "::1", { ECONNREFUSED, CONNECT }, 2, true },
    { "refused on both", "::1", { ECONNREFUSED, ECONNREFUSED }, 2, false },
    { "in use, refused, in use",
      "127.0.0.1",
      { EADDRINUSE, ECONNREFUSED, EADDRINUSE, CONNECT },
      4,
      true },
    { "unreachable", "127.0.0.1", { EHOSTUNREACH, CONNECT }, 1, false },
    { "agent without fds", "127.0.0.1", { EMFILE, CONNECT }, 1, false },
};

static void failed_attempts_are_followed_by_the_next(void **state)
{
    char text[8];

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(attempts); i++) {
        const Attempts *row = &attempts[i];
        g_autoptr(Bench) bench = make_bench(row->front);
        rn_autofd int client = -1, service = -1;

        memcpy(bench->answers, row->answers, sizeof row->answers);
        client = connect_to(&bench->front);
        await_requests(bench, row->n_requests);
        if (row->is_served) {
            service = await_service(bench);
            exchange(bench, client, service);
        } else if (await_read(bench, client, text, sizeof text) != -1 ||
                   errno != ECONNRESET) {
            fail_msg("%s: no reset", row->name);
        }
        assert_int_equal(bench->n_requests, row->n_requests);
    }
}

static void retry_after_address_in_use_asks_for_any_port(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    rn_autofd int client = -1;

    (void)state;
    bench->answers[0] = EADDRINUSE;
    client = connect_to(&bench->front);
    await_requests(bench, 2);
    assert_request(bench, 1, "10.0.2.2", 0, "10.0.2.100");
}

static void refusal_is_followed_by_the_other_familys_gateway(void **state)
{
    g_autoptr(Bench) bench = make_bench("::1");
    rn_autofd int client = -1;

    (void)state;
    bench->answers[0] = ECONNREFUSED;
    client = connect_to(&bench->front);
    await_requests(bench, 2);
    assert_request(bench, 1, "10.0.2.2", get_name(client).port, "10.0.2.100");
}

/* The agent's connect is still under way when its answer comes. */
static void refusal_seen_by_the_socket_itself_counts_as_well(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    rn_autofd int client = -1;

    (void)state;
    rn_fd_close(&bench->service);
    client = connect_to(&bench->front);
    await_requests(bench, 2);
    assert_int_equal(bench->requests[1].remote.family, AF_INET6);
    await_reset(bench, client);
}

static void client_that_resets_while_waiting_is_forgotten(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    int client = -1;
    rn_autofd int late = -1;
    char byte;

    (void)state;
    bench->answers[0] = KEEP;
    client = connect_to(&bench->front);
    await_requests(bench, 1);
    assert_int_equal(rn_publish_tcp_n_waiting(bench->publish), 1);
    rn_socket_reset(&client);
    for (unsigned i = 0;
         i < TURNS_MAX && rn_publish_tcp_n_waiting(bench->publish) > 0; i++)
        turn(bench);
    assert_int_equal(rn_publish_tcp_n_waiting(bench->publish), 0);

    /* the late answer's socket is closed */
    reply(bench, bench->requests[0].id, CONNECT);
    late = await_service(bench);
    assert_int_equal(await_read(bench, late, &byte, 1), 0);
    assert_false(bench->is_lost);
}

static void agent_that_breaks_the_protocol_is_lost(void **state)
{
    static const RnSocketReply bad[] = { { .id = 1, .errno_value = 0 },
                                         { .id = 1, .errno_value = -5 } };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(Bench) bench = make_bench("127.0.0.1");

        assert_true(rn_msg_send(bench->agent, RN_MSG_SOCKET_REPLY, &bad[i],
                                sizeof bad[i], NULL, 0, NULL));
        for (unsigned j = 0; j < TURNS_MAX && !bench->is_lost; j++)
            turn(bench);
        assert_true(bench->is_lost);
    }
}

static void agent_that_ends_is_lost(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");

    (void)state;
    rn_watch_remove(&bench->agent_watch);
    rn_fd_close(&bench->agent);
    for (unsigned i = 0; i < TURNS_MAX && !bench->is_lost; i++)
        turn(bench);
    assert_true(bench->is_lost);
}

/* Requests beyond what the socket's queue holds wait, and all are answered. */
static void burst_of_clients_is_served_completely(void **state)
{
    enum {
        CLIENTS = 400
    };
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    int clients[CLIENTS], services[CLIENTS];

    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = connect_to(&bench->front);
    for (unsigned i = 0; i < CLIENTS; i++)
        services[i] = await_service(bench);
    for (unsigned i = 0; i < CLIENTS; i++) {
        char byte;

        assert_int_equal(send(services[i], "x", 1, 0), 1);
        assert_int_equal(await_read(bench, clients[i], &byte, 1), 1);
        rn_fd_close(&clients[i]);
        rn_fd_close(&services[i]);
    }
    for (unsigned i = 0;
         i < TURNS_MAX && rn_splicer_n_flows(bench->splicer) > 0; i++)
        turn(bench);
    assert_int_equal(rn_splicer_n_flows(bench->splicer), 0);
}

static int find_lowest_free_fd(void)
{
    int fd = dup(0);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

/*
 * With few fds left accepting stops after some clients, while their flows go
 * on; when they end, the others get their turn.
 */
static void shortage_of_fds_stops_accepting_until_flows_end(void **state)
{
    enum {
        CLIENTS = 60,
        ROOM = 60
    };
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    int clients[CLIENTS];
    struct rlimit limit, low;

    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++)
        clients[i] = connect_to(&bench->front);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)find_lowest_free_fd() + ROOM;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);

    for (unsigned i = 0;
         i < TURNS_MAX && !rn_publish_tcp_is_paused(bench->publish); i++)
        turn(bench);
    assert_true(rn_publish_tcp_is_paused(bench->publish));
    while (rn_publish_tcp_n_waiting(bench->publish) > 0)
        turn(bench);
    assert_in_range(bench->n_requests, 1, CLIENTS - 1);

    /* those that were accepted are served; one after the other ends, as the
     * service's sockets count here as well */
    for (unsigned i = 0; i < CLIENTS; i++) {
        rn_autofd int service = await_service(bench);

        exchange(bench, clients[i], service);
        rn_fd_close(&clients[i]);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(bench->n_requests, CLIENTS);
}

/* No fd at all: accept says EMFILE, the loop rests, a timer looks again. */
static void exhausted_fds_pause_without_spinning(void **state)
{
    enum {
        TURNS = 10
    };
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    rn_autofd int client = connect_to(&bench->front), service = -1;
    struct rlimit limit, low;
    unsigned n_busy = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)find_lowest_free_fd();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    turn(bench);
    assert_true(rn_publish_tcp_is_paused(bench->publish));
    /* the epoll instance has nothing to tell */
    for (unsigned i = 0; i < TURNS; i++) {
        struct epoll_event event;

        n_busy +=
            epoll_wait(rn_loop_fd(bench->loop), &event, 1, 0) > 0 ? 1u : 0u;
    }
    assert_int_equal(n_busy, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

    service = await_service(bench);
    assert_false(rn_publish_tcp_is_paused(bench->publish));
    exchange(bench, client, service);
}

/* A service that accepts nobody keeps its own clients waiting, no others. */
static void crowd_at_one_port_leaves_the_other_open(void **state)
{
    enum {
        CROWD = 600,
        ADMITTED = 512
    };
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnRelayListener info = { .guest = { .port = 80 } };
    int crowd[CROWD], listener = listen_on("127.0.0.1", &info.host);
    rn_autofd int other = -1;

    (void)state;
    assert_true(rn_fd_room_raise(NULL));
    if (!rn_fd_room(listener, 3 * CROWD))
        skip();
    assert_true(rn_publish_tcp_add(bench->publish, &info, listener, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(bench->answers); i++)
        bench->answers[i] = KEEP;
    for (unsigned i = 0; i < CROWD; i++)
        crowd[i] = connect_to(&bench->front);
    await_requests(bench, ADMITTED);
    turn(bench);
    assert_int_equal(bench->n_requests, ADMITTED);
    other = connect_to(&info.host);
    await_requests(bench, ADMITTED + 1);
    assert_request(bench, ADMITTED, "10.0.2.2", get_name(other).port,
                   "10.0.2.100");
    assert_false(rn_publish_tcp_is_paused(bench->publish));

    /* one leaves, the next is let in */
    rn_socket_reset(&crowd[0]);
    await_requests(bench, ADMITTED + 2);
    for (unsigned i = 0; i < CROWD; i++)
        rn_fd_close(&crowd[i]);
}

/* A client that was accepted before its listener went is served after it. */
static void withdrawn_listener_keeps_its_waiting_clients(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnRelayListener info = { .id = 7, .guest = { .port = 80 } };
    int listener = listen_on("127.0.0.1", &info.host);
    rn_autofd int client = -1, other = -1, service = -1, refused = -1;
    char byte;

    (void)state;
    assert_true(rn_publish_tcp_add(bench->publish, &info, listener, NULL));
    bench->answers[0] = KEEP;
    client = connect_to(&info.host);
    await_requests(bench, 1);
    assert_int_equal(rn_publish_tcp_remove(bench->publish, 8), 0);
    assert_int_equal(rn_publish_tcp_remove(bench->publish, 7), 1);
    assert_int_equal(rn_publish_tcp_remove(bench->publish, 7), 0);
    refused = connect_to(&info.host);
    assert_int_equal(await_read(bench, refused, &byte, 1), -1);
    assert_int_equal(errno, ECONNREFUSED);

    reply(bench, bench->requests[0].id, CONNECT);
    service = await_service(bench);
    exchange(bench, client, service);
    rn_fd_close(&service);
    other = connect_to(&bench->front);
    service = await_service(bench);
    exchange(bench, other, service);
}

/* The monitor shuts it down first, and its word comes later. */
static void listener_that_is_shut_down_is_left_without_a_pause(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnRelayListener info = { .id = 7, .guest = { .port = 80 } };
    int listener = listen_on("127.0.0.1", &info.host);
    rn_autofd int monitors = dup(listener);
    rn_autofd int client = -1, service = -1;

    (void)state;
    assert_true(rn_publish_tcp_add(bench->publish, &info, listener, NULL));
    assert_int_equal(shutdown(monitors, SHUT_RD), 0);
    turn(bench);
    assert_false(rn_publish_tcp_is_paused(bench->publish));
    client = connect_to(&bench->front);
    service = await_service(bench);
    exchange(bench, client, service);
    assert_int_equal(rn_publish_tcp_remove(bench->publish, 7), 1);
}

/* Where a port that has a target of its own asks to be connected. */
typedef struct Target {
    const char *front, *target;
    const char *local; /* NULL: the kernel's choice */
    bool keeps_port;   /* the client's */
} Target;

static const Target targets[] = {
    { "127.0.0.1", "127.0.0.1", "127.0.0.1", false },
    { "127.0.0.1", "127.0.0.9", "127.0.0.9", false },
    { "127.0.0.1", "::1", "::1", false },
    { "::1", "127.0.0.1", "127.0.0.1", false },
    { "127.0.0.1", "10.88.0.1", NULL, false },
    { "::1", "10.88.0.1", NULL, false },
    { "127.0.0.1", "fd88::1", NULL, false },
    { "127.0.0.1", "10.0.2.100", "10.0.2.2", true },
    { "::1", "10.0.2.100", "10.0.2.2", true },
    { "127.0.0.1", "fd00::100", "fd00::2", true },
};

/* Nobody listens any more, and the connection inside has met itself. */
static void client_is_not_led_to_itself(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnRelayListener info = { .guest = test_endpoint("127.0.0.1", 80) };
    int listener = listen_on("127.0.0.1", &info.host);
    rn_autofd int client = -1, own = make_own_peer();
    RnSocketReply answer = { 0 };

    (void)state;
    assert_true(rn_publish_tcp_add(bench->publish, &info, listener, NULL));
    bench->answers[0] = KEEP;
    client = connect_to(&info.host);
    await_requests(bench, 1);
    answer.id = bench->requests[0].id;
    assert_true(rn_msg_send(bench->agent, RN_MSG_SOCKET_REPLY, &answer,
                            sizeof answer, &own, 1, NULL));
    await_reset(bench, client);
}

static void target_of_its_own_is_the_only_one_tried(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(targets); i++) {
        const Target *row = &targets[i];
        g_autoptr(Bench) bench = make_bench("127.0.0.1");
        RnRelayListener info = { .guest = test_endpoint(row->target, 80) };
        int listener = listen_on(row->front, &info.host);
        rn_autofd int client = -1;

        assert_true(rn_publish_tcp_add(bench->publish, &info, listener, NULL));
        bench->answers[0] = ECONNREFUSED;
        client = connect_to(&info.host);
        await_reset(bench, client);
        assert_int_equal(bench->n_requests, 1);
        if (row->local != NULL)
            assert_request(bench, 0, row->local,
                           row->keeps_port ? get_name(client).port : 0,
                           row->target);
        else
            assert_int_equal(bench->requests[0].local.family, AF_UNSPEC);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_client_is_shown_as_gateway_and_served),
        cmocka_unit_test(loopback_client_over_ipv6_is_shown_as_its_gateway),
        cmocka_unit_test(bytes_sent_while_the_agent_thinks_are_kept),
        cmocka_unit_test(failed_attempts_are_followed_by_the_next),
        cmocka_unit_test(retry_after_address_in_use_asks_for_any_port),
        cmocka_unit_test(refusal_is_followed_by_the_other_familys_gateway),
        cmocka_unit_test(refusal_seen_by_the_socket_itself_counts_as_well),
        cmocka_unit_test(client_that_resets_while_waiting_is_forgotten),
        cmocka_unit_test(agent_that_breaks_the_protocol_is_lost),
        cmocka_unit_test(agent_that_ends_is_lost),
        cmocka_unit_test(burst_of_clients_is_served_completely),
        cmocka_unit_test(shortage_of_fds_stops_accepting_until_flows_end),
        cmocka_unit_test(exhausted_fds_pause_without_spinning),
        cmocka_unit_test(crowd_at_one_port_leaves_the_other_open),
        cmocka_unit_test(client_is_not_led_to_itself),
        cmocka_unit_test(target_of_its_own_is_the_only_one_tried),
        cmocka_unit_test(withdrawn_listener_keeps_its_waiting_clients),
        cmocka_unit_test(listener_that_is_shut_down_is_left_without_a_pause),
    };

    if (!rn_relay_prepare(NULL))
        return 1;
    return cmocka_run_group_tests_name("publish-tcp", tests, NULL, NULL);
}
