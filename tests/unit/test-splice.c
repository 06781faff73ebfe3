/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-splice - flows between two TCP connections on the loopback
 *
 * near <-> [a, b] <-> far: the test holds `near` and `far`, the flow a and b.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/socket.h>

#include <rnet/net/relay.h>
#include <rnet/net/splice.h>
#include <rnet/sys/tcp.h>
#include <rnet/util/fd.h>

#include "tcp-pair.h"

enum {
    TURNS_MAX = 200000, /* only a failure takes so many */
    TURN_MS = 20,
    BLOCK = 65536,
    LARGE = 64 << 20,
};

typedef struct Bench {
    RnLoop *loop;
    RnSplicer *splicer;
    int near, far;
    unsigned n_ended;
} Bench;

static void connect_pair(int out_fds[2])
{
    assert_true(tcp_pair_open(out_fds));
}

static void note_end(void *data)
{
    ((Bench *)data)->n_ended++;
}

/* As the relay's sockets are when they are joined. */
static bool join_tuned(Bench *bench, int take_a, int take_b,
                       RnFlowEndFunc ended, void *data)
{
    rn_tcp_tune(take_a);
    rn_tcp_tune(take_b);
    return rn_splicer_join(bench->splicer, take_a, take_b, ended, data, NULL);
}

static Bench *make_bench(void)
{
    g_autoptr(GError) error = NULL;
    Bench *bench = g_new0(Bench, 1);
    int outer[2], inner[2];

    bench->loop = rn_loop_new(&error);
    assert_no_error(error);
    bench->splicer = rn_splicer_new(bench->loop);
    connect_pair(outer);
    connect_pair(inner);
    bench->near = outer[0];
    bench->far = inner[1];
    assert_true(join_tuned(bench, outer[1], inner[0], note_end, bench));
    return bench;
}

static void free_bench(Bench *bench)
{
    rn_splicer_free(bench->splicer);
    rn_loop_free(bench->loop);
    rn_fd_close(&bench->near);
    rn_fd_close(&bench->far);
    g_free(bench);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, free_bench)

static void turn(Bench *bench)
{
    assert_true(rn_loop_turn(bench->loop, TURN_MS, NULL));
}

/* Reads up to BLOCK bytes, turning until there is something; 0: the end. */
static ssize_t await_read(Bench *bench, int fd, void *buffer)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        ssize_t got = recv(fd, buffer, BLOCK, MSG_DONTWAIT);

        if (got >= 0 || errno != EAGAIN)
            return got;
        turn(bench);
    }
    fail_msg("nothing to read");
    return -1;
}

static void await_end(Bench *bench)
{
    for (unsigned i = 0; i < TURNS_MAX && bench->n_ended == 0; i++)
        turn(bench);
    assert_int_equal(bench->n_ended, 1);
    assert_int_equal(rn_splicer_n_flows(bench->splicer), 0);
}

static uint8_t pattern(uint64_t position)
{
    return (uint8_t)(position * 31 + position / 4096);
}

/* One direction of a transfer. */
typedef struct Stream {
    int from, to;
    uint64_t sent, received, total;
    bool has_ended;
} Stream;

static void send_block(Stream *stream)
{
    uint8_t block[BLOCK];
    uint64_t left = stream->total - stream->sent;
    gsize length = (gsize)MIN(left, sizeof block);
    ssize_t sent = 0;

    if (left == 0)
        return;
    for (gsize i = 0; i < length; i++)
        block[i] = pattern(stream->sent + i);
    sent = send(stream->from, block, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
        stream->sent += (uint64_t)sent;
    if (stream->sent == stream->total)
        assert_int_equal(shutdown(stream->from, SHUT_WR), 0);
}

static void receive_block(Stream *stream)
{
    uint8_t block[BLOCK];
    ssize_t got = recv(stream->to, block, sizeof block, MSG_DONTWAIT);

    if (got == 0)
        stream->has_ended = true;
    for (ssize_t i = 0; i < got; i++) {
        if (block[i] != pattern(stream->received + (uint64_t)i))
            fail_msg("wrong byte at %" G_GUINT64_FORMAT,
                     stream->received + (uint64_t)i);
    }
    if (got > 0)
        stream->received += (uint64_t)got;
}

static void transfer(Bench *bench, Stream *streams, unsigned n)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        bool all_ended = true;

        for (unsigned j = 0; j < n; j++) {
            send_block(&streams[j]);
            receive_block(&streams[j]);
            all_ended = all_ended && streams[j].has_ended;
        }
        if (all_ended)
            break;
        assert_true(rn_loop_turn(bench->loop, 0, NULL));
    }
    for (unsigned j = 0; j < n; j++)
        assert_int_equal(streams[j].received, streams[j].total);
}

static void small_exchanges_arrive_whole(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    uint8_t block[BLOCK];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(send(bench->near, "ping", 4, 0), 4);
        assert_int_equal(await_read(bench, bench->far, block), 4);
        assert_memory_equal(block, "ping", 4);
        assert_int_equal(send(bench->far, "pong!", 5, 0), 5);
        assert_int_equal(await_read(bench, bench->near, block), 5);
        assert_memory_equal(block, "pong!", 5);
    }
    assert_int_equal(bench->n_ended, 0);
}

static void bytes_sent_before_the_flow_began_arrive(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    int outer[2], inner[2];
    uint8_t block[BLOCK];

    (void)state;
    connect_pair(outer);
    connect_pair(inner);
    assert_int_equal(send(outer[0], "early", 5, 0), 5);
    assert_int_equal(shutdown(outer[0], SHUT_WR), 0);
    assert_true(join_tuned(bench, outer[1], inner[0], NULL, NULL));
    assert_int_equal(await_read(bench, inner[1], block), 5);
    assert_int_equal(await_read(bench, inner[1], block), 0);
    rn_fd_close(&outer[0]);
    rn_fd_close(&inner[1]);
}

static void large_transfers_both_ways_arrive_whole(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    Stream streams[] = {
        { .from = bench->near, .to = bench->far, .total = LARGE },
        { .from = bench->far, .to = bench->near, .total = LARGE },
    };

    (void)state;
    transfer(bench, streams, 2);
    await_end(bench);
}

/* Without a free fd there is no pipe: bytes are copied. */
static void large_transfer_without_fds_is_copied(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    Stream stream = { .from = bench->near, .to = bench->far, .total = 8 << 20 };
    struct rlimit limit, low;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = (struct rlimit){ 16, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    transfer(bench, &stream, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* splice(2) stops at an urgent byte for good, and a read stops before it. */
static void urgent_byte_arrives_in_its_place(void **state)
{
    static const gsize befores[] = { 1, 3 * BLOCK };
    g_autofree char *bytes = g_malloc0(4 * BLOCK + 2);
    g_autoptr(Bench) bench = make_bench();

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(befores); i++) {
        const gsize before = befores[i];

        assert_int_equal(send(bench->near, bytes, before, 0), before);
        assert_int_equal(send(bench->near, "u", 1, MSG_OOB), 1);
        assert_int_equal(send(bench->near, "c", 1, 0), 1);
        for (gsize done = 0; done < before + 2;)
            done += (gsize)await_read(bench, bench->far, bytes + done);
        assert_memory_equal(bytes + before, "uc", 2);
        memset(bytes, 0, before + 2);
    }
}

static void half_close_leaves_the_other_direction_open(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    uint8_t block[BLOCK];

    (void)state;
    assert_int_equal(send(bench->near, "request", 7, 0), 7);
    assert_int_equal(shutdown(bench->near, SHUT_WR), 0);
    assert_int_equal(await_read(bench, bench->far, block), 7);
    assert_int_equal(await_read(bench, bench->far, block), 0);
    assert_int_equal(bench->n_ended, 0);

    assert_int_equal(send(bench->far, "response", 8, 0), 8);
    assert_int_equal(await_read(bench, bench->near, block), 8);
    assert_int_equal(bench->n_ended, 0);
    rn_fd_close(&bench->far);
    assert_int_equal(await_read(bench, bench->near, block), 0);
    await_end(bench);
}

static void reset_of_either_side_is_passed_on(void **state)
{
    (void)state;
    for (unsigned is_far = 0; is_far < 2; is_far++) {
        g_autoptr(Bench) bench = make_bench();
        int *resetting = is_far ? &bench->far : &bench->near;
        int *other = is_far ? &bench->near : &bench->far;
        uint8_t block[BLOCK];

        rn_socket_reset(resetting);
        assert_int_equal(await_read(bench, *other, block), -1);
        assert_int_equal(errno, ECONNRESET);
        await_end(bench);
    }
}

/* The direction from the side that resets is over already. */
static void reset_after_half_close_is_passed_on(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    uint8_t block[BLOCK];

    (void)state;
    assert_int_equal(shutdown(bench->near, SHUT_WR), 0);
    assert_int_equal(await_read(bench, bench->far, block), 0);
    rn_socket_reset(&bench->near);
    await_end(bench);
    assert_int_equal(send(bench->far, "x", 1, MSG_NOSIGNAL), -1);
    assert_true(errno == ECONNRESET || errno == EPIPE);
}

/* A close with unread bytes is a reset too, tcp(7). */
static void writing_to_a_closed_side_resets_the_writer(void **state)
{
    g_autoptr(Bench) bench = make_bench();

    (void)state;
    rn_fd_close(&bench->far);
    for (unsigned i = 0; i < 5; i++)
        turn(bench);
    for (unsigned i = 0; i < TURNS_MAX && bench->n_ended == 0; i++) {
        (void)send(bench->near, "xyz", 3, MSG_NOSIGNAL | MSG_DONTWAIT);
        turn(bench);
    }
    assert_int_equal(bench->n_ended, 1);
}

/* Sends until nothing moves any more; returns how much went out. */
static uint64_t fill_up(Bench *bench, int fd)
{
    static uint8_t block[BLOCK];
    uint64_t total = 0;
    unsigned n_stuck = 0;

    while (n_stuck < 20 && total < (uint64_t)LARGE * 4) {
        ssize_t sent = send(fd, block, sizeof block, MSG_DONTWAIT);

        if (sent > 0) {
            total += (uint64_t)sent;
            n_stuck = 0;
        } else {
            n_stuck++;
        }
        turn(bench);
    }
    return total;
}

static void peer_that_never_reads_stops_the_sender(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    uint8_t block[BLOCK];
    uint64_t total = 0, received = 0;

    (void)state;
    total = fill_up(bench, bench->near);
    /* what kernels and one pipe hold, and no more */
    assert_true(total < (uint64_t)LARGE);
    assert_int_equal(bench->n_ended, 0);

    /* the other direction is not held up */
    assert_int_equal(send(bench->far, "hello", 5, 0), 5);
    assert_int_equal(await_read(bench, bench->near, block), 5);

    /* and once it reads, all of it comes */
    assert_int_equal(shutdown(bench->near, SHUT_WR), 0);
    for (;;) {
        ssize_t got = await_read(bench, bench->far, block);

        assert_true(got >= 0);
        if (got == 0)
            break;
        received += (uint64_t)got;
    }
    assert_int_equal(received, total);
}

/* More stuck flows than there are large pipes; none is lost. */
static void many_stuck_flows_do_not_hold_up_another(void **state)
{
    enum {
        STUCK = 60
    };
    g_autoptr(Bench) bench = make_bench();
    int near[STUCK], far[STUCK];
    Stream stream = { .from = bench->near,
                      .to = bench->far,
                      .total = 16 << 20 };

    (void)state;
    for (unsigned i = 0; i < STUCK; i++) {
        int outer[2], inner[2], small = 4096;

        connect_pair(outer);
        connect_pair(inner);
        near[i] = outer[0];
        far[i] = inner[1];
        (void)setsockopt(far[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        (void)setsockopt(inner[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        assert_true(join_tuned(bench, outer[1], inner[0], NULL, NULL));
    }
    for (unsigned round = 0; round < 100; round++) {
        static const uint8_t block[BLOCK];

        for (unsigned i = 0; i < STUCK; i++)
            (void)send(near[i], block, sizeof block, MSG_DONTWAIT);
        assert_true(rn_loop_turn(bench->loop, 0, NULL));
    }
    transfer(bench, &stream, 1);
    for (unsigned i = 0; i < STUCK; i++) {
        rn_fd_close(&near[i]);
        rn_fd_close(&far[i]);
    }
}

static unsigned count_fds(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void thousand_short_flows_leave_no_fd(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    unsigned before = count_fds();

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        int outer[2], inner[2];
        uint8_t block[BLOCK];

        bench->n_ended = 0;
        connect_pair(outer);
        connect_pair(inner);
        assert_true(join_tuned(bench, outer[1], inner[0], note_end, bench));
        assert_int_equal(send(outer[0], "x", 1, 0), 1);
        assert_int_equal(await_read(bench, inner[1], block), 1);
        rn_fd_close(&outer[0]);
        rn_fd_close(&inner[1]);
        while (bench->n_ended == 0)
            turn(bench);
    }
    assert_int_equal(count_fds(), before);
}

static void freeing_a_splicer_resets_its_flows(void **state)
{
    g_autoptr(Bench) bench = make_bench();
    char byte;

    (void)state;
    g_clear_pointer(&bench->splicer, rn_splicer_free);
    assert_int_equal(recv(bench->near, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(bench->n_ended, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_exchanges_arrive_whole),
        cmocka_unit_test(bytes_sent_before_the_flow_began_arrive),
        cmocka_unit_test(large_transfers_both_ways_arrive_whole),
        cmocka_unit_test(large_transfer_without_fds_is_copied),
        cmocka_unit_test(urgent_byte_arrives_in_its_place),
        cmocka_unit_test(half_close_leaves_the_other_direction_open),
        cmocka_unit_test(reset_of_either_side_is_passed_on),
        cmocka_unit_test(reset_after_half_close_is_passed_on),
        cmocka_unit_test(writing_to_a_closed_side_resets_the_writer),
        cmocka_unit_test(peer_that_never_reads_stops_the_sender),
        cmocka_unit_test(many_stuck_flows_do_not_hold_up_another),
        cmocka_unit_test(thousand_short_flows_leave_no_fd),
        cmocka_unit_test(freeing_a_splicer_resets_its_flows),
    };

    if (!rn_relay_prepare(NULL))
        return 1;
    return cmocka_run_group_tests_name("splice", tests, NULL, NULL);
}
