/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handoff - see handoff.h
 *
 * Role:     what the tests of outbound TCP share
 * Runs in:  the test program (the table), the world's pid 1 (all else)
 * Failure:  ends the body
 */
#include "config.h"

#include "handoff.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#include "check.h"
#include "peer.h"

/* A way to carry TCP. */
typedef struct Way {
    const char *name;
    const char *option; /* of `--network slirp:` */
    bool is_handoff;
} Way;

static const Way ways[] = {
    { "handoff", "handoff=on", true },
    { "libslirp", "handoff=off", false },
};

static const Side sides[] = {
    { AF_INET, WORLD_ADDRESS4, "10.0.2.100", "10.0.2.2", "127.0.0.1", "0.0.0.0",
      "203.0.113.9", 32 },
    { AF_INET6, WORLD_ADDRESS6, "fd00::100", "fd00::2", "::1",
      "::", "2001:db8:1::9", 128 },
};

/* One test in one way; what a WorldTest's data points to. */
typedef struct WayTest {
    const HandoffTest *test;
    const Way *way;
} WayTest;

bool handoff_is_on(const World *world)
{
    return ((const WayTest *)world->data)->way->is_handoff;
}

char *handoff_network(const World *world)
{
    const WayTest *way_test = world->data;
    const char *option = way_test->way->option;
    bool loopback = (way_test->test->flags & HANDOFF_LOOPBACK) != 0;

    return g_strdup_printf("slirp:%s%s", option,
                           loopback ? ",host-loopback=on" : "");
}

static void run_test(World *world)
{
    const HandoffTest *test = ((const WayTest *)world->data)->test;
    g_autofree char *network = handoff_network(world);
    Inside *inside = inside_start(world, network);

    for (size_t i = 0; i < G_N_ELEMENTS(sides); i++) {
        if (i > 0 && (!world->has_ipv6 || (test->flags & HANDOFF_IPV4) != 0))
            continue;
        test->body(inside, &sides[i]);
    }
    inside_stop(inside);
}

int handoff_run_tests(const char *group, const HandoffTest *tests,
                      size_t n_tests)
{
    const size_t n_most = n_tests * G_N_ELEMENTS(ways);
    g_autofree WorldTest *list = g_new0(WorldTest, n_most);
    g_autofree WayTest *way_tests = g_new0(WayTest, n_most);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    size_t n = 0;

    for (size_t i = 0; i < n_most; i++) {
        const HandoffTest *test = &tests[i / G_N_ELEMENTS(ways)];
        const Way *way = &ways[i % G_N_ELEMENTS(ways)];
        if ((test->flags & HANDOFF_ONLY) != 0 && !way->is_handoff)
            continue;
        way_tests[n] = (WayTest){ test, way };
        char *name = g_strdup_printf("%s over %s", test->name, way->name);
        g_ptr_array_add(names, name);
        list[n] =
            (WorldTest){ name, run_test, WORLD_NEEDS_LINK, &way_tests[n] };
        n++;
    }
    return world_run_tests(group, list, n);
}

void full_server_start(FullServer *server, const char *address)
{
    server->listener = peer_serve(SOCK_STREAM, address, 0);
    server->port = peer_port(server->listener);
    check_call(listen(server->listener, 0) == 0, "listen");
    server->filler = peer_connect(SOCK_STREAM, address, server->port);
    struct pollfd polled = { .fd = server->listener, .events = POLLIN };
    check_number(poll(&polled, 1, PEER_TIMEOUT_S * 1000), 1, "queued");
}

void full_server_open(FullServer *server)
{
    check_call(listen(server->listener, SOMAXCONN) == 0, "listen");
    (void)close(peer_accept(server->listener));
    rn_fd_close(&server->filler);
}

void full_server_stop(FullServer *server)
{
    rn_fd_close(&server->listener);
    rn_fd_close(&server->filler);
}

void pair_open(Pair *pair, const Inside *inside, const Side *side)
{
    pair->listener = peer_serve(SOCK_STREAM, side->outside, 0);
    pair->port = peer_port(pair->listener);
    pair->client = inside_connect(inside, side->outside, pair->port);
    pair->server = peer_accept(pair->listener);
}

void pair_exchange(const Pair *pair)
{
    peer_send(pair->client, "to the server");
    peer_expect(pair->server, "to the server");
    peer_send(pair->server, "to the client");
    peer_expect(pair->client, "to the client");
}

void pair_close(Pair *pair)
{
    rn_fd_close(&pair->listener);
    rn_fd_close(&pair->client);
    rn_fd_close(&pair->server);
}
