/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-text - numbers and addresses from text and back
 */
#include "config.h"

#include <unit.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <rnet/util/inet.h>
#include <rnet/util/parse.h>

static void number_in_range_is_taken(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {
        { "1", 1 },
        { "080", 80 },
        { "65535", 65535 },
        { "00001", 1 },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t value = 0;
        g_autoptr(GError) error = NULL;

        assert_true(
            rn_parse_uint(cases[i].text, 1, 65535, "port", &value, &error));
        assert_no_error(error);
        assert_int_equal(value, cases[i].value);
    }
}

static void other_text_is_no_number(void **state)
{
    static const char *const cases[] = {
        "",
        "0",
        "65536",
        "-1",
        "+80",
        " 80",
        "80 ",
        "0x50",
        "8e1",
        "80.",
        "99999999999999999999999",
        "\xd9\xa3",
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t value = 4711;
        g_autoptr(GError) error = NULL;

        if (rn_parse_uint(cases[i], 1, 65535, "port", &value, &error))
            fail_msg("\"%s\" was taken as %lu", cases[i], value);
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, "port");
        assert_int_equal(value, 4711);
    }
}

static void address_is_read_and_shown(void **state)
{
    static const struct {
        const char *text;
        uint16_t family;
        const char *with_port;
        bool is_loopback, is_any;
    } cases[] = {
        { "10.0.2.100", AF_INET, "10.0.2.100:80", false, false },
        { "127.1.2.3", AF_INET, "127.1.2.3:80", true, false },
        { "0.0.0.0", AF_INET, "0.0.0.0:80", false, true },
        { "::1", AF_INET6, "[::1]:80", true, false },
        { "::", AF_INET6, "[::]:80", false, true },
        { "fd00::100", AF_INET6, "[fd00::100]:80", false, false },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        RnEndpoint endpoint = { 0 };
        char shown[RN_ENDPOINT_TEXT];
        g_autoptr(GError) error = NULL;

        assert_true(
            rn_endpoint_parse_address(cases[i].text, &endpoint, &error));
        assert_int_equal(endpoint.family, cases[i].family);
        assert_int_equal(endpoint.port, 0);
        endpoint.port = 80;
        assert_string_equal(rn_endpoint_format(&endpoint, shown),
                            cases[i].with_port);
        assert_string_equal(rn_endpoint_format_address(&endpoint, shown),
                            cases[i].text);
        assert_int_equal(rn_endpoint_is_loopback(&endpoint),
                         cases[i].is_loopback);
        assert_int_equal(rn_endpoint_is_any(&endpoint), cases[i].is_any);
    }
}

static void other_text_is_no_address(void **state)
{
    static const char *const cases[] = {
        "", "localhost", "10.0.2", "10.0.2.256", "[::1]", "::1%lo", "1.2.3.4 ",
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        RnEndpoint endpoint = { .port = 4711 };
        g_autoptr(GError) error = NULL;

        assert_false(rn_endpoint_parse_address(cases[i], &endpoint, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, cases[i]);
        assert_int_equal(endpoint.port, 4711);
    }
}

static void sockaddr_goes_there_and_back(void **state)
{
    static const char *const cases[] = { "198.51.100.2", "2001:db8::7" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        RnEndpoint there = { 0 };
        RnEndpoint back = { 0 };
        struct sockaddr_storage storage;

        assert_true(rn_endpoint_parse_address(cases[i], &there, NULL));
        there.port = 8080;
        assert_true(rn_endpoint_to_sockaddr(&there, &storage) > 0);
        rn_endpoint_from_sockaddr(&storage, &back);
        assert_true(rn_endpoint_equal(&there, &back));
    }
}

static void mapped_sockaddr_becomes_ipv4(void **state)
{
    struct sockaddr_storage storage = { 0 };
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
    RnEndpoint endpoint = { 0 };
    char shown[RN_ENDPOINT_TEXT];

    (void)state;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(53);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6->sin6_addr),
                     1);
    rn_endpoint_from_sockaddr(&storage, &endpoint);
    assert_string_equal(rn_endpoint_format(&endpoint, shown), "192.0.2.1:53");
}

static void unix_sockaddr_is_no_endpoint(void **state)
{
    struct sockaddr_storage storage = { .ss_family = AF_UNIX };
    RnEndpoint endpoint = { .family = AF_INET };

    (void)state;
    rn_endpoint_from_sockaddr(&storage, &endpoint);
    assert_int_equal(endpoint.family, AF_UNSPEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_in_range_is_taken),
        cmocka_unit_test(other_text_is_no_number),
        cmocka_unit_test(address_is_read_and_shown),
        cmocka_unit_test(other_text_is_no_address),
        cmocka_unit_test(sockaddr_goes_there_and_back),
        cmocka_unit_test(mapped_sockaddr_becomes_ipv4),
        cmocka_unit_test(unix_sockaddr_is_no_endpoint),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
