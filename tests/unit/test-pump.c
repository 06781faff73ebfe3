/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-pump - when a pump copies, when it splices, and whose buffer it bounds
 *
 * near -> [from, to] -> far, as in test-splice, without a loop: an end is
 * readable and writable when the test says so.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <poll.h>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <rnet/net/pump.h>
#include <rnet/net/relay.h>
#include <rnet/util/fd.h>

#include "netns.h"
#include "tcp-pair.h"

enum {
    SMALL = 100,
    LARGE = 40 * 1024,
    TURN_MS = 20,
    TURNS_MAX = 1000,       /* only a failure takes so many */
    BOUND = 2 * 128 * 1024, /* what the kernel makes of 128 KiB, socket(7) */
};

typedef struct Bench {
    RnPumpGear *gear;
    RnPump pump;
    RnPumpEnd from, to;
    int near, far;
} Bench;

static bool open_bench(Bench *bench)
{
    int outer[2] = { -1, -1 }, inner[2] = { -1, -1 };
    bool opened = tcp_pair_open(outer) && tcp_pair_open(inner);

    bench->gear = rn_pump_gear_new();
    rn_pump_init(&bench->pump);
    bench->near = outer[0];
    bench->from.fd = outer[1];
    bench->to.fd = inner[0];
    bench->far = inner[1];
    return opened;
}

static void close_bench(Bench *bench)
{
    rn_pump_clear(&bench->pump, bench->gear);
    rn_pump_gear_free(bench->gear);
    rn_fd_close(&bench->near);
    rn_fd_close(&bench->from.fd);
    rn_fd_close(&bench->to.fd);
    rn_fd_close(&bench->far);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, close_bench)

/* Whether `length` bytes are there to be read, waiting for them a while. */
static bool await(int fd, gsize length)
{
    int wanted = (int)length;
    struct pollfd entry = { .fd = fd, .events = POLLIN };

    return setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted) ==
               0 &&
           poll(&entry, 1, TURN_MS) == 1;
}

/* A message of `length` times `byte` goes through, taken as a whole. */
static bool carry(Bench *bench, gsize length, char byte)
{
    g_autofree char *sent = g_malloc(length);
    g_autofree char *got = g_malloc0(length);
    unsigned n_turns = 0;

    memset(sent, byte, length);
    if (send(bench->near, sent, length, 0) != (ssize_t)length)
        return false;
    while (!await(bench->from.fd, length)) {
        if (++n_turns == TURNS_MAX)
            return false;
    }
    do {
        bench->from.readable = true;
        bench->to.writable = true;
        if (rn_pump_run(&bench->pump, bench->gear, &bench->from, &bench->to) !=
                RN_PUMP_WAITING ||
            ++n_turns == TURNS_MAX)
            return false;
    } while (!await(bench->far, length));
    return recv(bench->far, got, length, 0) == (ssize_t)length &&
           memcmp(sent, got, length) == 0;
}

static int get_send_buffer(const Bench *bench)
{
    int size = -1;
    socklen_t length = sizeof size;

    (void)getsockopt(bench->to.fd, SOL_SOCKET, SO_SNDBUF, &size, &length);
    return size;
}

static void small_messages_are_copied_again_after_large_ones(void **state)
{
    g_auto(Bench) bench = { 0 };

    (void)state;
    assert_true(open_bench(&bench));
    assert_true(carry(&bench, SMALL, 'a'));
    assert_false(bench.pump.is_bulk);
    /* the first is read into the buffer, the second goes through a pipe */
    for (unsigned i = 0; i < 2; i++) {
        assert_true(carry(&bench, LARGE, 'b'));
        assert_true(bench.pump.is_bulk);
    }
    assert_true(carry(&bench, SMALL, 'c')); /* through the pipe still */
    assert_false(bench.pump.is_bulk);
    assert_true(carry(&bench, SMALL, 'd'));
    assert_false(bench.pump.is_bulk);
}

static void only_bulk_bounds_the_destinations_send_buffer(void **state)
{
    g_auto(Bench) bench = { 0 };
    int before = 0;

    (void)state;
    assert_true(open_bench(&bench));
    before = get_send_buffer(&bench);
    assert_int_not_equal(before, BOUND);
    assert_true(carry(&bench, SMALL, 'a'));
    assert_int_equal(get_send_buffer(&bench), before);
    assert_true(carry(&bench, LARGE, 'b'));
    assert_true(carry(&bench, LARGE, 'c'));
    assert_int_equal(get_send_buffer(&bench), BOUND);
}

/* With the MTU of an ordinary network the way counts as one. */
static char *carry_over_ordinary_mtu(void *data)
{
    g_auto(Bench) bench = { 0 };
    struct ifreq request = { .ifr_name = "lo", .ifr_mtu = 1500 };
    rn_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)data;
    if (ioctl(fd, SIOCSIFMTU, &request) < 0)
        return g_strdup_printf("set the MTU: %s", g_strerror(errno));
    if (!open_bench(&bench))
        return g_strdup("no connections");
    for (unsigned i = 0; i < 3; i++) {
        if (!carry(&bench, LARGE, 'a'))
            return g_strdup_printf("message %u does not arrive", i);
    }
    if (!bench.pump.is_bulk)
        return g_strdup("no bulk");
    if (get_send_buffer(&bench) == BOUND)
        return g_strdup("the send buffer is bounded");
    return NULL;
}

static void way_through_a_network_keeps_its_send_buffer(void **state)
{
    Netns netns;

    (void)state;
    netns_open(&netns);
    netns_bring_up_loopback(&netns);
    netns_run(&netns, carry_over_ordinary_mtu, NULL);
    netns_close(&netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_messages_are_copied_again_after_large_ones),
        cmocka_unit_test(only_bulk_bounds_the_destinations_send_buffer),
        cmocka_unit_test(way_through_a_network_keeps_its_send_buffer),
    };

    if (!rn_relay_prepare(NULL))
        return 1;
    return cmocka_run_group_tests_name("pump", tests, NULL, NULL);
}
