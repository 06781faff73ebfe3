/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-properties: what systemd would be told, as text
 */
#include "config.h"

#include "cgroup-world.h"

#include <rnet/runtime/cgroup-properties.h>

static const RnCgroupPresent none = { -1, -1, -1 };

static void expect_limits(const RnResources *resources,
                          const RnCgroupPresent *present, const char *expected)
{
    g_autoptr(GVariant) properties =
        g_variant_ref_sink(rn_cgroup_limit_properties(resources, present));
    g_autofree char *text = g_variant_print(properties, FALSE);

    assert_string_equal(text, expected);
}

static void limits_become_properties(void **state)
{
    g_auto(RnResources) resources = { 0 };

    (void)state;
    rn_resources_init(&resources);
    expect_limits(&resources, &none, "[]");
    resources.memory.limit = give(1000);
    resources.memory.swap = give(-1);
    resources.memory.reservation = give(500);
    resources.cpu.shares = give(1024);
    resources.cpu.quota = give(12345);
    resources.cpu.period = give(50000);
    resources.cpu.cpus = g_strdup("0-1,9");
    resources.pids_limit = give(-1);
    resources.block.weight = give(1000);
    expect_limits(
        &resources, &none,
        "[('MemoryMax', <uint64 1000>), ('MemoryLow', <uint64 500>), "
        "('MemorySwapMax', <uint64 18446744073709551615>), "
        "('CPUWeight', <uint64 100>), ('CPUQuotaPeriodUSec', <uint64 50000>), "
        "('CPUQuotaPerSecUSec', <uint64 250000>), "
        "('AllowedCPUs', <[byte 0x03, 0x02]>), "
        "('TasksMax', <uint64 18446744073709551615>), "
        "('IOWeight', <uint64 10000>)]");
}

static void limits_keep_what_is_in_force(void **state)
{
    static const RnCgroupPresent present = { 1000, 20000, 50000 };
    g_auto(RnResources) resources = { 0 };

    (void)state;
    rn_resources_init(&resources);
    resources.cpu.period = give(40000);
    resources.memory.swap = give(1500);
    expect_limits(&resources, &present,
                  "[('MemorySwapMax', <uint64 500>), "
                  "('CPUQuotaPeriodUSec', <uint64 40000>), "
                  "('CPUQuotaPerSecUSec', <uint64 500000>)]");
    resources.memory.swap.given = false;
    resources.cpu.period.given = false;
    resources.cpu.quota = give(30000);
    expect_limits(&resources, &present,
                  "[('CPUQuotaPerSecUSec', <uint64 600000>)]");
}

static void cpus_as_bits(void **state)
{
    static const struct {
        const char *list, *bits;
    } cases[] = {
        { "0", "[0x01]" },       { "7,0", "[0x81]" },
        { "8", "[0x00, 0x01]" }, { "0-15", "[0xff, 0xff]" },
        { "x", NULL },           { "1-", NULL },
        { "3-1", NULL },         { "8192", NULL },
        { "0-99999", NULL },     { "1,,2", NULL },
        { "-1", NULL },          { "0-18446744073709551615", NULL },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GVariant *bits = rn_cgroup_cpus_to_bits(cases[i].list);
        g_autofree char *text =
            bits == NULL ? NULL : g_variant_print(bits, FALSE);

        if (g_strcmp0(text, cases[i].bits) != 0)
            fail_msg("%s: %s", cases[i].list, text);
        if (bits != NULL)
            g_variant_unref(g_variant_ref_sink(bits));
    }
}

/* The text behind "TasksAccounting" of a scope with one annotation. */
static char *describe_annotation(const char *name, const char *value,
                                 GError **error)
{
    static const char last[] = "('TasksAccounting', <true>)";
    g_auto(RnResources) resources = { 0 };
    g_autoptr(GHashTable) annotations =
        g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *key = g_strconcat("org.systemd.property.", name, NULL);
    g_autofree char *text = NULL;
    GVariant *properties = NULL;

    rn_resources_init(&resources);
    (void)g_hash_table_insert(annotations, key, (char *)value);
    (void)g_hash_table_insert(annotations, (char *)"org.other", (char *)"x");
    properties = rn_cgroup_scope_properties("id", "a.slice", 7, &resources,
                                            annotations, error);
    if (properties == NULL)
        return NULL;
    text = g_variant_print(properties, FALSE);
    g_variant_unref(g_variant_ref_sink(properties));
    assert_non_null(strstr(text, last));
    assert_non_null(strstr(text, "('PIDs', <[uint32 7]>)"));
    assert_non_null(strstr(text, "('Slice', <'a.slice'>)"));
    assert_non_null(strstr(text, "('Delegate', <true>)"));
    return g_strdup(strstr(text, last) + strlen(last));
}

static void annotations_become_properties(void **state)
{
    static const struct {
        const char *name, *value, *text;
    } cases[] = {
        { "TimeoutStopUSec", "uint64 10",
          ", ('TimeoutStopUSec', <uint64 10>)]" },
        { "TimeoutStopSec", "5", ", ('TimeoutStopUSec', <uint64 5000000>)]" },
        { "TimeoutStopSec", "uint64 1",
          ", ('TimeoutStopUSec', <uint64 1000000>)]" },
        { "TimeoutStopSec", "1.5", ", ('TimeoutStopUSec', <uint64 1500000>)]" },
        { "CollectMode", "'inactive-or-failed'",
          ", ('CollectMode', <'inactive-or-failed'>)]" },
        { "After", "['a.service', 'b.service']",
          ", ('After', <['a.service', 'b.service']>)]" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text =
            describe_annotation(cases[i].name, cases[i].value, &error);

        assert_no_error(error);
        assert_string_equal(text, cases[i].text);
    }
}

static void annotations_that_are_none_refused(void **state)
{
    g_autofree char *huge = g_strnfill(5000, '1');
    const struct {
        const char *name, *value;
        RnErrorCode code;
    } cases[] = {
        { "PIDs", "[1]", RN_ERROR_INVALID },
        { "Slice", "'b.slice'", RN_ERROR_INVALID },
        { "Delegate", "false", RN_ERROR_INVALID },
        { "", "1", RN_ERROR_INVALID },
        { "lower", "1", RN_ERROR_INVALID },
        { "A.B", "1", RN_ERROR_INVALID },
        { "TasksMax", "", RN_ERROR_INVALID },
        { "TasksMax", "uint64", RN_ERROR_INVALID },
        { "TasksMax", "[1, 'a']", RN_ERROR_INVALID },
        { "TimeoutStopSec", "'5s'", RN_ERROR_INVALID },
        { "TimeoutStopSec", "-1", RN_ERROR_INVALID },
        { "TasksMax", huge, RN_ERROR_LIMIT },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text =
            describe_annotation(cases[i].name, cases[i].value, &error);

        if (text != NULL)
            fail_msg("%s=%s: %s", cases[i].name, cases[i].value, text);
        assert_error(error, RN_ERROR, cases[i].code,
                     "annotations[\"org.systemd.property.");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_become_properties),
        cmocka_unit_test(limits_keep_what_is_in_force),
        cmocka_unit_test(cpus_as_bits),
        cmocka_unit_test(annotations_become_properties),
        cmocka_unit_test(annotations_that_are_none_refused),
    };

    return cmocka_run_group_tests_name("cgroup-properties", tests, NULL, NULL);
}
