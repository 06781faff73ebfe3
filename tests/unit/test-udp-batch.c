/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-udp-batch - datagrams that are sent or received together
 */
#include "config.h"

#include <sys/socket.h>

#include <rnet/util/fd.h>

#include "udp-bench.h"

/* Sizes that do and do not fit in with those before them. */
static void datagrams_sent_together_arrive_as_they_were(void **state)
{
    static const gsize sizes[] = { 100, 100, 100, 50, 50,  51, 0,
                                   0,   1,   1,   1,  900, 900 };
    g_autoptr(UdpBench) bench = make_udp_bench(4);
    RnEndpoint at;
    rn_autofd int server = open_udp_server("127.0.0.1", &at);
    uint8_t bytes[1000];

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        memset(bytes, (int)i + 1, sizeof bytes);
        assert_true(guest_sends(bench, GUEST_PORT, &at, bytes, sizes[i]));
    }
    rn_udp_sender_flush(bench->sender);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        memset(bytes, (int)i + 1, sizeof bytes);
        (void)expect_datagram(server, bytes, sizes[i]);
    }
}

/* More than one run can have, of any reason: number and bytes. */
static void many_datagrams_sent_together_arrive_in_order(void **state)
{
    static const struct {
        unsigned n;
        gsize size;
    } cases[] = { { 200, 1 }, { 100, 1400 }, { 3, 60000 } };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(UdpBench) bench = make_udp_bench(4);
        g_autofree uint8_t *bytes = g_malloc(cases[i].size);
        int queue = 4 << 20;
        RnEndpoint at;
        rn_autofd int server = open_udp_server("127.0.0.1", &at);

        (void)setsockopt(server, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
        for (unsigned j = 0; j < cases[i].n; j++) {
            memset(bytes, (int)j, cases[i].size);
            assert_true(
                guest_sends(bench, GUEST_PORT, &at, bytes, cases[i].size));
            /* so that the server's queue does not overflow */
            if (j % 50 != 49 && j + 1 < cases[i].n)
                continue;
            rn_udp_sender_flush(bench->sender);
            for (unsigned k = j - j % 50; k <= j; k++) {
                memset(bytes, (int)k, cases[i].size);
                (void)expect_datagram(server, bytes, cases[i].size);
            }
        }
    }
}

typedef struct BurstCase {
    unsigned n;
    gsize size;
    bool takes_bursts;
    uint32_t mtu;
    bool has_bursts; /* as a result */
} BurstCase;

static const BurstCase burst_cases[] = {
    { 20, 1000, true, 65520, true }, { 20, 1000, false, 65520, false },
    { 20, 1000, true, 1500, true },  { 20, 1, true, 65520, true },
    { 20, 1600, true, 1500, false }, { 2, 40000, true, 65520, false },
    { 1, 1000, true, 65520, false },
};

/* The server's datagrams wait in the socket, so they are one batch. */
static void datagrams_received_together_are_one_burst(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(burst_cases); i++) {
        const BurstCase *sent = &burst_cases[i];
        g_autoptr(UdpBench) bench = make_udp_bench(4);
        RnEndpoint at, from;
        rn_autofd int server = open_udp_server("127.0.0.1", &at);
        uint8_t *bytes = g_malloc(sent->n * sent->size);

        bench->takes_bursts = sent->takes_bursts;
        bench->plan.mtu = sent->mtu;
        assert_true(guest_sends(bench, GUEST_PORT, &at, "q", 1));
        rn_udp_sender_flush(bench->sender);
        from = expect_datagram(server, "q", 1);
        for (unsigned j = 0; j < sent->n; j++) {
            memset(bytes + j * sent->size, (int)j, sent->size);
            send_to(server, &from, bytes + j * sent->size, sent->size);
        }
        if (sent->size + 28 > sent->mtu) {
            await_frames(bench, 2 * sent->n); /* fragments */
        } else {
            await_bytes(bench, sent->n * sent->size);
            assert_memory_equal(bench->bytes, bytes, bench->n_bytes);
        }
        if ((bench->n_bursts > 0) != sent->has_bursts)
            fail_msg("%u of %zu bytes: %u bursts", sent->n, sent->size,
                     bench->n_bursts);
        assert_int_equal(bench->n_bursts > 1, false);
        g_free(bytes);
    }
}

/* A burst ends with a shorter datagram, and does not begin with one. */
static void sizes_that_differ_keep_their_order(void **state)
{
    static const gsize sizes[] = { 5, 9, 9, 9, 4, 4, 9, 3, 0, 7 };
    g_autoptr(UdpBench) bench = make_udp_bench(4);
    RnEndpoint at, from;
    rn_autofd int server = open_udp_server("127.0.0.1", &at);
    uint8_t bytes[100];
    gsize total = 0;

    (void)state;
    bench->takes_bursts = true;
    assert_true(guest_sends(bench, GUEST_PORT, &at, "q", 1));
    rn_udp_sender_flush(bench->sender);
    from = expect_datagram(server, "q", 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        memset(bytes + total, (int)i, sizes[i]);
        send_to(server, &from, bytes + total, sizes[i]);
        total += sizes[i];
    }
    await_bytes(bench, total);
    assert_memory_equal(bench->bytes, bytes, total);
    assert_int_equal(bench->n_bursts, 2); /* 9 9 9 4 and 9 3 */
    assert_int_equal(bench->n_frames, 4); /* 5, 4, 0 and 7 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_sent_together_arrive_as_they_were),
        cmocka_unit_test(many_datagrams_sent_together_arrive_in_order),
        cmocka_unit_test(datagrams_received_together_are_one_burst),
        cmocka_unit_test(sizes_that_differ_keep_their_order),
    };

    return cmocka_run_group_tests_name("udp-batch", tests, NULL, NULL);
}
