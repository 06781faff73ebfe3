/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-auto-publish - from what listens to what is published
 */
#include "config.h"

#include <rnet/net/auto-publish.h>

#include <unit.h>

enum {
    MAX = 6,
};

static RnEndpoint parse(const char *address, uint16_t port)
{
    RnEndpoint endpoint = { 0 };

    if (address != NULL)
        assert_true(rn_endpoint_parse_address(address, &endpoint, NULL));
    endpoint.port = port;
    return endpoint;
}

static RnNetworkPlan make_plan(void)
{
    return (RnNetworkPlan){
        .guest4 = parse("10.0.2.100", 0),
        .guest6 = parse("fd00::100", 0),
    };
}

/* "ADDRESS PORT"; the address is "own" for the guest's own ones. */
typedef struct Row {
    const char *address;
    uint16_t port;
} Row;

static GArray *make_ports(const Row *rows)
{
    GArray *ports = g_array_new(FALSE, FALSE, sizeof(RnAutoPort));

    for (unsigned i = 0; i < MAX && rows[i].address != NULL; i++) {
        bool is_own = strcmp(rows[i].address, "own") == 0;
        RnAutoPort port = {
            .port = rows[i].port,
            .guest = parse(is_own ? NULL : rows[i].address, rows[i].port),
            .id = 100 + i,
        };

        g_array_append_val(ports, port);
    }
    return ports;
}

static void assert_ports(const GArray *ports, const Row *wanted, size_t number)
{
    guint count = 0;

    while (count < MAX && wanted[count].address != NULL)
        count++;
    if (ports->len != count)
        fail_msg("case %zu: %u, wanted %u", number, ports->len, count);
    for (guint i = 0; i < count; i++) {
        const RnAutoPort *port = &g_array_index(ports, RnAutoPort, i);
        char text[RN_ENDPOINT_TEXT];
        const char *address = "own";

        if (port->guest.family != AF_UNSPEC)
            address = rn_endpoint_format_address(&port->guest, text);
        if (strcmp(address, wanted[i].address) != 0 ||
            port->port != wanted[i].port || port->guest.port != wanted[i].port)
            fail_msg("case %zu: %s %u", number, address, port->port);
    }
}

static void what_listens_against_what_is_published(void **state)
{
    static const struct {
        Row now[MAX], published[MAX], appeared[MAX], gone[MAX];
    } cases[] = {
        { .now = { { 0 } } },
        { .now = { { "127.0.0.1", 3000 } },
          .appeared = { { "127.0.0.1", 3000 } } },
        { .now = { { "127.0.0.1", 3000 } },
          .published = { { "127.0.0.1", 3000 } } },
        { .published = { { "127.0.0.1", 3000 } },
          .gone = { { "127.0.0.1", 3000 } } },
        /* each goes before all that follow */
        { .now = { { "::1", 1 }, { "127.0.0.53", 1 } },
          .appeared = { { "127.0.0.53", 1 } } },
        { .now = { { "127.0.0.1", 1 }, { "2001:db8::1", 1 } },
          .appeared = { { "2001:db8::1", 1 } } },
        { .now = { { "2001:db8::1", 1 }, { "172.20.0.1", 1 } },
          .appeared = { { "172.20.0.1", 1 } } },
        { .now = { { "172.20.0.1", 1 }, { "fd00::100", 1 } },
          .appeared = { { "own", 1 } } },
        { .now = { { "172.20.0.1", 1 }, { "10.0.2.100", 1 } },
          .appeared = { { "own", 1 } } },
        { .now = { { "127.0.0.1", 1 }, { "::", 1 } },
          .appeared = { { "own", 1 } } },
        { .now = { { "127.0.0.1", 1 }, { "0.0.0.0", 1 } },
          .appeared = { { "own", 1 } } },
        /* a target that has changed */
        { .now = { { "0.0.0.0", 1 } },
          .published = { { "127.0.0.1", 1 } },
          .appeared = { { "own", 1 } },
          .gone = { { "127.0.0.1", 1 } } },
        { .now = { { "0.0.0.0", 1 }, { "127.0.0.1", 2 } },
          .published = { { "own", 1 }, { "127.0.0.1", 2 } } },
        /* of a link-local address it is not known on which link */
        { .now = { { "fe80::1", 1 } } },
        { .now = { { "fe80::1", 1 }, { "::1", 1 } },
          .appeared = { { "::1", 1 } } },
        { .now = { { "0.0.0.0", 1 }, { "0.0.0.0", 2 }, { "0.0.0.0", 3 } },
          .published = { { "own", 2 }, { "own", 9 } },
          .appeared = { { "own", 1 }, { "own", 3 } },
          .gone = { { "own", 9 } } },
    };
    const RnPortRange all = { 1, 65535, RN_TRANSPORT_TCP };
    const RnNetworkPlan plan = make_plan();

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) published = make_ports(cases[i].published);
        g_autoptr(GArray) appeared = NULL;
        g_autoptr(GArray) gone = NULL;
        RnAgentListening now = { 0 };

        for (const Row *row = cases[i].now; row->address != NULL; row++)
            now.endpoints[now.count++] = parse(row->address, row->port);
        rn_auto_publish_compare(&plan, &now, &all, NULL, published, &appeared,
                                &gone);
        assert_ports(appeared, cases[i].appeared, i);
        assert_ports(gone, cases[i].gone, i);
    }
}

static void ports_out_of_range_or_to_be_skipped_do_not_count(void **state)
{
    static const Row published_rows[MAX] = { { "own", 80 } };
    static const Row wanted[MAX] = { { "own", 90 }, { "own", 100 } };
    const RnPortRange range = { 80, 100, RN_TRANSPORT_TCP };
    const RnPortRange skipped = { 80, 85, RN_TRANSPORT_TCP };
    const RnNetworkPlan plan = make_plan();
    g_autoptr(GArray) skip = g_array_new(FALSE, FALSE, sizeof(RnPortRange));
    g_autoptr(GArray) published = make_ports(published_rows);
    g_autoptr(GArray) appeared = NULL;
    g_autoptr(GArray) gone = NULL;
    static const uint16_t ports[] = { 79, 80, 85, 90, 100, 101 };
    RnAgentListening now = { .count = G_N_ELEMENTS(ports) };

    (void)state;
    g_array_append_val(skip, skipped);
    for (unsigned i = 0; i < G_N_ELEMENTS(ports); i++)
        now.endpoints[i] = parse("0.0.0.0", ports[i]);
    rn_auto_publish_compare(&plan, &now, &range, skip, published, &appeared,
                            &gone);
    assert_ports(appeared, wanted, 0);
    assert_ports(gone, published_rows, 0);
    assert_int_equal(g_array_index(gone, RnAutoPort, 0).id, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_listens_against_what_is_published),
        cmocka_unit_test(ports_out_of_range_or_to_be_skipped_do_not_count),
    };

    return cmocka_run_group_tests_name("auto-publish", tests, NULL, NULL);
}
