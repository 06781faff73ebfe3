/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-hook-bundle - which bundles call the hook inside, too
 */
#include "config.h"

#include <unit.h>

#include <rnet/dialect/hook-inside.h>

#include "scratch.h"

static bool check_bundle(const char *text, GError **error)
{
    g_autofree char *bundle = scratch_make();
    g_autofree char *path = g_build_filename(bundle, "config.json", NULL);
    bool is_fine = false;

    assert_true(text == NULL || g_file_set_contents(path, text, -1, NULL));
    is_fine = rn_hook_check_inside(bundle, error);
    scratch_remove(bundle);
    return is_fine;
}

static void same_hook_inside_is_found(void **state)
{
    static const char *const cases[] = {
        "{\"hooks\":{\"createRuntime\":[{\"path\":\"/b/rnet\"}],"
        "\"createContainer\":[{\"path\":\"/b/rnet\"}]}}",
        "{\"hooks\":{\"prestart\":[{\"path\":\"/a\"},{\"path\":\"/b/rnet\"}],"
        "\"createContainer\":[{\"path\":\"/c\",\"timeout\":3},"
        "{\"path\":\"/b/rnet\",\"args\":[\"rnet\",\"hook\"]}]}}",
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        assert_true(check_bundle(cases[i], &error));
        assert_no_error(error);
    }
}

static void missing_hook_inside_is_told(void **state)
{
    static const char *const cases[] = {
        "{}",
        "{\"hooks\":null}",
        "{\"hooks\":{\"createRuntime\":[{\"path\":\"/b/rnet\"}]}}",
        "{\"hooks\":{\"createRuntime\":[{\"path\":\"/b/rnet\"}],"
        "\"createContainer\":[],\"poststop\":[{\"path\":\"/b/rnet\"}]}}",
        "{\"hooks\":{\"createRuntime\":[{\"path\":\"/b/rnet\"}],"
        "\"createContainer\":[{\"path\":\"/c\"}]}}",
        "{\"hooks\":{\"createContainer\":[{\"path\":\"/b/rnet\"}]}}",
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(check_bundle(cases[i], &error));
        assert_error(error, RN_ERROR, RN_ERROR_STATE, "createContainer");
    }
}

static void broken_bundle_is_told(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "{", "config.json" },
        { "{\"hooks\":[]}", "hooks" },
        { "{\"hooks\":{\"prestart\":{}}}", "hooks.prestart" },
        { "{\"hooks\":{\"createContainer\":[{}]}}", "path" },
        { "{\"hooks\":{\"createContainer\":[{\"path\":\"rnet\"}]}}", "path" },
    };
    g_autoptr(GError) missing = NULL;

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(check_bundle(cases[i].text, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, cases[i].part);
    }
    assert_false(check_bundle(NULL, &missing));
    assert_error(missing, RN_ERROR, RN_ERROR_NOT_FOUND, "no config.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_hook_inside_is_found),
        cmocka_unit_test(missing_hook_inside_is_told),
        cmocka_unit_test(broken_bundle_is_told),
    };

    return cmocka_run_group_tests_name("hook-bundle", tests, NULL, NULL);
}
