/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-lsm - labels for the next exec: what is written where
 *
 * A folder stands for /proc: hardly a build machine has either module.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <rnet/sys/lsm.h>
#include <rnet/util/fd.h>

#include "scratch.h"

static void make_file(const char *folder, const char *path)
{
    g_autofree char *full = g_build_filename(folder, path, NULL);
    g_autofree char *parent = g_path_get_dirname(full);

    assert_int_equal(g_mkdir_with_parents(parent, 0700), 0);
    assert_true(g_file_set_contents(full, "", 0, NULL));
}

static void assert_content(int folder_fd, const char *path, const char *wanted)
{
    g_autofree char *text = NULL;

    assert_true(rn_file_read(folder_fd, path, 100, &text, NULL, NULL));
    assert_string_equal(text, wanted);
}

static void labels_are_written(void **state)
{
    const RnLsmLabels both = { .apparmor = "box", .selinux = "a:b:c:s0" };
    const RnLsmLabels apparmor = { .apparmor = "box" };
    const RnLsmLabels none = { 0 };
    g_autofree char *folder = scratch_make();
    rn_autofd int fd = open(folder, O_PATH | O_CLOEXEC);
    g_autoptr(GError) error = NULL;

    (void)state;
    make_file(folder, "thread-self/attr/exec");
    assert_true(rn_lsm_set_exec(fd, &none, &error));
    assert_content(fd, "thread-self/attr/exec", "");
    /* before Linux 5.8 */
    assert_true(rn_lsm_set_exec(fd, &apparmor, &error));
    assert_content(fd, "thread-self/attr/exec", "exec box");

    make_file(folder, "thread-self/attr/apparmor/exec");
    make_file(folder, "thread-self/attr/exec");
    assert_true(rn_lsm_set_exec(fd, &both, &error));
    assert_content(fd, "thread-self/attr/apparmor/exec", "exec box");
    assert_content(fd, "thread-self/attr/exec", "a:b:c:s0");

    make_file(folder, "thread-self/attr/keycreate");
    assert_true(rn_lsm_set_keycreate(fd, "a:b:c:s0", &error));
    assert_content(fd, "thread-self/attr/keycreate", "a:b:c:s0");
    scratch_remove(folder);
}

static void profile_that_is_not_loaded_is_named(void **state)
{
    const RnLsmLabels labels = { .apparmor = "box" };
    g_autofree char *folder = scratch_make();
    rn_autofd int fd = open(folder, O_PATH | O_CLOEXEC);
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(rn_lsm_set_exec(fd, &labels, &error));
    assert_error(error, RN_ERRNO, ENOENT,
                 "process.apparmorProfile: apply \"box\": ");
    assert_non_null(strstr(error->message, "not loaded"));
    scratch_remove(folder);
}

static void labels_without_their_module_are_refused(void **state)
{
    const RnLsmLabels apparmor = { .apparmor = "box" };
    const RnLsmLabels selinux = { .selinux = "a:b:c:s0" };
    const RnLsmLabels unconfined = { .apparmor = "unconfined" };
    g_autoptr(GError) no_apparmor = NULL;
    g_autoptr(GError) no_selinux = NULL;

    (void)state;
    assert_true(rn_lsm_check(&unconfined, NULL));
    if (access("/sys/module/apparmor", F_OK) != 0) {
        assert_false(rn_lsm_check(&apparmor, &no_apparmor));
        assert_error(no_apparmor, RN_ERROR, RN_ERROR_UNSUPPORTED,
                     "process.apparmorProfile: \"box\"");
    }
    if (access("/sys/fs/selinux", F_OK) != 0) {
        assert_false(rn_lsm_check(&selinux, &no_selinux));
        assert_error(no_selinux, RN_ERROR, RN_ERROR_UNSUPPORTED,
                     "process.selinuxLabel: \"a:b:c:s0\"");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_written),
        cmocka_unit_test(profile_that_is_not_loaded_is_named),
        cmocka_unit_test(labels_without_their_module_are_refused),
    };

    return cmocka_run_group_tests_name("lsm", tests, NULL, NULL);
}
