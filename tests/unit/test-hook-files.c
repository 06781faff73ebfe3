/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-hook-files - Podman's hook files as `rnet hook install` writes them
 */
#include "config.h"

#include <unit.h>

#include <rnet/dialect/hook-files.h>
#include <rnet/oci/json.h>

#include "scratch.h"

static const char *const arguments[] = { "--publish", "8080:80", NULL };

static json_t *load(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    json_error_t failure = { 0 };
    json_t *tree = json_load_file(path, 0, &failure);

    if (tree == NULL)
        fail_msg("%s: %s", path, failure.text);
    return tree;
}

static void files_have_what_podman_wants(void **state)
{
    static const char *const stages[] = { "createRuntime", "poststop" };
    const RnHookFiles files = { "/usr/bin/rnet", arguments, false };
    g_autofree char *scratch = scratch_make();
    g_autofree char *directory = g_build_filename(scratch, "a/b", NULL);
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(rn_hook_files_write(&files, directory, &error));
    assert_no_error(error);
    assert_true(rn_hook_files_write(&files, directory, &error)); /* again */
    for (gsize i = 0; i < G_N_ELEMENTS(stages); i++) {
        g_autofree char *name = g_strdup_printf("rnet-%s.json", stages[i]);
        g_autoptr(json_t) found = load(directory, name);
        g_autoptr(json_t) wanted = json_pack(
            "{s:s, s:{s:s, s:[s,s,s,s,s]}, s:{s:{s:s}}, s:[s]}", "version",
            "1.0.0", "hook", "path", "/usr/bin/rnet", "args", "rnet", "hook",
            "--resolv-conf", "--publish", "8080:80", "when", "annotations",
            "^rnet\\.", ".*", "stages", stages[i]);

        assert_true(json_equal(found, wanted));
    }
    scratch_remove(scratch);
}

static void always_needs_no_annotation(void **state)
{
    const RnHookFiles files = { "/usr/bin/rnet", NULL, true };
    g_autoptr(json_t) file = rn_hook_file(&files, "poststop");
    json_t *when = json_object_get(file, "when");

    (void)state;
    assert_true(json_is_true(json_object_get(when, "always")));
    assert_int_equal(json_object_size(when), 1);
}

static void no_directory_is_told(void **state)
{
    const RnHookFiles files = { "/usr/bin/rnet", NULL, true };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(rn_hook_files_write(&files, "/dev/null/hooks.d", &error));
    assert_non_null(error);
    assert_non_null(strstr(error->message, "/dev/null/hooks.d"));
}

static void argument_that_is_no_text_is_refused(void **state)
{
    static const char *const bytes[] = { "\xff", NULL };
    const RnHookFiles files = { "/usr/bin/rnet", bytes, true };
    g_autofree char *scratch = scratch_make();
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(rn_hook_files_write(&files, scratch, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "UTF-8");
    scratch_remove(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_have_what_podman_wants),
        cmocka_unit_test(always_needs_no_annotation),
        cmocka_unit_test(no_directory_is_told),
        cmocka_unit_test(argument_that_is_no_text_is_refused),
    };

    return cmocka_run_group_tests_name("hook-files", tests, NULL, NULL);
}
