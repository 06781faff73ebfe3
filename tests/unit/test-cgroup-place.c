/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-place: where cgroups go on made-up hosts, and systemd's names
 */
#include "config.h"

#include <unit.h>

#include <rnet/runtime/cgroup-place.h>

static const char hybrid_mounts[] =
    "1 2 0:1 / /c/systemd rw - cgroup cgroup rw,name=systemd\n"
    "1 2 0:2 / /c/memory rw - cgroup cgroup rw,memory\n"
    "1 2 0:3 / /c/other rw - cgroup cgroup rw,name=other\n"
    "1 2 0:4 / /c/unified rw - cgroup2 cgroup2 rw\n";
static const char hybrid_cgroups[] = "3:name=other:/o\n"
                                     "2:memory:/m/n\n"
                                     "1:name=systemd:/s\n"
                                     "0::/u/own\n";

static void check_paths(const GPtrArray *parts, const char *const *expected)
{
    for (unsigned i = 0; i < parts->len; i++) {
        const RnCgroupPart *part = g_ptr_array_index(parts, i);

        assert_non_null(expected[i]);
        assert_string_equal(part->directory, expected[i]);
    }
    assert_null(expected[parts->len]);
}

static void place_follows_the_rules_of_each_hierarchy(void **state)
{
    static const struct {
        const char *path;
        const char *expected[4];
    } cases[] = {
        { "/a//b/",
          { "/c/systemd/a/b", "/c/memory/a/b", "/c/unified/a/b", NULL } },
        { "a",
          { "/c/systemd/s/a", "/c/memory/m/n/a", "/c/unified/u/a", NULL } },
        { NULL,
          { "/c/systemd/s/rnet-id", "/c/memory/m/n/rnet-id",
            "/c/unified/u/rnet-id", NULL } },
        { "x:y:z",
          { "/c/systemd/s/x:y:z", "/c/memory/m/n/x:y:z", "/c/unified/u/x:y:z",
            NULL } },
    };
    g_autoptr(GPtrArray) layout =
        rn_cgroup_layout_parse(hybrid_mounts, hybrid_cgroups);

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) parts =
            rn_cgroup_place(layout, cases[i].path, "id", &error);

        assert_no_error(error);
        check_paths(parts, cases[i].expected);
    }
}

static void place_without_an_own_cgroup_starts_at_the_mount(void **state)
{
    static const char *const expected[] = { "/c/rnet-id", NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) layout = rn_cgroup_layout_parse(
        "1 2 0:1 /hidden /c rw - cgroup2 cgroup2 rw\n", "0::/../x\n");
    g_autoptr(GPtrArray) parts = rn_cgroup_place(layout, NULL, "id", &error);

    (void)state;
    assert_no_error(error);
    check_paths(parts, expected);
}

static void place_like_follows_systemds_hierarchy(void **state)
{
    static const char *const expected[] = { "/c/systemd/s", "/c/memory/s",
                                            "/c/unified/s", NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) none = NULL;
    g_autoptr(GPtrArray) layout =
        rn_cgroup_layout_parse(hybrid_mounts, hybrid_cgroups);
    g_autoptr(GPtrArray) parts =
        rn_cgroup_place_like(layout, hybrid_cgroups, &error);

    (void)state;
    assert_no_error(error);
    check_paths(parts, expected);
    assert_null(rn_cgroup_place_like(layout, "0::/../up\n", &none));
    assert_error(none, RN_ERROR, RN_ERROR_UNSUPPORTED, "outside");
}

static void normalize_hostile_paths_refused(void **state)
{
    g_autofree char *name = g_strnfill(256, 'a');
    g_autofree char *many = g_strnfill(5000, '/');
    const char *const paths[] = {
        "",     "/",      "//",   "..", "/..",     "/a/../../b",
        "a/..", "/a/./b", "a\nb", name, "/a/..\n", many,
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = rn_cgroup_path_normalize(paths[i], &error);

        if (path != NULL)
            fail_msg("\"%s\" was taken as \"%s\"", paths[i], path);
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, "linux.cgroupsPath");
        assert_null(strchr(error->message, '\n'));
    }
}

static void unit_names_are_runcs(void **state)
{
    static const struct {
        const char *path;
        bool user;
        const char *slice, *unit;
    } cases[] = {
        { NULL, false, "system.slice", "rnet-id.scope" },
        { NULL, true, "user.slice", "rnet-id.scope" },
        { "", true, "user.slice", "rnet-id.scope" },
        { "system.slice:docker:4f2a", false, "system.slice",
          "docker-4f2a.scope" },
        { "user.slice:libpod:a.b_c", true, "user.slice", "libpod-a.b_c.scope" },
        { "a-b.slice::x", false, "a-b.slice", "x.scope" },
        { "::x", false, "system.slice", "x.scope" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *slice = NULL;
        g_autofree char *unit = NULL;

        if (!rn_cgroup_unit_names(cases[i].path, "id", cases[i].user, &slice,
                                  &unit, &error))
            fail_msg("%s: %s", cases[i].path, error->message);
        assert_string_equal(slice, cases[i].slice);
        assert_string_equal(unit, cases[i].unit);
    }
}

static void unit_names_of_other_forms_refused(void **state)
{
    static const struct {
        const char *path, *text;
        RnErrorCode code;
    } cases[] = {
        { "/a/b", "SLICE:PREFIX:NAME", RN_ERROR_INVALID },
        { "a:b", "SLICE:PREFIX:NAME", RN_ERROR_INVALID },
        { "a:b:c:d", "SLICE:PREFIX:NAME", RN_ERROR_INVALID },
        { "a.slice:b:c d", "name of a systemd unit", RN_ERROR_INVALID },
        { "a.slice:b:../c", "name of a systemd unit", RN_ERROR_INVALID },
        { "a.scope:b:c", "no slice", RN_ERROR_INVALID },
        { "a.slice:b:c.slice", "cannot be a slice", RN_ERROR_UNSUPPORTED },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        char *slice = NULL;
        char *unit = NULL;

        assert_false(rn_cgroup_unit_names(cases[i].path, "id", false, &slice,
                                          &unit, &error));
        assert_error(error, RN_ERROR, cases[i].code, cases[i].text);
        assert_null(slice);
        assert_null(unit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place_follows_the_rules_of_each_hierarchy),
        cmocka_unit_test(place_without_an_own_cgroup_starts_at_the_mount),
        cmocka_unit_test(place_like_follows_systemds_hierarchy),
        cmocka_unit_test(normalize_hostile_paths_refused),
        cmocka_unit_test(unit_names_are_runcs),
        cmocka_unit_test(unit_names_of_other_forms_refused),
    };

    return cmocka_run_group_tests_name("cgroup-place", tests, NULL, NULL);
}
