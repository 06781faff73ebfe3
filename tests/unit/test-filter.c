/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-filter - which frames of the guest reach libslirp
 */
#include "config.h"

#include <unit.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/filter.h>

#include "frames.h"

typedef struct Case {
    const char *name;
    const char *source, *destination;
    uint8_t protocol;
    uint16_t port; /* destination's */
    RnVerdict verdict;
} Case;

#define PASS RN_VERDICT_SLIRP
#define DROP RN_VERDICT_DROP
#define G4   "10.0.2.100"
#define G6   "fd00::100"
#define TCP  IPPROTO_TCP
#define UDP  IPPROTO_UDP

static const Case cases[] = {
    { "tcp out", G4, "192.0.2.1", TCP, 80, PASS },
    { "udp out", G4, "192.0.2.1", UDP, 80, PASS },
    { "private network", G4, "192.168.1.1", TCP, 80, PASS },
    { "neighbour network", G4, "10.0.3.1", TCP, 80, PASS },
    { "host loopback", G4, "127.0.0.1", TCP, 80, DROP },
    { "host loopback udp", G4, "127.0.0.1", UDP, 53, DROP },
    { "host loopback, far end", G4, "127.255.255.254", TCP, 80, DROP },
    { "address zero is loopback", G4, "0.0.0.0", TCP, 80, DROP },
    { "net zero", G4, "0.1.2.3", TCP, 80, DROP },
    { "link-local, cloud metadata", G4, "169.254.169.254", TCP, 80, DROP },
    { "multicast", G4, "224.0.0.251", UDP, 5353, DROP },
    { "class e", G4, "240.0.0.1", TCP, 80, DROP },
    { "broadcast tcp", G4, "255.255.255.255", TCP, 80, DROP },
    { "broadcast udp", G4, "255.255.255.255", UDP, 80, DROP },
    { "dhcp by broadcast", "0.0.0.0", "255.255.255.255", UDP, 67, PASS },
    { "dhcp renewal", G4, "10.0.2.2", UDP, 67, PASS },
    { "dhcp port elsewhere", "0.0.0.0", "192.0.2.1", UDP, 67, DROP },
    { "dns udp", G4, "10.0.2.3", UDP, 53, PASS },
    { "dns tcp", G4, "10.0.2.3", TCP, 53, PASS },
    { "dns address, other port", G4, "10.0.2.3", TCP, 80, DROP },
    { "gateway is for libslirp to refuse", G4, "10.0.2.2", TCP, 80, PASS },
    { "tftp", G4, "10.0.2.2", UDP, 69, DROP },
    { "other address inside", G4, "10.0.2.4", TCP, 80, DROP },
    { "itself", G4, G4, TCP, 80, DROP },
    { "broadcast inside", G4, "10.0.2.255", UDP, 80, DROP },
    { "source loopback", "127.0.0.1", "192.0.2.1", TCP, 80, DROP },
    { "source gateway", "10.0.2.2", "192.0.2.1", TCP, 80, DROP },
    { "source dns", "10.0.2.3", "192.0.2.1", UDP, 80, DROP },
    { "source multicast", "224.0.0.1", "192.0.2.1", UDP, 80, DROP },
    { "source zero", "0.0.0.0", "192.0.2.1", TCP, 80, DROP },
    { "source behind the guest", "172.17.0.2", "192.0.2.1", TCP, 80, PASS },
    { "gre", G4, "192.0.2.1", IPPROTO_GRE, 0, DROP },
    { "igmp", G4, "224.0.0.22", IPPROTO_IGMP, 0, DROP },

    { "v6 tcp out", G6, "2001:db8::1", TCP, 80, PASS },
    { "v6 udp out", G6, "2001:db8::1", UDP, 80, PASS },
    { "v6 loopback", G6, "::1", TCP, 80, DROP },
    { "v6 unspecified", G6, "::", TCP, 80, DROP },
    { "v6 compatible", G6, "::127.0.0.1", TCP, 80, DROP },
    { "v6 mapped loopback", G6, "::ffff:127.0.0.1", TCP, 80, DROP },
    { "v6 mapped", G6, "::ffff:192.0.2.1", TCP, 80, DROP },
    { "v6 link-local", G6, "fe80::1", TCP, 80, DROP },
    { "v6 libslirp's link-local", G6, "fe80::2", UDP, 80, DROP },
    { "v6 multicast", G6, "ff02::fb", UDP, 5353, DROP },
    { "v6 all nodes", G6, "ff02::1", UDP, 80, DROP },
    { "v6 dhcp", "fe80::64", "ff02::1:2", UDP, 547, PASS },
    { "v6 dns", G6, "fd00::3", UDP, 53, PASS },
    { "v6 dns address, other port", G6, "fd00::3", UDP, 54, DROP },
    { "v6 gateway", G6, "fd00::2", TCP, 80, PASS },
    { "v6 tftp", G6, "fd00::2", UDP, 69, DROP },
    { "v6 other inside is loopback to libslirp", G6, "fd00::4", TCP, 80, DROP },
    { "v6 itself", G6, G6, TCP, 80, DROP },
    { "v6 source loopback", "::1", "2001:db8::1", TCP, 80, DROP },
    { "v6 source mapped", "::ffff:1.2.3.4", "2001:db8::1", TCP, 80, DROP },
};

static void build(const RnNetworkPlan *plan, const Case *row, TestFrame *built)
{
    TestSegment segment = {
        .source = test_endpoint(row->source, 1234),
        .destination = test_endpoint(row->destination, row->port),
        .flags = RN_TCP_SYN,
    };

    if (row->protocol == TCP)
        test_tcp_frame(plan, &segment, built);
    else if (row->protocol == UDP)
        test_udp_frame(plan, &segment.source, &segment.destination, "x", 1,
                       built);
    else
        test_ip_frame(plan, &segment.source, &segment.destination,
                      row->protocol, "12345678", 8, built);
}

static RnVerdict judge(const RnNetworkPlan *plan, const TestFrame *built)
{
    RnFrame frame;

    assert_true(rn_frame_parse(built->bytes, built->length, &frame));
    return rn_filter_frame(plan, &frame);
}

static void filter_of_each_destination_is_as_tabled(void **state)
{
    RnNetworkPlan plan = test_plan();
    TestFrame built;

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        build(&plan, &cases[i], &built);
        if (judge(&plan, &built) != cases[i].verdict)
            fail_msg("%s: not %s", cases[i].name,
                     cases[i].verdict == PASS ? "passed" : "dropped");
    }
}

typedef struct EchoCase {
    const char *source, *destination;
    RnVerdict verdict;
} EchoCase;

static const EchoCase echoes[] = {
    { G4, "192.0.2.1", PASS }, { G4, "10.0.2.2", PASS },
    { G4, "10.0.2.3", PASS },  { G4, "127.0.0.1", DROP },
    { G4, "10.0.2.9", DROP },  { G4, "255.255.255.255", DROP },
    { G6, "fd00::2", PASS },   { G6, "2001:db8::1", PASS },
    { G6, "::1", DROP },       { G6, "fd00::9", DROP },
};

static void filter_of_pings_is_as_tabled(void **state)
{
    RnNetworkPlan plan = test_plan();
    TestFrame built;

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(echoes); i++) {
        RnEndpoint from = test_endpoint(echoes[i].source, 0);
        RnEndpoint to = test_endpoint(echoes[i].destination, 0);

        test_echo_frame(&plan, &from, &to, &built);
        if (judge(&plan, &built) != echoes[i].verdict)
            fail_msg("ping %s", echoes[i].destination);
    }
}

static void filter_of_neighbour_discovery_passes(void **state)
{
    RnNetworkPlan plan = test_plan();
    RnEndpoint from = test_endpoint("::", 0);
    RnEndpoint to = test_endpoint("ff02::1:ff00:2", 0);
    uint8_t icmp[24] = { ND_NEIGHBOR_SOLICIT };
    TestFrame built;

    (void)state;
    test_ip_frame(&plan, &from, &to, IPPROTO_ICMPV6, icmp, sizeof icmp, &built);
    assert_int_equal(judge(&plan, &built), PASS);

    icmp[0] = ND_REDIRECT;
    test_ip_frame(&plan, &from, &to, IPPROTO_ICMPV6, icmp, sizeof icmp, &built);
    assert_int_equal(judge(&plan, &built), DROP);
}

static void filter_of_arp_needs_a_whole_request(void **state)
{
    RnNetworkPlan plan = test_plan();
    TestFrame built;

    (void)state;
    test_arp_frame(&plan, &plan.gateway4, &built);
    assert_int_equal(judge(&plan, &built), PASS);
    built.length--;
    assert_int_equal(judge(&plan, &built), DROP);
}

/* VLAN tags, LLDP, and NC-SI (0x88f8), which libslirp would take. */
static void filter_of_other_ether_types_drops(void **state)
{
    static const uint16_t types[] = { 0x8100, 0x88cc, 0x88f8, 0x8864, 0x0100 };
    RnNetworkPlan plan = test_plan();
    TestFrame built;

    (void)state;
    test_arp_frame(&plan, &plan.gateway4, &built);
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        built.bytes[12] = (uint8_t)(types[i] >> 8);
        built.bytes[13] = (uint8_t)types[i];
        assert_int_equal(judge(&plan, &built), DROP);
    }
}

static void name_server_that_is_switched_off_is_nobody(void **state)
{
    static const char *const servers[] = { "10.0.2.3", "fd00::3" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(servers); i++) {
        RnNetworkPlan plan = test_plan();
        RnEndpoint to = test_endpoint(servers[i], 53);
        RnEndpoint from = i == 0 ? plan.guest4 : plan.guest6;
        TestFrame built;
        RnFrame frame;

        from.port = 40000;
        plan.no_dns = 1;
        test_udp_frame(&plan, &from, &to, "question", 8, &built);
        assert_true(rn_frame_parse(built.bytes, built.length, &frame));
        assert_int_equal(rn_filter_frame(&plan, &frame), RN_VERDICT_DROP);
    }
}

static void filter_without_ipv6_drops_all_of_it(void **state)
{
    RnNetworkPlan plan = test_plan();
    TestFrame built;

    (void)state;
    plan.prefix6 = 0;
    plan.network6 = plan.guest6 = plan.gateway6 = plan.dns6 = (RnEndpoint){ 0 };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (strchr(cases[i].destination, ':') == NULL)
            continue;
        build(&plan, &cases[i], &built);
        assert_int_equal(judge(&plan, &built), DROP);
    }
}

static void answer_candidates_are_the_guests_own_udp(void **state)
{
    RnNetworkPlan plan = test_plan();
    TestFrame built;
    RnFrame frame;

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *row = &cases[i];
        bool is_own =
            g_str_equal(row->source, G4) || g_str_equal(row->source, G6);

        build(&plan, row, &built);
        assert_true(rn_frame_parse(built.bytes, built.length, &frame));
        assert_int_equal(rn_filter_may_be_answer(&plan, &frame),
                         is_own && row->protocol == UDP);
    }
}

typedef struct ShowCase {
    const char *client, *shown, *guest;
} ShowCase;

static const ShowCase shows[] = {
    { "192.0.2.1", "192.0.2.1", G4 }, { "127.0.0.1", "10.0.2.2", G4 },
    { "127.9.9.9", "10.0.2.2", G4 },  { G4, "10.0.2.2", G4 },
    { "10.0.2.77", "10.0.2.2", G4 },  { "169.254.1.1", "10.0.2.2", G4 },
    { "10.0.3.1", "10.0.3.1", G4 },   { "2001:db8::1", "2001:db8::1", G6 },
    { "::1", "fd00::2", G6 },         { "fe80::1", "fd00::2", G6 },
    { "fd00::77", "fd00::2", G6 },    { "fd01::77", "fd01::77", G6 },
};

static void client_is_shown_as_itself_or_the_gateway(void **state)
{
    RnNetworkPlan plan = test_plan();

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(shows); i++) {
        RnEndpoint client = test_endpoint(shows[i].client, 40000);
        RnEndpoint wanted = test_endpoint(shows[i].shown, 40000);
        RnEndpoint guest = test_endpoint(shows[i].guest, 0);
        RnEndpoint shown, to;

        rn_plan_show_client(&plan, &client, &shown, &to);
        if (!rn_endpoint_equal(&shown, &wanted) ||
            !rn_endpoint_equal(&to, &guest))
            fail_msg("client %s", shows[i].client);
    }
}

static void ipv6_client_without_ipv6_is_shown_as_ipv4_gateway(void **state)
{
    RnNetworkPlan plan = test_plan();
    RnEndpoint client = test_endpoint("2001:db8::1", 1000), shown, guest;

    (void)state;
    plan.prefix6 = 0;
    plan.network6 = plan.guest6 = plan.gateway6 = plan.dns6 = (RnEndpoint){ 0 };
    rn_plan_show_client(&plan, &client, &shown, &guest);
    assert_true(rn_endpoint_same_address(&shown, &plan.gateway4));
    assert_int_equal(shown.port, 1000);
    assert_true(rn_endpoint_same_address(&guest, &plan.guest4));
}

static void only_a_guests_own_syn_to_its_mac_is_handed_off(void **state)
{
    static const struct {
        const char *source, *destination;
        uint8_t flags;
        bool to_gateway, is_off, wanted;
    } rows[] = {
        { G4, "192.0.2.1", RN_TCP_SYN, false, false, true },
        { G6, "2001:db8::1", RN_TCP_SYN, false, false, true },
        { G4, "127.0.0.1", RN_TCP_SYN, false, false, true },
        { G4, "192.0.2.1", RN_TCP_SYN | RN_TCP_FIN, false, false, true },
        { G4, "192.0.2.1", RN_TCP_SYN | RN_TCP_ACK, false, false, false },
        { G4, "192.0.2.1", RN_TCP_ACK, false, false, false },
        { G4, "192.0.2.1", RN_TCP_SYN, true, false, false },
        { G4, "192.0.2.1", RN_TCP_SYN, false, true, false },
        { "10.0.2.101", "192.0.2.1", RN_TCP_SYN, false, false, false },
        { "172.20.0.2", "192.0.2.1", RN_TCP_SYN, false, false, false },
        { "fd00::101", "2001:db8::1", RN_TCP_SYN, false, false, false },
    };
    g_autofree TestFrame *bytes = g_new0(TestFrame, 1);

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        RnNetworkPlan plan = test_plan();
        TestSegment segment = {
            .source = test_endpoint(rows[i].source, 40000),
            .destination = test_endpoint(rows[i].destination, 80),
            .flags = rows[i].flags,
        };
        RnFrame frame;

        plan.handoff_mode =
            rows[i].is_off ? RN_HANDOFF_MODE_OFF : RN_HANDOFF_MODE_ON;
        test_tcp_frame(&plan, &segment, bytes);
        if (!rows[i].to_gateway)
            memcpy(bytes->bytes, plan.handoff_mac, 6);
        assert_true(rn_frame_parse(bytes->bytes, bytes->length, &frame));
        if (rn_filter_is_handoff(&plan, &frame) != rows[i].wanted)
            fail_msg("row %u", i);
    }
}

static void connection_goes_where_the_table_says(void **state)
{
    static const struct {
        const char *destination;
        bool host_loopback;
        RnReach reach;
        const char *target; /* NULL: none */
    } rows[] = {
        { "192.0.2.1", false, RN_REACH_HOST, "192.0.2.1" },
        { "192.168.0.1", false, RN_REACH_HOST, "192.168.0.1" },
        { "2001:db8::1", true, RN_REACH_HOST, "2001:db8::1" },
        { "10.0.2.2", true, RN_REACH_HOST, "127.0.0.1" },
        { "fd00::2", true, RN_REACH_HOST, "::1" },
        { "10.0.2.2", false, RN_REACH_NO_NETWORK, NULL },
        { "fd00::2", false, RN_REACH_NO_NETWORK, NULL },
        { "127.0.0.1", true, RN_REACH_NO_NETWORK, NULL },
        { "0.0.0.0", true, RN_REACH_NO_NETWORK, NULL },
        { "::1", true, RN_REACH_NO_NETWORK, NULL },
        { "::ffff:127.0.0.1", true, RN_REACH_NO_NETWORK, NULL },
        { "169.254.169.254", true, RN_REACH_NO_NETWORK, NULL },
        { "fe80::1", true, RN_REACH_NO_NETWORK, NULL },
        { "224.0.0.1", true, RN_REACH_NO_NETWORK, NULL },
        { "10.0.2.1", true, RN_REACH_NO_HOST, NULL },
        { "10.0.2.3", true, RN_REACH_NO_HOST, NULL },
        { "fd00::77", true, RN_REACH_NO_HOST, NULL },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        RnNetworkPlan plan = test_plan();
        RnEndpoint to = test_endpoint(rows[i].destination, 80), target;
        RnEndpoint wanted;

        plan.host_loopback = rows[i].host_loopback;
        if (rn_filter_connection(&plan, &to, &target) != rows[i].reach)
            fail_msg("%s", rows[i].destination);
        if (rows[i].target == NULL)
            continue;
        wanted = test_endpoint(rows[i].target, 80);
        assert_true(rn_endpoint_equal(&target, &wanted));
    }
}

static void exposed_port_is_open_at_the_gateway_over_tcp_alone(void **state)
{
    static const char *const gateways[] = { "10.0.2.2", "fd00::2" };
    RnEndpoint wanted = test_endpoint("127.0.0.1", 3000);

    (void)state;
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(gateways); i++) {
        RnNetworkPlan plan = test_plan();
        RnEndpoint to = test_endpoint(gateways[i / 2], 80), target;
        bool is_open = i % 2 == 1;
        RnReach others = is_open ? RN_REACH_HOST : RN_REACH_NO_NETWORK;

        plan.host_loopback = is_open;
        plan.n_exposed = 1;
        plan.exposed[0] =
            (RnExposedPort){ .host_port = 3000, .guest_port = 80 };
        assert_int_equal(rn_filter_connection(&plan, &to, &target),
                         RN_REACH_EXPOSED);
        assert_true(rn_endpoint_equal(&target, &wanted));
        assert_int_equal(rn_filter_is_udp_outside(&plan, &to, &target),
                         is_open);
        to.port = 3000;
        assert_int_equal(rn_filter_connection(&plan, &to, &target), others);
        to = test_endpoint("192.0.2.1", 80);
        assert_int_equal(rn_filter_connection(&plan, &to, &target),
                         RN_REACH_HOST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_of_each_destination_is_as_tabled),
        cmocka_unit_test(filter_of_pings_is_as_tabled),
        cmocka_unit_test(filter_of_neighbour_discovery_passes),
        cmocka_unit_test(filter_of_arp_needs_a_whole_request),
        cmocka_unit_test(filter_of_other_ether_types_drops),
        cmocka_unit_test(name_server_that_is_switched_off_is_nobody),
        cmocka_unit_test(filter_without_ipv6_drops_all_of_it),
        cmocka_unit_test(answer_candidates_are_the_guests_own_udp),
        cmocka_unit_test(only_a_guests_own_syn_to_its_mac_is_handed_off),
        cmocka_unit_test(connection_goes_where_the_table_says),
        cmocka_unit_test(exposed_port_is_open_at_the_gateway_over_tcp_alone),
        cmocka_unit_test(client_is_shown_as_itself_or_the_gateway),
        cmocka_unit_test(ipv6_client_without_ipv6_is_shown_as_ipv4_gateway),
    };

    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
