/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-layout: made-up hosts as mountinfo and cgroup texts
 */
#include "config.h"

#include <sys/sysmacros.h>

#include <unit.h>

#include <rnet/sys/cgroup-layout.h>

static const char unified_mounts[] =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
    "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

static const char v1_mounts[] =
    "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/systemd rw shared:9 - cgroup cgroup "
    "rw,xattr,release_agent=/lib/agent,name=systemd\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 master:2 - cgroup "
    "cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "35 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

static const char v1_cgroups[] = "4:memory:/user/a\n"
                                 "3:cpu,cpuacct:/\n"
                                 "1:name=systemd:/user.slice/x.scope\n"
                                 "0::/user.slice/x.scope\n";

static const RnCgroupHierarchy *get(const GPtrArray *layout, unsigned index)
{
    assert_true(index < layout->len);
    return g_ptr_array_index(layout, index);
}

static void parse_unified_gives_one_hierarchy(void **state)
{
    g_autoptr(GPtrArray) layout = rn_cgroup_layout_parse(
        unified_mounts, "0::/user.slice/user-1000.slice/session-1.scope\n");
    const RnCgroupHierarchy *only = get(layout, 0);

    (void)state;
    assert_int_equal(layout->len, 1);
    assert_int_equal(only->version, 2);
    assert_int_equal(only->device, makedev(0, 26));
    assert_string_equal(only->mount_point, "/sys/fs/cgroup");
    assert_string_equal(only->own,
                        "/user.slice/user-1000.slice/session-1.scope");
}

static void parse_hybrid_gives_all_with_controllers(void **state)
{
    g_autoptr(GPtrArray) layout = rn_cgroup_layout_parse(v1_mounts, v1_cgroups);

    (void)state;
    assert_int_equal(layout->len, 4);
    assert_string_equal(get(layout, 0)->controllers[0], "name=systemd");
    assert_null(get(layout, 0)->controllers[1]);
    assert_string_equal(get(layout, 0)->own, "/user.slice/x.scope");
    assert_string_equal(get(layout, 1)->controllers[0], "cpu");
    assert_string_equal(get(layout, 1)->controllers[1], "cpuacct");
    assert_null(get(layout, 1)->controllers[2]);
    assert_string_equal(get(layout, 1)->own, "/");
    assert_string_equal(get(layout, 2)->own, "/user/a");
    assert_int_equal(get(layout, 3)->version, 2);
    assert_string_equal(get(layout, 3)->own, "/user.slice/x.scope");
}

static void parse_mount_of_a_part_shows_paths_below_it(void **state)
{
    static const struct {
        const char *root, *own, *expected;
    } cases[] = {
        { "/docker/a", "/docker/a", "/" },
        { "/docker/a", "/docker/a/b", "/b" },
        { "/docker/a", "/docker/ab", NULL },
        { "/docker/a", "/other", NULL },
        { "/", "/../x", NULL },
        { "/..", "/", NULL },
        { "/", "/a\\b", "/a\\b" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *mounts = g_strdup_printf(
            "1 2 0:5 %s /c rw - cgroup2 none rw\n", cases[i].root);
        g_autofree char *cgroups = g_strdup_printf("0::%s\n", cases[i].own);
        g_autoptr(GPtrArray) layout = rn_cgroup_layout_parse(mounts, cgroups);

        if (g_strcmp0(get(layout, 0)->own, cases[i].expected) != 0)
            fail_msg("%s in %s: %s", cases[i].own, cases[i].root,
                     get(layout, 0)->own);
    }
}

static void parse_escaped_mount_point_unescaped(void **state)
{
    g_autoptr(GPtrArray) layout = rn_cgroup_layout_parse(
        "1 2 0:5 / /my\\040cgroups rw - cgroup2 none rw\n", "0::/\n");

    (void)state;
    assert_string_equal(get(layout, 0)->mount_point, "/my cgroups");
}

static void parse_other_lines_passed_over(void **state)
{
    static const char *const texts[] = {
        "",
        "\n\n",
        "1 2 0:5 / /c rw - tmpfs cgroup rw\n",
        "1 2 0:5 / /c rw - cgroup\n",
        "1 2 0:5 / /c\n",
        " - cgroup2 a b",
        "1 2 x:y / /c rw - cgroup2 none rw\n",
        "1 2 0:5 / /c rw - cgroupfoo none rw,memory\n",
        "1 2 0:5 / /c rw - cgroup none rw\n",
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) layout =
            rn_cgroup_layout_parse(texts[i], "0::/\n:\n::\nx");

        if (layout->len != 0)
            fail_msg("\"%s\": %u", texts[i], layout->len);
    }
}

static void reduce_leaves_the_mount_with_the_own_cgroup(void **state)
{
    static const char mounts[] =
        "1 2 0:5 /other /a rw - cgroup cgroup rw,memory\n"
        "1 2 0:5 / /b rw - cgroup cgroup rw,memory\n"
        "1 2 0:6 / /c rw - cgroup cgroup rw,pids\n"
        "1 2 0:5 / /d rw - cgroup cgroup rw,memory\n"
        "1 2 0:7 /gone /e rw - cgroup2 cgroup rw\n"
        "1 2 0:7 /gone2 /f rw - cgroup2 cgroup rw\n";
    g_autoptr(GPtrArray) layout =
        rn_cgroup_layout_parse(mounts, "2:memory:/x\n1:pids:/y\n0::/z\n");

    (void)state;
    assert_int_equal(layout->len, 6);
    rn_cgroup_layout_reduce(layout);
    assert_int_equal(layout->len, 3);
    assert_string_equal(get(layout, 0)->mount_point, "/b");
    assert_string_equal(get(layout, 1)->mount_point, "/c");
    assert_string_equal(get(layout, 2)->mount_point, "/e");
}

static void find_line_tells_versions_and_controllers_apart(void **state)
{
    static const struct {
        unsigned version;
        const char *controller, *expected;
    } cases[] = {
        { 1, "memory", "/user/a" },
        { 1, "cpuacct", "/" },
        { 1, "cpu", "/" },
        { 1, "name=systemd", "/user.slice/x.scope" },
        { 2, "", "/user.slice/x.scope" },
        { 1, "mem", NULL },
        { 1, "pids", NULL },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = rn_cgroup_find_line(
            v1_cgroups, cases[i].version, cases[i].controller);

        if (g_strcmp0(path, cases[i].expected) != 0)
            fail_msg("%s: %s", cases[i].controller, path);
    }
}

static void load_of_this_host_gives_what_is_reachable(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) layout = rn_cgroup_layout_load(&error);

    (void)state;
    assert_no_error(error);
    assert_non_null(layout);
    for (unsigned i = 0; i < layout->len; i++) {
        const RnCgroupHierarchy *hierarchy = get(layout, i);
        g_autofree char *file =
            g_build_filename(hierarchy->mount_point, "cgroup.procs", NULL);

        if (!g_file_test(file, G_FILE_TEST_EXISTS))
            fail_msg("%s is not there", file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_unified_gives_one_hierarchy),
        cmocka_unit_test(parse_hybrid_gives_all_with_controllers),
        cmocka_unit_test(parse_mount_of_a_part_shows_paths_below_it),
        cmocka_unit_test(parse_escaped_mount_point_unescaped),
        cmocka_unit_test(parse_other_lines_passed_over),
        cmocka_unit_test(reduce_leaves_the_mount_with_the_own_cgroup),
        cmocka_unit_test(find_line_tells_versions_and_controllers_apart),
        cmocka_unit_test(load_of_this_host_gives_what_is_reachable),
    };

    return cmocka_run_group_tests_name("cgroup-layout", tests, NULL, NULL);
}
