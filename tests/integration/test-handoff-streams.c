/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-handoff-streams - outbound TCP that carries much, or many at once
 *
 * Role:     bulk data, half-closed and stuck connections, a crowd of them
 * Runs in:  see world.h and handoff.h
 * Data:     see stream.h
 */
#include "config.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "handoff.h"
#include "leftovers.h"
#include "peer.h"
#include "stream.h"

enum {
    LARGE = 64 << 20,
    FRAMES_MOST = 1 << 20, /* bytes through the TAP where TCP is handed off */
};

static void test_both_ways_at_once(Inside *inside, const Side *side)
{
    static const char key[] = "tap0:";
    g_auto(Pair) pair = PAIR_CLOSED;
    guint64 before = inside_number(inside, "net/dev", key);

    pair_open(&pair, inside, side);
    Stream streams[] = {
        { .from = pair.client, .to = pair.server, .total = LARGE },
        { .from = pair.server, .to = pair.client, .total = LARGE },
    };
    stream_run(streams, G_N_ELEMENTS(streams));
    guint64 frames = inside_number(inside, "net/dev", key) - before;
    check(handoff_is_on(inside->world) ? frames < FRAMES_MOST : frames >= LARGE,
          "%" G_GUINT64_FORMAT " bytes came as frames", frames);
}

static void test_client_shuts_down_first(Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    Stream up = { .from = pair.client, .to = pair.server, .total = 3 << 20 };
    stream_run(&up, 1);
    Stream down = { .from = pair.server, .to = pair.client, .total = 3 << 20 };
    stream_run(&down, 1);
}

static void test_server_shuts_down_first(Inside *inside, const Side *side)
{
    g_auto(Pair) pair = PAIR_CLOSED;

    pair_open(&pair, inside, side);
    Stream down = { .from = pair.server, .to = pair.client, .total = 3 << 20 };
    stream_run(&down, 1);
    Stream up = { .from = pair.client, .to = pair.server, .total = 3 << 20 };
    stream_run(&up, 1);
}

static void turn_pair(void *data)
{
    pair_exchange(data);
}

enum {
    STUCK_MOST = 64 << 20, /* bytes that may be on the way, all buffers */
    STUCK_REST = 1 << 20,  /* bytes sent after that */
    STUCK_RSS = 8 << 10,   /* KiB that the relay may grow by */
};

/*
 * `turns` keeps the relay busy meanwhile. Sanitizers keep freed memory, so the
 * relay's says nothing there.
 */
static void check_stuck(int from, int to, const Pair *turns)
{
    Stream stream = { .from = from, .to = to, .total = STUCK_MOST };
    guint64 before = inside_relay_rss();

    stream_fill(&stream, turn_pair, (void *)turns);
#ifndef RN_SANITIZERS
    guint64 after = inside_relay_rss();
    check(after < before + STUCK_RSS,
          "the relay grew from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
          " KiB",
          before, after);
#else
    (void)before;
#endif
    stream.total = stream.sent + STUCK_REST;
    stream_run(&stream, 1);
}

static void test_reader_stuck(Inside *inside, const Side *side)
{
    g_auto(Pair) turns = PAIR_CLOSED, up = PAIR_CLOSED, down = PAIR_CLOSED;

    pair_open(&turns, inside, side);
    pair_exchange(&turns);
    pair_open(&up, inside, side);
    check_stuck(up.client, up.server, &turns);
    pair_open(&down, inside, side);
    check_stuck(down.server, down.client, &turns);
}

/* What has been written may be read after the writer is gone. */
static void test_writer_gone(Inside *inside, const Side *side)
{
    g_auto(Pair) turns = PAIR_CLOSED, pair = PAIR_CLOSED;

    pair_open(&turns, inside, side);
    pair_open(&pair, inside, side);
    Stream stream = {
        .from = pair.client,
        .to = pair.server,
        .total = STUCK_MOST,
    };
    stream_fill(&stream, turn_pair, &turns);
    stream.total = stream.sent;
    rn_fd_close(&pair.client);
    stream_run(&stream, 1);
}

/* A container whose kernel offers less in its SYN, RFC 7323, RFC 2018. */
static void test_without_options(Inside *inside, const Side *side)
{
    static const char *const names[] = {
        "net/ipv4/tcp_window_scaling",
        "net/ipv4/tcp_sack",
        "net/ipv4/tcp_timestamps",
    };

    for (unsigned off = 1; off < 1U << G_N_ELEMENTS(names); off++) {
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
            inside_sysctl(inside, names[i], (off >> i & 1) != 0 ? "0" : "1");
        g_auto(Pair) pair = PAIR_CLOSED;
        pair_open(&pair, inside, side);
        Stream streams[] = {
            { .from = pair.client, .to = pair.server, .total = 4 << 20 },
            { .from = pair.server, .to = pair.client, .total = 4 << 20 },
        };
        stream_run(streams, G_N_ELEMENTS(streams));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        inside_sysctl(inside, names[i], "1");
}

enum {
    CROWD = 10000,
    CROWD_LEAST = 2000,
    FDS_WANTED = 65536,
    FDS_OTHER = 1000, /* of the relay, besides two for each connection */
};

/*
 * How many connections the limits allow. Real root raises the hard limit, for
 * the relay of a user too; *out_nofile is what to start rnet with, 0: as is.
 */
static unsigned crowd_size(const World *world, unsigned *out_nofile)
{
    struct rlimit limit = { FDS_WANTED, FDS_WANTED };
    unsigned most = handoff_is_on(world) ? CROWD : CROWD_LEAST;

#ifdef RN_SANITIZERS
    most = CROWD_LEAST;
#endif
    *out_nofile = 0;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
        *out_nofile = FDS_WANTED;
        return most;
    }
    check_call(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    if (limit.rlim_max < 2 * CROWD_LEAST + FDS_OTHER)
        world_skip("hard limit of open files is %lu, too low",
                   (unsigned long)limit.rlim_max);
    return (unsigned)MIN((rlim_t)most, (limit.rlim_max - FDS_OTHER) / 2);
}

static Run *start_crowd(const World *world, const Side *side, unsigned port,
                        unsigned size, unsigned nofile)
{
    g_autofree char *name = g_strdup_printf("crowd%u", port);
    g_autofree char *network = handoff_network(world);
    g_autofree char *port_text = g_strdup_printf("%u", port);
    g_autofree char *count = g_strdup_printf("%u", size);
    const char *const verb[] = { "crowd", side->outside, port_text, count,
                                 NULL };
    g_autofree char *bundle = bundle_new_payload(world, name, verb);
    const char *const args[] = { "run", "--network",
                                 network != NULL ? network : "slirp", bundle,
                                 NULL };

    return run_start(world, args, &(RunOptions){ .nofile = nofile });
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data = { .fd = fd } };

    check_call(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

/* Echoes once; false at the end of the connection. */
static bool echo_some(int fd)
{
    char buffer[4096];
    ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

    check_call(n >= 0, "receive");
    check_call(n == 0 || send(fd, buffer, (size_t)n, MSG_NOSIGNAL) == n,
               "send");
    return n > 0;
}

/* Serves until as many as `size` have come and gone; the most at once. */
static unsigned serve_crowd(int listener, unsigned size)
{
    rn_autofd int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event;
    unsigned open = 0, most = 0, ended = 0;

    check_call(epoll >= 0, "epoll");
    watch(epoll, listener);
    while (ended < size) {
        check(epoll_wait(epoll, &event, 1, PEER_TIMEOUT_S * 1000) == 1,
              "stalled with %u open, %u ended", open, ended);
        int fd = event.data.fd;
        if (fd == listener) {
            watch(epoll, peer_accept(listener));
            open++;
            most = MAX(most, open);
        } else if (!echo_some(fd)) {
            rn_fd_close(&fd);
            open--;
            ended++;
        }
    }
    return most;
}

static void test_crowd(Inside *inside, const Side *side)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->outside, 0);
    unsigned nofile = 0;
    unsigned size = crowd_size(inside->world, &nofile);
    g_autoptr(Run) run =
        start_crowd(inside->world, side, peer_port(listener), size, nofile);

    check_number(serve_crowd(listener, size), size, "connections at once");
    run_expect_exit(run, 0);
    run_check_out(run, "connected\nechoed\n");
}

int main(void)
{
    static const HandoffTest tests[] = {
        { "large_data_both_ways_arrives_whole", test_both_ways_at_once, 0 },
        { "half_close_by_client_leaves_the_way_back",
          test_client_shuts_down_first, 0 },
        { "half_close_by_server_leaves_the_way_out",
          test_server_shuts_down_first, 0 },
        { "reader_stuck_holds_the_writer_back", test_reader_stuck, 0 },
        { "writer_gone_leaves_all_its_bytes", test_writer_gone, 0 },
        { "syn_without_options_carries_data", test_without_options, 0 },
        { "crowd_at_once_all_work", test_crowd, HANDOFF_IPV4 },
    };

    return handoff_run_tests("handoff-streams", tests, G_N_ELEMENTS(tests));
}
