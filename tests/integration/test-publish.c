/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-publish - published ports, from the host's side and the service's
 *
 * Role:     clients on the world's host against echo servers in a container
 * Runs in:  see world.h
 * Data:     the service prints each client's address as it saw it
 */
#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "peer.h"
#include "run.h"

/* Starts a bundle with up to three --publish and waits for "ready". */
static Run *start_service(const World *world, const char *const *specs,
                          const char *const *payload, const RunOptions *options)
{
    g_autofree char *bundle = bundle_new_payload(world, "service", payload);
    g_autoptr(GPtrArray) args = g_ptr_array_new();

    g_ptr_array_add(args, (void *)"run");
    for (size_t i = 0; specs[i] != NULL; i++) {
        g_ptr_array_add(args, (void *)"--publish");
        g_ptr_array_add(args, (void *)specs[i]);
    }
    g_ptr_array_add(args, bundle);
    g_ptr_array_add(args, NULL);
    Run *run = run_start(world, (const char *const *)args->pdata, options);
    run_await(run, "ready");
    return run;
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void stop_service(const World *world, Run *run)
{
    run_signal(run, SIGTERM);
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

/* The next client that the service reports, without its port. */
static char *next_client(Run *run)
{
    char *client = run_read_until(run, "client ");

    client[strcspn(client, " ")] = '\0';
    return client;
}

typedef struct ClientCase {
    const char *address; /* of the host, that the client connects to (and
                            from, since both are the same host) */
    const char *seen;    /* by the service */
    bool is_ipv6;
} ClientCase;

/* Loopback clients are shown as the gateway, others as themselves. */
static const ClientCase client_cases[] = {
    { "127.0.0.1", "10.0.2.2", false },
    { WORLD_ADDRESS4, WORLD_ADDRESS4, false },
    { "::1", "fd00::2", true },
    { WORLD_ADDRESS6, WORLD_ADDRESS6, true },
};

static void test_tcp_published_serves_and_shows_client(World *world)
{
    g_autoptr(Run) run =
        start_service(world, LIST("8080:80"), LIST("serve-tcp", "80"), NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(client_cases); i++) {
        const ClientCase *client = &client_cases[i];
        if (client->is_ipv6 && !world->has_ipv6)
            continue;
        rn_autofd int fd = peer_connect(SOCK_STREAM, client->address, 8080);
        peer_echo(fd, "hello");
        g_autofree char *seen = next_client(run);
        check_text(seen, client->seen);
        peer_finish(fd, "end 5\n");
    }
    stop_service(world, run);
}

static void test_range_published_maps_each_port(World *world)
{
    g_autoptr(Run) run =
        start_service(world, LIST("8000-8002:80-82"),
                      LIST("serve-tcp", "80", "81", "82"), NULL);

    for (unsigned port = 8000; port <= 8002; port++) {
        rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", port);
        peer_echo(fd, "range");
    }
    check_number(peer_try_connect("127.0.0.1", 8003), ECONNREFUSED,
                 "port after the range");
    stop_service(world, run);
}

static void test_host_address_given_binds_only_that(World *world)
{
    g_autoptr(Run) run = start_service(world, LIST("127.0.0.1:8080:80"),
                                       LIST("serve-tcp", "80"), NULL);
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);

    peer_echo(fd, "here");
    check_number(peer_try_connect(WORLD_ADDRESS4, 8080), ECONNREFUSED,
                 "another address");
    stop_service(world, run);
}

static void test_bracketed_address_given_binds_ipv6(World *world)
{
    g_autoptr(Run) run = start_service(world, LIST("[::1]:8080:80"),
                                       LIST("serve-tcp", "80"), NULL);
    rn_autofd int fd = peer_connect(SOCK_STREAM, "::1", 8080);

    peer_echo(fd, "six");
    check_number(peer_try_connect("127.0.0.1", 8080), ECONNREFUSED,
                 "the other family");
    stop_service(world, run);
}

/* The port of "published 127.0.0.1:PORT -> SUFFIX" on stderr. */
static unsigned picked_port(Run *run, const char *suffix)
{
    static const char prefix[] = "published 127.0.0.1:";

    run_await_error(run, suffix);
    const char *line = strstr(run->err_text->str, prefix);
    check(line != NULL, "no picked port in \"%s\"", run->err_text->str);
    char *rest = NULL;
    guint64 port = g_ascii_strtoull(line + strlen(prefix), &rest, 10);
    check(g_str_has_prefix(rest, suffix), "wrong line: \"%s\"", line);
    return (unsigned)port;
}

static void test_port_left_out_is_picked_and_told(World *world)
{
    g_autoptr(Run) run =
        start_service(world, LIST("80"), LIST("serve-tcp", "80"), NULL);
    unsigned port = picked_port(run, " -> 80/tcp\n");
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", port);

    peer_echo(fd, "picked");
    check_number(peer_try_connect(WORLD_ADDRESS4, port), ECONNREFUSED,
                 "an address that nobody asked for");
    stop_service(world, run);
}

static void test_udp_published_echoes_and_shows_client(World *world)
{
    g_autoptr(Run) run = start_service(world, LIST("5353:53/udp"),
                                       LIST("serve-udp", "53"), NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(client_cases); i++) {
        const ClientCase *client = &client_cases[i];
        if (client->is_ipv6 && !world->has_ipv6)
            continue;
        rn_autofd int first = peer_connect(SOCK_DGRAM, client->address, 5353);
        rn_autofd int second = peer_connect(SOCK_DGRAM, client->address, 5353);
        peer_echo(first, "from the first");
        peer_echo(second, "from the second");
        peer_echo(first, "again");
        for (int n = 0; n < 3; n++) {
            g_autofree char *seen = next_client(run);
            check_text(seen, client->seen);
        }
    }
    stop_service(world, run);
}

static void test_large_datagram_published_comes_back(World *world)
{
    g_autoptr(Run) run = start_service(world, LIST("5353:53/udp"),
                                       LIST("serve-udp", "53"), NULL);
    rn_autofd int fd = peer_connect(SOCK_DGRAM, "127.0.0.1", 5353);
    g_autofree char *text = g_strnfill(8000, 'u');

    peer_echo(fd, text);
    stop_service(world, run);
}

static void test_data_both_ways_arrives_whole(World *world)
{
    enum {
        TOTAL = 24 << 20,
        CHUNK = 64 << 10
    };
    g_autoptr(Run) run =
        start_service(world, LIST("8080:80"), LIST("serve-tcp", "80"), NULL);
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
    g_autofree guint8 *out = g_malloc(CHUNK);
    g_autofree guint8 *in = g_malloc(CHUNK);
    size_t sent = 0, got = 0;

    while (got < TOTAL) {
        struct pollfd polled = { .fd = fd, .events = POLLIN };
        polled.events |= sent < TOTAL ? POLLOUT : 0;
        check(poll(&polled, 1, PEER_TIMEOUT_S * 1000) == 1, "stalled at %zu",
              got);
        if ((polled.revents & POLLOUT) != 0) {
            size_t length = MIN((size_t)CHUNK, (size_t)TOTAL - sent);
            for (size_t i = 0; i < length; i++)
                out[i] = (guint8)((sent + i) * 7 >> 3);
            ssize_t n = send(fd, out, length, MSG_NOSIGNAL | MSG_DONTWAIT);
            check_call(n > 0 || errno == EAGAIN, "send");
            sent += n > 0 ? (size_t)n : 0;
        }
        if ((polled.revents & POLLIN) == 0)
            continue;
        ssize_t n = recv(fd, in, CHUNK, MSG_DONTWAIT);
        check_call(n > 0, "receive");
        for (size_t i = 0; i < (size_t)n; i++)
            check(in[i] == (guint8)((got + i) * 7 >> 3), "wrong byte at %zu",
                  got + i);
        got += (size_t)n;
    }
    g_autofree char *end = g_strdup_printf("end %d\n", TOTAL);
    peer_finish(fd, end);
    stop_service(world, run);
}

static void test_reset_by_service_reaches_client(World *world)
{
    g_autoptr(Run) run =
        start_service(world, LIST("8080:80"), LIST("serve-reset", "80"), NULL);
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);

    peer_send(fd, "x");
    check_number(peer_await_end(fd), ECONNRESET, "end of the connection");
    stop_service(world, run);
}

static void test_reset_by_client_reaches_service(World *world)
{
    g_autoptr(Run) run =
        start_service(world, LIST("8080:80"), LIST("serve-tcp", "80"), NULL);
    int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);

    peer_echo(fd, "x");
    peer_reset(fd);
    run_await(run, "reset");
    stop_service(world, run);
}

static void test_port_without_service_is_reset(World *world)
{
    g_autoptr(Run) run =
        start_service(world, LIST("8080:81"), LIST("serve-tcp", "80"), NULL);
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);

    check_number(peer_await_end(fd), ECONNRESET, "end of the connection");
    stop_service(world, run);
}

enum {
    MANY = 2000
};

static void test_2000_connections_at_once_all_work(World *world)
{
    struct rlimit limit;
    static int fds[MANY];
    static const char *const specs[] = { "8080:80", NULL };

    check_call(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    if (limit.rlim_max < 3 * MANY)
        world_skip("hard limit of open files is %lu, too low",
                   (unsigned long)limit.rlim_max);
    g_autoptr(Run) run =
        start_service(world, specs, LIST("serve-tcp", "80"), NULL);
    for (int i = 0; i < MANY; i++)
        fds[i] = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
    for (int i = 0; i < MANY; i++)
        peer_send(fds[i], "one of many");
    for (int i = 0; i < MANY; i++)
        peer_expect(fds[i], "one of many");
    for (int i = 0; i < MANY; i++)
        rn_fd_close(&fds[i]);
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
    peer_echo(fd, "still there");
    stop_service(world, run);
}

enum {
    FEW_FDS = 64,
    CROWD = 100
};

/* The first waits in line until an earlier connection ends. */
static void test_fds_used_up_clients_wait_and_are_served(World *world)
{
    int fds[CROWD];
    g_autoptr(Run) run =
        start_service(world, LIST("8080:80"), LIST("serve-fork", "80"),
                      &(RunOptions){ .nofile = FEW_FDS });

    fds[0] = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
    peer_echo(fds[0], "before");
    for (int i = 1; i < CROWD; i++) {
        fds[i] = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
        peer_send(fds[i], "crowd");
    }
    peer_echo(fds[0], "unharmed");
    for (int i = 1; i < CROWD; i++) {
        peer_expect(fds[i], "crowd");
        peer_finish(fds[i], "end 5\n");
        rn_fd_close(&fds[i]);
    }
    peer_echo(fds[0], "unharmed");
    peer_finish(fds[0], "end 22\n");
    rn_fd_close(&fds[0]);
    stop_service(world, run);
}

/* A process of rnet's user with the name "squatter" holds port 8080. */
static pid_t start_squatter(const World *world)
{
    int pair[2];
    char byte = 0;

    check_call(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0,
               "socketpair");
    pid_t pid = world_fork_user(world);
    if (pid == 0) {
        int fd = peer_serve(SOCK_STREAM, "127.0.0.1", 8080);
        pthread_setname_np(pthread_self(), "squatter");
        if (fd < 0 || write(pair[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    (void)close(pair[1]);
    check_call(read(pair[0], &byte, 1) == 1, "the squatter");
    (void)close(pair[0]);
    return pid;
}

static void test_address_in_use_names_its_user(World *world)
{
    pid_t squatter = start_squatter(world);
    g_autofree char *bundle = bundle_new(world, "refused", NULL);
    g_autofree char *who = g_strdup_printf("\"squatter\" (pid %d)", squatter);
    g_autoptr(Run) run = run_start_bundle(world, bundle, "127.0.0.1:8080:80");

    run_expect_exit(run, 1);
    check_contains(run->err_text->str, "127.0.0.1:8080");
    check_contains(run->err_text->str, who);
    kill_process(squatter);
    check_nothing_left(world);
}

static void test_privileged_port_names_the_sysctl(World *world)
{
    g_autofree char *bundle = bundle_new(world, "refused", NULL);
    g_autoptr(Run) run = run_start_bundle(world, bundle, "80:80");

    run_expect_exit(run, 1);
    check_contains(run->err_text->str, "net.ipv4.ip_unprivileged_port_start");
    check_contains(run->err_text->str, "\nhint: ");
    check_nothing_left(world);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "tcp_published_serves_and_shows_client",
          test_tcp_published_serves_and_shows_client, WORLD_NEEDS_LINK },
        { "range_published_maps_each_port", test_range_published_maps_each_port,
          WORLD_NEEDS_LINK },
        { "host_address_given_binds_only_that",
          test_host_address_given_binds_only_that, WORLD_NEEDS_LINK },
        { "bracketed_address_given_binds_ipv6",
          test_bracketed_address_given_binds_ipv6,
          WORLD_NEEDS_LINK | WORLD_NEEDS_IPV6 },
        { "port_left_out_is_picked_and_told",
          test_port_left_out_is_picked_and_told, WORLD_NEEDS_LINK },
        { "udp_published_echoes_and_shows_client",
          test_udp_published_echoes_and_shows_client, WORLD_NEEDS_LINK },
        { "large_datagram_published_comes_back",
          test_large_datagram_published_comes_back, WORLD_NEEDS_LINK },
        { "data_both_ways_arrives_whole", test_data_both_ways_arrives_whole,
          WORLD_NEEDS_LINK },
        { "reset_by_service_reaches_client",
          test_reset_by_service_reaches_client, WORLD_NEEDS_LINK },
        { "reset_by_client_reaches_service",
          test_reset_by_client_reaches_service, WORLD_NEEDS_LINK },
        { "port_without_service_is_reset", test_port_without_service_is_reset,
          WORLD_NEEDS_LINK },
        { "2000_connections_at_once_all_work",
          test_2000_connections_at_once_all_work, WORLD_NEEDS_LINK },
        { "fds_used_up_clients_wait_and_are_served",
          test_fds_used_up_clients_wait_and_are_served, WORLD_NEEDS_LINK },
        { "address_in_use_names_its_user", test_address_in_use_names_its_user,
          WORLD_NEEDS_LINK },
        { "privileged_port_names_the_sysctl",
          test_privileged_port_names_the_sysctl,
          WORLD_NEEDS_LINK | WORLD_ONLY_AS_USER },
        { "tcp_published_with_packet_link_serves",
          test_tcp_published_serves_and_shows_client, WORLD_WITHOUT_TUN },
        { "udp_published_over_packet_link_echoes",
          test_udp_published_echoes_and_shows_client, WORLD_WITHOUT_TUN },
        { "large_datagram_over_packet_link_comes_back",
          test_large_datagram_published_comes_back, WORLD_WITHOUT_TUN },
    };

    return world_run_tests("publish", tests, G_N_ELEMENTS(tests));
}
