/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-udp-flows - the table of the flows of published UDP ports
 */
#include "config.h"

#include <unit.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/udp-flows.h>

#include "frames.h"

/* The guest's own address. */
static const RnEndpoint port53 = { .port = 53 };

static RnUdpOrigin make_origin(const char *client, uint16_t port,
                               uint32_t listener)
{
    return (RnUdpOrigin){
        .client = test_endpoint(client, port),
        .local = test_endpoint("192.0.2.1", 0),
        .listener = listener,
    };
}

static void flow_of_known_client_is_found_from_both_sides(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(RnUdpFlows) flows = rn_udp_flows_new(&plan, 10);
    RnUdpOrigin origin = make_origin("198.51.100.7", 4000, 0);
    const RnUdpFlow *flow = rn_udp_flows_enter(flows, &origin, &port53, 0);
    RnEndpoint stranger = test_endpoint("198.51.100.7", 4001);

    (void)state;
    assert_true(rn_endpoint_equal(&flow->shown, &origin.client));
    assert_int_equal(flow->guest.port, 53);
    assert_ptr_equal(rn_udp_flows_enter(flows, &origin, &port53, 1), flow);
    assert_ptr_equal(rn_udp_flows_answer(flows, &flow->guest, &flow->shown, 2),
                     flow);
    assert_null(rn_udp_flows_answer(flows, &flow->guest, &stranger, 2));
    assert_int_equal(rn_udp_flows_count(flows), 1);
}

/* All of these look the same to the guest unless ports are changed. */
static void clients_shown_as_gateway_get_ports_of_their_own(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(RnUdpFlows) flows = rn_udp_flows_new(&plan, 300);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        char client[16];
        RnUdpOrigin origin;
        const RnUdpFlow *flow = NULL;

        g_snprintf(client, sizeof client, "127.0.0.%u", i + 1);
        origin = make_origin(client, 4000, 0);
        flow = rn_udp_flows_enter(flows, &origin, &port53, 0);
        assert_non_null(flow);
        assert_true(rn_endpoint_same_address(&flow->shown, &plan.gateway4));
        if (i == 0)
            assert_int_equal(flow->shown.port, 4000);
        assert_true(g_hash_table_add(seen, GUINT_TO_POINTER(flow->shown.port)));
        assert_ptr_equal(
            rn_udp_flows_answer(flows, &flow->guest, &flow->shown, 0), flow);
    }
}

/* One client through two published ports that lead to the same guest port. */
static void second_way_of_one_client_is_shown_as_gateway(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(RnUdpFlows) flows = rn_udp_flows_new(&plan, 10);
    RnUdpOrigin first = make_origin("198.51.100.7", 4000, 0);
    RnUdpOrigin second = make_origin("198.51.100.7", 4000, 1);
    const RnUdpFlow *a = rn_udp_flows_enter(flows, &first, &port53, 0);
    const RnUdpFlow *b = rn_udp_flows_enter(flows, &second, &port53, 0);

    (void)state;
    assert_ptr_not_equal(a, b);
    assert_true(rn_endpoint_same_address(&b->shown, &plan.gateway4));
    assert_ptr_equal(rn_udp_flows_answer(flows, &b->guest, &b->shown, 0), b);
    assert_ptr_equal(rn_udp_flows_answer(flows, &a->guest, &a->shown, 0), a);
}

static void flows_expire_by_whether_they_were_answered(void **state)
{
    RnNetworkPlan plan = test_plan();
    g_autoptr(RnUdpFlows) flows = rn_udp_flows_new(&plan, 10);
    RnUdpOrigin silent = make_origin("198.51.100.7", 1, 0);
    RnUdpOrigin talking = make_origin("198.51.100.7", 2, 0);
    const RnUdpFlow *flow = NULL;

    (void)state;
    assert_int_equal(rn_udp_flows_next_expiry_ms(flows), -1);
    rn_udp_flows_enter(flows, &silent, &port53, 1000);
    flow = rn_udp_flows_enter(flows, &talking, &port53, 1000);
    assert_non_null(
        rn_udp_flows_answer(flows, &flow->guest, &flow->shown, 1000));
    assert_int_equal(rn_udp_flows_next_expiry_ms(flows),
                     1000 + RN_UDP_UNANSWERED_MS);

    rn_udp_flows_expire(flows, 1000 + RN_UDP_UNANSWERED_MS - 1);
    assert_int_equal(rn_udp_flows_count(flows), 2);
    rn_udp_flows_expire(flows, 1000 + RN_UDP_UNANSWERED_MS);
    assert_int_equal(rn_udp_flows_count(flows), 1);
    assert_int_equal(rn_udp_flows_next_expiry_ms(flows),
                     1000 + RN_UDP_ANSWERED_MS);

    /* use puts it off */
    rn_udp_flows_enter(flows, &talking, &port53, 5000);
    rn_udp_flows_expire(flows, 1000 + RN_UDP_ANSWERED_MS);
    assert_int_equal(rn_udp_flows_count(flows), 1);
    rn_udp_flows_expire(flows, 5000 + RN_UDP_ANSWERED_MS);
    assert_int_equal(rn_udp_flows_count(flows), 0);
    assert_int_equal(rn_udp_flows_next_expiry_ms(flows), -1);
}

static void flows_beyond_the_bound_replace_the_most_idle(void **state)
{
    enum {
        MAX_FLOWS = 8
    };
    RnNetworkPlan plan = test_plan();
    g_autoptr(RnUdpFlows) flows = rn_udp_flows_new(&plan, MAX_FLOWS);
    RnEndpoint answered = test_endpoint("198.51.100.7", 1);
    RnEndpoint guest = plan.guest4;

    (void)state;
    guest.port = 53;
    for (uint16_t port = 1; port <= 1000; port++) {
        RnUdpOrigin origin = make_origin("198.51.100.7", port, 0);

        assert_non_null(rn_udp_flows_enter(flows, &origin, &port53, port));
        assert_true(rn_udp_flows_count(flows) <= MAX_FLOWS);
        if (port == 1)
            assert_non_null(
                rn_udp_flows_answer(flows, &guest, &answered, port));
    }
    /* the answered one stays, though it is the oldest; then the newest seven */
    assert_int_equal(rn_udp_flows_count(flows), MAX_FLOWS);
    assert_non_null(rn_udp_flows_answer(flows, &guest, &answered, 1001));
    for (uint16_t port = 993; port <= 1000; port++) {
        RnEndpoint shown = test_endpoint("198.51.100.7", port);
        bool is_there =
            rn_udp_flows_answer(flows, &guest, &shown, 1001) != NULL;

        assert_int_equal(is_there, port >= 994);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow_of_known_client_is_found_from_both_sides),
        cmocka_unit_test(clients_shown_as_gateway_get_ports_of_their_own),
        cmocka_unit_test(second_way_of_one_client_is_shown_as_gateway),
        cmocka_unit_test(flows_expire_by_whether_they_were_answered),
        cmocka_unit_test(flows_beyond_the_bound_replace_the_most_idle),
    };

    return cmocka_run_group_tests_name("udp-flows", tests, NULL, NULL);
}
