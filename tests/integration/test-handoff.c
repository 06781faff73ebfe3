/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-handoff - outbound TCP of a container behaves like a direct connection
 *
 * Role:     names, ports, SYNs of all kinds, and what must stay untouched
 * Runs in:  see world.h and handoff.h; errors are in test-handoff-errors, bulk
 *           data in test-handoff-streams
 * Data:     both ends of every connection are the body's
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <rnet/util/fd.h>
#include <rnet/util/inet.h>

#include "bundle.h"
#include "check.h"
#include "handoff.h"
#include "leftovers.h"
#include "peer.h"

static void set_option(int fd, int level, int option, int value)
{
    check_call(setsockopt(fd, level, option, &value, sizeof(value)) == 0,
               "setsockopt");
}

typedef int (*NameFunc)(int fd, struct sockaddr *address, socklen_t *length);

/* getsockname() or getpeername() as "ADDRESS PORT"; the caller's. */
static char *name_of(int fd, NameFunc func)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof(storage);
    char text[RN_ENDPOINT_TEXT];
    RnEndpoint endpoint;

    check_call(func(fd, (struct sockaddr *)&storage, &length) == 0, "name");
    rn_endpoint_from_sockaddr(&storage, &endpoint);
    return g_strdup_printf("%s %u", rn_endpoint_format_address(&endpoint, text),
                           endpoint.port);
}

static void check_name(int fd, NameFunc func, const char *address,
                       unsigned port)
{
    g_autofree char *name = name_of(fd, func);
    g_autofree char *wanted = g_strdup_printf("%s %u", address, port);

    check_text(name, wanted);
}

static void test_names(Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    check_name(pair.client, getpeername, side->outside, pair.port);
    check_name(pair.client, getsockname, side->inside, peer_port(pair.client));
    check_name(pair.server, getsockname, side->outside, pair.port);
    g_autofree char *peer = name_of(pair.server, getpeername);
    check(g_str_has_prefix(peer, side->outside), "the server saw %s", peer);
    pair_exchange(&pair);
}

/* The same as a process of the container sees it. */
static void test_names_in_process(Inside *inside, const Side *side)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->outside, 0);
    unsigned port = peer_port(listener);
    g_autofree char *port_text = g_strdup_printf("%u", port);
    g_autofree char *dir = g_strdup_printf("names%u", port);
    g_autofree char *network = handoff_network(inside->world);
    const char *const verb[] = { "names", side->outside, port_text, NULL };
    g_autofree char *bundle = bundle_new_payload(inside->world, dir, verb);
    const char *const args[] = { "run", "--network",
                                 network != NULL ? network : "slirp", bundle,
                                 NULL };
    g_autoptr(Run) run = run_start(inside->world, args, NULL);
    g_autofree char *local = run_read_until(run, "local ");
    g_autofree char *peer = run_read_until(run, "peer ");
    g_autofree char *wanted = g_strdup_printf("%s %u", side->outside, port);

    check(g_str_has_prefix(local, side->inside), "local %s", local);
    check_text(peer, wanted);
    run_expect_exit(run, 0);
}

static void test_small_messages(Inside *inside, const Side *side)
{
    enum {
        ROUNDS = 3000
    };
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    set_option(pair.client, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(pair.server, IPPROTO_TCP, TCP_NODELAY, 1);
    for (int i = 0; i < ROUNDS; i++)
        pair_exchange(&pair);
}

/* "ab", "u" as urgent data, "cd"; the receiver reads to the end. */
static void check_urgent(int from, int to)
{
    peer_send(from, "ab");
    check_call(send(from, "u", 1, MSG_OOB | MSG_NOSIGNAL) == 1, "send urgent");
    peer_send(from, "cd");
    check_call(shutdown(from, SHUT_WR) == 0, "shutdown");
    /* one byte at a time: a read across an urgent mark stops there, tcp(7) */
    for (const char *c = "abucd"; *c != '\0'; c++) {
        const char wanted[] = { *c, '\0' };
        peer_expect(to, wanted);
    }
    check_number(peer_await_end(to), 0, "the end");
}

/* A receiver that wants urgent data in line has it there in any case. */
static void test_urgent_asked_in_line(Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    set_option(pair.client, SOL_SOCKET, SO_OOBINLINE, 1);
    set_option(pair.server, SOL_SOCKET, SO_OOBINLINE, 1);
    check_urgent(pair.client, pair.server);
    check_urgent(pair.server, pair.client);
}

/*
 * The relay takes urgent data as any other, splice.h, so even a receiver that
 * did not ask for it finds the byte in its place.
 */
static void test_urgent_becomes_in_line(Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    check_urgent(pair.client, pair.server);
    check_urgent(pair.server, pair.client);
}

/* Ends after the kernel's own SYN timers: what takes long, and not by us. */
static void await_syn_timeout(const Inside *inside, const Side *side)
{
    rn_autofd int fd = inside_socket(inside, side->family);
    FullServer server;

    full_server_start(&server, side->outside);
    set_option(fd, IPPROTO_TCP, TCP_SYNCNT, 1);
    check_number(inside_dial(fd, side->outside, server.port), ETIMEDOUT,
                 "a server that does not answer");
    full_server_stop(&server);
}

/* A probe after 1 s without an answer would end it at 2 s, the SYNs at 3 s. */
static void test_keepalive(Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    pair_exchange(&pair);
    set_option(pair.client, IPPROTO_TCP, TCP_KEEPIDLE, 1);
    set_option(pair.client, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    set_option(pair.client, IPPROTO_TCP, TCP_KEEPCNT, 1);
    set_option(pair.client, SOL_SOCKET, SO_KEEPALIVE, 1);
    await_syn_timeout(inside, side);
    pair_exchange(&pair);
}

static unsigned count_retransmits(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t length = sizeof(info);

    check_call(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0,
               "TCP_INFO");
    return info.tcpi_total_retrans;
}

/* Both SYNs are one connection: the next that the server sees is another's. */
static void test_syn_again(Inside *inside, const Side *side)
{
    rn_autofd int client = inside_socket(inside, side->family);
    FullServer server;

    full_server_start(&server, side->outside);
    check_call(fcntl(client, F_SETFL, O_NONBLOCK) == 0, "fcntl");
    check_number(inside_dial(client, side->outside, server.port), EINPROGRESS,
                 "connect");
    await_syn_timeout(inside, side);
    check(count_retransmits(client) > 0, "the SYN was sent once");
    full_server_open(&server);
    peer_await_connect(client);
    check_call(fcntl(client, F_SETFL, 0) == 0, "fcntl");
    rn_autofd int other = inside_connect(inside, side->outside, server.port);
    rn_autofd int first = peer_accept(server.listener);
    rn_autofd int second = peer_accept(server.listener);
    peer_send(client, "first");
    peer_send(other, "second");
    peer_expect(first, "first");
    peer_expect(second, "second");
    full_server_stop(&server);
}

/* Returns a connection from a port of the container's, which is bound anew. */
static int connect_from(const Inside *inside, const Side *side, unsigned from,
                        unsigned to)
{
    int fd = inside_bind(inside, side->inside, from);
    int failure = inside_dial(fd, side->outside, to);

    check(failure == 0, "connect from port %u: %s", from, g_strerror(failure));
    return fd;
}

/*
 * The same four-tuple is free again in the container once its kernel has the
 * answer to its last FIN, which comes before this exchange's.
 */
static void await_port_free(const Pair *turns)
{
    pair_exchange(turns);
}

enum {
    AGAIN = 5 /* connections with the same four-tuple, one after another */
};

static void test_port_again_after_server_closed(Inside *inside,
                                                const Side *side)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->outside, 0);
    g_auto(Pair) turns = PAIR_CLOSED;
    unsigned port = 0;

    pair_open(&turns, inside, side);
    for (int i = 0; i < AGAIN; i++) {
        int client = connect_from(inside, side, port, peer_port(listener));
        int server = peer_accept(listener);
        port = peer_port(client);
        peer_send(client, "up");
        peer_expect(server, "up");
        peer_send(server, "down");
        rn_fd_close(&server);
        peer_expect(client, "down");
        check_number(peer_await_end(client), 0, "the server's end");
        rn_fd_close(&client);
        await_port_free(&turns);
    }
}

static void test_port_again_after_reset(Inside *inside, const Side *side)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->outside, 0);
    unsigned port = 0;

    for (int i = 0; i < AGAIN; i++) {
        int client = connect_from(inside, side, port, peer_port(listener));
        rn_autofd int server = peer_accept(listener);
        port = peer_port(client);
        peer_send(client, "up");
        peer_expect(server, "up");
        peer_reset(client);
    }
}

/* Only the destination's port tells these connections apart. */
static void test_port_shared(Inside *inside, const Side *side)
{
    enum {
        SERVERS = 8
    };
    int listeners[SERVERS], clients[SERVERS], servers[SERVERS];
    unsigned port = 0;

    for (int i = 0; i < SERVERS; i++) {
        listeners[i] = peer_serve(SOCK_STREAM, side->outside, 0);
        clients[i] = connect_from(inside, side, port, peer_port(listeners[i]));
        port = peer_port(clients[i]);
        servers[i] = peer_accept(listeners[i]);
    }
    for (int i = 0; i < SERVERS; i++) {
        g_autofree char *text = g_strdup_printf("for server %d", i);
        peer_send(clients[i], text);
        peer_expect(servers[i], text);
    }
    for (int i = 0; i < SERVERS; i++) {
        rn_fd_close(&clients[i]);
        rn_fd_close(&servers[i]);
        rn_fd_close(&listeners[i]);
    }
}

/* The server gets it all once, and both directions go on to their ends. */
static void check_arrives_once(int listener, int client, const char *text)
{
    rn_autofd int server = peer_accept(listener);

    peer_expect(server, text);
    peer_send(server, "answer");
    peer_expect(client, "answer");
    peer_send(client, "more");
    peer_expect(server, "more");
    check_call(shutdown(client, SHUT_WR) == 0, "shutdown");
    check_number(peer_await_end(server), 0, "the end");
}

static void test_syn_with_data(Inside *inside, const Side *side)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->outside, 0);
    rn_autofd int client = inside_socket(inside, side->family);
    g_autofree char *text = g_strnfill(700, 's');
    struct sockaddr_storage to;
    socklen_t length =
        peer_make_address(side->outside, peer_port(listener), &to);

    set_option(client, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
    ssize_t n = sendto(client, text, strlen(text), MSG_FASTOPEN | MSG_NOSIGNAL,
                       (struct sockaddr *)&to, length);
    check_call(n == (ssize_t)strlen(text), "send with the SYN");
    check_arrives_once(listener, client, text);
}

static void check_deferred(const Inside *inside, const Side *side,
                           int no_cookie)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->outside, 0);
    rn_autofd int client = inside_socket(inside, side->family);

    set_option(client, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, no_cookie);
    set_option(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    check_number(inside_dial(client, side->outside, peer_port(listener)), 0,
                 "connect");
    peer_send(client, "at once");
    check_arrives_once(listener, client, "at once");
}

/* The SYN asks for a cookie, RFC 7413, and the data follows it. */
static void test_connect_deferred(Inside *inside, const Side *side)
{
    check_deferred(inside, side, 0);
}

/* The SYN has the data. */
static void test_connect_deferred_with_data(Inside *inside, const Side *side)
{
    check_deferred(inside, side, 1);
}

static void connect_and_echo(const Inside *inside, const char *address,
                             int listener)
{
    rn_autofd int client = inside_connect(inside, address, peer_port(listener));
    rn_autofd int server = peer_accept(listener);

    peer_send(client, "here");
    peer_expect(server, "here");
    peer_send(server, "there");
    peer_expect(client, "there");
}

/* A server of the container, without SO_REUSEADDR. */
static int listen_inside(const Inside *inside, const Side *side,
                         const char *address, unsigned port)
{
    struct sockaddr_storage storage;
    socklen_t length = peer_make_address(address, port, &storage);
    int fd = inside_socket(inside, side->family);

    check(bind(fd, (struct sockaddr *)&storage, length) == 0,
          "bind to %s port %u in the container: %s", address, port,
          g_strerror(errno));
    check_call(listen(fd, SOMAXCONN) == 0, "listen");
    return fd;
}

static void test_own_listener_before(Inside *inside, const Side *side)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->outside, 0);
    rn_autofd int own =
        listen_inside(inside, side, side->any, peer_port(listener));
    struct pollfd polled = { .fd = own, .events = POLLIN };

    connect_and_echo(inside, side->outside, listener);
    check_number(poll(&polled, 1, 0), 0, "connections to the wrong listener");
    connect_and_echo(inside, side->inside, own);
    connect_and_echo(inside, side->loopback, own);
}

/*
 * With SO_REUSEADDR, as servers do: without it the other end of a connection
 * that is handed off is in the way, a socket of this namespace with that port.
 */
static void test_own_listener_after(Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    rn_autofd int own = inside_bind(inside, side->any, pair.port);
    check_call(listen(own, SOMAXCONN) == 0, "listen");
    pair_exchange(&pair);
    connect_and_echo(inside, side->loopback, own);
    pair_exchange(&pair);
}

static void test_own_addresses(Inside *inside, const Side *side)
{
    const char *const addresses[] = { side->loopback, side->inside };
    static const char key[] = "tap0:";
    guint64 before = inside_number(inside, "net/dev", key);

    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
        rn_autofd int own = listen_inside(inside, side, addresses[i], 0);
        rn_autofd int held = inside_bind(inside, addresses[i], 0);
        rn_autofd int client = inside_socket(inside, side->family);
        connect_and_echo(inside, addresses[i], own);
        check_number(inside_dial(client, addresses[i], peer_port(held)),
                     ECONNREFUSED, "a port without a server");
    }
    check_number((long long)inside_number(inside, "net/dev", key),
                 (long long)before, "bytes through the TAP");
}

int main(void)
{
    static const HandoffTest tests[] = {
        { "names_are_the_true_ones", test_names, 0 },
        { "names_in_a_process_are_the_true_ones", test_names_in_process, 0 },
        { "small_messages_all_arrive", test_small_messages, 0 },
        { "urgent_byte_asked_in_line_is_there", test_urgent_asked_in_line, 0 },
        { "urgent_byte_becomes_one_in_line", test_urgent_becomes_in_line,
          HANDOFF_ONLY },
        { "keepalive_is_answered", test_keepalive, 0 },
        { "syn_sent_again_connects_once", test_syn_again, 0 },
        { "port_again_after_close_connects",
          test_port_again_after_server_closed, HANDOFF_ONLY },
        { "port_again_after_reset_connects", test_port_again_after_reset, 0 },
        { "port_shared_reaches_each_server", test_port_shared, 0 },
        { "syn_with_data_delivers_it_once", test_syn_with_data, HANDOFF_ONLY },
        { "cookie_asked_for_delivers_data_once", test_connect_deferred, 0 },
        { "connect_deferred_delivers_data_once",
          test_connect_deferred_with_data, HANDOFF_ONLY },
        { "own_listener_on_the_port_is_left_alone", test_own_listener_before,
          0 },
        { "own_listener_may_come_later", test_own_listener_after, 0 },
        { "own_addresses_are_left_alone", test_own_addresses, 0 },
    };

    return handoff_run_tests("handoff", tests, G_N_ELEMENTS(tests));
}
