/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-options - the text after --network, and the address plan
 */
#include "config.h"

#include <unit.h>

#include <sys/socket.h>

#include <rnet/net/options.h>

static void parse_valid(const char *text, RnNetworkOptions *options)
{
    g_autoptr(GError) error = NULL;

    if (!rn_network_options_parse(text, options, &error))
        fail_msg("%s", error->message);
    assert_no_error(error);
}

static void assert_address(const RnEndpoint *endpoint, const char *wanted)
{
    char text[RN_ENDPOINT_TEXT];

    assert_string_equal(rn_endpoint_format_address(endpoint, text), wanted);
    assert_int_equal(endpoint->port, 0);
}

static void slirp_has_the_defaults_of_slirp4netns(void **state)
{
    static const uint8_t gateway_mac[] = { 0x52, 0x55, 10, 0, 2, 2 };
    g_auto(RnNetworkOptions) options = { 0 };
    RnNetworkPlan plan;

    (void)state;
    parse_valid("slirp", &options);
    assert_int_equal(options.mode, RN_NETWORK_SLIRP);
    assert_true(options.write_resolv_conf);
    assert_int_equal(options.dns->len, 0);
    rn_network_options_plan(&options, &plan);
    assert_string_equal(plan.interface, "tap0");
    assert_int_equal(plan.mtu, 65520);
    assert_address(&plan.network4, "10.0.2.0");
    assert_address(&plan.guest4, "10.0.2.100");
    assert_address(&plan.gateway4, "10.0.2.2");
    assert_address(&plan.dns4, "10.0.2.3");
    assert_int_equal(plan.prefix4, 24);
    assert_address(&plan.network6, "fd00::");
    assert_address(&plan.guest6, "fd00::100");
    assert_address(&plan.gateway6, "fd00::2");
    assert_address(&plan.dns6, "fd00::3");
    assert_int_equal(plan.prefix6, 64);
    assert_int_equal(plan.host_loopback, 0);
    assert_memory_equal(plan.gateway_mac, gateway_mac, 6);
    assert_int_equal(plan.guest_mac[0] & 3, 2);
    assert_memory_not_equal(plan.guest_mac, plan.gateway_mac, 6);
}

static void all_options_are_read(void **state)
{
    g_auto(RnNetworkOptions) options = { 0 };
    RnNetworkPlan plan;

    (void)state;
    parse_valid("slirp:mtu=1500,cidr=192.168.128.0/17,ipv6=on,dns=1.1.1.1,"
                "dns=2001:db8::1,host-loopback",
                &options);
    assert_int_equal(options.dns->len, 2);
    assert_address(&g_array_index(options.dns, RnEndpoint, 0), "1.1.1.1");
    assert_address(&g_array_index(options.dns, RnEndpoint, 1), "2001:db8::1");
    rn_network_options_plan(&options, &plan);
    assert_int_equal(plan.mtu, 1500);
    assert_int_equal(plan.host_loopback, 1);
    assert_address(&plan.network4, "192.168.128.0");
    assert_address(&plan.guest4, "192.168.128.100");
    assert_int_equal(plan.prefix4, 17);
}

static void link_is_read_and_auto_by_default(void **state)
{
    static const struct {
        const char *text;
        RnLinkMode mode;
    } cases[] = {
        { "slirp", RN_LINK_MODE_AUTO },
        { "slirp:link=auto", RN_LINK_MODE_AUTO },
        { "slirp:link=tap", RN_LINK_MODE_TAP },
        { "slirp:mtu=1500,link=packet", RN_LINK_MODE_PACKET },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnNetworkOptions) options = { 0 };
        RnNetworkPlan plan;

        parse_valid(cases[i].text, &options);
        rn_network_options_plan(&options, &plan);
        if (plan.link_mode != cases[i].mode)
            fail_msg("%s: %d", cases[i].text, plan.link_mode);
    }
}

static void handoff_is_read_and_auto_by_default(void **state)
{
    static const struct {
        const char *text;
        RnHandoffMode mode;
    } cases[] = {
        { "slirp", RN_HANDOFF_MODE_AUTO },
        { "slirp:handoff=auto", RN_HANDOFF_MODE_AUTO },
        { "slirp:handoff=on", RN_HANDOFF_MODE_ON },
        { "slirp:link=tap,handoff=off", RN_HANDOFF_MODE_OFF },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnNetworkOptions) options = { 0 };
        RnNetworkPlan plan;

        parse_valid(cases[i].text, &options);
        rn_network_options_plan(&options, &plan);
        if (plan.handoff_mode != cases[i].mode)
            fail_msg("%s: %d", cases[i].text, plan.handoff_mode);
    }
}

static void ipv6_off_plans_no_ipv6(void **state)
{
    g_auto(RnNetworkOptions) options = { 0 };
    RnNetworkPlan plan;

    (void)state;
    parse_valid("slirp:mtu=68,ipv6=off,dns=none,host-loopback=off", &options);
    assert_false(options.write_resolv_conf);
    rn_network_options_plan(&options, &plan);
    assert_int_equal(plan.prefix6, 0);
    assert_int_equal(plan.guest6.family, AF_UNSPEC);
    assert_int_equal(plan.mtu, 68);
    assert_int_equal(plan.host_loopback, 0);
}

static void smallest_network_holds_the_guest(void **state)
{
    g_auto(RnNetworkOptions) options = { 0 };
    RnNetworkPlan plan;

    (void)state;
    parse_valid("slirp:cidr=10.9.8.128/25", &options);
    rn_network_options_plan(&options, &plan);
    assert_address(&plan.guest4, "10.9.8.228");
    assert_address(&plan.dns4, "10.9.8.131");
}

static void none_and_host_are_modes(void **state)
{
    g_auto(RnNetworkOptions) none = { 0 };
    g_auto(RnNetworkOptions) host = { 0 };

    (void)state;
    parse_valid("none", &none);
    parse_valid("host", &host);
    assert_int_equal(none.mode, RN_NETWORK_NONE);
    assert_int_equal(host.mode, RN_NETWORK_HOST);
}

static const struct {
    const char *text, *part;
    RnErrorCode code;
} refused[] = {
    { "", "network \"\": \"\" is none of", RN_ERROR_INVALID },
    { "bridge", "\"bridge\" is none of slirp, none and host",
      RN_ERROR_INVALID },
    { "Slirp", "is none of", RN_ERROR_INVALID },
    { "none:mtu=1500", "\"none\" has no options", RN_ERROR_INVALID },
    { "host:", "\"host\" has no options", RN_ERROR_INVALID },
    { "slirp:", "no options after", RN_ERROR_INVALID },
    { "slirp:mtu=1500,", "unknown option \"\"", RN_ERROR_INVALID },
    { "slirp:mt=1500", "unknown option \"mt=1500\"", RN_ERROR_INVALID },
    { "slirp:mtux=1500", "hint: the options are mtu=", RN_ERROR_INVALID },
    { "slirp:mtu", "wants mtu=BYTES", RN_ERROR_INVALID },
    { "slirp:mtu=", "mtu \"\" is not a number from 68 to 65520",
      RN_ERROR_INVALID },
    { "slirp:mtu=67", "from 68 to 65520", RN_ERROR_INVALID },
    { "slirp:mtu=65521", "from 68 to 65520", RN_ERROR_INVALID },
    { "slirp:mtu=1500,mtu=1400", "\"mtu\" is given twice", RN_ERROR_INVALID },
    { "slirp:mtu=1279", "too small for IPv6", RN_ERROR_INVALID },
    { "slirp:mtu=1279", "hint: add ipv6=off", RN_ERROR_INVALID },
    { "slirp:cidr=10.0.2.0", "wants cidr=NETWORK/PREFIX", RN_ERROR_INVALID },
    { "slirp:cidr=10.0.2.100/24", "hint: its network is 10.0.2.0/24",
      RN_ERROR_INVALID },
    { "slirp:cidr=10.0.2.0/26", "prefix \"26\" is not", RN_ERROR_INVALID },
    { "slirp:cidr=10.0.2.0/0", "prefix \"0\" is not", RN_ERROR_INVALID },
    { "slirp:cidr=10.0.2/24", "\"10.0.2\" is not an IPv4", RN_ERROR_INVALID },
    { "slirp:cidr=fd00::/8", "\"fd00::\" is not an IPv4", RN_ERROR_INVALID },
    { "slirp:cidr=127.1.0.0/16", "cannot have", RN_ERROR_INVALID },
    { "slirp:cidr=0.0.0.0/1", "cannot have", RN_ERROR_INVALID },
    { "slirp:cidr=224.0.0.0/24", "cannot have", RN_ERROR_INVALID },
    { "slirp:ipv6", "wants ipv6=on or ipv6=off", RN_ERROR_INVALID },
    { "slirp:ipv6=yes", "ipv6 \"yes\" is neither", RN_ERROR_INVALID },
    { "slirp:host-loopback=", "host-loopback \"\" is neither",
      RN_ERROR_INVALID },
    { "slirp:link", "wants link=tap, link=packet or link=auto",
      RN_ERROR_INVALID },
    { "slirp:link=", "link \"\" is none of tap", RN_ERROR_INVALID },
    { "slirp:link=veth", "link \"veth\" is none of tap, packet and auto",
      RN_ERROR_INVALID },
    { "slirp:handoff", "wants handoff=on, handoff=off or handoff=auto",
      RN_ERROR_INVALID },
    { "slirp:handoff=yes", "handoff \"yes\" is none of on, off and auto",
      RN_ERROR_INVALID },
    { "slirp:link=tap,link=tap", "\"link\" is given twice", RN_ERROR_INVALID },
    { "slirp:dns", "wants dns=ADDRESS or dns=none", RN_ERROR_INVALID },
    { "slirp:dns=example.org", "dns: \"example.org\" is not an IPv4",
      RN_ERROR_INVALID },
    { "slirp:dns=0.0.0.0", "is no server's address", RN_ERROR_INVALID },
    { "slirp:dns=none,dns=1.1.1.1", "goes with no other", RN_ERROR_INVALID },
    { "slirp:dns=::1,ipv6=off", "cannot be reached with ipv6=off",
      RN_ERROR_INVALID },
    { "slirp:dns=1.1.1.1,dns=1.1.1.2,dns=1.1.1.3,dns=1.1.1.4",
      "more than 3 dns servers", RN_ERROR_LIMIT },
};

static void bad_texts_are_refused_by_name(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_auto(RnNetworkOptions) options = { 0 };
        g_autoptr(GError) error = NULL;

        if (rn_network_options_parse(refused[i].text, &options, &error))
            fail_msg("accepted: %s", refused[i].text);
        assert_error(error, RN_ERROR, refused[i].code, refused[i].part);
        assert_error(error, RN_ERROR, refused[i].code, "network \"");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slirp_has_the_defaults_of_slirp4netns),
        cmocka_unit_test(all_options_are_read),
        cmocka_unit_test(link_is_read_and_auto_by_default),
        cmocka_unit_test(handoff_is_read_and_auto_by_default),
        cmocka_unit_test(ipv6_off_plans_no_ipv6),
        cmocka_unit_test(smallest_network_holds_the_guest),
        cmocka_unit_test(none_and_host_are_modes),
        cmocka_unit_test(bad_texts_are_refused_by_name),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
