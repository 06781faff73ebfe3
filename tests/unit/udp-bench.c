/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-bench - udp-out with sinks that keep what they get, see the header
 */
#include "config.h"

#include "udp-bench.h"

#include <errno.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
    TURNS_MAX = 500, /* only a failure takes so many */
    BYTES_MAX = 1 << 20,
};

static void keep_payload(UdpBench *bench, const void *bytes, gsize length)
{
    assert_true(bench->n_bytes + length <= BYTES_MAX);
    if (length > 0)
        memcpy(bench->bytes + bench->n_bytes, bytes, length);
    bench->n_bytes += length;
}

static void catch_frame(const uint8_t *bytes, gsize length, void *data)
{
    UdpBench *bench = data;

    bench->n_frames++;
    memcpy(bench->last.bytes, bytes, length);
    bench->last.length = length;
    assert_true(rn_frame_parse(bench->last.bytes, length, &bench->frame));
    if (bench->frame.payload == NULL)
        return; /* ICMP, or a fragment */
    assert_true(rn_frame_udp_checksum_ok(&bench->frame));
    keep_payload(bench, bench->frame.payload, bench->frame.payload_length);
}

static bool catch_burst(const RnFrameBurst *burst, void *data)
{
    UdpBench *bench = data;
    gsize length = 0;

    if (!bench->takes_bursts)
        return false;
    assert_true(burst->n_parts <= RN_BURST_PARTS_MAX);
    bench->n_bursts++;
    for (unsigned i = 0; i < burst->n_parts; i++) {
        assert_true(length + burst->parts[i].iov_len <= RN_FRAME_MAX);
        memcpy(bench->last.bytes + length, burst->parts[i].iov_base,
               burst->parts[i].iov_len);
        length += burst->parts[i].iov_len;
    }
    bench->last.length = length;
    assert_true(rn_frame_parse(bench->last.bytes, length, &bench->frame));
    assert_ptr_equal(bench->frame.payload, bench->last.bytes + burst->headers);
    assert_true(bench->frame.payload_length > burst->segment);
    keep_payload(bench, bench->frame.payload, bench->frame.payload_length);
    return true;
}

UdpBench *make_udp_bench(unsigned max)
{
    UdpBench *bench = g_new0(UdpBench, 1);
    RnUdpSinks sinks = {
        .frame = catch_frame,
        .burst = catch_burst,
        .data = bench,
    };
    RnUdpOutParts parts = {
        .plan = &bench->plan,
        .sink = catch_frame,
        .sink_data = bench,
        .max = max,
    };

    bench->plan = test_plan();
    bench->plan.host_loopback = 1;
    bench->bytes = g_malloc(BYTES_MAX);
    parts.loop = bench->loop = rn_loop_new(NULL);
    parts.intake = bench->intake = rn_udp_intake_new(&bench->plan, &sinks);
    parts.sender = bench->sender = rn_udp_sender_new();
    bench->out = rn_udp_out_new(&parts);
    return bench;
}

void free_udp_bench(UdpBench *bench)
{
    rn_udp_out_free(bench->out);
    rn_udp_sender_free(bench->sender);
    rn_udp_intake_free(bench->intake);
    rn_loop_free(bench->loop);
    g_free(bench->bytes);
    g_free(bench);
}
/* A bound socket of the host; a receive waits a while for its datagram. */
int open_udp_server(const char *address, RnEndpoint *out_at)
{
    RnEndpoint at = test_endpoint(address, 0);
    struct timeval wait = { .tv_sec = 10 };
    struct sockaddr_storage storage;
    socklen_t length = rn_endpoint_to_sockaddr(&at, &storage);
    int fd = socket(at.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    length = sizeof storage;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, out_at);
    return fd;
}

void send_to(int fd, const RnEndpoint *at, const void *bytes, gsize length)
{
    struct sockaddr_storage storage;
    socklen_t size = rn_endpoint_to_sockaddr(at, &storage);

    assert_int_equal(
        sendto(fd, bytes, length, 0, (struct sockaddr *)&storage, size),
        length);
}

/* Receives a datagram of this length; its sender. */
RnEndpoint expect_datagram(int fd, const void *bytes, gsize length)
{
    g_autofree uint8_t *got = g_malloc(65536);
    struct sockaddr_storage storage;
    socklen_t size = sizeof storage;
    RnEndpoint from;

    assert_int_equal(
        recvfrom(fd, got, 65536, 0, (struct sockaddr *)&storage, &size),
        length);
    if (length > 0)
        assert_memory_equal(got, bytes, length);
    rn_endpoint_from_sockaddr(&storage, &from);
    return from;
}

/* The guest sends from a port of its own to a port of the gateway. */
bool guest_sends(UdpBench *bench, uint16_t source, const RnEndpoint *to,
                 const void *bytes, gsize length)
{
    RnEndpoint from =
        to->family == AF_INET6 ? bench->plan.guest6 : bench->plan.guest4;
    RnEndpoint gateway =
        to->family == AF_INET6 ? bench->plan.gateway6 : bench->plan.gateway4;
    TestFrame built;
    RnFrame frame;

    from.port = source;
    gateway.port = to->port;
    test_udp_frame(&bench->plan, &from, &gateway, bytes, length, &built);
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    return rn_udp_out_take(bench->out, &frame);
}

void await_frames(UdpBench *bench, unsigned n)
{
    for (unsigned i = 0; i < TURNS_MAX && bench->n_frames < n; i++)
        assert_true(rn_loop_turn(bench->loop, TURN_MS, NULL));
    assert_int_equal(bench->n_frames, n);
}

void await_bytes(UdpBench *bench, gsize n)
{
    for (unsigned i = 0; i < TURNS_MAX && bench->n_bytes < n; i++)
        assert_true(rn_loop_turn(bench->loop, TURN_MS, NULL));
    assert_int_equal(bench->n_bytes, n);
}
