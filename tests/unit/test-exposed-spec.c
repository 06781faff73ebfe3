/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-exposed-spec - exposed ports of the host as data
 */
#include "config.h"

#include <unit.h>

#include <rnet/net/exposed-spec.h>

static const struct {
    const char *text;
    uint16_t host, guest;
} accepted[] = {
    { "5432", 5432, 5432 },
    { "5432:15432", 5432, 15432 },
    { "1:65535", 1, 65535 },
    { "65535", 65535, 65535 },
};

static void valid_ports_are_parsed(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(accepted); i++) {
        g_autoptr(GError) error = NULL;
        RnExposedPort port = { 0 };

        if (!rn_exposed_parse(accepted[i].text, &port, &error))
            fail_msg("%s", error->message);
        if (port.host_port != accepted[i].host ||
            port.guest_port != accepted[i].guest)
            fail_msg("\"%s\" became %u:%u", accepted[i].text, port.host_port,
                     port.guest_port);
    }
}

static const struct {
    const char *text, *part;
} refused[] = {
    { "", "host port \"\"" },
    { "0", "host port \"0\" is not a number from 1 to 65535" },
    { "80:", "container port \"\"" },
    { ":80", "host port \"\"" },
    { "80:0", "container port \"0\"" },
    { "65536", "host port \"65536\"" },
    { "80:65536", "container port \"65536\"" },
    { "80:81:82", "container port \"81:82\"" },
    { "80-90", "host port \"80-90\"" },
    { "127.0.0.1:80", "host port \"127.0.0.1\"" },
    { "80/tcp", "host port \"80/tcp\"" },
    { "80/udp", "host port \"80/udp\"" },
    { " 80", "host port \" 80\"" },
};

static void bad_ports_are_refused_by_name(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = NULL;
        RnExposedPort port = { 7, 8 };

        if (rn_exposed_parse(refused[i].text, &port, &error))
            fail_msg("accepted: %s", refused[i].text);
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, refused[i].part);
        name = g_strdup_printf("expose-host \"%s\": ", refused[i].text);
        assert_true(g_str_has_prefix(error->message, name));
        assert_int_equal(port.host_port, 7);
        assert_int_equal(port.guest_port, 8);
    }
}

static void a_plan_maps_its_ports_alone(void **state)
{
    const char *const texts[] = { "5432:15432", "6379", NULL };
    g_autoptr(GError) error = NULL;
    RnNetworkPlan plan = { 0 };

    (void)state;
    if (!rn_exposed_parse_all(texts, &plan, &error))
        fail_msg("%s", error->message);
    assert_int_equal(plan.n_exposed, 2);
    assert_int_equal(rn_exposed_host_port(&plan, 15432), 5432);
    assert_int_equal(rn_exposed_host_port(&plan, 6379), 6379);
    assert_int_equal(rn_exposed_host_port(&plan, 5432), 0);
    assert_int_equal(rn_exposed_host_port(&plan, 0), 0);
}

static void no_ports_leave_the_plan(void **state)
{
    g_autoptr(GError) error = NULL;
    RnNetworkPlan plan = { 0 };

    (void)state;
    assert_true(rn_exposed_parse_all(NULL, &plan, &error));
    assert_int_equal(plan.n_exposed, 0);
}

/* Two ports of the host behind one of the container's are no use; one of the
 * host's behind two is. */
static void a_container_port_is_exposed_once(void **state)
{
    const char *const twice[] = { "80:8080", "81:8080", NULL };
    const char *const both[] = { "80:8080", "80:8081", NULL };
    g_autoptr(GError) error = NULL;
    RnNetworkPlan plan = { 0 };

    (void)state;
    assert_false(rn_exposed_parse_all(twice, &plan, &error));
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS,
                 "expose-host \"81:8080\": container port 8080 is given twice");
    assert_int_equal(plan.n_exposed, 0);
    g_clear_error(&error);
    if (!rn_exposed_parse_all(both, &plan, &error))
        fail_msg("%s", error->message);
}

static void ports_are_bounded(void **state)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    RnNetworkPlan plan = { 0 };

    (void)state;
    for (unsigned i = 0; i < RN_EXPOSED_MAX; i++)
        g_ptr_array_add(texts, g_strdup_printf("%u", 1000 + i));
    g_ptr_array_add(texts, NULL);
    if (!rn_exposed_parse_all((const char *const *)texts->pdata, &plan, &error))
        fail_msg("%s", error->message);
    assert_int_equal(plan.n_exposed, RN_EXPOSED_MAX);
    plan.n_exposed = 0;
    g_ptr_array_insert(texts, 0, g_strdup("999"));
    assert_false(
        rn_exposed_parse_all((const char *const *)texts->pdata, &plan, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "more than 32 ports");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_ports_are_parsed),
        cmocka_unit_test(bad_ports_are_refused_by_name),
        cmocka_unit_test(a_plan_maps_its_ports_alone),
        cmocka_unit_test(no_ports_leave_the_plan),
        cmocka_unit_test(a_container_port_is_exposed_once),
        cmocka_unit_test(ports_are_bounded),
    };

    return cmocka_run_group_tests_name("exposed-spec", tests, NULL, NULL);
}
