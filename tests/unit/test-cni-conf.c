/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-cni-conf - CNI configurations, and the networks that they ask for
 */
#include "config.h"

#include <unit.h>

#include <rnet/dialect/cni-conf.h>
#include <rnet/oci/json.h>

/* What follows a configuration's head, without the last bracket. */
#define HEAD    "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"x\""
#define RUNTIME ",\"runtimeConfig\":"

static json_t *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *tree = rn_json_parse(text, strlen(text), "stdin", &error);

    assert_no_error(error);
    return tree;
}

/* Reads a configuration that is right. */
static void read_conf(const char *rest, RnCniConf *conf)
{
    g_autofree char *text = g_strconcat(HEAD, rest, "}", NULL);
    g_autoptr(json_t) tree = parse(text);
    g_autoptr(GError) error = NULL;

    assert_true(rn_cni_conf_read(tree, RN_CNI_CONF_ALL, conf, &error));
    assert_no_error(error);
}

static void bare_configuration_is_the_default_network(void **state)
{
    g_auto(RnCniConf) conf = { 0 };
    g_auto(RnNetworkWish) wish = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    read_conf("", &conf);
    assert_int_equal(conf.version, RN_CNI_1_1_0);
    assert_string_equal(conf.name, "net");
    assert_false(conf.has_attachments);
    assert_true(rn_cni_conf_wish(&conf, "eth0", &wish, &error));
    assert_no_error(error);
    assert_string_equal(wish.plan.interface, "eth0");
    assert_int_equal(wish.plan.mtu, 65520);
    assert_int_equal(wish.plan.prefix6, 64);
    assert_false(wish.plan.host_loopback);
    assert_int_equal(wish.specs->len, 0);
    assert_int_equal(wish.auto_publish.first, 0);
}

static void own_keys_are_those_of_network(void **state)
{
    g_auto(RnCniConf) conf = { 0 };
    g_auto(RnNetworkWish) wish = { 0 };
    g_autoptr(GError) error = NULL;
    char text[RN_ENDPOINT_TEXT];

    (void)state;
    read_conf(",\"mtu\":1400,\"cidr\":\"10.9.0.0/16\",\"ipv6\":false,"
              "\"hostLoopback\":true,\"handoff\":\"off\",\"link\":\"packet\","
              "\"exposeHost\":[5432,\"8000:80\"],\"publishAll\":\"3000-4000\"",
              &conf);
    assert_true(rn_cni_conf_wish(&conf, "eth0", &wish, &error));
    assert_no_error(error);
    assert_int_equal(wish.plan.mtu, 1400);
    assert_string_equal(rn_endpoint_format_address(&wish.plan.network4, text),
                        "10.9.0.0");
    assert_int_equal(wish.plan.prefix4, 16);
    assert_int_equal(wish.plan.prefix6, 0);
    assert_true(wish.plan.host_loopback);
    assert_int_equal(wish.plan.handoff_mode, RN_HANDOFF_MODE_OFF);
    assert_int_equal(wish.plan.link_mode, RN_LINK_MODE_PACKET);
    assert_int_equal(wish.plan.n_exposed, 2);
    assert_int_equal(wish.plan.exposed[0].guest_port, 5432);
    assert_int_equal(wish.plan.exposed[1].host_port, 8000);
    assert_int_equal(wish.plan.exposed[1].guest_port, 80);
    assert_int_equal(wish.auto_publish.first, 3000);
    assert_int_equal(wish.auto_publish.last, 4000);
}

static void port_mappings_are_published(void **state)
{
    g_auto(RnCniConf) conf = { 0 };
    g_auto(RnNetworkWish) wish = { 0 };
    g_autoptr(GError) error = NULL;
    const RnPublishSpec *spec = NULL;

    (void)state;
    read_conf(RUNTIME "{\"portMappings\":["
                      "{\"hostPort\":8080,\"containerPort\":80,"
                      "\"protocol\":\"tcp\"},"
                      "{\"hostPort\":53,\"containerPort\":5353,"
                      "\"protocol\":\"UDP\",\"hostIP\":\"127.0.0.1\"},"
                      "{\"hostPort\":90,\"containerPort\":90,"
                      "\"protocol\":\"\",\"hostIP\":\"::1\"}]}",
              &conf);
    assert_true(rn_cni_conf_wish(&conf, "eth0", &wish, &error));
    assert_no_error(error);
    assert_int_equal(wish.specs->len, 3);
    spec = &g_array_index(wish.specs, RnPublishSpec, 0);
    assert_int_equal(spec->transport, RN_TRANSPORT_TCP);
    assert_int_equal(spec->host.family, AF_UNSPEC);
    assert_int_equal(spec->host.port, 8080);
    assert_int_equal(spec->guest_port, 80);
    spec = &g_array_index(wish.specs, RnPublishSpec, 1);
    assert_int_equal(spec->transport, RN_TRANSPORT_UDP);
    assert_int_equal(spec->host.family, AF_INET);
    spec = &g_array_index(wish.specs, RnPublishSpec, 2);
    assert_int_equal(spec->transport, RN_TRANSPORT_TCP);
    assert_int_equal(spec->host.family, AF_INET6);
}

static void mac_and_ips_are_the_guests(void **state)
{
    static const uint8_t wanted[] = { 0x02, 0xab, 0, 0, 0, 1 };
    g_auto(RnCniConf) conf = { 0 };
    g_auto(RnNetworkWish) wish = { 0 };
    g_autoptr(GError) error = NULL;
    char text[RN_ENDPOINT_TEXT];

    (void)state;
    read_conf(RUNTIME "{\"mac\":\"02:AB:00:00:00:01\","
                      "\"ips\":[\"10.0.2.55/24\",\"fd00::55\"]}",
              &conf);
    assert_true(rn_cni_conf_wish(&conf, "eth0", &wish, &error));
    assert_no_error(error);
    assert_memory_equal(wish.plan.guest_mac, wanted, sizeof wanted);
    assert_string_equal(rn_endpoint_format_address(&wish.plan.guest4, text),
                        "10.0.2.55");
    assert_string_equal(rn_endpoint_format_address(&wish.plan.guest6, text),
                        "fd00::55");
}

static void dns_of_the_runtime_goes_first(void **state)
{
    g_auto(RnCniConf) conf = { 0 };
    const json_t *servers = NULL;

    (void)state;
    read_conf(
        ",\"dns\":{\"nameservers\":[\"192.0.2.1\"],\"domain\":\"a\"}" RUNTIME
        "{\"dns\":{\"servers\":[\"192.0.2.2\"],"
        "\"searches\":[\"b\"],\"options\":[]}}",
        &conf);
    servers = json_object_get(conf.dns, "nameservers");
    assert_int_equal(json_array_size(servers), 1);
    assert_string_equal(json_string_value(json_array_get(servers, 0)),
                        "192.0.2.2");
    assert_int_equal(json_array_size(json_object_get(conf.dns, "search")), 1);
    assert_null(json_object_get(conf.dns, "domain"));
    assert_null(json_object_get(conf.dns, "options"));
}

static void version_is_found(void **state)
{
    static const struct {
        const char *text;
        RnCniVersion version;
    } cases[] = {
        { "{}", RN_CNI_0_1_0 },
        { "{\"cniVersion\":\"\"}", RN_CNI_0_1_0 },
        { "{\"cniVersion\":\"0.3.1\"}", RN_CNI_0_3_1 },
        { "{\"cniVersion\":\"1.1.0\"}", RN_CNI_1_1_0 },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) tree = parse(cases[i].text);
        RnCniVersion version = RN_CNI_N_;

        assert_true(rn_cni_conf_version(tree, &version, NULL));
        assert_int_equal(version, cases[i].version);
    }
}

static void wrong_configuration_is_refused(void **state)
{
    static const struct {
        const char *rest;
        RnErrorCode code;
        const char *part;
    } cases[] = {
        { ",\"mtu\":\"1500\"", RN_ERROR_INVALID, "stdin: mtu" },
        { ",\"ipv6\":\"on\"", RN_ERROR_INVALID, "stdin: ipv6" },
        { ",\"cidr\":\"10.0.0.0/8,host-loopback=on\"", RN_ERROR_INVALID,
          "stdin: cidr" },
        { ",\"dns\":[\"1.1.1.1\"]", RN_ERROR_INVALID, "stdin: dns" },
        { ",\"exposeHost\":[true]", RN_ERROR_INVALID, "exposeHost[0]" },
        { ",\"publishAll\":7", RN_ERROR_INVALID, "publishAll" },
        { ",\"prevResult\":[]", RN_ERROR_INVALID, "prevResult" },
        { ",\"ipam\":{\"type\":\"host-local\"}", RN_ERROR_UNSUPPORTED, "ipam" },
        { RUNTIME "{\"bandwidth\":{\"ingressRate\":1000}}",
          RN_ERROR_UNSUPPORTED, "runtimeConfig.bandwidth" },
        { RUNTIME "{\"aliases\":[\"web\"]}", RN_ERROR_UNSUPPORTED,
          "runtimeConfig.aliases" },
        { RUNTIME "{\"portMappings\":[{\"hostPort\":70000,"
                  "\"containerPort\":80}]}",
          RN_ERROR_INVALID, "portMappings[0].hostPort" },
        { RUNTIME "{\"portMappings\":[{\"hostPort\":0,"
                  "\"containerPort\":80}]}",
          RN_ERROR_INVALID, "portMappings[0].hostPort" },
        { RUNTIME "{\"portMappings\":[{\"hostPort\":80}]}", RN_ERROR_INVALID,
          "portMappings[0].containerPort" },
        { RUNTIME "{\"portMappings\":[{\"hostPort\":80,\"containerPort\":80,"
                  "\"protocol\":\"sctp\"}]}",
          RN_ERROR_UNSUPPORTED, "\"sctp\"" },
        { RUNTIME "{\"portMappings\":[{\"hostPort\":80,\"containerPort\":80,"
                  "\"hostIP\":\"localhost\"}]}",
          RN_ERROR_INVALID, "hostIP" },
        { RUNTIME "{\"mac\":\"01:00:5e:00:00:01\"}", RN_ERROR_INVALID, "mac" },
        { RUNTIME "{\"mac\":\"02:00:00:00:00\"}", RN_ERROR_INVALID, "mac" },
        { RUNTIME "{\"ips\":[\"a\",\"b\",\"c\"]}", RN_ERROR_LIMIT, "ips" },
        { ",\"cni.dev/valid-attachments\":[{\"containerID\":\"a\"}]",
          RN_ERROR_INVALID, "valid-attachments[0].ifname" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(HEAD, cases[i].rest, "}", NULL);
        g_autoptr(json_t) tree = parse(text);
        g_auto(RnCniConf) conf = { 0 };
        g_autoptr(GError) error = NULL;

        assert_false(rn_cni_conf_read(tree, RN_CNI_CONF_ALL, &conf, &error));
        assert_error(error, RN_ERROR, cases[i].code, cases[i].part);
    }
}

static void head_is_read_whatever_the_rest_is(void **state)
{
    g_autofree char *text = g_strconcat(
        HEAD RUNTIME "{\"bandwidth\":{\"ingressRate\":1}},\"mtu\":\"x\"}",
        NULL);
    g_autoptr(json_t) tree = parse(text);
    g_auto(RnCniConf) conf = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(rn_cni_conf_read(tree, RN_CNI_CONF_HEAD, &conf, &error));
    assert_no_error(error);
    assert_string_equal(conf.name, "net");
}

static void head_that_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "[]", "must be an object" },
        { "{\"cniVersion\":\"1.0.0\"}", "name" },
        { "{\"cniVersion\":\"1.0.0\",\"name\":\"a/b\"}", "name" },
        { "{\"cniVersion\":\"1.0.0\",\"name\":\"a@b\"}", "name" },
        { "{\"cniVersion\":\"1.0.0\",\"name\":\".hidden\"}", "name" },
        { "{\"cniVersion\":100,\"name\":\"net\"}", "cniVersion" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) tree = parse(cases[i].text);
        g_auto(RnCniConf) conf = { 0 };
        g_autoptr(GError) error = NULL;

        assert_false(rn_cni_conf_read(tree, RN_CNI_CONF_ALL, &conf, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, cases[i].part);
    }
}

static void network_that_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *rest, *part;
    } cases[] = {
        { ",\"mtu\":67", "mtu" },
        { ",\"link\":\"wifi\"", "link" },
        { ",\"publishAll\":\"9-1\"", "9-1" },
        { RUNTIME "{\"ips\":[\"192.168.0.1\"]}", "10.0.2.0/24" },
        { RUNTIME "{\"ips\":[\"10.0.2.0\"]}", "no host's address" },
        { RUNTIME "{\"ips\":[\"10.0.2.255\"]}", "no host's address" },
        { RUNTIME "{\"ips\":[\"10.0.2.1\"]}", "network's own" },
        { RUNTIME "{\"ips\":[\"10.0.2.2\"]}", "network's own" },
        { RUNTIME "{\"ips\":[\"fd00::3\"]}", "network's own" },
        { RUNTIME "{\"ips\":[\"10.0.2.9/16\"]}", "prefix is 24" },
        { RUNTIME "{\"ips\":[\"nine\"]}", "\"nine\"" },
        { ",\"ipv6\":false" RUNTIME "{\"ips\":[\"fd00::9\"]}", "no IPv6" },
        { RUNTIME "{\"mac\":\"52:55:0a:00:02:02\"}", "network's own" },
        { RUNTIME "{\"portMappings\":[{\"hostPort\":80,\"containerPort\":80},"
                  "{\"hostPort\":80,\"containerPort\":81}]}",
          "80" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnCniConf) conf = { 0 };
        g_auto(RnNetworkWish) wish = { 0 };
        g_autoptr(GError) error = NULL;

        read_conf(cases[i].rest, &conf);
        assert_false(rn_cni_conf_wish(&conf, "eth0", &wish, &error));
        assert_error(error, RN_ERROR, error->code, cases[i].part);
    }
}

static void attachments_are_collected(void **state)
{
    g_auto(RnCniConf) conf = { 0 };
    g_auto(RnCniConf) none = { 0 };

    (void)state;
    read_conf(",\"cni.dev/valid-attachments\":["
              "{\"containerID\":\"a\",\"ifname\":\"eth0\"},"
              "{\"containerID\":\"b\",\"ifname\":\"eth1\"}]",
              &conf);
    assert_true(conf.has_attachments);
    assert_int_equal(g_hash_table_size(conf.attachments), 2);
    assert_true(g_hash_table_contains(conf.attachments, "b@eth1"));
    read_conf(",\"cni.dev/valid-attachments\":null", &none); /* Go's nil */
    assert_true(none.has_attachments);
    assert_int_equal(g_hash_table_size(none.attachments), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_configuration_is_the_default_network),
        cmocka_unit_test(own_keys_are_those_of_network),
        cmocka_unit_test(port_mappings_are_published),
        cmocka_unit_test(mac_and_ips_are_the_guests),
        cmocka_unit_test(dns_of_the_runtime_goes_first),
        cmocka_unit_test(version_is_found),
        cmocka_unit_test(wrong_configuration_is_refused),
        cmocka_unit_test(head_is_read_whatever_the_rest_is),
        cmocka_unit_test(head_that_is_wrong_is_refused),
        cmocka_unit_test(network_that_cannot_be_is_refused),
        cmocka_unit_test(attachments_are_collected),
    };

    return cmocka_run_group_tests_name("cni-conf", tests, NULL, NULL);
}
