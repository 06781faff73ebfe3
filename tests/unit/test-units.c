/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-units - sizes and durations from text
 */
#include "config.h"

#include <unit.h>

#include <rnet/util/units.h>

typedef bool (*Parse)(const char *text, const char *what, int64_t *out,
                      GError **error);

typedef struct Good {
    const char *text;
    int64_t value;
} Good;

static void assert_good(Parse parse, const Good *cases, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int64_t value = -1;
        g_autoptr(GError) error = NULL;

        if (!parse(cases[i].text, "value", &value, &error))
            fail_msg("\"%s\": %s", cases[i].text, error->message);
        if (value != cases[i].value)
            fail_msg("\"%s\" is %lld, wanted %lld", cases[i].text,
                     (long long)value, (long long)cases[i].value);
    }
}

static void assert_bad(Parse parse, const char *const *cases)
{
    for (; *cases != NULL; cases++) {
        int64_t value = 4711;
        g_autoptr(GError) error = NULL;

        if (parse(*cases, "value", &value, &error))
            fail_msg("\"%s\" was taken", *cases);
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, *cases);
        assert_int_equal(value, 4711);
    }
}

static void size_with_unit_is_taken(void **state)
{
    static const Good cases[] = {
        { "0", 0 },
        { "512", 512 },
        { "9223372036854775807", INT64_MAX },
        { "64k", 65536 },
        { "64K", 65536 },
        { "64kb", 65536 },
        { "64KiB", 65536 },
        { "1.5g", 1610612736 },
        { "2 MiB", 2097152 },
        { "7b", 7 },
        { "1t", INT64_C(1) << 40 },
        { "1p", INT64_C(1) << 50 },
    };

    (void)state;
    assert_good(rn_parse_size, cases, G_N_ELEMENTS(cases));
}

static void other_text_is_no_size(void **state)
{
    static const char *const cases[] = {
        "",
        "-1",
        "+1",
        "k",
        "1x",
        "1kk",
        "1.2.3",
        "1e3",
        "0x10",
        " 1",
        "1  k",
        "inf",
        "9223372036854775808",
        "8192p",
        "1 ",
        NULL,
    };

    (void)state;
    assert_bad(rn_parse_size, cases);
}

static void duration_is_taken(void **state)
{
    static const Good cases[] = {
        { "0", 0 },         { "5s", 5000 },      { "200ms", 200 },
        { "1m30s", 90000 }, { "1.5h", 5400000 }, { "1h2m3s4ms", 3723004 },
        { "900us", 1 },     { "2000000ns", 2 },  { "3000\xc2\xb5s", 3 },
    };

    (void)state;
    assert_good(rn_parse_duration, cases, G_N_ELEMENTS(cases));
}

static void other_text_is_no_duration(void **state)
{
    static const char *const cases[] = {
        "", "5", "s", "-5s", "5 s", "5d", "5s3", "1e3s", "9000000h", NULL,
    };

    (void)state;
    assert_bad(rn_parse_duration, cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_with_unit_is_taken),
        cmocka_unit_test(other_text_is_no_size),
        cmocka_unit_test(duration_is_taken),
        cmocka_unit_test(other_text_is_no_duration),
    };

    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
