/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-config-hostile - documents that try to be too much for the reader
 */
#include "config.h"

#include <unit.h>

#include "config-text.h"

/* `open`, `count` times `entry` with commas between, `close`. */
static char *repeat(const char *open, const char *entry, unsigned count,
                    const char *close)
{
    GString *text = g_string_new(open);

    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ",", entry);
    g_string_append(text, close);
    return g_string_free(text, FALSE);
}

static void ten_thousand_mounts_are_read(void **state)
{
    g_autofree char *mounts =
        repeat(",'mounts':[",
               "{'destination':'/m','type':'bind','source':'/s',"
               "'options':['rbind','ro','nosuid','nodev']}",
               10000, "]");
    g_autoptr(RnConfig) config = parse_config_with(mounts, "", "");
    const RnMount *last = g_ptr_array_index(config->mounts, 9999);

    (void)state;
    assert_int_equal(config->mounts->len, 10000);
    assert_string_equal(last->source, "/s");
}

/* Those without a bound of their own have the document's. */
static void lists_of_a_hundred_thousand_are_read(void **state)
{
    static const struct {
        const char *open, *entry, *close;
        int section; /* 0: top, 1: process, 2: linux */
    } cases[] = {
        { ",'env':[", "'A='", "]", 1 },
        { ",'maskedPaths':[", "'/'", "]", 2 },
        { ",'mounts':[", "{'destination':'/'}", "]", 0 },
        { ",'unknown':[", "{}", "]", 0 },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            repeat(cases[i].open, cases[i].entry, 100000, cases[i].close);
        g_autoptr(RnConfig) config =
            parse_config_with(cases[i].section == 0 ? text : "",
                              cases[i].section == 1 ? text : "",
                              cases[i].section == 2 ? text : "");

        assert_non_null(config);
    }
}

static void too_many_entries_are_refused_by_path(void **state)
{
    static const struct {
        const char *open, *entry, *close;
        unsigned max;
        int section;
        const char *part;
    } cases[] = {
        { ",'hooks':{'poststop':[", "{'path':'/a'}", "]}", 1024, 0,
          "hooks.poststop: has more than 1024 entries" },
        { ",'devices':[", "{'path':'/a','type':'p'}", "]", 4096, 2,
          "linux.devices: has more than 4096 entries" },
        { ",'user':{'additionalGids':[", "7", "]}", 65536, 1,
          "process.user.additionalGids: more than 65536 groups" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int section = cases[i].section;
        g_autofree char *most =
            repeat(cases[i].open, cases[i].entry, cases[i].max, cases[i].close);
        g_autofree char *more = repeat(cases[i].open, cases[i].entry,
                                       cases[i].max + 1, cases[i].close);
        g_autofree char *text =
            build_config(section == 0 ? more : "", section == 1 ? more : "",
                         section == 2 ? more : "");
        g_autoptr(RnConfig) config = parse_config_with(
            section == 0 ? most : "", section == 1 ? most : "",
            section == 2 ? most : "");
        const ConfigRefusal refusal = { NULL, RN_ERROR_LIMIT, cases[i].part };

        assert_non_null(config);
        check_config_refusal(text, &refusal);
    }
}

/* 1025 kernel parameters, and interfaces. */
static void too_many_keys_are_refused_by_path(void **state)
{
    static const struct {
        const char *member, *key, *value, *part;
    } cases[] = {
        { "sysctl", "net.a", "''", "linux.sysctl: has more than 1024 entries" },
        { "netDevices", "e", "{}",
          "linux.netDevices: has more than 1024 entries" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) map = g_string_new(NULL);
        g_autofree char *text = NULL;
        const ConfigRefusal refusal = { NULL, RN_ERROR_LIMIT, cases[i].part };

        g_string_append_printf(map, ",'%s':{'first':''", cases[i].member);
        for (unsigned j = 0; j < 1024; j++)
            g_string_append_printf(map, ",'%s%u':%s", cases[i].key, j,
                                   cases[i].value);
        g_string_append(map, "}");
        text = build_config("", "", map->str);
        check_config_refusal(text, &refusal);
    }
}

static const ConfigRefusal refusals[] = {
    /* a member given twice, anywhere, in any spelling */
    { ",'annotations':{'a':'1','a':'2'}", RN_ERROR_INVALID,
      "member \"a\" is given twice" },
    { ",'annotations':{'a':'1','\\u0061':'2'}", RN_ERROR_INVALID, "duplicate" },
    { ",'root':{'path':'/'}", RN_ERROR_INVALID,
      "member \"root\" is given twice" },
    /* text that would write to a terminal, or forge a line of a log */
    { ",'annotations':{'a\\nERROR: \\u001b[2J':5}", RN_ERROR_INVALID,
      "annotations[\"a?ERROR: ?[2J\"]: must be a string" },
    { ",'hooks':{'prestart':[{'path':'x\\n/y'}]}", RN_ERROR_INVALID,
      "hooks.prestart[0].path: \"x?/y\" must be an absolute path" },
    /* what only looks like the reader's own mark for a large integer */
    { ",'hostname':18446744073709551615", RN_ERROR_INVALID,
      "hostname: must be a string" },
    { ",'annotations':{'a':9223372036854775808}", RN_ERROR_INVALID,
      "annotations[\"a\"]: must be a string" },
    { ",'hostname':'\\u0000AAAAAAAAAAA'", RN_ERROR_INVALID,
      "a string with a NUL character" },
};

static void tricks_are_refused(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *text = build_config(refusals[i].member, "", "");

        check_config_refusal(text, &refusals[i]);
    }
}

static void paths_with_newlines_are_read_as_they_are(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        ",'mounts':[{'destination':'/a\\nb','source':'/c\\td'}]", "",
        ",'maskedPaths':['/x\\ny']");
    const RnMount *mount = g_ptr_array_index(config->mounts, 0);

    (void)state;
    assert_string_equal(mount->destination, "/a\nb");
    assert_string_equal(mount->source, "/c\td");
    assert_string_equal(config->masked_paths[0], "/x\ny");
}

static void deep_nesting_is_refused(void **state)
{
    g_autofree char *deep = g_strnfill(200000, '[');
    g_autofree char *text = g_strdup_printf(
        "{\"ociVersion\":\"1.0.0\",\"linux\":{\"seccomp\":%s", deep);
    const ConfigRefusal refusal = { NULL, RN_ERROR_LIMIT, "nested too deeply" };

    (void)state;
    check_config_refusal(text, &refusal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_mounts_are_read),
        cmocka_unit_test(lists_of_a_hundred_thousand_are_read),
        cmocka_unit_test(too_many_entries_are_refused_by_path),
        cmocka_unit_test(too_many_keys_are_refused_by_path),
        cmocka_unit_test(tricks_are_refused),
        cmocka_unit_test(paths_with_newlines_are_read_as_they_are),
        cmocka_unit_test(deep_nesting_is_refused),
    };

    return cmocka_run_group_tests_name("config-hostile", tests, NULL, NULL);
}
