/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-routing - what rules, routes and neighbours do to packets
 *
 * Each case has a namespace of its own. Without its rule, every packet would
 * leave by the link; that the others still do is part of each case.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "netns.h"
#include "ways.h"

#define HOST        "192.0.2.1"
#define HOST_OTHER  "198.51.100.1"
#define HOST6       "2001:db8::1"
#define HOST6_OTHER "2001:db8:1::1"

typedef struct RuleCase {
    RnRule rule;
    const char *from, *to; /* of the rule, or NULL */
    Packet taken;          /* by the rule */
    Packet left;           /* to the default route; .to NULL: none */
} RuleCase;

static const RuleCase rule_cases[] = {
    { .rule = { .family = AF_INET, .mark = 0x40000000 },
      .taken = { .to = HOST, .mark = 0x60000000 },
      .left = { .to = HOST, .mark = 0x20000000 } },
    { .rule = { .family = AF_INET6, .mark = 0x30 },
      .taken = { .to = HOST6, .mark = 0x30 },
      .left = { .to = HOST6, .mark = 0x10 } },
    { .rule = { .family = AF_INET, .mark = 1 },
      .taken = { .to = HOST, .mark = 1, .is_tcp = true },
      .left = { .to = HOST6, .mark = 1, .is_tcp = true } },
    { .rule = { .family = AF_INET, .to_prefix = 24 },
      .to = "192.0.2.0",
      .taken = { .to = HOST },
      .left = { .to = HOST_OTHER } },
    { .rule = { .family = AF_INET6, .to_prefix = 48 },
      .to = "2001:db8::",
      .taken = { .to = HOST6, .is_tcp = true },
      .left = { .to = HOST6_OTHER } },
    { .rule = { .family = AF_INET, .from_prefix = 32 },
      .from = WAYS_ADDRESS,
      .taken = { .to = HOST, .from = WAYS_ADDRESS },
      .left = { .to = HOST, .from = WAYS_ADDRESS_OTHER } },
    { .rule = { .family = AF_INET6, .from_prefix = 16 },
      .from = "fd01::",
      .taken = { .to = HOST6, .from = WAYS_ADDRESS6 },
      .left = { .to = HOST } },
    { .rule = { .family = AF_INET, .ip_protocol = IPPROTO_UDP },
      .taken = { .to = HOST },
      .left = { .to = HOST, .is_tcp = true } },
    { .rule = { .family = AF_INET6,
                .ip_protocol = IPPROTO_TCP,
                .first_port = 7000,
                .last_port = 7001 },
      .taken = { .to = HOST6, .from_port = 7001, .is_tcp = true },
      .left = { .to = HOST6, .from_port = 7002, .is_tcp = true } },
    { .rule = { .family = AF_INET, .from_here = true },
      .taken = { .to = HOST } },
    { .rule = { .family = AF_INET6, .from_here = true },
      .taken = { .to = HOST6 } },
    { .rule = { .family = AF_INET }, .taken = { .to = HOST } },
};

static char *add_rule(const Ways *ways, const RuleCase *test)
{
    g_autoptr(GError) error = NULL;
    RnRule rule = test->rule;

    if (test->from != NULL)
        rule.from = ways_address(test->from);
    if (test->to != NULL)
        rule.to = ways_address(test->to);
    rule.table = WAYS_TABLE;
    rule.preference = 100;
    if (!rn_netlink_rule_add(ways->netlink, &rule, &error))
        return g_strdup(error->message);
    return NULL;
}

static char *run_rule_case(void *data)
{
    const RuleCase *test = data;
    Ways ways;
    char *failure = ways_open(&ways);

    if (failure == NULL)
        failure = ways_expect(&ways, &test->taken, WAY_LINK);
    if (failure == NULL)
        failure = add_rule(&ways, test);
    if (failure == NULL)
        failure = ways_expect(&ways, &test->taken, WAY_HERE);
    if (failure == NULL && test->left.to != NULL)
        failure = ways_expect(&ways, &test->left, WAY_LINK);
    ways_close(&ways);
    return failure;
}

static void rule_takes_what_it_matches_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rule_cases); i++) {
        Netns netns = { -1, -1 };
        RuleCase test = rule_cases[i];

        netns_open(&netns);
        netns_run(&netns, run_rule_case, &test);
        netns_close(&netns);
    }
}

/* The main table's specific routes first, then everything to WAYS_TABLE. */
static char *suppress_default_routes(void *data)
{
    static const struct {
        uint16_t family;
        const char *near, *away;
    } cases[] = {
        { AF_INET, "10.1.0.77", HOST },
        { AF_INET6, "fd01::77", HOST6 },
    };
    static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 77 };
    g_autoptr(GError) error = NULL;
    Ways ways;
    char *failure = ways_open(&ways);

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(cases) && failure == NULL; i++) {
        RnEndpoint near = ways_address(cases[i].near);
        RnRule specific = {
            .family = cases[i].family,
            .only_specific = true,
            .table = 254, /* main */
            .preference = 100,
        };
        RnRule all = {
            .family = cases[i].family,
            .table = WAYS_TABLE,
            .preference = 200,
        };

        if (!rn_netlink_rule_add(ways.netlink, &specific, &error) ||
            !rn_netlink_rule_add(ways.netlink, &all, &error) ||
            !rn_netlink_neighbour_add(ways.netlink, ways.link_index, &near, mac,
                                      &error))
            return g_strdup(error->message);
        failure =
            ways_expect(&ways, &(Packet){ .to = cases[i].near }, WAY_LINK);
        if (failure == NULL)
            failure =
                ways_expect(&ways, &(Packet){ .to = cases[i].away }, WAY_HERE);
    }
    ways_close(&ways);
    return failure;
}

static void only_specific_skips_the_default_route(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_run(&netns, suppress_default_routes, NULL);
    netns_close(&netns);
}

static char *replace_neighbours(void *data)
{
    static const char *const neighbours[] = { "10.1.0.77", "fd01::77" };
    Ways ways;
    char *failure = ways_open(&ways);

    (void)data;
    for (uint8_t i = 0; i < 4 && failure == NULL; i++) {
        uint8_t mac[6] = { 2, 0, 0, 0, 1, i };
        RnEndpoint address = ways_address(neighbours[i / 2]);
        g_autoptr(GError) error = NULL;

        if (!rn_netlink_neighbour_add(ways.netlink, ways.link_index, &address,
                                      mac, &error))
            return g_strdup(error->message);
        failure =
            ways_expect(&ways, &(Packet){ .to = neighbours[i / 2] }, WAY_LINK);
        if (failure == NULL && memcmp(mac, ways.mac, sizeof mac) != 0)
            failure =
                g_strdup_printf("sent to ..:%02x:%02x instead of ..:01:%02x",
                                ways.mac[4], ways.mac[5], i);
    }
    ways_close(&ways);
    return failure;
}

static void neighbour_added_again_is_replaced(void **state)
{
    Netns netns = { -1, -1 };

    (void)state;
    netns_open(&netns);
    netns_run(&netns, replace_neighbours, NULL);
    netns_close(&netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_takes_what_it_matches_and_no_more),
        cmocka_unit_test(only_specific_skips_the_default_route),
        cmocka_unit_test(neighbour_added_again_is_replaced),
    };

    return cmocka_run_group_tests_name("routing", tests, NULL, NULL);
}
