/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-error - hints survive prefixes, and the nearest to the cause wins
 */
#include "config.h"

#include <unit.h>

#include <errno.h>

static void set_errno_names_the_cause(void **state)
{
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(rn_set_errno(&error, ENOENT, "open \"%s\"", "/x"));
    assert_error(error, RN_ERRNO, ENOENT, "open \"/x\": No such file");
    assert_true(rn_error_is_errno(error, ENOENT));
    assert_false(rn_error_is_errno(error, EPERM));
}

static void set_without_an_error_is_ignored(void **state)
{
    (void)state;
    assert_false(rn_set_error(NULL, RN_ERROR_LIMIT, "x"));
    assert_false(rn_set_errno(NULL, EPERM, "x"));
    assert_false(rn_error_add_hint(NULL, "x"));
}

static void hint_after_prefix_is_split_off(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *message = NULL;
    g_autofree char *hint = NULL;

    (void)state;
    rn_set_error(&error, RN_ERROR_INVALID, "bad \"%d\"", 7);
    rn_error_add_hint(&error, "try %d", 8);
    g_prefix_error(&error, "run: ");
    message = rn_error_split(error, &hint);
    assert_string_equal(message, "run: bad \"7\"");
    assert_string_equal(hint, "try 8");
}

static void hint_given_twice_keeps_the_first(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *message = NULL;
    g_autofree char *hint = NULL;

    (void)state;
    rn_set_error(&error, RN_ERROR_STATE, "no");
    rn_error_add_hint(&error, "near");
    rn_error_add_hint(&error, "far");
    message = rn_error_split(error, &hint);
    assert_string_equal(hint, "near");
    assert_string_equal(message, "no");
}

static void split_without_hint_gives_none(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *message = NULL;
    char *hint = (char *)"untouched";

    (void)state;
    rn_set_error(&error, RN_ERROR_STATE, "no");
    message = rn_error_split(error, &hint);
    assert_string_equal(message, "no");
    assert_null(hint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_errno_names_the_cause),
        cmocka_unit_test(set_without_an_error_is_ignored),
        cmocka_unit_test(hint_after_prefix_is_split_off),
        cmocka_unit_test(hint_given_twice_keeps_the_first),
        cmocka_unit_test(split_without_hint_gives_none),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
