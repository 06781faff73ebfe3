/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <unit.h>

#include <rnet/sys/mount-table.h>

static void table_with_odd_names_is_read(void **state)
{
    static const char text[] =
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "30 22 0:26 /a\\134b /sys/fs/a\\040b\\012c rw - cgroup cgroup "
        "rw,cpu,cpuacct\n"
        "31 22 0:27 / /p rw shared:2 master:1 - proc none rw\n";
    g_autoptr(GPtrArray) table = NULL;
    g_autoptr(GError) error = NULL;
    const RnMountEntry *entry = NULL;

    (void)state;
    assert_true(rn_mount_table_parse(text, &table, &error));
    assert_no_error(error);
    assert_int_equal(table->len, 3);
    entry = g_ptr_array_index(table, 1);
    assert_string_equal(entry->root, "/a\\b");
    assert_string_equal(entry->target, "/sys/fs/a b\nc");
    assert_string_equal(entry->type, "cgroup");
    assert_string_equal(entry->options, "rw,cpu,cpuacct");
    entry = g_ptr_array_index(table, 2);
    assert_string_equal(entry->type, "proc");
}

static void table_that_is_malformed_is_refused(void **state)
{
    static const char *const texts[] = {
        "x",
        "22 1 254:0 / / rw",
        "22 1 254:0 / / rw shared:1 ext4 /dev/vda rw",
        "22 1 254:0 / / rw - ext4 /dev/vda",
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) table = NULL;
        g_autoptr(GError) error = NULL;

        assert_false(rn_mount_table_parse(texts[i], &table, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, texts[i]);
        assert_null(table);
    }
}

static void table_of_this_process_has_a_root(void **state)
{
    g_autoptr(GPtrArray) table = NULL;
    g_autoptr(GError) error = NULL;
    bool found = false;

    (void)state;
    assert_true(rn_mount_table_read("/proc/self/mountinfo", &table, &error));
    assert_no_error(error);
    for (unsigned i = 0; i < table->len; i++) {
        const RnMountEntry *entry = g_ptr_array_index(table, i);

        found = found || strcmp(entry->target, "/") == 0;
    }
    assert_true(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_with_odd_names_is_read),
        cmocka_unit_test(table_that_is_malformed_is_refused),
        cmocka_unit_test(table_of_this_process_has_a_root),
    };

    return cmocka_run_group_tests_name("mount-table", tests, NULL, NULL);
}
