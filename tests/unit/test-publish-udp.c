/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-publish-udp - datagrams of published UDP ports, through a listener
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/net/frame-fields.h>
#include <rnet/net/publish-udp.h>
#include <rnet/util/fd.h>

#include "frames.h"

enum {
    TURNS_MAX = 500, /* only a failure takes so many */
    TURN_MS = 20,
};

/* The relay's side of a listener, and the frames that it made. */
typedef struct Bench {
    RnNetworkPlan plan;
    RnLoop *loop;
    RnUdpIntake *intake;
    RnUdpSender *sender;
    RnPublishUdp *publish;
    RnEndpoint front;
    unsigned n_frames;
    TestFrame last;
} Bench;

static void catch_frame(const uint8_t *bytes, gsize length, void *data)
{
    Bench *bench = data;

    bench->n_frames++;
    memcpy(bench->last.bytes, bytes, length);
    bench->last.length = length;
}

static int open_socket(const char *address, RnEndpoint *out_at)
{
    RnEndpoint at = test_endpoint(address, 0);
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&at, &storage);
    int fd = socket(at.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
    length = sizeof storage;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, out_at);
    return fd;
}

static Bench *make_bench(const char *front)
{
    g_autoptr(GError) error = NULL;
    Bench *bench = g_new0(Bench, 1);
    RnRelayListener info = { .transport = RN_TRANSPORT_UDP,
                             .guest = { .port = 53 } };
    int fd = open_socket(front, &bench->front);

    bench->plan = test_plan();
    bench->loop = rn_loop_new(&error);
    bench->intake = rn_udp_intake_new(
        &bench->plan, &(RnUdpSinks){ .frame = catch_frame, .data = bench });
    bench->sender = rn_udp_sender_new();
    bench->publish = rn_publish_udp_new(&bench->plan, bench->loop,
                                        bench->intake, bench->sender);
    info.host = bench->front;
    assert_true(rn_publish_udp_add(bench->publish, &info, fd, &error));
    assert_no_error(error);
    return bench;
}

static void free_bench(Bench *bench)
{
    rn_publish_udp_free(bench->publish);
    rn_udp_sender_free(bench->sender);
    rn_udp_intake_free(bench->intake);
    rn_loop_free(bench->loop);
    g_free(bench);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, free_bench)

static bool take_answer(Bench *bench, const RnFrame *frame)
{
    bool is_taken = rn_publish_udp_take_answer(bench->publish, frame);

    rn_udp_sender_flush(bench->sender);
    return is_taken;
}

static void send_to(int fd, const RnEndpoint *at, const void *bytes,
                    gsize length)
{
    struct sockaddr_storage storage;
    socklen_t size = rn_endpoint_to_sockaddr(at, &storage);

    assert_int_equal(
        sendto(fd, bytes, length, 0, (struct sockaddr *)&storage, size),
        length);
}

static void await_frames(Bench *bench, unsigned n)
{
    for (unsigned i = 0; i < TURNS_MAX && bench->n_frames < n; i++)
        assert_true(rn_loop_turn(bench->loop, TURN_MS, NULL));
    assert_int_equal(bench->n_frames, n);
}

/* Lets the guest answer the last frame; whether a flow took it. */
static bool answer(Bench *bench, const char *text)
{
    RnFrame asked, frame;
    TestFrame built;

    assert_true(rn_frame_parse(bench->last.bytes, bench->last.length, &asked));
    test_udp_frame(&bench->plan, &asked.destination, &asked.source, text,
                   strlen(text), &built);
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    assert_true(rn_publish_udp_wants(bench->publish, &frame));
    return take_answer(bench, &frame);
}

/* The fronts, and the address that a client sends to there. */
typedef struct Way {
    const char *front, *target, *client, *shown;
} Way;

static const Way ways[] = {
    { "127.0.0.1", "127.0.0.1", "127.0.0.1", "10.0.2.2" },
    { "0.0.0.0", "127.0.0.5", "127.0.0.1", "10.0.2.2" },
    { "::1", "::1", "::1", "fd00::2" },
    { "::", "::1", "::1", "fd00::2" },
    { "::", "127.0.0.5", "127.0.0.1", "10.0.2.2" }, /* IPv4 on IPv6 */
};

static void question_and_answer_pass_each_way(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(Bench) bench = make_bench(ways[i].front);
        RnEndpoint target = test_endpoint(ways[i].target, bench->front.port);
        RnEndpoint self, from;
        rn_autofd int client = open_socket(ways[i].client, &self);
        RnEndpoint shown = test_endpoint(ways[i].shown, self.port);
        struct sockaddr_storage storage;
        socklen_t length = sizeof storage;
        char text[16];
        RnFrame frame;

        send_to(client, &target, "question", 8);
        await_frames(bench, 1);
        assert_true(
            rn_frame_parse(bench->last.bytes, bench->last.length, &frame));
        assert_true(rn_endpoint_equal(&frame.source, &shown));
        assert_int_equal(frame.destination.port, 53);
        assert_memory_equal(frame.payload, "question", 8);
        assert_memory_equal(frame.ether, bench->plan.guest_mac, 6);

        assert_true(answer(bench, "answer"));
        assert_int_equal(recvfrom(client, text, sizeof text, 0,
                                  (struct sockaddr *)&storage, &length),
                         6);
        rn_endpoint_from_sockaddr(&storage, &from);
        if (!rn_endpoint_equal(&from, &target))
            fail_msg("%s answers from elsewhere", ways[i].target);
    }
}

static void withdrawn_port_loses_its_flows_and_no_others(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnRelayListener info = { .id = 7, .guest = { .port = 53 } };
    RnEndpoint self;
    rn_autofd int client = open_socket("127.0.0.1", &self);
    int fd = open_socket("127.0.0.1", &info.host);

    (void)state;
    assert_true(rn_publish_udp_add(bench->publish, &info, fd, NULL));
    send_to(client, &bench->front, "a", 1);
    await_frames(bench, 1);
    send_to(client, &info.host, "b", 1);
    await_frames(bench, 2);
    assert_int_equal(rn_publish_udp_n_flows(bench->publish), 2);
    assert_int_equal(rn_publish_udp_remove(bench->publish, 7), 1);
    assert_int_equal(rn_publish_udp_remove(bench->publish, 7), 0);
    assert_int_equal(rn_publish_udp_n_flows(bench->publish), 1);
    assert_false(answer(bench, "late"));

    /* its place is another's now */
    fd = open_socket("127.0.0.1", &info.host);
    assert_true(rn_publish_udp_add(bench->publish, &info, fd, NULL));
    send_to(client, &info.host, "c", 1);
    await_frames(bench, 3);
    assert_true(answer(bench, "in time"));
}

/* A port that leads to another address inside, of either family. */
static void target_of_its_own_is_asked_and_answers(void **state)
{
    static const Way rows[] = {
        /* front, target inside, client, shown */
        { "127.0.0.1", "10.88.0.1", "127.0.0.1", "10.0.2.2" },
        { "::1", "10.88.0.1", "::1", "10.0.2.2" },
        { "127.0.0.1", "fd88::1", "127.0.0.1", "fd00::2" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Bench) bench = make_bench("127.0.0.1");
        RnRelayListener info = { .guest = test_endpoint(rows[i].target, 53) };
        int fd = open_socket(rows[i].front, &info.host);
        RnEndpoint self;
        rn_autofd int client = open_socket(rows[i].client, &self);
        RnEndpoint shown = test_endpoint(rows[i].shown, self.port);
        RnFrame frame;
        char text[8];

        assert_true(rn_publish_udp_add(bench->publish, &info, fd, NULL));
        send_to(client, &info.host, "question", 8);
        await_frames(bench, 1);
        assert_true(
            rn_frame_parse(bench->last.bytes, bench->last.length, &frame));
        assert_true(rn_endpoint_equal(&frame.destination, &info.guest));
        assert_true(rn_endpoint_equal(&frame.source, &shown));
        assert_true(answer(bench, "answer"));
        assert_int_equal(recv(client, text, sizeof text, 0), 6);
    }
}

static void loopback_target_is_refused(void **state)
{
    static const char *const targets[] = { "127.0.0.1", "127.3.2.1", "::1" };
    g_autoptr(Bench) bench = make_bench("127.0.0.1");

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autoptr(GError) error = NULL;
        RnRelayListener info = { .guest = test_endpoint(targets[i], 53) };
        int fd = open_socket("127.0.0.1", &info.host);

        assert_false(rn_publish_udp_add(bench->publish, &info, fd, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, targets[i]);
    }
}

static void answer_without_a_flow_is_not_taken(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnEndpoint from = bench->plan.guest4, to = bench->plan.gateway4;
    TestFrame built;
    RnFrame frame;

    (void)state;
    from.port = 53;
    to.port = 4000;
    test_udp_frame(&bench->plan, &from, &to, "x", 1, &built);
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    assert_false(take_answer(bench, &frame));
}

static void answer_with_wrong_checksum_is_dropped(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnEndpoint self;
    rn_autofd int client = open_socket("127.0.0.1", &self);
    RnFrame asked, frame;
    TestFrame built;
    char byte;

    (void)state;
    send_to(client, &bench->front, "q", 1);
    await_frames(bench, 1);
    assert_true(rn_frame_parse(bench->last.bytes, bench->last.length, &asked));
    test_udp_frame(&bench->plan, &asked.destination, &asked.source, "abc", 3,
                   &built);
    built.bytes[built.length - 1] ^= 1;
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    assert_true(take_answer(bench, &frame));
    assert_int_equal(recv(client, &byte, 1, 0), -1);
}

static void burst_of_datagrams_keeps_its_flow_and_sizes(void **state)
{
    enum {
        DATAGRAMS = 100
    };
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnEndpoint self;
    rn_autofd int client = open_socket("127.0.0.1", &self);
    static const uint8_t bytes[1000];

    (void)state;
    for (unsigned i = 0; i < DATAGRAMS; i++) {
        send_to(client, &bench->front, bytes, i * 10);
        /* so that the socket's queue does not overflow */
        if (i % 20 == 19)
            await_frames(bench, i + 1);
    }
    assert_int_equal(rn_publish_udp_n_flows(bench->publish), 1);
    assert_int_equal(bench->last.length, 14 + 28 + (DATAGRAMS - 1) * 10);
}

/* 65507 bytes do not fit the link's MTU. */
static void largest_datagram_goes_in_as_two_fragments(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnEndpoint self;
    rn_autofd int client = open_socket("127.0.0.1", &self);
    g_autofree uint8_t *bytes = g_malloc0(65507);

    (void)state;
    send_to(client, &bench->front, bytes, 65507);
    await_frames(bench, 2);
}

/* One piece of an IPv4 datagram, as the guest's kernel would send it. */
static void make_fragment(const Bench *bench, const uint8_t *udp, gsize total,
                          gsize offset, TestFrame *built)
{
    enum {
        PIECE = 1480
    };
    bool is_last = offset + PIECE >= total;
    uint8_t *ip = built->bytes + 14;

    test_ip_frame(&bench->plan, &bench->plan.guest4, &bench->plan.gateway4,
                  IPPROTO_UDP, udp + offset, MIN(PIECE, total - offset), built);
    rn_put16(ip + 6, (uint16_t)(offset / 8 | (is_last ? 0 : 0x2000)));
    rn_put16(ip + 10, 0);
    rn_put16(ip + 10, rn_checksum_finish(rn_checksum_add(0, ip, 20)));
}

static void answer_in_fragments_comes_out_whole(void **state)
{
    g_autoptr(Bench) bench = make_bench("127.0.0.1");
    RnEndpoint self;
    rn_autofd int client = open_socket("127.0.0.1", &self);
    uint8_t udp[3008] = { 0, 53, [2500] = 'x' };
    uint64_t sum = rn_checksum_pseudo(
        &bench->plan.guest4, &bench->plan.gateway4, IPPROTO_UDP, sizeof udp);
    char text[4096];

    (void)state;
    send_to(client, &bench->front, "q", 1);
    await_frames(bench, 1);
    rn_put16(udp + 2, self.port);
    rn_put16(udp + 4, sizeof udp);
    rn_put16(udp + 6,
             rn_checksum_finish(rn_checksum_add(sum, udp, sizeof udp)));
    for (gsize offset = 0; offset < sizeof udp; offset += 1480) {
        TestFrame built;
        RnFrame fragment;

        make_fragment(bench, udp, sizeof udp, offset, &built);
        assert_true(rn_frame_parse(built.bytes, built.length, &fragment));
        assert_true(take_answer(bench, &fragment));
    }
    assert_int_equal(recv(client, text, sizeof text, 0), 3000);
    assert_int_equal(text[2492], 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(question_and_answer_pass_each_way),
        cmocka_unit_test(withdrawn_port_loses_its_flows_and_no_others),
        cmocka_unit_test(target_of_its_own_is_asked_and_answers),
        cmocka_unit_test(loopback_target_is_refused),
        cmocka_unit_test(answer_without_a_flow_is_not_taken),
        cmocka_unit_test(answer_with_wrong_checksum_is_dropped),
        cmocka_unit_test(burst_of_datagrams_keeps_its_flow_and_sizes),
        cmocka_unit_test(largest_datagram_goes_in_as_two_fragments),
        cmocka_unit_test(answer_in_fragments_comes_out_whole),
    };

    return cmocka_run_group_tests_name("publish-udp", tests, NULL, NULL);
}
