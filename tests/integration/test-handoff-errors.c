/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-handoff-errors - outbound TCP that fails, and ends that are not orderly
 *
 * Role:     connections of the container that a direct one would not get
 * Runs in:  see world.h and handoff.h
 * Data:     errno as the container's socket has it
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <rnet/util/fd.h>
#include <rnet/util/inet.h>

#include "check.h"
#include "handoff.h"
#include "peer.h"

static int try_from_inside(const Inside *inside, const Side *side,
                           const char *address, unsigned port)
{
    rn_autofd int fd = inside_socket(inside, side->family);

    return inside_dial(fd, address, port);
}

/* A port of the host that has no server: a socket is bound, not listening. */
static int hold_port(const Side *side, const char *address)
{
    struct sockaddr_storage storage;
    socklen_t length = peer_make_address(address, 0, &storage);
    int fd = socket(side->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    check_call(fd >= 0, "socket");
    check_call(bind(fd, (struct sockaddr *)&storage, length) == 0, "bind");
    return fd;
}

static void test_port_without_server(Inside *inside, const Side *side)
{
    rn_autofd int held = hold_port(side, side->outside);

    check_number(try_from_inside(inside, side, side->outside, peer_port(held)),
                 ECONNREFUSED, "a port without a server");
}

static void test_loopback_closed(Inside *inside, const Side *side)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->loopback, 0);
    struct pollfd polled = { .fd = listener, .events = POLLIN };
    unsigned port = peer_port(listener);

    check_number(try_from_inside(inside, side, side->gateway, port),
                 ENETUNREACH, "the gateway");
    check_number(poll(&polled, 1, 0), 0, "connections to the host's loopback");
}

static void test_loopback_open(Inside *inside, const Side *side)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->loopback, 0);
    rn_autofd int held = hold_port(side, side->loopback);
    rn_autofd int client =
        inside_connect(inside, side->gateway, peer_port(listener));
    rn_autofd int server = peer_accept(listener);

    peer_send(client, "hello");
    peer_expect(server, "hello");
    check_number(try_from_inside(inside, side, side->gateway, peer_port(held)),
                 ECONNREFUSED, "a port without a server");
}

/* Adds (or deletes) a route of a type that carries nothing, rtnetlink(7). */
static void change_route(const Side *side, uint16_t message, uint8_t type)
{
    char buffer[256] = "";
    RnEndpoint to;
    struct mnl_socket *netlink = mnl_socket_open(NETLINK_ROUTE);
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));

    check_call(netlink != NULL && mnl_socket_bind(netlink, 0, 0) == 0,
               "netlink");
    check(rn_endpoint_parse_address(side->unassigned, &to, NULL), "address");
    header->nlmsg_type = message;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
    *route = (struct rtmsg){
        .rtm_family = (uint8_t)side->family,
        .rtm_dst_len = (uint8_t)side->host_prefix,
        .rtm_table = RT_TABLE_MAIN,
        .rtm_protocol = RTPROT_STATIC,
        .rtm_scope = RT_SCOPE_UNIVERSE,
        .rtm_type = type,
    };
    mnl_attr_put(header, RTA_DST, side->host_prefix / 8, to.address);
    check_call(mnl_socket_sendto(netlink, header, header->nlmsg_len) > 0,
               "send a route");
    ssize_t n = mnl_socket_recvfrom(netlink, buffer, sizeof(buffer));
    check_call(n > 0 && mnl_cb_run(buffer, (size_t)n, 0, 0, NULL, NULL) >= 0,
               "change a route");
    (void)mnl_socket_close(netlink);
}

/* What the container gets is what connect() gives on the host itself. */
static void check_same_as_host(const Inside *inside, const Side *side,
                               int expected)
{
    check_number(peer_try_connect(side->unassigned, 80), expected,
                 "connect on the host");
    check_number(try_from_inside(inside, side, side->unassigned, 80), expected,
                 "connect in the container");
}

static void test_network_unreachable(Inside *inside, const Side *side)
{
    check_same_as_host(inside, side, ENETUNREACH);
}

static void test_host_unreachable(Inside *inside, const Side *side)
{
    change_route(side, RTM_NEWROUTE, RTN_UNREACHABLE);
    check_same_as_host(inside, side, EHOSTUNREACH);
    change_route(side, RTM_DELROUTE, RTN_UNREACHABLE);
}

/*
 * No ICMP message makes EACCES of an IPv4 connect(): a router that prohibits
 * sends code 13 (RFC 1812, 5.2.7.1), which is EHOSTUNREACH, icmp_err_convert[].
 */
static void test_host_prohibited(Inside *inside, const Side *side)
{
    change_route(side, RTM_NEWROUTE, RTN_PROHIBIT);
    check_number(peer_try_connect(side->unassigned, 80), EACCES,
                 "connect on the host");
    check_number(try_from_inside(inside, side, side->unassigned, 80),
                 side->family == AF_INET ? EHOSTUNREACH : EACCES,
                 "connect in the container");
    change_route(side, RTM_DELROUTE, RTN_PROHIBIT);
}

/* Few SYNs, so that the client's own timer ends connect() in seconds. */
static void set_syn_count(int fd, int count)
{
    check_call(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &count, sizeof(count)) ==
                   0,
               "TCP_SYNCNT");
}

/* The relay's late connection is ended, by whatever. */
static void check_late_connection_ends(const FullServer *server)
{
    rn_autofd int fd = peer_accept(server->listener);
    int failure = peer_await_end(fd);

    check(failure == 0 || failure == ECONNRESET, "late connection: %s",
          g_strerror(failure));
}

static void test_server_silent(Inside *inside, const Side *side)
{
    rn_autofd int fd = inside_socket(inside, side->family);
    FullServer server;

    full_server_start(&server, side->outside);
    set_syn_count(fd, 1);
    check_number(inside_dial(fd, side->outside, server.port), ETIMEDOUT,
                 "a server that does not answer");
    full_server_open(&server);
    check_late_connection_ends(&server);
    full_server_stop(&server);
}

/* A connect() that does not wait, from the container's `port` or any. */
static int start_connect(const Inside *inside, const Side *side, unsigned port,
                         unsigned to)
{
    int fd = inside_bind(inside, side->inside, port);

    check_call(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
    check_number(inside_dial(fd, side->outside, to), EINPROGRESS, "connect");
    return fd;
}

/* Frames are handled in order: after this the relay knows all earlier ones. */
static void pass_the_relay(const Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    pair_exchange(&pair);
}

static void test_client_gives_up(Inside *inside, const Side *side)
{
    enum {
        CLIENTS = 16,
        SLACK = 10,  /* the relay's stock of sockets goes up and down by 8 */
        WARM_UP = 8, /* connections until that stock is there */
        TURNS = 5000 /* connections until all that ended is closed */
    };
    FullServer server;
    int clients[CLIENTS];

    for (int i = 0; i < WARM_UP; i++)
        pass_the_relay(inside, side);
    unsigned before = inside_relay_fds();
    full_server_start(&server, side->outside);
    /* all at once, so that no port comes twice */
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = start_connect(inside, side, 0, server.port);
    for (int i = 0; i < CLIENTS; i++)
        rn_fd_close(&clients[i]);
    pass_the_relay(inside, side);
    full_server_open(&server);
    for (int i = 0; i < CLIENTS; i++)
        check_late_connection_ends(&server);
    unsigned after = before + SLACK;
    for (int i = 0; i < TURNS && after >= before + SLACK; i++) {
        pass_the_relay(inside, side);
        after = inside_relay_fds();
    }
    check(after < before + SLACK, "fds of the relay: %u, then %u", before,
          after);
    full_server_stop(&server);
}

/*
 * The second client has the first one's port while the relay still connects
 * for the first. The server may see that one too, but only its end.
 */
static void test_client_tries_again(Inside *inside, const Side *side)
{
    FullServer server;
    char byte = 0;

    full_server_start(&server, side->outside);
    int given_up = start_connect(inside, side, 0, server.port);
    unsigned port = peer_port(given_up);
    pass_the_relay(inside, side);
    rn_fd_close(&given_up);
    rn_autofd int client = start_connect(inside, side, port, server.port);
    pass_the_relay(inside, side);
    full_server_open(&server);
    peer_await_connect(client);
    check_call(fcntl(client, F_SETFL, 0) == 0, "fcntl");
    peer_send(client, "x");
    for (bool found = false; !found;) {
        rn_autofd int fd = peer_accept(server.listener);
        found = recv(fd, &byte, 1, 0) == 1;
        if (found)
            peer_send(fd, byte == 'x' ? "y" : "not x");
    }
    peer_expect(client, "y");
    full_server_stop(&server);
}

static void test_client_resets(Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    pair_exchange(&pair);
    peer_reset(pair.client);
    pair.client = -1;
    check_number(peer_await_end(pair.server), ECONNRESET,
                 "the server's end of the connection");
}

static void test_server_resets(Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    pair_exchange(&pair);
    peer_reset(pair.server);
    pair.server = -1;
    check_number(peer_await_end(pair.client), ECONNRESET,
                 "the client's end of the connection");
}

/* Data that nobody has read is in the way of neither. */
static void test_both_reset_with_data(Inside *inside, const Side *side)
{
    g_auto(Pair) first = PAIR_CLOSED, second = PAIR_CLOSED;

    pair_open(&first, inside, side);
    pair_exchange(&first);
    peer_send(first.client, "unread");
    peer_send(first.server, "unread");
    peer_reset(first.client);
    first.client = -1;
    check_number(peer_await_end(first.server), ECONNRESET,
                 "the server's end of the connection");
    pair_open(&second, inside, side);
    pair_exchange(&second);
    peer_send(second.client, "unread");
    peer_send(second.server, "unread");
    peer_reset(second.server);
    second.server = -1;
    check_number(peer_await_end(second.client), ECONNRESET,
                 "the client's end of the connection");
}

/* The direction that is shut down says nothing about a reset's. */
static void test_server_resets_after_half_close(Inside *inside,
                                                const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    pair_exchange(&pair);
    check_call(shutdown(pair.client, SHUT_WR) == 0, "shutdown");
    check_number(peer_await_end(pair.server), 0, "the half-close");
    peer_reset(pair.server);
    pair.server = -1;
    check_number(peer_await_end(pair.client), ECONNRESET,
                 "the client's end of the connection");
}

int main(void)
{
    static const HandoffTest tests[] = {
        { "port_without_server_is_refused", test_port_without_server, 0 },
        { "loopback_closed_is_unreachable", test_loopback_closed, 0 },
        { "loopback_open_is_reached", test_loopback_open, HANDOFF_LOOPBACK },
        { "network_unreachable_gives_hosts_error", test_network_unreachable,
          0 },
        { "host_unreachable_gives_hosts_error", test_host_unreachable, 0 },
        { "host_prohibited_gives_icmps_error", test_host_prohibited,
          HANDOFF_ONLY },
        { "server_silent_times_client_out", test_server_silent, 0 },
        { "client_giving_up_leaves_nothing", test_client_gives_up, 0 },
        { "client_trying_again_gets_through", test_client_tries_again,
          HANDOFF_ONLY },
        { "reset_by_client_reaches_server", test_client_resets, HANDOFF_ONLY },
        { "reset_by_server_reaches_client", test_server_resets, 0 },
        { "reset_with_unread_data_is_passed_on", test_both_reset_with_data,
          HANDOFF_ONLY },
        { "reset_after_half_close_is_passed_on",
          test_server_resets_after_half_close, 0 },
    };

    return handoff_run_tests("handoff-errors", tests, G_N_ELEMENTS(tests));
}
