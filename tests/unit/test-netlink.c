/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-netlink - which requests are accepted and what refusals say
 *
 * What the accepted ones do to packets is in test-routing.c.
 */
#include "config.h"

#include <rnet/sys/netlink.h>

#include <errno.h>
#include <net/if.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "netns.h"
#include "refusal.h"

static void name_of_link_checked_as_the_kernel_does(void **state)
{
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        { "tap0", true },
        { "a.b-c_d", true },
        { "fifteen-letters", true },
        { "sixteen--letters", false },
        { "", false },
        { ".", false },
        { "..", false },
        { "a/b", false },
        { "a b", false },
        { "a\tb", false },
        { "a\vb", false },
        { "a:1", false },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (rn_link_name_is_valid(cases[i].name) != cases[i].valid)
            fail_msg("\"%s\"", cases[i].name);
    }
}

static short read_flags(const char *name)
{
    struct ifreq request = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        request.ifr_flags = 0;
    (void)close(fd);
    return request.ifr_flags;
}

static char *change_links(void *data)
{
    static const Refusal no_device = { ENODEV, "\"nosuch\"" };
    static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
    RnNetlink *netlink = rn_netlink_open(NULL);
    g_autoptr(GError) error = NULL;
    unsigned index = 0;

    (void)data;
    if ((read_flags("lo") & IFF_UP) != 0)
        return g_strdup("lo is up before the test");
    if (!rn_netlink_link_change(netlink, "lo",
                                &(RnLinkChange){ .mtu = 1500, .up = true },
                                &error) ||
        !rn_netlink_link_index(netlink, "lo", &index, &error))
        return g_strdup(error->message);
    if ((read_flags("lo") & IFF_UP) == 0 || index != if_nametoindex("lo"))
        return g_strdup_printf("lo is not up, or its index is not %u", index);
    if (rn_netlink_link_change(netlink, "nosuch", &(RnLinkChange){ .mac = mac },
                               &error))
        return g_strdup("changed a link that is not there");
    g_clear_error(&error);
    index = 77;
    if (rn_netlink_link_index(netlink, "nosuch", &index, &error) || index != 77)
        return g_strdup("found a link that is not there");
    rn_netlink_close(netlink);
    return check_refusal(false, &error, &no_device);
}

static void link_changed_and_looked_up_by_name(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_run(&netns, change_links, NULL);
    netns_close(&netns);
}

static RnEndpoint address_of(const char *text)
{
    RnEndpoint endpoint = { 0 };

    g_assert_true(rn_endpoint_parse_address(text, &endpoint, NULL));
    return endpoint;
}

static char *add_addresses(void *data)
{
    static const struct {
        const char *address;
        unsigned prefix;
        RnAddressFlags flags;
        Refusal refusal; /* errno 0: accepted */
    } cases[] = {
        { "10.0.2.100", 24, RN_ADDRESS_PLAIN, { 0 } },
        { "10.0.2.100", 24, RN_ADDRESS_PLAIN, { EEXIST, "10.0.2.100/24" } },
        { "fd00::100", 64, RN_ADDRESS_NODAD, { 0 } },
        { "fd00::100", 64, RN_ADDRESS_NODAD, { EEXIST, "fd00::100/64" } },
        { "10.0.3.1", 33, RN_ADDRESS_PLAIN, { EINVAL, "10.0.3.1/33" } },
    };
    g_autoptr(RnNetlink) netlink = rn_netlink_open(NULL);

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        RnEndpoint address = address_of(cases[i].address);
        g_autoptr(GError) error = NULL;
        bool added = rn_netlink_address_add(
            netlink, 1, &address, cases[i].prefix, cases[i].flags, &error);
        char *failure = NULL;

        if (cases[i].refusal.errno_value == 0 && !added)
            return g_strdup(error->message);
        if (cases[i].refusal.errno_value != 0)
            failure = check_refusal(added, &error, &cases[i].refusal);
        if (failure != NULL)
            return failure;
    }
    return NULL;
}

static void address_added_twice_is_refused_the_second_time(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_bring_up_loopback(&netns);
    netns_run(&netns, add_addresses, NULL);
    netns_close(&netns);
}

static char *add_routes(void *data)
{
    static const Refusal no_way = { ENETUNREACH,
                                    "via 10.9.9.9 (Nexthop has invalid "
                                    "gateway)" };
    static const Refusal exists = { EEXIST, "route for local delivery" };
    g_autoptr(RnNetlink) netlink = rn_netlink_open(NULL);
    RnDefaultRoute away = {
        .family = AF_INET,
        .link_index = 1,
        .gateway = address_of("10.9.9.9"),
    };
    RnDefaultRoute local = { .table = 1234, .link_index = 1 };
    g_autoptr(GError) error = NULL;
    char *failure = NULL;

    (void)data;
    failure = check_refusal(rn_netlink_route_add(netlink, &away, &error),
                            &error, &no_way);
    for (int i = 0; i < 2 && failure == NULL; i++) {
        local.family = i == 0 ? AF_INET : AF_INET6;
        local.may_exist = true;
        g_clear_error(&error);
        if (!rn_netlink_route_add(netlink, &local, &error) ||
            !rn_netlink_route_add(netlink, &local, &error))
            return g_strdup(error->message);
        local.may_exist = false;
        failure = check_refusal(rn_netlink_route_add(netlink, &local, &error),
                                &error, &exists);
    }
    return failure;
}

static void route_refused_says_what_the_kernel_said(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_bring_up_loopback(&netns);
    netns_run(&netns, add_routes, NULL);
    netns_close(&netns);
}

static char *add_rules(void *data)
{
    static const char *const sources[] = { "10.0.2.100", "fd00::100" };
    static const Refusal exists = { EEXIST, "port 80-90" };
    static const Refusal port = { EINVAL, "sport" };
    g_autoptr(RnNetlink) netlink = rn_netlink_open(NULL);

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autoptr(GError) error = NULL;
        char *failure = NULL;
        RnRule rule = {
            .family = i == 0 ? AF_INET : AF_INET6,
            .from = address_of(sources[i]),
            .from_prefix = i == 0 ? 32 : 128,
            .ip_protocol = IPPROTO_TCP,
            .first_port = 80,
            .last_port = 90,
            .table = 1234,
            .preference = 1000,
            .may_exist = true,
        };

        if (!rn_netlink_rule_add(netlink, &rule, &error) ||
            !rn_netlink_rule_add(netlink, &rule, &error))
            return g_strdup(error->message);
        rule.may_exist = false;
        failure = check_refusal(rn_netlink_rule_add(netlink, &rule, &error),
                                &error, &exists);
        if (failure != NULL)
            return failure;
        g_clear_error(&error);
        rule.last_port = RN_RULE_MAX_PORT;
        if (!rn_netlink_rule_add(netlink, &rule, &error))
            return g_strdup(error->message);
        rule.last_port = RN_RULE_MAX_PORT + 1;
        failure = check_refusal(rn_netlink_rule_add(netlink, &rule, &error),
                                &error, &port);
        if (failure != NULL)
            return failure;
    }
    return NULL;
}

static void rule_beyond_the_highest_port_refused(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_run(&netns, add_rules, NULL);
    netns_close(&netns);
}

/* Refused by rnet itself, so that no half of a rule gets to the kernel. */
static char *add_contradictory_rules(void *data)
{
    RnEndpoint address4 = address_of("10.0.2.0");
    RnEndpoint address6 = address_of("fd00::");
    const struct {
        RnRule rule;
        Refusal refusal;
    } cases[] = {
        { { .family = AF_INET, .to = address6, .to_prefix = 64 },
          { EINVAL, "add rule to fd00::/64: " } },
        { { .family = AF_INET, .from = address4, .from_prefix = 33 },
          { EINVAL, "add rule from 10.0.2.0/33: " } },
        { { .family = AF_INET, .from = address4 },
          { EINVAL, "add rule from 10.0.2.0/0: " } },
        { { .family = AF_INET6, .from_prefix = 1 },
          { EINVAL, "add rule from all IPv6: " } },
        { { .family = AF_INET, .mark = 16, .first_port = 80, .last_port = 81 },
          { EINVAL, "add rule fwmark 0x10 port 80-81: " } },
        { { .family = AF_INET, .ip_protocol = 6, .last_port = 81 },
          { EINVAL, "add rule ipproto 6: " } },
    };
    g_autoptr(RnNetlink) netlink = rn_netlink_open(NULL);

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        RnRule rule = cases[i].rule;
        char *failure = NULL;

        rule.table = 1234;
        failure = check_refusal(rn_netlink_rule_add(netlink, &rule, &error),
                                &error, &cases[i].refusal);
        if (failure != NULL)
            return failure;
    }
    return NULL;
}

static void contradictory_rule_refused_by_name(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_run(&netns, add_contradictory_rules, NULL);
    netns_close(&netns);
}

static char *add_odd_neighbours(void *data)
{
    static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
    static const Refusal no_device = { ENODEV, "add neighbour fd00::2: " };
    g_autoptr(RnNetlink) netlink = rn_netlink_open(NULL);
    RnEndpoint address = address_of("fd00::2");
    g_autoptr(GError) error = NULL;

    (void)data;
    return check_refusal(
        rn_netlink_neighbour_add(netlink, 4321, &address, mac, &error), &error,
        &no_device);
}

static void neighbour_on_no_link_refused_by_name(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_run(&netns, add_odd_neighbours, NULL);
    netns_close(&netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_of_link_checked_as_the_kernel_does),
        cmocka_unit_test(link_changed_and_looked_up_by_name),
        cmocka_unit_test(address_added_twice_is_refused_the_second_time),
        cmocka_unit_test(route_refused_says_what_the_kernel_said),
        cmocka_unit_test(rule_beyond_the_highest_port_refused),
        cmocka_unit_test(contradictory_rule_refused_by_name),
        cmocka_unit_test(neighbour_on_no_link_refused_by_name),
    };

    return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
