/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-update - limits from a command line, and what an engine's zeros mean
 */
#include "config.h"

#include <unit.h>

#include <rnet/runtime/update.h>

static void set(RnResources *resources, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;

    if (!rn_update_set(resources, name, text, &error))
        fail_msg("--%s %s: %s", name, text, error->message);
}

static void assert_given(const RnOptionalInt *number, int64_t value)
{
    assert_true(number->given);
    assert_int_equal(number->value, value);
}

static void options_set_their_limits(void **state)
{
    g_auto(RnResources) all = { 0 };

    (void)state;
    rn_resources_init(&all);
    set(&all, "memory", "64m");
    set(&all, "memory-reservation", "32768");
    set(&all, "memory-swap", "-1");
    set(&all, "cpu-period", "100000");
    set(&all, "cpu-quota", "-1");
    set(&all, "cpu-burst", "5000");
    set(&all, "cpu-share", "512");
    set(&all, "cpu-rt-period", "1000000");
    set(&all, "cpu-rt-runtime", "950000");
    set(&all, "cpu-idle", "1");
    set(&all, "cpuset-cpus", "0-1");
    set(&all, "cpuset-mems", "0");
    set(&all, "blkio-weight", "100");
    set(&all, "pids-limit", "20");
    assert_given(&all.memory.limit, 64 * 1024 * 1024);
    assert_given(&all.memory.reservation, 32768);
    assert_given(&all.memory.swap, -1);
    assert_given(&all.cpu.period, 100000);
    assert_given(&all.cpu.quota, -1);
    assert_given(&all.cpu.burst, 5000);
    assert_given(&all.cpu.shares, 512);
    assert_given(&all.cpu.realtime_period, 1000000);
    assert_given(&all.cpu.realtime_runtime, 950000);
    assert_given(&all.cpu.idle, 1);
    assert_string_equal(all.cpu.cpus, "0-1");
    assert_string_equal(all.cpu.mems, "0");
    assert_given(&all.block.weight, 100);
    assert_given(&all.pids_limit, 20);
    assert_false(all.memory.kernel.given);
    set(&all, "cpu-shares", "1024"); /* crun's spelling */
    assert_given(&all.cpu.shares, 1024);
}

static void every_shown_option_is_known(void **state)
{
    const RnUpdateOption *options = rn_update_options();

    (void)state;
    for (; options->name != NULL; options++) {
        g_auto(RnResources) all = { 0 };
        g_autoptr(GError) error = NULL;

        rn_resources_init(&all);
        if (options->help != NULL &&
            !rn_update_set(&all, options->name, "0", &error))
            fail_msg("--%s: %s", options->name, error->message);
    }
}

static void wrong_values_are_refused(void **state)
{
    static const struct {
        const char *name, *text;
        RnErrorCode code;
        const char *part;
    } cases[] = {
        { "memory", "lots", RN_ERROR_INVALID, "memory \"lots\"" },
        { "memory", "-2", RN_ERROR_INVALID, "\"-2\"" },
        { "memory", "", RN_ERROR_INVALID, "\"\"" },
        { "cpu-period", "-1", RN_ERROR_INVALID, "cpu-period" },
        { "cpu-quota", "5k", RN_ERROR_INVALID, "cpu-quota" },
        { "cpu-share", "262145", RN_ERROR_INVALID, "cpu-share" },
        { "cpu-idle", "2", RN_ERROR_INVALID, "cpu-idle" },
        { "cpuset-cpus", "0-", RN_ERROR_INVALID, "cpuset-cpus" },
        { "blkio-weight", "1001", RN_ERROR_INVALID, "blkio-weight" },
        { "pids-limit", "many", RN_ERROR_INVALID, "pids-limit" },
        { "l3-cache-schema", "x", RN_ERROR_UNSUPPORTED, "Intel RDT" },
        { "disk", "1", RN_ERROR_INVALID, "\"disk\"" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnResources) all = { 0 };
        g_autoptr(GError) error = NULL;

        rn_resources_init(&all);
        assert_false(rn_update_set(&all, cases[i].name, cases[i].text, &error));
        assert_error(error, RN_ERROR, cases[i].code, cases[i].part);
    }
}

static void zeros_of_an_engine_ask_for_nothing(void **state)
{
    g_auto(RnResources) all = { 0 };

    (void)state;
    rn_resources_init(&all);
    set(&all, "memory", "0");
    set(&all, "memory-reservation", "0");
    set(&all, "memory-swap", "0");
    set(&all, "cpu-share", "0");
    set(&all, "cpu-period", "0");
    set(&all, "cpu-quota", "0");
    set(&all, "blkio-weight", "0");
    set(&all, "pids-limit", "0");
    set(&all, "cpu-idle", "0");
    rn_update_settle(&all);
    /* of limits only that of processes, where 0 means none, and idle's 0 */
    assert_given(&all.pids_limit, 0);
    assert_given(&all.cpu.idle, 0);
    all.pids_limit.given = false;
    all.cpu.idle.given = false;
    assert_null(rn_resources_first_limit(&all));
}

static void no_memory_limit_is_none_on_swap(void **state)
{
    g_auto(RnResources) all = { 0 };

    (void)state;
    rn_resources_init(&all);
    set(&all, "memory", "-1");
    rn_update_settle(&all);
    assert_given(&all.memory.swap, -1);
    set(&all, "memory-swap", "4096");
    rn_update_settle(&all);
    assert_given(&all.memory.swap, 4096);
}

static void file_that_is_missing_is_named(void **state)
{
    g_auto(RnResources) all = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    rn_resources_init(&all);
    assert_false(rn_update_read("/nonexistent/limits", &all, &error));
    assert_non_null(strstr(error->message, "\"/nonexistent/limits\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_set_their_limits),
        cmocka_unit_test(every_shown_option_is_known),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(zeros_of_an_engine_ask_for_nothing),
        cmocka_unit_test(no_memory_limit_is_none_on_swap),
        cmocka_unit_test(file_that_is_missing_is_named),
    };

    return cmocka_run_group_tests_name("update", tests, NULL, NULL);
}
