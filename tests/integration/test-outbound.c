/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-outbound - from a container that did nothing but start, to the outside
 *
 * Role:     servers on the world's host, clients in the container
 * Runs in:  see world.h
 * Data:     the payload prints the reply that it got, or the error
 */
#include "config.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "peer.h"
#include "run.h"

enum {
    DNS_PORT = 53
};

/* Starts `payload ARGS` with --network MODE (NULL: none given). */
static Run *start_client(const World *world, const char *mode,
                         const char *const *args)
{
    static unsigned number;
    g_autofree char *name = g_strdup_printf("client%u", number++);
    g_autofree char *bundle = bundle_new_payload(world, name, args);
    const char *const plain[] = { "run", bundle, NULL };
    const char *const with_mode[] = { "run", "--network", mode, bundle, NULL };

    return run_start(world, mode != NULL ? with_mode : plain, NULL);
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* One TCP exchange with a host server at `bound`, dialled as `dialled`. */
static void check_tcp(World *world, const char *mode, const char *bound,
                      const char *dialled)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, bound, 0);
    g_autofree char *port = g_strdup_printf("%u", peer_port(listener));
    g_autoptr(Run) run =
        start_client(world, mode, LIST("connect", dialled, port, "hello"));
    rn_autofd int fd = peer_accept(listener);

    peer_expect(fd, "hello");
    peer_send(fd, "and back");
    check_number(peer_await_end(fd), 0, "half-close of the container");
    rn_fd_close(&fd);
    run_expect_exit(run, 0);
    run_check_out(run, "reply and back\n");
}

static void check_udp(World *world, const char *mode, const char *bound,
                      const char *dialled)
{
    rn_autofd int server = peer_serve(SOCK_DGRAM, bound, 0);
    g_autofree char *port = g_strdup_printf("%u", peer_port(server));
    g_autoptr(Run) run =
        start_client(world, mode, LIST("udp", dialled, port, "datagram"));

    peer_reflect(server, "datagram");
    run_expect_exit(run, 0);
    run_check_out(run, "reply datagram\n");
}

static void test_tcp_to_host_address_works(World *world)
{
    check_tcp(world, NULL, WORLD_ADDRESS4, WORLD_ADDRESS4);
    check_nothing_left(world);
}

static void test_tcp6_to_host_address_works(World *world)
{
    check_tcp(world, NULL, WORLD_ADDRESS6, WORLD_ADDRESS6);
}

static void test_udp_to_host_address_works(World *world)
{
    check_udp(world, NULL, WORLD_ADDRESS4, WORLD_ADDRESS4);
    check_nothing_left(world);
}

static void test_udp6_to_host_address_works(World *world)
{
    check_udp(world, NULL, WORLD_ADDRESS6, WORLD_ADDRESS6);
}

typedef struct ManyCase {
    const char *mode, *address, *count, *size;
} ManyCase;

/* As many as fit into a socket's queue; then those that need fragments. */
static const ManyCase many_cases[] = {
    { "slirp", WORLD_ADDRESS4, "40", "1400" },
    { "slirp", WORLD_ADDRESS4, "40", "1" },
    { "slirp", WORLD_ADDRESS4, "1", "65507" },
    { "slirp:mtu=1500", WORLD_ADDRESS4, "20", "1472" },
    { "slirp:mtu=1500", WORLD_ADDRESS4, "5", "9000" },
    { "slirp:handoff=off", WORLD_ADDRESS4, "40", "1400" },
    { "slirp", WORLD_ADDRESS6, "40", "1400" },
    { "slirp:mtu=1500", WORLD_ADDRESS6, "5", "9000" },
};

static void test_many_datagrams_pass_as_they_are(World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(many_cases); i++) {
        const ManyCase *many = &many_cases[i];
        bool is_v6 = strchr(many->address, ':') != NULL;
        if (is_v6 && !world->has_ipv6)
            continue;
        rn_autofd int server = peer_serve(SOCK_DGRAM, many->address, 0);
        g_autofree char *port = g_strdup_printf("%u", peer_port(server));
        g_autofree char *reply = g_strdup_printf("replies %s\n", many->count);
        g_autoptr(Run) run = start_client(
            world, many->mode,
            LIST("udp-many", many->address, port, many->count, many->size));

        peer_reflect(server, "first");
        peer_reflect_many(server, (int)strtol(many->count, NULL, 10),
                          (size_t)strtol(many->size, NULL, 10));
        run_expect_exit(run, 0);
        run_check_out(run, reply);
    }
    check_nothing_left(world);
}

static void check_datagram_refused(World *world, const char *address)
{
    int bound = peer_serve(SOCK_DGRAM, address, 0);
    g_autofree char *port = g_strdup_printf("%u", peer_port(bound));

    rn_fd_close(&bound);
    g_autoptr(Run) run =
        start_client(world, NULL, LIST("udp", address, port, "x"));
    run_expect_exit(run, 1);
    run_check_out(run, "error recv: ECONNREFUSED\n");
}

static void test_datagram_without_server_is_refused(World *world)
{
    check_datagram_refused(world, WORLD_ADDRESS4);
    if (world->has_ipv6)
        check_datagram_refused(world, WORLD_ADDRESS6);
}

static void test_port_without_server_is_refused(World *world)
{
    rn_autofd int bound = peer_serve(SOCK_DGRAM, WORLD_ADDRESS4, 0);
    g_autofree char *port = g_strdup_printf("%u", peer_port(bound));
    g_autoptr(Run) run =
        start_client(world, NULL, LIST("connect", WORLD_ADDRESS4, port, "x"));

    run_expect_exit(run, 1);
    run_check_out(run, "error connect: ECONNREFUSED\n");
}

static void test_name_asked_is_answered_by_hosts_server(World *world)
{
    rn_autofd int server = peer_serve(SOCK_DGRAM, "127.0.0.1", DNS_PORT);
    g_autoptr(Run) run =
        start_client(world, NULL, LIST("resolve", "10.0.2.3", "example.test"));

    peer_answer_query(server);
    run_expect_exit(run, 0);
    run_check_out(run, "address " PEER_DNS_ADDRESS "\n");
}

/* busybox's resolver goes by the generated /etc/resolv.conf. */
static void test_etc_files_are_generated(World *world)
{
    g_autofree char *bundle = bundle_new_shell(
        world, "etc", "cat /etc/resolv.conf; echo --; cat /etc/hosts");
    const char *const args[] = { "run", "--name", "web", bundle, NULL };
    g_autoptr(Run) run = run_start(world, args, NULL);

    run_expect_exit(run, 0);
    check_contains(run->out_text->str, "nameserver 10.0.2.3\n");
    check_contains(run->out_text->str, "example.test");
    check_lacks(run->out_text->str, "127.0.0.1:53");
    const char *hosts = strstr(run->out_text->str, "--\n");
    check(hosts != NULL, "no /etc/hosts");
    check_contains(hosts, "127.0.0.1");
    check_contains(hosts, "10.0.2.100");
    check_contains(hosts, "web");
    check_lacks(hosts, "host.containers.internal");
}

static void test_host_loopback_open_names_the_host(World *world)
{
    g_autofree char *bundle = bundle_new_shell(world, "etc", "cat /etc/hosts");
    const char *const args[] = { "run", "--network", "slirp:host-loopback",
                                 bundle, NULL };
    g_autoptr(Run) run = run_start(world, args, NULL);

    run_expect_exit(run, 0);
    check_contains(run->out_text->str, "host.containers.internal");
}

static void test_interface_is_configured_at_start(World *world)
{
    g_autofree char *bundle = bundle_new_shell(
        world, "link",
        "grep -c '^tap0.00000000.0202000A' /proc/net/route; "
        "grep -c 'fd000000000000000000000000000100.*tap0' /proc/net/if_inet6");
    const char *const args[] = { "run", bundle, NULL };
    g_autoptr(Run) run = run_start(world, args, NULL);

    (void)run_wait(run);
    run_check_out(run, world->has_ipv6 ? "1\n1\n" : "1\n0\n");
}

typedef struct PingCase {
    const char *address;
    bool is_ipv6;
} PingCase;

static const PingCase ping_cases[] = {
    { "10.0.2.2", false },
    { WORLD_ADDRESS4, false },
    { "fd00::2", true },
    { WORLD_ADDRESS6, true },
};

static void test_ping_gets_replies(World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ping_cases); i++) {
        const PingCase *ping = &ping_cases[i];
        if (ping->is_ipv6 && !world->has_ipv6)
            continue;
        g_autoptr(Run) run =
            start_client(world, NULL, LIST("ping", ping->address));
        (void)run_wait(run);
        check(strcmp(run->out_text->str, "reply rnet\n") == 0,
              "ping %s: \"%s\", \"%s\"", ping->address, run->out_text->str,
              run->err_text->str);
    }
    check_nothing_left(world);
}

typedef struct LoopbackCase {
    const char *bound;   /* address of a server on the host's loopback */
    const char *dialled; /* by the container */
    bool is_ipv6;
} LoopbackCase;

static const LoopbackCase loopback_cases[] = {
    { "127.0.0.1", "10.0.2.2", false },
    { "::1", "fd00::2", true },
};

/* The server would accept: nothing may arrive at it. */
static void check_loopback_closed(World *world, const LoopbackCase *loopback)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, loopback->bound, 0);
    g_autofree char *port = g_strdup_printf("%u", peer_port(listener));
    g_autoptr(Run) run = start_client(
        world, NULL, LIST("connect", loopback->dialled, port, "x"));
    (void)run_wait(run);
    check(run->status == 1 &&
              g_str_has_prefix(run->out_text->str, "error connect: "),
          "%s by default: \"%s\"", loopback->dialled, run->out_text->str);
    struct pollfd polled = { .fd = listener, .events = POLLIN };
    check_number(poll(&polled, 1, 0), 0, "connections to the host's loopback");
}

static void test_host_loopback_is_closed_by_default(World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(loopback_cases); i++) {
        if (!loopback_cases[i].is_ipv6 || world->has_ipv6)
            check_loopback_closed(world, &loopback_cases[i]);
    }
}

static void test_host_loopback_asked_for_is_open(World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(loopback_cases); i++) {
        const LoopbackCase *loopback = &loopback_cases[i];
        if (loopback->is_ipv6 && !world->has_ipv6)
            continue;
        check_tcp(world, "slirp:host-loopback", loopback->bound,
                  loopback->dialled);
        check_udp(world, "slirp:host-loopback", loopback->bound,
                  loopback->dialled);
    }
}

/*
 * One container sends a datagram in a frame to each of 127.0.0.1, the gateway
 * and an allowed address, in this order: once the last one has arrived, the
 * first two would have, if the relay had let them through.
 */
static void test_raw_frame_to_loopback_is_dropped(World *world)
{
    rn_autofd int closed = peer_serve(SOCK_DGRAM, "127.0.0.1", 0);
    rn_autofd int open = peer_serve(SOCK_DGRAM, WORLD_ADDRESS4, 0);
    char buffer[64];
    g_autofree char *script = g_strdup_printf(
        "payload frame 127.0.0.1 %u && payload frame 10.0.2.2 %u && "
        "payload frame " WORLD_ADDRESS4 " %u && cat",
        peer_port(closed), peer_port(closed), peer_port(open));
    const char *const shell[] = { "/bin/sh", "-c", script, NULL };
    g_autofree char *bundle =
        bundle_new(world, "frames", &(BundleOptions){ .args = shell });
    const char *const args[] = { "run", bundle, NULL };
    g_autoptr(Run) run = run_start(world, args, NULL);
    ssize_t n = recv(open, buffer, sizeof(buffer), 0);

    check(n > 5 && memcmp(buffer, "frame", 5) == 0, "the allowed frame: %zd",
          n);
    n = recv(closed, buffer, sizeof(buffer), MSG_DONTWAIT);
    check(n < 0 && errno == EAGAIN, "the host's loopback got a frame");
    run_write(run, "");
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

static void test_network_options_change_the_plan(World *world)
{
    g_autofree char *bundle = bundle_new_shell(
        world, "options",
        "cat /etc/resolv.conf; grep -c tap0 /proc/net/if_inet6; "
        "payload ping 10.9.8.2");
    const char *const args[] = {
        "run", "--network",
        "slirp:mtu=1500,cidr=10.9.8.0/24,ipv6=off,dns=192.0.2.53", bundle, NULL
    };
    g_autoptr(Run) run = run_start(world, args, NULL);

    run_expect_exit(run, 0);
    check_contains(run->out_text->str, "nameserver 192.0.2.53\n");
    check_contains(run->out_text->str, "reply rnet\n");
}

int main(void)
{
    static const WorldTest tests[] = {
        { "tcp_to_host_address_works", test_tcp_to_host_address_works,
          WORLD_NEEDS_LINK },
        { "tcp6_to_host_address_works", test_tcp6_to_host_address_works,
          WORLD_NEEDS_LINK | WORLD_NEEDS_IPV6 },
        { "udp_to_host_address_works", test_udp_to_host_address_works,
          WORLD_NEEDS_LINK },
        { "udp6_to_host_address_works", test_udp6_to_host_address_works,
          WORLD_NEEDS_LINK | WORLD_NEEDS_IPV6 },
        { "many_datagrams_pass_as_they_are",
          test_many_datagrams_pass_as_they_are, WORLD_NEEDS_LINK },
        { "datagram_without_server_is_refused",
          test_datagram_without_server_is_refused, WORLD_NEEDS_LINK },
        { "port_without_server_is_refused", test_port_without_server_is_refused,
          WORLD_NEEDS_LINK },
        { "name_asked_is_answered_by_hosts_server",
          test_name_asked_is_answered_by_hosts_server, WORLD_NEEDS_LINK },
        { "etc_files_are_generated", test_etc_files_are_generated,
          WORLD_NEEDS_LINK },
        { "host_loopback_open_names_the_host",
          test_host_loopback_open_names_the_host, WORLD_NEEDS_LINK },
        { "interface_is_configured_at_start",
          test_interface_is_configured_at_start, WORLD_NEEDS_LINK },
        { "ping_gets_replies", test_ping_gets_replies, WORLD_NEEDS_LINK },
        { "host_loopback_is_closed_by_default",
          test_host_loopback_is_closed_by_default, WORLD_NEEDS_LINK },
        { "host_loopback_asked_for_is_open",
          test_host_loopback_asked_for_is_open, WORLD_NEEDS_LINK },
        { "raw_frame_to_loopback_is_dropped",
          test_raw_frame_to_loopback_is_dropped, WORLD_NEEDS_LINK },
        { "network_options_change_the_plan",
          test_network_options_change_the_plan, WORLD_NEEDS_LINK },
        { "tcp_over_packet_link_works", test_tcp_to_host_address_works,
          WORLD_WITHOUT_TUN },
        { "tcp6_over_packet_link_works", test_tcp6_to_host_address_works,
          WORLD_WITHOUT_TUN | WORLD_NEEDS_IPV6 },
        { "udp_over_packet_link_works", test_udp_to_host_address_works,
          WORLD_WITHOUT_TUN },
        { "udp6_over_packet_link_works", test_udp6_to_host_address_works,
          WORLD_WITHOUT_TUN | WORLD_NEEDS_IPV6 },
        { "many_datagrams_over_packet_link_pass",
          test_many_datagrams_pass_as_they_are, WORLD_WITHOUT_TUN },
        { "datagram_over_packet_link_is_refused",
          test_datagram_without_server_is_refused, WORLD_WITHOUT_TUN },
        { "port_without_server_over_packet_link_is_refused",
          test_port_without_server_is_refused, WORLD_WITHOUT_TUN },
        { "name_asked_over_packet_link_is_answered",
          test_name_asked_is_answered_by_hosts_server, WORLD_WITHOUT_TUN },
        { "interface_of_packet_link_is_configured",
          test_interface_is_configured_at_start, WORLD_WITHOUT_TUN },
        { "ping_over_packet_link_gets_replies", test_ping_gets_replies,
          WORLD_WITHOUT_TUN },
        { "raw_frame_over_packet_link_is_dropped",
          test_raw_frame_to_loopback_is_dropped, WORLD_WITHOUT_TUN },
        { "network_options_change_the_packet_link",
          test_network_options_change_the_plan, WORLD_WITHOUT_TUN },
    };

    return world_run_tests("outbound", tests, G_N_ELEMENTS(tests));
}
