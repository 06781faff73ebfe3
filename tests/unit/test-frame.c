/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-frame - parsing and building of frames, checksums, reassembly
 */
#include "config.h"

#include <unit.h>

#include <netinet/in.h>

#include <rnet/net/frame-fields.h>
#include <rnet/net/reassembly.h>

#include "frames.h"

/* What a sink was given, frame by frame, parsed. */
typedef struct Caught {
    unsigned n;
    gsize longest;
    RnReassembly *reassembly;
    RnFrame last;
    uint8_t payload[65536];
    gsize payload_length;
} Caught;

static void catch_frame(const uint8_t *bytes, gsize length, void *data)
{
    Caught *caught = data;
    RnDatagram whole = { 0 };

    assert_true(rn_frame_parse(bytes, length, &caught->last));
    caught->n++;
    caught->longest = MAX(caught->longest, length);
    if (!caught->last.is_fragment) {
        assert_true(rn_frame_udp_checksum_ok(&caught->last));
        caught->payload_length = caught->last.payload_length;
        memcpy(caught->payload, caught->last.payload,
               caught->last.payload_length);
        return;
    }
    assert_true(
        rn_reassembly_add(caught->reassembly, &caught->last, 0, &whole));
    if (whole.payload == NULL)
        return;
    caught->payload_length = whole.length;
    memcpy(caught->payload, whole.payload, whole.length);
}

/* RFC 1071, 3: the bytes 00 01 f2 03 f4 f5 f6 f7 sum up to ddf2. */
static void checksum_of_rfc1071_bytes_is_as_printed(void **state)
{
    const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

    (void)state;
    assert_int_equal(rn_checksum_finish(rn_checksum_add(0, bytes, 8)),
                     (uint16_t)~0xddf2);
    /* an odd length is padded with a zero byte */
    assert_int_equal(rn_checksum_finish(rn_checksum_add(0, bytes, 3)),
                     (uint16_t)~0xf201);
    assert_int_equal(rn_checksum_finish(0), 0xffff);
}

/* As RFC 1071 defines it, a 16-bit word at a time. */
static uint16_t sum_slowly(const uint8_t *bytes, gsize length)
{
    uint32_t sum = 0;

    for (gsize i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void checksum_of_any_length_and_place_is_the_same(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    uint8_t bytes[200];

    (void)state;
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = i < 20 ? 0xff : (uint8_t)g_rand_int(random);
    for (gsize start = 0; start < 20; start++) {
        for (gsize length = 0; length <= sizeof bytes - start; length++)
            assert_int_equal(
                rn_checksum_finish(rn_checksum_add(0, bytes + start, length)),
                sum_slowly(bytes + start, length));
    }
}

/* The checksums were computed by another program, in Python. */
static void parse_of_known_udp_frame_gives_its_fields(void **state)
{
    static const uint8_t bytes[] = {
        0x52, 0x55, 0x0a, 0x00, 0x02, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x64,
        0x08, 0x00, 0x45, 0x00, 0x00, 0x20, 0x00, 0x01, 0x00, 0x00, 0x40, 0x11,
        0x62, 0x66, 0x0a, 0x00, 0x02, 0x64, 0x0a, 0x00, 0x02, 0x03, 0x10, 0x00,
        0x00, 0x35, 0x00, 0x0c, 0x4d, 0xc7, 0x68, 0x69, 0x21, 0x0a,
    };
    RnFrame frame;

    (void)state;
    assert_true(rn_frame_parse(bytes, sizeof bytes, &frame));
    assert_int_equal(frame.source.family, AF_INET);
    assert_int_equal(frame.source.port, 4096);
    assert_int_equal(frame.destination.port, 53);
    assert_int_equal(frame.protocol, IPPROTO_UDP);
    assert_int_equal(frame.payload_length, 4);
    assert_memory_equal(frame.payload, "hi!\n", 4);
    assert_true(rn_frame_udp_checksum_ok(&frame));
}

static void udp_frame_with_broken_payload_fails_its_checksum(void **state)
{
    RnNetworkPlan plan = test_plan();
    RnEndpoint from = test_endpoint("fd00::100", 1000);
    RnEndpoint to = test_endpoint("2001:db8::1", 2000);
    TestFrame built;
    RnFrame frame;

    (void)state;
    test_udp_frame(&plan, &from, &to, "payload", 7, &built);
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    assert_true(rn_frame_udp_checksum_ok(&frame));
    built.bytes[built.length - 1] ^= 1;
    assert_false(rn_frame_udp_checksum_ok(&frame));

    /* none at all: fine in IPv4 only */
    rn_put16(built.bytes + 14 + 40 + 6, 0);
    assert_false(rn_frame_udp_checksum_ok(&frame));
}

/* Whatever is cut off, the parser fails or stays inside; ASan looks on. */
static void parse_of_truncated_frames_fails(void **state)
{
    RnNetworkPlan plan = test_plan();
    TestSegment segment = {
        .source = test_endpoint("10.0.2.100", 1000),
        .destination = test_endpoint("192.0.2.1", 80),
        .flags = RN_TCP_SYN,
    };
    RnEndpoint from6 = test_endpoint("fd00::100", 1000);
    RnEndpoint to6 = test_endpoint("2001:db8::1", 80);
    TestFrame frames[2];
    RnFrame frame;

    (void)state;
    test_tcp_frame(&plan, &segment, &frames[0]);
    test_udp_frame(&plan, &from6, &to6, "xyz", 3, &frames[1]);
    for (unsigned i = 0; i < 2; i++) {
        for (gsize length = 0; length < frames[i].length; length++) {
            g_autofree uint8_t *copy = g_memdup2(frames[i].bytes, length);

            assert_false(rn_frame_parse(copy, length, &frame));
        }
        assert_true(rn_frame_parse(frames[i].bytes, frames[i].length, &frame));
    }
}

/* One byte of a good IPv4 or IPv6 frame changed, the rest left. */
typedef struct Damage {
    const char *name;
    bool is_v6;
    unsigned offset; /* from the IP header */
    uint8_t value;
} Damage;

static const Damage damages[] = {
    { "version 4 to 5", false, 0, 0x55 },
    { "header length 4 words", false, 0, 0x44 },
    { "header length beyond the packet", false, 0, 0x4f },
    { "total length beyond the frame", false, 2, 0xff },
    { "total length below the header", false, 3, 19 },
    { "header checksum", false, 10, 0 },
    { "version 6 to 4", true, 0, 0x40 },
    { "payload length beyond the frame", true, 4, 0xff },
    { "hop-by-hop options", true, 6, 0 },
    { "routing header", true, 6, 43 },
    { "udp length below its header", true, 45, 7 },
    { "udp length beyond the packet", true, 45, 12 },
};

static void parse_of_contradicting_frames_fails(void **state)
{
    RnNetworkPlan plan = test_plan();
    RnEndpoint from4 = test_endpoint("10.0.2.100", 1), from6 = plan.guest6;
    RnEndpoint to4 = test_endpoint("192.0.2.1", 2);
    RnEndpoint to6 = test_endpoint("2001:db8::1", 2);
    TestFrame built;
    RnFrame frame;

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(damages); i++) {
        const Damage *damage = &damages[i];
        uint8_t *ip = built.bytes + 14;

        test_udp_frame(&plan, damage->is_v6 ? &from6 : &from4,
                       damage->is_v6 ? &to6 : &to4, "abc", 3, &built);
        assert_true(rn_frame_parse(built.bytes, built.length, &frame));
        ip[damage->offset] = damage->value;
        /* only the damage itself is to be found, but for the checksum's case */
        if (!damage->is_v6 && damage->offset != 10) {
            rn_put16(ip + 10, 0);
            rn_put16(ip + 10, rn_checksum_finish(rn_checksum_add(0, ip, 20)));
        }
        if (rn_frame_parse(built.bytes, built.length, &frame))
            fail_msg("taken: %s", damage->name);
    }
}

static void parse_of_random_bytes_stays_inside(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(4711);
    RnFrame frame;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        gsize length = (gsize)g_rand_int_range(random, 0, 128);
        g_autofree uint8_t *bytes = g_malloc(length);

        for (gsize j = 0; j < length; j++)
            bytes[j] = (uint8_t)g_rand_int(random);
        if (length > 14 && i % 2 == 0) {
            rn_put16(bytes + 12, 0x86dd);
            bytes[14] = 0x60;
        }
        if (!rn_frame_parse(bytes, length, &frame) || frame.transport == NULL)
            continue;
        assert_true(frame.transport >= bytes);
        assert_true(frame.transport + frame.transport_length <= bytes + length);
        if (frame.payload != NULL)
            assert_true(frame.payload + frame.payload_length <= bytes + length);
    }
}

typedef struct RoundTrip {
    const char *source, *destination;
    uint32_t mtu;
    gsize length;
    unsigned n_frames;
} RoundTrip;

static const RoundTrip round_trips[] = {
    { "192.0.2.7", "10.0.2.100", 65520, 0, 1 },
    { "192.0.2.7", "10.0.2.100", 65520, 1, 1 },
    { "192.0.2.7", "10.0.2.100", 65520, 65492, 1 },
    { "192.0.2.7", "10.0.2.100", 65520, 65493, 2 },
    { "192.0.2.7", "10.0.2.100", 65520, 65507, 2 },
    { "192.0.2.7", "10.0.2.100", 1500, 1472, 1 },
    { "192.0.2.7", "10.0.2.100", 1500, 1473, 2 },
    { "192.0.2.7", "10.0.2.100", 576, 5000, 10 },
    { "192.0.2.7", "10.0.2.100", 68, 100, 3 },
    { "2001:db8::7", "fd00::100", 65520, 65472, 1 },
    { "2001:db8::7", "fd00::100", 65520, 65527, 2 },
    { "2001:db8::7", "fd00::100", 1280, 1232, 1 },
    { "2001:db8::7", "fd00::100", 1280, 1233, 2 },
    { "2001:db8::7", "fd00::100", 1500, 9001, 7 },
};

static void udp_round_trip_keeps_payload_and_mtu(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autofree uint8_t *buffer = g_malloc(RN_FRAME_HEADROOM + 65536);
    g_autofree uint8_t *wanted = g_malloc(65536);
    g_autofree Caught *caught = g_new0(Caught, 1);

    (void)state;
    for (unsigned i = 0; i < 65536; i++)
        wanted[i] = (uint8_t)(i * 7 + i / 256);
    for (unsigned i = 0; i < G_N_ELEMENTS(round_trips); i++) {
        const RoundTrip *trip = &round_trips[i];
        RnUdpHeaders headers = {
            .source = test_endpoint(trip->source, 5353),
            .destination = test_endpoint(trip->destination, 53),
            .source_mac = plan.gateway_mac,
            .destination_mac = plan.guest_mac,
            .mtu = trip->mtu,
            .id = 42 + i,
        };

        memset(caught, 0, sizeof *caught);
        caught->reassembly = rn_reassembly_new();
        memcpy(buffer + RN_FRAME_HEADROOM, wanted, trip->length);
        assert_true(rn_frame_send_udp(&headers, buffer + RN_FRAME_HEADROOM,
                                      trip->length, catch_frame, caught));
        rn_reassembly_free(caught->reassembly);
        assert_int_equal(caught->n, trip->n_frames);
        assert_true(caught->longest <= trip->mtu + 14);
        assert_int_equal(caught->payload_length, trip->length);
        assert_memory_equal(caught->payload, wanted, trip->length);
        assert_true(
            rn_endpoint_same_address(&caught->last.source, &headers.source));
        assert_memory_equal(caught->last.ether, plan.guest_mac, 0);
    }
}

static void udp_that_no_packet_holds_is_refused(void **state)
{
    g_autofree uint8_t *buffer = g_malloc0(RN_FRAME_HEADROOM + 65536);
    uint8_t mac[6] = { 0 };
    RnUdpHeaders headers = {
        .source = test_endpoint("192.0.2.7", 1),
        .destination = test_endpoint("10.0.2.100", 1),
        .source_mac = mac,
        .destination_mac = mac,
        .mtu = 65520,
    };

    (void)state;
    assert_false(rn_frame_send_udp(&headers, buffer + RN_FRAME_HEADROOM, 65508,
                                   catch_frame, NULL));
}

/* A fragment of a datagram of 24 bytes, as rn_frame_parse() gives it. */
static RnFrame make_fragment(uint32_t offset, gsize length, bool more)
{
    static uint8_t bytes[64];

    memset(bytes, 0, sizeof bytes);
    rn_put16(bytes + 4, 24);
    return (RnFrame){
        .source = test_endpoint("10.0.2.100", 0),
        .destination = test_endpoint("192.0.2.1", 0),
        .protocol = IPPROTO_UDP,
        .is_fragment = true,
        .more_fragments = more,
        .fragment_offset = offset,
        .fragment_id = 9,
        .transport = bytes,
        .transport_length = length,
    };
}

typedef struct Pieces {
    const char *name;
    struct {
        uint32_t offset;
        gsize length;
        bool more;
        int64_t at_ms;
    } pieces[3];
    bool is_whole;
} Pieces;

static const Pieces sequences[] = {
    { "in order", { { 0, 16, true, 0 }, { 16, 8, false, 1 } }, true },
    { "overlap", { { 0, 16, true, 0 }, { 8, 16, false, 1 } }, false },
    { "gap", { { 0, 8, true, 0 }, { 16, 8, false, 1 } }, false },
    { "first twice",
      { { 0, 16, true, 0 }, { 0, 16, true, 1 }, { 16, 8, false, 2 } },
      false },
    { "odd middle", { { 0, 15, true, 0 }, { 15, 9, false, 1 } }, false },
    { "too late",
      { { 0, 16, true, 0 }, { 16, 8, false, RN_REASSEMBLY_MS } },
      false },
    { "wrong length", { { 0, 16, true, 0 }, { 16, 16, false, 1 } }, false },
};

static void reassembly_takes_only_what_comes_in_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(sequences); i++) {
        const Pieces *sequence = &sequences[i];
        g_autoptr(RnReassembly) reassembly = rn_reassembly_new();
        bool is_whole = false;

        for (unsigned j = 0; j < 3 && sequence->pieces[j].length > 0; j++) {
            RnDatagram whole = { 0 };
            RnFrame fragment = make_fragment(sequence->pieces[j].offset,
                                             sequence->pieces[j].length,
                                             sequence->pieces[j].more);

            (void)rn_reassembly_add(reassembly, &fragment,
                                    sequence->pieces[j].at_ms, &whole);
            is_whole = is_whole || whole.payload != NULL;
        }
        if (is_whole != sequence->is_whole)
            fail_msg("%s: %s", sequence->name, is_whole ? "whole" : "dropped");
    }
}

static void reassembly_of_unknown_middle_part_is_not_taken(void **state)
{
    g_autoptr(RnReassembly) reassembly = rn_reassembly_new();
    RnFrame fragment = make_fragment(16, 8, false);
    RnDatagram whole;

    (void)state;
    assert_false(rn_reassembly_add(reassembly, &fragment, 0, &whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_of_rfc1071_bytes_is_as_printed),
        cmocka_unit_test(checksum_of_any_length_and_place_is_the_same),
        cmocka_unit_test(parse_of_known_udp_frame_gives_its_fields),
        cmocka_unit_test(udp_frame_with_broken_payload_fails_its_checksum),
        cmocka_unit_test(parse_of_truncated_frames_fails),
        cmocka_unit_test(parse_of_contradicting_frames_fails),
        cmocka_unit_test(parse_of_random_bytes_stays_inside),
        cmocka_unit_test(udp_round_trip_keeps_payload_and_mtu),
        cmocka_unit_test(udp_that_no_packet_holds_is_refused),
        cmocka_unit_test(reassembly_takes_only_what_comes_in_order),
        cmocka_unit_test(reassembly_of_unknown_middle_part_is_not_taken),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
