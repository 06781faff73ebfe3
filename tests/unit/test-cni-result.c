/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-cni-result - what rnet-cni answers, in every version's shape
 */
#include "config.h"

#include <unit.h>

#include <rnet/dialect/cni-result.h>
#include <rnet/oci/json.h>

static json_t *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *tree = rn_json_parse(text, strlen(text), "test", &error);

    assert_no_error(error);
    return tree;
}

/* Of a keeper. */
static const char network_text[] =
    "{\"key\":\"cni@net@box@eth0\",\"up\":true,\"interface\":\"eth0\","
    "\"mac\":\"02:72:6e:00:02:64\",\"mtu\":1500,"
    "\"guest\":[\"10.0.2.100/24\",\"fd00::100/64\"],"
    "\"gateway\":[\"10.0.2.2\",\"fd00::2\"],"
    "\"dns\":[\"10.0.2.3\",\"fd00::3\"]}";

#define DNS "\"dns\":{\"nameservers\":[\"10.0.2.3\",\"fd00::3\"]}"
#define ROUTES                                                                 \
    "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.2.2\"},"                 \
    "{\"dst\":\"::/0\",\"gw\":\"fd00::2\"}]"
#define OLD                                                                    \
    "\"ip4\":{\"ip\":\"10.0.2.100/24\",\"gateway\":\"10.0.2.2\","              \
    "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.2.2\"}]},"               \
    "\"ip6\":{\"ip\":\"fd00::100/64\",\"gateway\":\"fd00::2\","                \
    "\"routes\":[{\"dst\":\"::/0\",\"gw\":\"fd00::2\"}]}," DNS
#define INTERFACE                                                              \
    "\"name\":\"eth0\",\"mac\":\"02:72:6e:00:02:64\",\"sandbox\":\"/run/n\""

static void result_has_the_versions_shape(void **state)
{
    static const struct {
        RnCniVersion version;
        const char *wanted;
    } cases[] = {
        { RN_CNI_0_1_0, "{\"cniVersion\":\"0.1.0\"," OLD "}" },
        { RN_CNI_0_2_0, "{\"cniVersion\":\"0.2.0\"," OLD "}" },
        { RN_CNI_0_3_1,
          "{\"cniVersion\":\"0.3.1\","
          "\"interfaces\":[{" INTERFACE "}],\"ips\":["
          "{\"version\":\"4\",\"address\":\"10.0.2.100/24\","
          "\"gateway\":\"10.0.2.2\",\"interface\":0},"
          "{\"version\":\"6\",\"address\":\"fd00::100/64\","
          "\"gateway\":\"fd00::2\",\"interface\":0}]," ROUTES "," DNS "}" },
        { RN_CNI_1_0_0,
          "{\"cniVersion\":\"1.0.0\","
          "\"interfaces\":[{" INTERFACE "}],\"ips\":["
          "{\"address\":\"10.0.2.100/24\","
          "\"gateway\":\"10.0.2.2\",\"interface\":0},"
          "{\"address\":\"fd00::100/64\","
          "\"gateway\":\"fd00::2\",\"interface\":0}]," ROUTES "," DNS "}" },
        { RN_CNI_1_1_0,
          "{\"cniVersion\":\"1.1.0\","
          "\"interfaces\":[{" INTERFACE ",\"mtu\":1500}],"
          "\"ips\":[{\"address\":\"10.0.2.100/24\","
          "\"gateway\":\"10.0.2.2\",\"interface\":0},"
          "{\"address\":\"fd00::100/64\","
          "\"gateway\":\"fd00::2\",\"interface\":0}]," ROUTES "," DNS "}" },
    };
    g_autoptr(json_t) network = parse(network_text);

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const RnCniConf conf = { .version = cases[i].version };
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) wanted = parse(cases[i].wanted);
        g_autoptr(json_t) found =
            rn_cni_result(&conf, "/run/n", network, &error);
        g_autofree char *text = NULL;

        assert_no_error(error);
        text = json_dumps(found, JSON_PRESERVE_ORDER);
        if (!json_equal(found, wanted))
            fail_msg("%s", text);
    }
}

static const char before_text[] =
    "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"lo\","
    "\"sandbox\":\"/run/n\",\"x\":1}],\"ips\":[{\"address\":\"127.0.0.1/8\","
    "\"interface\":0}],\"dns\":{\"nameservers\":[\"192.0.2.1\"]},\"y\":2}";

static void result_before_is_passed_on(void **state)
{
    g_autoptr(json_t) network = parse(network_text);
    g_autoptr(json_t) before = parse(before_text);
    const RnCniConf conf = { .version = RN_CNI_1_0_0, .prev_result = before };
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) found = rn_cni_result(&conf, "/run/n", network, &error);
    const json_t *ips = json_object_get(found, "ips");
    g_autoptr(json_t) untouched = parse(before_text);

    (void)state;
    assert_no_error(error);
    assert_int_equal(json_array_size(json_object_get(found, "interfaces")), 2);
    assert_int_equal(json_array_size(ips), 3);
    assert_int_equal(json_integer_value(
                         json_object_get(json_array_get(ips, 0), "interface")),
                     0);
    assert_int_equal(json_integer_value(
                         json_object_get(json_array_get(ips, 2), "interface")),
                     1);
    assert_int_equal(json_integer_value(json_object_get(found, "y")), 2);
    assert_true(json_equal(json_object_get(found, "dns"),
                           json_object_get(before, "dns")));
    assert_true(json_equal(before, untouched));
}

static void result_before_that_is_wrong_is_refused(void **state)
{
    g_autoptr(json_t) network = parse(network_text);
    g_autoptr(json_t) before = parse("{\"ips\":{}}");
    const RnCniConf conf = { .version = RN_CNI_1_0_0, .prev_result = before };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_null(rn_cni_result(&conf, "/run/n", network, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "prevResult.ips");
}

static void dns_of_the_configuration_is_told(void **state)
{
    g_autoptr(json_t) network = parse(network_text);
    g_autoptr(json_t) before = parse(before_text);
    g_autoptr(json_t) dns = parse("{\"search\":[\"example\"]}");
    const RnCniConf conf = { .version = RN_CNI_1_0_0,
                             .prev_result = before,
                             .dns = dns };
    g_autoptr(json_t) wanted = parse("{\"search\":[\"example\"],\"nameservers\""
                                     ":[\"10.0.2.3\",\"fd00::3\"]}");
    g_autoptr(json_t) found = rn_cni_result(&conf, "/run/n", network, NULL);

    (void)state;
    assert_true(json_equal(json_object_get(found, "dns"), wanted));
}

static void expectation_is_the_interfaces_part(void **state)
{
    g_autoptr(json_t) network = parse(network_text);
    g_autoptr(json_t) before = parse(before_text);
    const RnCniConf add = { .version = RN_CNI_1_0_0, .prev_result = before };
    g_autoptr(json_t) result = rn_cni_result(&add, "/run/n", network, NULL);
    const RnCniConf check = { .version = RN_CNI_1_0_0, .prev_result = result };
    g_auto(RnCniExpected) expected = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(rn_cni_expect(&check, "eth0", "/run/n", &expected, &error));
    assert_no_error(error);
    assert_string_equal(expected.mac, "02:72:6e:00:02:64");
    assert_int_equal(expected.addresses->len, 2);
    assert_string_equal(g_ptr_array_index(expected.addresses, 0),
                        "10.0.2.100/24");
}

static void expectation_that_is_missing_is_refused(void **state)
{
    static const struct {
        const char *before, *part;
    } cases[] = {
        { NULL, "prevResult: is missing" },
        { "{}", "no interface \"eth0\"" },
        { "{\"interfaces\":[{\"name\":\"eth0\"}]}", "no interface \"eth0\"" },
        { "{\"interfaces\":7,\"ips\":7}", "no interface \"eth0\"" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) before =
            cases[i].before == NULL ? NULL : parse(cases[i].before);
        const RnCniConf conf = { .prev_result = before };
        g_auto(RnCniExpected) expected = { 0 };
        g_autoptr(GError) error = NULL;

        assert_false(rn_cni_expect(&conf, "eth0", "/run/n", &expected, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, cases[i].part);
    }
}

static void error_has_code_message_and_hint(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) found = NULL;
    g_autoptr(json_t) wanted =
        parse("{\"cniVersion\":\"0.4.0\",\"code\":7,\"msg\":\"it is wrong\","
              "\"details\":\"mend it\"}");

    (void)state;
    (void)rn_set_error(&error, RN_ERROR_INVALID, "it is wrong");
    (void)rn_error_add_hint(&error, "mend it");
    found = rn_cni_error(RN_CNI_0_4_0, RN_CNI_CODE_CONFIG, error);
    assert_true(json_equal(found, wanted));
}

static void versions_are_all_told(void **state)
{
    g_autoptr(json_t) found = rn_cni_versions(RN_CNI_1_0_0);
    g_autoptr(json_t) wanted =
        parse("{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.1.0\","
              "\"0.2.0\",\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");

    (void)state;
    assert_true(json_equal(found, wanted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_has_the_versions_shape),
        cmocka_unit_test(result_before_is_passed_on),
        cmocka_unit_test(result_before_that_is_wrong_is_refused),
        cmocka_unit_test(dns_of_the_configuration_is_told),
        cmocka_unit_test(expectation_is_the_interfaces_part),
        cmocka_unit_test(expectation_that_is_missing_is_refused),
        cmocka_unit_test(error_has_code_message_and_hint),
        cmocka_unit_test(versions_are_all_told),
    };

    return cmocka_run_group_tests_name("cni-result", tests, NULL, NULL);
}
