/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network-wish - the words about a network as checked data
 */
#include "config.h"

#include <unit.h>

#include <rnet/runtime/network-wish.h>

static void no_words_are_a_network_with_its_defaults(void **state)
{
    const RnNetworkWords words = { 0 };
    g_autoptr(GError) error = NULL;
    g_auto(RnNetworkWish) wish = { 0 };
    char text[RN_ENDPOINT_TEXT];

    (void)state;
    if (!rn_network_wish_parse(&words, &wish, &error))
        fail_msg("%s", error->message);
    assert_int_equal(wish.options.mode, RN_NETWORK_SLIRP);
    assert_string_equal(rn_endpoint_format_address(&wish.plan.guest4, text),
                        "10.0.2.100");
    assert_int_equal(wish.specs->len, 0);
    assert_int_equal(wish.ranges->len, 0);
    assert_int_equal(wish.auto_publish.first, 0);
    assert_int_equal(wish.plan.n_exposed, 0);
    assert_false(rn_network_words_publish(&words));
}

static void all_words_count(void **state)
{
    const char *const publish[] = { "8080:80", "8081:81", NULL };
    const char *const expose[] = { "5432", NULL };
    const RnNetworkWords words = {
        .network = "slirp:mtu=1500",
        .publish = publish,
        .publish_all = "3000-9000",
        .expose_host = expose,
    };
    g_autoptr(GError) error = NULL;
    g_auto(RnNetworkWish) wish = { 0 };

    (void)state;
    if (!rn_network_wish_parse(&words, &wish, &error))
        fail_msg("%s", error->message);
    assert_int_equal(wish.plan.mtu, 1500);
    assert_int_equal(wish.specs->len, 2);
    assert_int_equal(wish.ranges->len, 1); /* merged */
    assert_int_equal(wish.auto_publish.first, 3000);
    assert_int_equal(wish.auto_publish.last, 9000);
    assert_int_equal(wish.auto_publish.transport, RN_TRANSPORT_TCP);
    assert_int_equal(wish.plan.n_exposed, 1);
    assert_true(rn_network_words_publish(&words));
}

static const struct {
    const char *text;
    uint16_t first, last;
} all_ranges[] = {
    { "", 1, 65535 },
    { "3000", 3000, 3000 },
    { "3000-9000", 3000, 9000 },
    { "1-65535", 1, 65535 },
};

static void ranges_of_publish_all_are_parsed(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(all_ranges); i++) {
        const RnNetworkWords words = { .publish_all = all_ranges[i].text };
        g_autoptr(GError) error = NULL;
        g_auto(RnNetworkWish) wish = { 0 };

        if (!rn_network_wish_parse(&words, &wish, &error))
            fail_msg("%s", error->message);
        if (wish.auto_publish.first != all_ranges[i].first ||
            wish.auto_publish.last != all_ranges[i].last)
            fail_msg("\"%s\" became %u-%u", all_ranges[i].text,
                     wish.auto_publish.first, wish.auto_publish.last);
        assert_true(rn_network_words_publish(&words));
    }
}

static const char *const one_port[] = { "80", NULL };
static const char *const bad_port[] = { "http", NULL };

static const struct {
    RnNetworkWords words;
    const char *part;
} refused[] = {
    { { .network = "bridge" }, "network \"bridge\": " },
    { { .publish = bad_port }, "publish \"http\": " },
    { { .expose_host = bad_port }, "expose-host \"http\": " },
    { { .publish_all = "http" }, "publish-all \"http\": " },
    { { .publish_all = "0" }, "publish-all \"0\": port \"0\"" },
    { { .publish_all = "9000-3000" }, "runs backwards" },
    { { .publish_all = "1-65536" }, "port \"65536\"" },
    { { .publish_all = "-" }, "publish-all \"-\": the port is empty" },
    { { .publish_all = "80/udp" }, "port \"80/udp\"" },
    { { .network = "none", .publish = one_port }, "only be published" },
    { { .network = "host", .publish_all = "" }, "only be published" },
    { { .network = "none", .expose_host = one_port }, "only be published" },
};

static void bad_words_are_refused_by_name(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(RnNetworkWish) wish = { 0 };

        if (rn_network_wish_parse(&refused[i].words, &wish, &error))
            fail_msg("accepted: %zu", i);
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, refused[i].part);
    }
}

static void no_network_is_a_wish_without_ports(void **state)
{
    const RnNetworkWords words = { .network = "none" };
    g_autoptr(GError) error = NULL;
    g_auto(RnNetworkWish) wish = { 0 };

    (void)state;
    if (!rn_network_wish_parse(&words, &wish, &error))
        fail_msg("%s", error->message);
    assert_int_equal(wish.options.mode, RN_NETWORK_NONE);
}

static GString *told;

static void take_line(const char *line)
{
    g_string_append_printf(told, "%s;", line);
}

static void append_listener(GArray *listeners, const char *address,
                            uint16_t host_port, uint16_t guest_port,
                            RnTransport transport)
{
    RnListener listener = { .info = { .transport = transport }, .fd = -1 };

    assert_true(rn_endpoint_parse_address(address, &listener.info.host, NULL));
    listener.info.host.port = host_port;
    listener.info.guest.port = guest_port;
    g_array_append_val(listeners, listener);
}

static void ports_that_rnet_picked_are_announced(void **state)
{
    const char *const publish[] = { "8080:80", "90-91", "53/udp", NULL };
    const RnNetworkWords words = { .publish = publish };
    g_autoptr(GArray) listeners = g_array_new(FALSE, FALSE, sizeof(RnListener));
    g_autoptr(GError) error = NULL;
    g_auto(RnNetworkWish) wish = { 0 };

    (void)state;
    if (!rn_network_wish_parse(&words, &wish, &error))
        fail_msg("%s", error->message);
    append_listener(listeners, "0.0.0.0", 8080, 80, RN_TRANSPORT_TCP);
    append_listener(listeners, "::", 8080, 80, RN_TRANSPORT_TCP);
    append_listener(listeners, "127.0.0.1", 40001, 90, RN_TRANSPORT_TCP);
    append_listener(listeners, "127.0.0.1", 40002, 91, RN_TRANSPORT_TCP);
    append_listener(listeners, "127.0.0.1", 40003, 53, RN_TRANSPORT_UDP);
    told = g_string_new(NULL);
    rn_network_wish_announce(&wish, listeners, take_line);
    assert_string_equal(told->str, "published 127.0.0.1:40001 -> 90/tcp;"
                                   "published 127.0.0.1:40002 -> 91/tcp;"
                                   "published 127.0.0.1:40003 -> 53/udp;");
    g_string_free(g_steal_pointer(&told), TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_words_are_a_network_with_its_defaults),
        cmocka_unit_test(all_words_count),
        cmocka_unit_test(ranges_of_publish_all_are_parsed),
        cmocka_unit_test(bad_words_are_refused_by_name),
        cmocka_unit_test(no_network_is_a_wish_without_ports),
        cmocka_unit_test(ports_that_rnet_picked_are_announced),
    };

    return cmocka_run_group_tests_name("network-wish", tests, NULL, NULL);
}
