/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-agent-data - what nsagent decides from data alone
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <unit.h>

#include <rnet/util/log.h>

static RnEndpoint address_of(const char *text)
{
    RnEndpoint endpoint = { 0 };

    assert_true(rn_endpoint_parse_address(text, &endpoint, NULL));
    return endpoint;
}

static RnAgentSetup make_setup(void)
{
    RnAgentSetup setup = {
        .plan = {
            .interface = "tap0",
            .mtu = 65520,
            .prefix4 = 24,
            .prefix6 = 64,
            .network4 = address_of("10.0.2.0"),
            .guest4 = address_of("10.0.2.100"),
            .gateway4 = address_of("10.0.2.2"),
            .network6 = address_of("fd00::"),
            .guest6 = address_of("fd00::100"),
            .gateway6 = address_of("fd00::2"),
        },
        .make_link = 1,
        .n_ranges = 1,
        .ranges = { { 80, 90, RN_TRANSPORT_TCP } },
    };

    return setup;
}

static void setup_valid_accepted(void **state)
{
    RnAgentSetup setup = make_setup();
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(rn_agent_check_setup(&setup, &error));
    assert_no_error(error);
    /* beyond the reach of rules, which may not be needed */
    setup.ranges[0] = (RnPortRange){ 65535, 65535, RN_TRANSPORT_TCP };
    assert_true(rn_agent_check_setup(&setup, &error));
    setup.plan.network6.family = AF_UNSPEC;
    setup.plan.mtu = 68;
    setup.plan.prefix6 = 0;
    assert_true(rn_agent_check_setup(&setup, &error));
}

static void break_flag(RnAgentSetup *setup)
{
    setup->make_link = 2;
}

static void break_count(RnAgentSetup *setup)
{
    setup->n_ranges = RN_AGENT_MAX_RANGES + 1;
}

static void break_log_level(RnAgentSetup *setup)
{
    setup->log_level = RN_LOG_N_;
}

static void break_link_mode(RnAgentSetup *setup)
{
    setup->plan.link_mode = RN_LINK_MODE_N_;
}

static void break_name(RnAgentSetup *setup)
{
    g_strlcpy(setup->plan.interface, "../lo", sizeof setup->plan.interface);
}

static void break_name_end(RnAgentSetup *setup)
{
    memset(setup->plan.interface, 'a', sizeof setup->plan.interface);
}

static void break_mtu(RnAgentSetup *setup)
{
    setup->plan.mtu = 65522;
}

static void break_mtu6(RnAgentSetup *setup)
{
    setup->plan.mtu = 1279;
}

static void break_family(RnAgentSetup *setup)
{
    setup->plan.guest4.family = AF_INET6;
}

static void break_gateway6(RnAgentSetup *setup)
{
    setup->plan.gateway6.family = AF_UNSPEC;
}

static void break_prefix(RnAgentSetup *setup)
{
    setup->plan.prefix4 = 32;
}

static void break_order(RnAgentSetup *setup)
{
    setup->ranges[0].first = 91;
}

static void break_zero(RnAgentSetup *setup)
{
    setup->ranges[0].first = 0;
}

static void break_transport(RnAgentSetup *setup)
{
    setup->ranges[0].transport = RN_TRANSPORT_N_;
}

static void break_handoff_mode(RnAgentSetup *setup)
{
    setup->plan.handoff_mode = RN_HANDOFF_MODE_N_;
}

static void setup_with_one_bad_field_refused(void **state)
{
    static const struct {
        void (*damage)(RnAgentSetup *setup);
        RnErrorCode code;
        const char *part;
    } cases[] = {
        { break_flag, RN_ERROR_PROTOCOL, "malformed" },
        { break_count, RN_ERROR_PROTOCOL, "malformed" },
        { break_log_level, RN_ERROR_PROTOCOL, "malformed" },
        { break_link_mode, RN_ERROR_PROTOCOL, "malformed" },
        { break_name, RN_ERROR_INVALID, "\"../lo\"" },
        { break_name_end, RN_ERROR_INVALID, "\"aaaaaaaaaaaaaaaa\"" },
        { break_mtu, RN_ERROR_INVALID, "mtu 65522 is not from 1280 to 65521" },
        { break_mtu6, RN_ERROR_INVALID, "mtu 1279" },
        { break_family, RN_ERROR_INVALID, "IPv4" },
        { break_prefix, RN_ERROR_INVALID, "IPv4" },
        { break_gateway6, RN_ERROR_INVALID, "IPv6" },
        { break_order, RN_ERROR_INVALID, "91-90" },
        { break_zero, RN_ERROR_INVALID, "0-90" },
        { break_transport, RN_ERROR_INVALID, "80-90" },
        { break_handoff_mode, RN_ERROR_PROTOCOL, "malformed" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        RnAgentSetup setup = make_setup();
        g_autoptr(GError) error = NULL;

        cases[i].damage(&setup);
        if (rn_agent_check_setup(&setup, &error))
            fail_msg("accepted, wanted \"%s\"", cases[i].part);
        assert_error(error, RN_ERROR, cases[i].code, cases[i].part);
    }
}

static void ping_groups_chosen_so_that_the_kernel_takes_them(void **state)
{
    static const struct {
        const char *gid_map;
        bool found;
        uint32_t low, high;
    } cases[] = {
        /* one id */
        { "         0       1000          1\n", true, 0, 0 },
        { "      1000       1000          1\n", true, 1000, 1000 },
        /* no user namespace, or root's: up to what the kernel takes */
        { "0 0 4294967295\n", true, 0, 2147483647 },
        /* own id, then a subordinate range */
        { "0 1000 1\n1 100000 65536\n", true, 0, 65536 },
        /* own id kept: as host ids the second line is the lowest */
        { "0 100000 1000\n1000 1000 1\n1001 101000 64536\n", true, 1000,
          65536 },
        /* ends in the wrong order: the largest line alone */
        { "0 5000 10\n10 10 3\n", true, 0, 9 },
        { "3000000000 0 1\n", false, 0, 0 },
        { "", false, 0, 0 },
        { "0 0 0\n", false, 0, 0 },
        { "hello\n", false, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint32_t low = 0;
        uint32_t high = 0;
        bool found = rn_agent_ping_groups(cases[i].gid_map, &low, &high);

        if (found != cases[i].found || low != cases[i].low ||
            high != cases[i].high)
            fail_msg("\"%s\": %d, %u to %u", cases[i].gid_map, found, low,
                     high);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setup_valid_accepted),
        cmocka_unit_test(setup_with_one_bad_field_refused),
        cmocka_unit_test(ping_groups_chosen_so_that_the_kernel_takes_them),
    };

    return cmocka_run_group_tests_name("agent-data", tests, NULL, NULL);
}
