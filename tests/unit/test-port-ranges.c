/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-port-ranges - sets of ports, kept merged
 */
#include "config.h"

#include <rnet/net/port-ranges.h>

#include <unit.h>

enum {
    TCP = RN_TRANSPORT_TCP,
    UDP = RN_TRANSPORT_UDP,
    STEPS_MAX = 5,
};

typedef struct Step {
    char verb; /* '+', '-', or 0: the end */
    RnPortRange range;
} Step;

static void sets_stay_merged_and_in_order(void **state)
{
    static const struct {
        Step steps[STEPS_MAX];
        const char *tcp, *udp;
    } cases[] = {
        { { { 0 } }, "", "" },
        { { { '+', { 80, 80, TCP } }, { '+', { 80, 80, TCP } } }, "80-80", "" },
        { { { '+', { 80, 80, TCP } }, { '+', { 80, 80, UDP } } },
          "80-80",
          "80-80" },
        { { { '+', { 82, 82, TCP } }, { '+', { 80, 80, TCP } } },
          "80-80,82-82",
          "" },
        { { { '+', { 80, 80, TCP } },
            { '+', { 82, 82, TCP } },
            { '+', { 81, 81, TCP } } },
          "80-82",
          "" },
        { { { '+', { 1, 10, TCP } },
            { '+', { 20, 30, TCP } },
            { '+', { 5, 65535, TCP } } },
          "1-65535",
          "" },
        { { { '+', { 1, 65535, TCP } }, { '-', { 1, 65535, TCP } } }, "", "" },
        { { { '+', { 1, 65535, TCP } },
            { '-', { 1, 1, TCP } },
            { '-', { 65535, 65535, TCP } },
            { '-', { 100, 200, TCP } },
            { '-', { 7, 8, UDP } } },
          "2-99,201-65534",
          "" },
        { { { '+', { 10, 20, TCP } },
            { '+', { 30, 40, TCP } },
            { '-', { 15, 35, TCP } } },
          "10-14,36-40",
          "" },
        { { { '-', { 1, 2, TCP } } }, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) ranges = rn_port_ranges_new();
        g_autofree char *tcp = NULL, *udp = NULL;

        for (const Step *step = cases[i].steps;
             step < cases[i].steps + STEPS_MAX && step->verb != 0; step++)
            (step->verb == '+' ? rn_port_ranges_add
                               : rn_port_ranges_remove)(ranges, &step->range);
        tcp = rn_port_ranges_format(ranges, RN_TRANSPORT_TCP);
        udp = rn_port_ranges_format(ranges, RN_TRANSPORT_UDP);
        assert_string_equal(tcp, cases[i].tcp);
        assert_string_equal(udp, cases[i].udp);
    }
}

static void ports_of_a_set_are_found(void **state)
{
    const RnPortRange range = { 80, 82, RN_TRANSPORT_TCP };
    g_autoptr(GArray) ranges = rn_port_ranges_new();

    (void)state;
    rn_port_ranges_add(ranges, &range);
    assert_true(rn_port_ranges_have(ranges, RN_TRANSPORT_TCP, 80));
    assert_true(rn_port_ranges_have(ranges, RN_TRANSPORT_TCP, 82));
    assert_false(rn_port_ranges_have(ranges, RN_TRANSPORT_TCP, 83));
    assert_false(rn_port_ranges_have(ranges, RN_TRANSPORT_TCP, 79));
    assert_false(rn_port_ranges_have(ranges, RN_TRANSPORT_UDP, 80));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_stay_merged_and_in_order),
        cmocka_unit_test(ports_of_a_set_are_found),
    };

    return cmocka_run_group_tests_name("port-ranges", tests, NULL, NULL);
}
