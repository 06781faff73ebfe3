/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-ping6 - echo requests to the outside: which are taken, what comes back
 *
 * The flows and the frames as data; then the whole in a network namespace,
 * whose own address is pinged.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <rnet/net/frame-fields.h>
#include <rnet/net/frame-icmp6.h>
#include <rnet/net/ping6-flows.h>
#include <rnet/net/ping6.h>
#include <rnet/sys/netlink.h>
#include <rnet/util/fd.h>

#include "frames.h"
#include "netns.h"

enum {
    TURNS_MAX = 500,  /* only a failure takes so many */
    QUIET_TURNS = 10, /* in which something forbidden does not happen */
    TURN_MS = 20,
    TEST_ID = 0x1200, /* that of test_echo_frame() */
    TEST_LENGTH = 16, /* of its ICMPv6 message */
};

#define HOST_ADDRESS  "2001:db8::2"
#define OTHER_ADDRESS "2001:db8:1::1"

/* An echo request of the guest, parsed. */
static RnFrame make_request(const RnNetworkPlan *plan, const char *to,
                            uint16_t id, TestFrame *built)
{
    RnEndpoint destination = test_endpoint(to, 0);
    RnFrame frame = { 0 };

    test_echo_frame(plan, &plan->guest6, &destination, built);
    rn_put16(built->bytes + RN_ICMP6_HEADROOM + 4, id);
    if (!rn_frame_parse(built->bytes, built->length, &frame))
        g_error("malformed request in a test");
    return frame;
}

typedef struct WantsCase {
    const char *to;
    uint8_t type; /* ICMPv6 */
    bool is_wanted;
} WantsCase;

static const WantsCase wants_cases[] = {
    { "2001:db8::2", ICMP6_ECHO_REQUEST, true },
    { "fd00:0:0:1::2", ICMP6_ECHO_REQUEST, true },
    { "fd00::2", ICMP6_ECHO_REQUEST, false },
    { "fd00::3", ICMP6_ECHO_REQUEST, false },
    { "fd00::77", ICMP6_ECHO_REQUEST, false },
    { "2001:db8::2", ICMP6_ECHO_REPLY, false },
    { "2001:db8::2", ICMP6_DST_UNREACH, false },
};

static void request_is_taken_if_it_goes_outside(void **state)
{
    RnNetworkPlan plan = test_plan();

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(wants_cases); i++) {
        const WantsCase *wanted = &wants_cases[i];
        TestFrame built;
        RnFrame frame = make_request(&plan, wanted->to, 1, &built);

        built.bytes[RN_ICMP6_HEADROOM] = wanted->type;
        if (rn_ping6_wants(&plan, &frame) != wanted->is_wanted)
            fail_msg("type %u to %s", wanted->type, wanted->to);
    }
}

static void other_frames_are_not_taken(void **state)
{
    RnNetworkPlan plan = test_plan();
    RnEndpoint outside4 = test_endpoint("198.51.100.2", 0);
    RnEndpoint outside6 = test_endpoint(HOST_ADDRESS, 0);
    static const uint8_t short_echo[7] = { ICMP6_ECHO_REQUEST };
    TestFrame built;
    RnFrame frame = make_request(&plan, HOST_ADDRESS, 1, &built);

    (void)state;
    frame.is_fragment = true;
    assert_false(rn_ping6_wants(&plan, &frame));

    test_echo_frame(&plan, &plan.guest4, &outside4, &built);
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    assert_false(rn_ping6_wants(&plan, &frame));

    test_udp_frame(&plan, &plan.guest6, &outside6, short_echo,
                   sizeof short_echo, &built);
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    assert_false(rn_ping6_wants(&plan, &frame));

    test_ip_frame(&plan, &plan.guest6, &outside6, IPPROTO_ICMPV6, short_echo,
                  sizeof short_echo, &built);
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    assert_false(rn_ping6_wants(&plan, &frame));

    test_arp_frame(&plan, &plan.gateway4, &built);
    assert_true(rn_frame_parse(built.bytes, built.length, &frame));
    assert_false(rn_ping6_wants(&plan, &frame));
}

static void keep_frame(const uint8_t *bytes, gsize length, void *data)
{
    TestFrame *kept = data;

    memcpy(kept->bytes, bytes, length);
    kept->length = length;
}

static void reply_frame_has_its_headers_and_checksum(void **state)
{
    RnNetworkPlan plan = test_plan();
    RnIcmp6Headers headers = {
        .source = test_endpoint(HOST_ADDRESS, 0),
        .destination = plan.guest6,
        .source_mac = plan.gateway_mac,
        .destination_mac = plan.guest_mac,
        .hop_limit = 61,
    };
    uint8_t buffer[RN_ICMP6_HEADROOM + 11];
    uint8_t *message = buffer + RN_ICMP6_HEADROOM;
    TestFrame kept;
    RnFrame frame;

    (void)state;
    memset(buffer, 0xaa, sizeof buffer);
    message[0] = ICMP6_ECHO_REPLY;
    message[1] = 0;
    rn_icmp6_send(&headers, message, 11, keep_frame, &kept);
    assert_int_equal(kept.length, sizeof buffer);
    assert_true(rn_frame_parse(kept.bytes, kept.length, &frame));
    assert_memory_equal(frame.ether, plan.guest_mac, 6);
    assert_memory_equal(frame.ether + 6, plan.gateway_mac, 6);
    assert_int_equal(frame.ether[RN_ETHER_HEADER], 0x60);
    assert_int_equal(frame.ether[RN_ETHER_HEADER + 7], 61);
    assert_true(rn_endpoint_equal(&frame.source, &headers.source));
    assert_true(rn_endpoint_equal(&frame.destination, &plan.guest6));
    assert_int_equal(frame.protocol, IPPROTO_ICMPV6);
    assert_int_equal(frame.transport_length, 11);
    assert_int_equal(frame.transport[0], ICMP6_ECHO_REPLY);
    assert_true(rn_icmp6_checksum_ok(&frame));
    kept.bytes[kept.length - 1] ^= 1;
    assert_false(rn_icmp6_checksum_ok(&frame));
}

static void error_frame_quotes_what_fits_1280_bytes(void **state)
{
    static const gsize lengths[] = { 8, RN_ICMP6_QUOTED_MAX, 5000 };
    RnNetworkPlan plan = test_plan();
    RnIcmp6Headers headers = {
        .source = plan.gateway6,
        .destination = plan.guest6,
        .source_mac = plan.gateway_mac,
        .destination_mac = plan.guest_mac,
        .hop_limit = 64,
    };
    RnIcmp6Error error = { .type = ICMP6_DST_UNREACH,
                           .code = ICMP6_DST_UNREACH_ADDR,
                           .hop_limit = 3,
                           .destination = test_endpoint(HOST_ADDRESS, 0) };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree uint8_t *buffer =
            g_malloc0(RN_ICMP6_ERROR_HEADROOM + lengths[i]);
        gsize quoted = MIN(lengths[i], RN_ICMP6_QUOTED_MAX);
        TestFrame kept;
        RnFrame frame;

        buffer[RN_ICMP6_ERROR_HEADROOM] = ICMP6_ECHO_REQUEST;
        rn_icmp6_send_error(&headers, &error, buffer + RN_ICMP6_ERROR_HEADROOM,
                            lengths[i], keep_frame, &kept);
        assert_true(rn_frame_parse(kept.bytes, kept.length, &frame));
        assert_true(kept.length <= RN_ETHER_HEADER + 1280);
        assert_true(rn_icmp6_checksum_ok(&frame));
        assert_int_equal(frame.transport_length, 8 + 40 + quoted);
        assert_int_equal(frame.transport[0], ICMP6_DST_UNREACH);
        assert_int_equal(frame.transport[1], ICMP6_DST_UNREACH_ADDR);
        assert_int_equal(rn_get32(frame.transport + 4), 0);
        assert_int_equal(frame.transport[8 + 6], IPPROTO_ICMPV6);
        assert_int_equal(frame.transport[8 + 7], 3);
        assert_memory_equal(frame.transport + 8 + 8, plan.guest6.address, 16);
        assert_memory_equal(frame.transport + 8 + 24, error.destination.address,
                            16);
        assert_int_equal(frame.transport[8 + 40], ICMP6_ECHO_REQUEST);
    }
}

static void flow_is_one_id_to_one_destination(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autofree RnPing6Flows *flows = g_new0(RnPing6Flows, 1);
    TestFrame built[3];
    RnFrame first = make_request(&plan, HOST_ADDRESS, 1, &built[0]);
    RnFrame other_id = make_request(&plan, HOST_ADDRESS, 2, &built[1]);
    RnFrame other_host = make_request(&plan, OTHER_ADDRESS, 1, &built[2]);
    const RnPing6Flow *flow = NULL;

    (void)state;
    assert_null(rn_ping6_flows_find(flows, &first, 0));
    flow = rn_ping6_flows_add(flows, &first, -1, 0);
    assert_ptr_equal(rn_ping6_flows_find(flows, &first, 1), flow);
    assert_int_equal(flow->id, 1);
    assert_int_equal(flow->last_ms, 1);
    assert_null(rn_ping6_flows_find(flows, &other_id, 1));
    assert_null(rn_ping6_flows_find(flows, &other_host, 1));
    assert_int_equal(rn_ping6_flows_count(flows), 1);
}

static void flows_expire_when_they_were_idle(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autofree RnPing6Flows *flows = g_new0(RnPing6Flows, 1);
    TestFrame built[2];
    RnFrame one = make_request(&plan, HOST_ADDRESS, 1, &built[0]);
    RnFrame two = make_request(&plan, HOST_ADDRESS, 2, &built[1]);
    int pair[2];

    (void)state;
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    assert_int_equal(rn_ping6_flows_next_expiry_ms(flows), -1);
    rn_ping6_flows_add(flows, &one, pair[0], 1000);
    rn_ping6_flows_add(flows, &two, pair[1], 2000);
    assert_int_equal(rn_ping6_flows_next_expiry_ms(flows),
                     1000 + RN_PING6_IDLE_MS);
    rn_ping6_flows_expire(flows, 1000 + RN_PING6_IDLE_MS - 1);
    assert_int_equal(rn_ping6_flows_count(flows), 2);

    /* use puts it off */
    assert_non_null(rn_ping6_flows_find(flows, &one, 3000));
    rn_ping6_flows_expire(flows, 2000 + RN_PING6_IDLE_MS);
    assert_int_equal(rn_ping6_flows_count(flows), 1);
    assert_null(rn_ping6_flows_find(flows, &two, 3000));
    assert_int_equal(fcntl(pair[1], F_GETFD), -1);
    assert_true(fcntl(pair[0], F_GETFD) >= 0);
    assert_int_equal(rn_ping6_flows_next_expiry_ms(flows),
                     3000 + RN_PING6_IDLE_MS);
    rn_ping6_flows_clear(flows);
    assert_int_equal(rn_ping6_flows_count(flows), 0);
    assert_int_equal(fcntl(pair[0], F_GETFD), -1);
}

static void flows_beyond_the_bound_replace_the_most_idle(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autofree RnPing6Flows *flows = g_new0(RnPing6Flows, 1);
    TestFrame built;

    (void)state;
    for (uint16_t id = 0; id < 1000; id++) {
        RnFrame request = make_request(&plan, HOST_ADDRESS, id, &built);
        RnFrame first = request;

        rn_ping6_flows_add(flows, &request, -1, id);
        assert_true(rn_ping6_flows_count(flows) <= RN_PING6_FLOWS_MAX);
        /* the first stays as it is used all the time */
        first = make_request(&plan, HOST_ADDRESS, 0, &built);
        assert_non_null(rn_ping6_flows_find(flows, &first, id));
    }
    assert_int_equal(rn_ping6_flows_count(flows), RN_PING6_FLOWS_MAX);
    for (uint16_t id = 1; id < 1000; id++) {
        RnFrame request = make_request(&plan, HOST_ADDRESS, id, &built);
        bool is_there = rn_ping6_flows_find(flows, &request, 1000) != NULL;

        assert_int_equal(is_there, id > 1000 - RN_PING6_FLOWS_MAX);
    }
}

/* One request in the namespace, and what is to come back. */
typedef struct PingWork {
    const char *group_range; /* NULL: as it is at first, for nobody */
    const char *to;
    bool is_spoilt; /* the request's checksum is wrong */
    int type, code; /* of the answer; type 0: none */
} PingWork;

static bool set_up(const PingWork *work, GError **error)
{
    RnEndpoint address = test_endpoint(HOST_ADDRESS, 0);
    const RnLinkChange up = { .up = true };
    g_autoptr(RnNetlink) netlink = rn_netlink_open(error);
    unsigned lo = 0;

    return netlink != NULL &&
           rn_netlink_link_change(netlink, "lo", &up, error) &&
           rn_netlink_link_index(netlink, "lo", &lo, error) &&
           rn_netlink_address_add(netlink, lo, &address, 128, RN_ADDRESS_NODAD,
                                  error) &&
           (work->group_range == NULL ||
            rn_file_write(AT_FDCWD, "/proc/sys/net/ipv4/ping_group_range",
                          work->group_range, error));
}

static char *check_answer(const PingWork *work, const RnNetworkPlan *plan,
                          const TestFrame *kept, const RnFrame *request)
{
    RnEndpoint from =
        work->type == ICMP6_ECHO_REPLY ? request->destination : plan->gateway6;
    const uint8_t *echo = NULL;
    RnFrame frame;

    if (kept->length == 0)
        return work->type == 0 ? NULL
                               : g_strdup_printf("no answer of %s", work->to);
    if (!rn_frame_parse(kept->bytes, kept->length, &frame) ||
        frame.protocol != IPPROTO_ICMPV6 || !rn_icmp6_checksum_ok(&frame) ||
        !rn_endpoint_same_address(&frame.source, &from) ||
        !rn_endpoint_same_address(&frame.destination, &plan->guest6))
        return g_strdup("a wrong frame");
    if (frame.transport[0] != work->type || frame.transport[1] != work->code)
        return g_strdup_printf("type %u, code %u", frame.transport[0],
                               frame.transport[1]);
    echo = frame.transport + (work->type == ICMP6_ECHO_REPLY ? 0 : 8 + 40);
    if (frame.transport + frame.transport_length != echo + TEST_LENGTH ||
        memcmp(echo + 4, request->transport + 4, TEST_LENGTH - 4) != 0)
        return g_strdup("id, sequence or payload changed");
    return NULL;
}

static char *ping_inside(void *data)
{
    const PingWork *work = data;
    RnNetworkPlan plan = test_plan();
    g_autoptr(GError) error = NULL;
    g_autoptr(RnLoop) loop = rn_loop_new(&error);
    g_autofree TestFrame *kept = g_new0(TestFrame, 1);
    g_autoptr(RnPing6) ping6 = NULL;
    g_autofree char *failure = NULL;
    TestFrame built;
    RnFrame request = make_request(&plan, work->to, TEST_ID, &built);

    if (loop == NULL || !set_up(work, &error))
        return g_strdup(error->message);
    if (work->is_spoilt)
        built.bytes[built.length - 1] ^= 1;
    ping6 = rn_ping6_new(&plan, loop, keep_frame, kept);
    /* again and again: the kernel makes a new address's route a little later */
    for (unsigned i = 0; i < (work->type == 0 ? QUIET_TURNS : TURNS_MAX); i++) {
        rn_ping6_send(ping6, &request);
        if (!rn_loop_turn(loop, TURN_MS, &error))
            return g_strdup(error->message);
        g_free(failure);
        failure = check_answer(work, &plan, kept, &request);
        if (work->type != 0 && failure == NULL)
            break;
    }
    return g_steal_pointer(&failure);
}

static const PingWork ping_works[] = {
    { .group_range = "0 0", .to = HOST_ADDRESS, .type = ICMP6_ECHO_REPLY },
    { .group_range = "0 0", .to = HOST_ADDRESS, .is_spoilt = true },
    { .group_range = "0 0",
      .to = OTHER_ADDRESS,
      .type = ICMP6_DST_UNREACH,
      .code = ICMP6_DST_UNREACH_NOROUTE },
    { .to = HOST_ADDRESS,
      .type = ICMP6_DST_UNREACH,
      .code = ICMP6_DST_UNREACH_ADMIN },
};

static void request_is_answered_as_the_host_can(void **state)
{
    (void)state;
    if (access("/proc/net/if_inet6", F_OK) < 0)
        skip_without("no IPv6 in the kernel");
    for (unsigned i = 0; i < G_N_ELEMENTS(ping_works); i++) {
        PingWork work = ping_works[i];
        Netns netns;

        netns_open(&netns);
        netns_run(&netns, ping_inside, &work);
        netns_close(&netns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_taken_if_it_goes_outside),
        cmocka_unit_test(other_frames_are_not_taken),
        cmocka_unit_test(reply_frame_has_its_headers_and_checksum),
        cmocka_unit_test(error_frame_quotes_what_fits_1280_bytes),
        cmocka_unit_test(flow_is_one_id_to_one_destination),
        cmocka_unit_test(flows_expire_when_they_were_idle),
        cmocka_unit_test(flows_beyond_the_bound_replace_the_most_idle),
        cmocka_unit_test(request_is_answered_as_the_host_can),
    };

    return cmocka_run_group_tests_name("ping6", tests, NULL, NULL);
}
