/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-publish-spec - published ports as data
 */
#include "config.h"

#include <unit.h>

#include <sys/socket.h>

#include <rnet/net/publish.h>

static const struct {
    const char *text;
    const char *host; /* "-": all addresses */
    uint16_t host_port, guest_port, count;
    RnTransport transport;
} accepted[] = {
    { "80", "127.0.0.1", 0, 80, 1, RN_TRANSPORT_TCP },
    { "80/tcp", "127.0.0.1", 0, 80, 1, RN_TRANSPORT_TCP },
    { "53/udp", "127.0.0.1", 0, 53, 1, RN_TRANSPORT_UDP },
    { "53/UDP", "127.0.0.1", 0, 53, 1, RN_TRANSPORT_UDP },
    { "0:80", "127.0.0.1", 0, 80, 1, RN_TRANSPORT_TCP },
    { "8080:80", "-", 8080, 80, 1, RN_TRANSPORT_TCP },
    { "65535:1/udp", "-", 65535, 1, 1, RN_TRANSPORT_UDP },
    { "8000-8010:80-90", "-", 8000, 80, 11, RN_TRANSPORT_TCP },
    { "80-90", "127.0.0.1", 0, 80, 11, RN_TRANSPORT_TCP },
    { "0:80-90", "127.0.0.1", 0, 80, 11, RN_TRANSPORT_TCP },
    { "80-80:80", "-", 80, 80, 1, RN_TRANSPORT_TCP },
    { "127.0.0.1:8080:80", "127.0.0.1", 8080, 80, 1, RN_TRANSPORT_TCP },
    { "0.0.0.0:8080:80", "0.0.0.0", 8080, 80, 1, RN_TRANSPORT_TCP },
    { "192.0.2.1::80", "192.0.2.1", 0, 80, 1, RN_TRANSPORT_TCP },
    { "192.0.2.1:80", "192.0.2.1", 0, 80, 1, RN_TRANSPORT_TCP },
    { "192.0.2.1:0:80", "192.0.2.1", 0, 80, 1, RN_TRANSPORT_TCP },
    { "[::1]:8080:80", "::1", 8080, 80, 1, RN_TRANSPORT_TCP },
    { "[::]:8080:80/udp", "::", 8080, 80, 1, RN_TRANSPORT_UDP },
    { "[2001:db8::1]::80-81", "2001:db8::1", 0, 80, 2, RN_TRANSPORT_TCP },
    { "[::1]:80", "::1", 0, 80, 1, RN_TRANSPORT_TCP },
    { "[::ffff:127.0.0.1]:8080:80", "127.0.0.1", 8080, 80, 1,
      RN_TRANSPORT_TCP },
};

static void valid_specs_are_parsed(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(accepted); i++) {
        g_autoptr(GError) error = NULL;
        RnPublishSpec spec = { 0 };
        char host[RN_ENDPOINT_TEXT] = "-";

        if (!rn_publish_parse(accepted[i].text, &spec, &error))
            fail_msg("%s", error->message);
        if (spec.host.family != AF_UNSPEC)
            rn_endpoint_format_address(&spec.host, host);
        if (strcmp(host, accepted[i].host) != 0 ||
            spec.host.port != accepted[i].host_port ||
            spec.guest_port != accepted[i].guest_port ||
            spec.count != accepted[i].count ||
            spec.transport != accepted[i].transport)
            fail_msg("\"%s\" became %s:%u -> %u, %u ports, transport %d",
                     accepted[i].text, host, spec.host.port, spec.guest_port,
                     spec.count, spec.transport);
    }
}

static const struct {
    const char *text, *part;
    RnErrorCode code;
} refused[] = {
    { "", "publish \"\": the container port is empty", RN_ERROR_INVALID },
    { "0", "container port \"0\" is not a number from 1 to 65535",
      RN_ERROR_INVALID },
    { "8080:0", "container port \"0\"", RN_ERROR_INVALID },
    { "65536", "container port \"65536\"", RN_ERROR_INVALID },
    { "70000:80", "publish \"70000:80\": host port \"70000\" is not",
      RN_ERROR_INVALID },
    { "http:80", "host address \"http\" is not an IP", RN_ERROR_INVALID },
    { "8080:http", "container port \"http\"", RN_ERROR_INVALID },
    { " 80", "container port \" 80\"", RN_ERROR_INVALID },
    { "+80", "container port \"+80\"", RN_ERROR_INVALID },
    { ":80", "the host port is empty", RN_ERROR_INVALID },
    { "80:", "the container port is empty", RN_ERROR_INVALID },
    { "::80", "the host address is empty", RN_ERROR_INVALID },
    { ":8080:80", "the host address is empty", RN_ERROR_INVALID },
    { "127.0.0.1:8080:", "the container port is empty", RN_ERROR_INVALID },
    { "80-", "the container port is empty", RN_ERROR_INVALID },
    { "-80", "the container port is empty", RN_ERROR_INVALID },
    { "80-90-100", "container port \"90-100\"", RN_ERROR_INVALID },
    { "90-80", "the range 90-80 runs backwards", RN_ERROR_INVALID },
    { "8000-8010:80", "11 host ports for 1 container ports", RN_ERROR_INVALID },
    { "8000:80-81", "1 host ports for 2 container ports", RN_ERROR_INVALID },
    { "8000-8001:80-83", "2 host ports for 4", RN_ERROR_INVALID },
    { "0-1:80-81", "host port \"0\"", RN_ERROR_INVALID },
    { "80/", "protocol \"\" is neither", RN_ERROR_INVALID },
    { "80/icmp", "protocol \"icmp\" is neither tcp nor udp", RN_ERROR_INVALID },
    { "80/tcp/udp", "protocol \"tcp/udp\"", RN_ERROR_INVALID },
    { "80/sctp", "sctp is not supported", RN_ERROR_UNSUPPORTED },
    { "localhost:8080:80", "hint: for localhost say 127.0.0.1",
      RN_ERROR_INVALID },
    { "example.org:8080:80", "names are not looked up", RN_ERROR_INVALID },
    { "256.0.0.1:8080:80", "\"256.0.0.1\" is not an IP", RN_ERROR_INVALID },
    { "::1:8080:80", "host address \"::1\" wants brackets", RN_ERROR_INVALID },
    { "fe80::1:80", "wants brackets", RN_ERROR_INVALID },
    { "1.2.3.4:1:2:3", "wants brackets", RN_ERROR_INVALID },
    { "[127.0.0.1]:8080:80", "\"[127.0.0.1]\" is not an IP", RN_ERROR_INVALID },
    { "[::1:8080:80", "wants brackets", RN_ERROR_INVALID },
    { "[]:8080:80", "\"[]\" is not an IP", RN_ERROR_INVALID },
    { "[::1]8080:80", "wants brackets", RN_ERROR_INVALID },
};

static void bad_specs_are_refused_by_name(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = NULL;
        RnPublishSpec spec = { .guest_port = 1 };

        if (rn_publish_parse(refused[i].text, &spec, &error))
            fail_msg("accepted: %s", refused[i].text);
        assert_error(error, RN_ERROR, refused[i].code, refused[i].part);
        name = g_strdup_printf("publish \"%s\": ", refused[i].text);
        assert_true(g_str_has_prefix(error->message, name));
        assert_int_equal(spec.guest_port, 1);
    }
}

static const struct {
    const char *texts[3];
    bool collide;
} pairs[] = {
    { { "8080:80", "8080:81" }, true },
    { { "8080:80", "127.0.0.1:8080:81" }, true },
    { { "8080:80", "[::1]:8080:81" }, true },
    { { "0.0.0.0:8080:80", "127.0.0.1:8080:80" }, true },
    { { "127.0.0.1:8080:80", "127.0.0.1:8080:80" }, true },
    { { "8000-8010:80-90", "8010:1" }, true },
    { { "8010:1", "8000-8010:80-90" }, true },
    { { "[::]:8080:80", "[::1]:8080:80" }, true },
    { { "[::ffff:127.0.0.1]:1:1", "127.0.0.1:1:1" }, true },
    { { "8080:80", "8080:80/udp" }, false },
    { { "127.0.0.1:8080:80", "127.0.0.2:8080:80" }, false },
    { { "0.0.0.0:8080:80", "[::]:8080:80" }, false },
    { { "8000-8010:80-90", "8011:1" }, false },
    { { "8080:80", "8081:80" }, false },
    { { "80", "80" }, false },
};

static void duplicates_are_refused_by_both_names(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) specs = NULL;
        g_autofree char *text =
            g_strdup_printf("publish \"%s\": has a host port of \"%s\"",
                            pairs[i].texts[1], pairs[i].texts[0]);
        bool parsed = rn_publish_parse_all(pairs[i].texts, &specs, &error);

        if (parsed == pairs[i].collide)
            fail_msg("%s and %s", pairs[i].texts[0], pairs[i].texts[1]);
        if (!parsed)
            assert_error(error, RN_ERROR, RN_ERROR_EXISTS, text);
    }
}

static void no_specs_are_an_empty_list(void **state)
{
    const char *const none[] = { NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) specs = NULL;
    g_autoptr(GArray) specs2 = NULL;

    (void)state;
    assert_true(rn_publish_parse_all(NULL, &specs, &error));
    assert_true(rn_publish_parse_all(none, &specs2, &error));
    assert_int_equal(specs->len, 0);
    assert_int_equal(specs2->len, 0);
}

static void ports_are_bounded(void **state)
{
    const char *const most[] = { "1001-2024:1-1024", NULL };
    const char *const more[] = { "1001-2024:1-1024", "80/udp", NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) specs = NULL;
    g_autoptr(GArray) specs2 = NULL;

    (void)state;
    assert_true(rn_publish_parse_all(most, &specs, &error));
    assert_no_error(error);
    assert_false(rn_publish_parse_all(more, &specs2, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT,
                 "publish \"80/udp\": more than 1024 ports");
    assert_null(specs2);
}

static void separate_ranges_are_bounded(void **state)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) specs = NULL;

    (void)state;
    for (int i = 0; i <= RN_AGENT_MAX_RANGES; i++)
        g_ptr_array_add(texts, g_strdup_printf("%d", 1000 + 2 * i));
    g_ptr_array_add(texts, NULL);
    assert_false(rn_publish_parse_all((const char *const *)texts->pdata, &specs,
                                      &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "more than 256 separate");
}

static void ranges_are_sorted_and_merged(void **state)
{
    const char *const texts[] = { "90",     "80-85",  "1-5:82-86", "87",
                                  "53/udp", "54/udp", "7:90",      NULL };
    static const RnPortRange wanted[] = {
        { 80, 87, RN_TRANSPORT_TCP },
        { 90, 90, RN_TRANSPORT_TCP },
        { 53, 54, RN_TRANSPORT_UDP },
    };
    const char *const top[] = { "65535", "65534", NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) specs = NULL;
    g_autoptr(GArray) ranges = NULL;
    g_autoptr(GArray) top_specs = NULL;
    g_autoptr(GArray) top_ranges = NULL;

    (void)state;
    assert_true(rn_publish_parse_all(texts, &specs, &error));
    assert_no_error(error);
    ranges = rn_publish_ranges(specs);
    assert_int_equal(ranges->len, G_N_ELEMENTS(wanted));
    assert_memory_equal(ranges->data, wanted, sizeof wanted);
    assert_true(rn_publish_parse_all(top, &top_specs, &error));
    top_ranges = rn_publish_ranges(top_specs);
    assert_int_equal(top_ranges->len, 1);
    assert_int_equal(g_array_index(top_ranges, RnPortRange, 0).last, 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_specs_are_parsed),
        cmocka_unit_test(bad_specs_are_refused_by_name),
        cmocka_unit_test(duplicates_are_refused_by_both_names),
        cmocka_unit_test(no_specs_are_an_empty_list),
        cmocka_unit_test(ports_are_bounded),
        cmocka_unit_test(separate_ranges_are_bounded),
        cmocka_unit_test(ranges_are_sorted_and_merged),
    };

    return cmocka_run_group_tests_name("publish-spec", tests, NULL, NULL);
}
