/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network-state - a network's JSON, as keeper.h has it
 */
#include "config.h"

#include <unit.h>

#include <stdlib.h>

#include <rnet/net/options.h>
#include <rnet/net/publish.h>
#include <rnet/oci/json.h>
#include <rnet/runtime/network-state.h>

static void make_plan(const char *words, RnNetworkPlan *plan)
{
    g_auto(RnNetworkOptions) options = { 0 };
    g_autoptr(GError) error = NULL;

    assert_true(rn_network_options_parse(words, &options, &error));
    rn_network_options_plan(&options, plan);
    memcpy(plan->guest_mac, "\x02\x00\x00\x0a\x0b\x0c", 6);
}

static RnListener make_listener(uint32_t id, RnTransport transport,
                                const char *host, uint16_t host_port,
                                const char *guest, uint16_t guest_port)
{
    RnListener listener = { .info = { .transport = transport, .id = id },
                            .fd = -1 };

    assert_true(rn_endpoint_parse_address(host, &listener.info.host, NULL));
    listener.info.host.port = host_port;
    if (guest != NULL)
        assert_true(
            rn_endpoint_parse_address(guest, &listener.info.guest, NULL));
    listener.info.guest.port = guest_port;
    return listener;
}

static void assert_json(json_t *state, const char *wanted)
{
    g_autofree char *text = json_dumps(state, JSON_COMPACT);

    assert_string_equal(text, wanted);
}

static void all_that_there_is_is_told(void **state)
{
    g_autoptr(GArray) listeners = g_array_new(FALSE, FALSE, sizeof(RnListener));
    RnListener web =
        make_listener(1, RN_TRANSPORT_TCP, "0.0.0.0", 8080, NULL, 80);
    RnListener dns =
        make_listener(7, RN_TRANSPORT_UDP, "::1", 5353, "127.0.0.1", 53);
    RnNetworkPlan plan = { 0 };
    RnNetworkStateFacts facts = {
        .plan = &plan,
        .listeners = listeners,
        .key = "hook@web",
        .pid = 4711,
        .monitor = 4712,
        .dev = 4,
        .ino = 4026531840,
        .is_up = true,
    };
    g_autoptr(json_t) json = NULL;

    (void)state;
    make_plan("slirp:mtu=1500", &plan);
    plan.handoff_mode = RN_HANDOFF_MODE_ON;
    g_array_append_val(listeners, web);
    g_array_append_val(listeners, dns);
    json = rn_network_state(&facts);
    assert_json(
        json,
        "{\"key\":\"hook@web\",\"up\":true,\"handoff\":true,\"pid\":4711,"
        "\"monitor\":4712,\"netns\":\"4-4026531840\",\"interface\":\"tap0\","
        "\"mac\":\"02:00:00:0a:0b:0c\",\"mtu\":1500,"
        "\"guest\":[\"10.0.2.100/24\",\"fd00::100/64\"],"
        "\"gateway\":[\"10.0.2.2\",\"fd00::2\"],"
        "\"dns\":[\"10.0.2.3\",\"fd00::3\"],"
        "\"ports\":[{\"id\":1,\"host\":\"0.0.0.0\",\"hostPort\":8080,"
        "\"guest\":\"\",\"guestPort\":80,\"protocol\":\"tcp\"},"
        "{\"id\":7,\"host\":\"::1\",\"hostPort\":5353,"
        "\"guest\":\"127.0.0.1\",\"guestPort\":53,\"protocol\":\"udp\"}]}");
}

static void what_is_not_there_is_left_out(void **state)
{
    g_autoptr(GArray) listeners = g_array_new(FALSE, FALSE, sizeof(RnListener));
    RnNetworkPlan plan = { 0 };
    const RnNetworkStateFacts facts = {
        .plan = &plan,
        .listeners = listeners,
        .monitor = 9,
    };
    g_autoptr(json_t) json = NULL;

    (void)state;
    make_plan("slirp:ipv6=off", &plan);
    plan.no_dns = 1;
    json = rn_network_state(&facts);
    assert_json(json, "{\"up\":false,\"handoff\":false,\"monitor\":9,"
                      "\"interface\":\"tap0\",\"mac\":\"02:00:00:0a:0b:0c\","
                      "\"mtu\":65520,\"guest\":[\"10.0.2.100/24\"],"
                      "\"gateway\":[\"10.0.2.2\"],\"dns\":[],\"ports\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_there_is_is_told),
        cmocka_unit_test(what_is_not_there_is_left_out),
    };

    return cmocka_run_group_tests_name("network-state", tests, NULL, NULL);
}
