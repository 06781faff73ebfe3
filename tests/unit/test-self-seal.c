/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-self-seal - a binary that its caller owns runs where nobody can write
 *
 * The test program is that binary: copied, and called with an argument, it
 * seals itself and says what it is then.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <rnet/sys/mount.h>
#include <rnet/sys/self-seal.h>
#include <rnet/util/fd.h>

#include "scratch.h"

enum {
    IS_COPY = 20,
    IS_ON_READ_ONLY_MOUNT = 21,
    IS_WRITABLE = 22,
};

static bool fails_with(int result, int expected)
{
    return result < 0 && errno == expected;
}

/* That of a mount which no namespace has cannot be taken away, or got round by
 * a copy of the mount: not even by this process, which has made it. */
static bool stays_read_only(void)
{
    rn_autofd int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    rn_autofd int clone = -1;

    return fd >= 0 && !rn_mount_change(fd, 0, MS_RDONLY, RN_MOUNT_ONE, NULL) &&
           !rn_mount_clone(fd, "", RN_MOUNT_ONE, &clone, NULL) &&
           fails_with(
               mount(NULL, "/proc/self/exe", NULL, MS_REMOUNT | MS_BIND, NULL),
               EINVAL) &&
           fails_with(truncate("/proc/self/exe", 0), EROFS);
}

static int tell_place(void)
{
    char target[256] = "";
    struct statvfs status = { 0 };

    if (readlink("/proc/self/exe", target, sizeof target - 1) < 0 ||
        statvfs("/proc/self/exe", &status) < 0)
        return 11;
    if (strcmp(target, "/memfd:rnet (deleted)") == 0)
        return IS_COPY;
    if ((status.f_flag & ST_RDONLY) == 0)
        return IS_WRITABLE;
    return stays_read_only() ? IS_ON_READ_ONLY_MOUNT : 12;
}

/* What the binary does; its exit status tells where it is, or which check
 * failed. */
static int act(char **argv)
{
    char name[17] = "";
    g_autoptr(GError) error = NULL;

    /* the second run comes here again and goes on */
    if (!rn_self_seal(argv, &error)) {
        (void)fprintf(stderr, "%s\n", error->message);
        return 10;
    }
    if (open("/proc/self/exe", O_WRONLY | O_CLOEXEC) >= 0 ||
        open("/proc/self/exe", O_RDWR | O_TRUNC | O_CLOEXEC) >= 0 ||
        truncate("/proc/self/exe", 0) == 0)
        return 13;
    if (strcmp(argv[2], "an argument") != 0 || argv[3] != NULL ||
        g_strcmp0(g_getenv("RNET_TEST_SEAL"), "kept") != 0)
        return 14;
    if (prctl(PR_GET_NAME, name, 0, 0, 0) < 0 ||
        !g_str_has_suffix(argv[0], name))
        return 15;
    return tell_place();
}

/* lost_cap: a capability that the program is not to have, or -1 */
static int run(const char *path, int lost_cap)
{
    const char *argv[] = { path, "act", "an argument", NULL };
    const char *env[] = { "RNET_TEST_SEAL=kept", NULL };
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (lost_cap >= 0 && prctl(PR_CAPBSET_DROP, lost_cap, 0, 0, 0) < 0)
            _exit(126);
        (void)execve(path, (char **)argv, (char **)env);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void check_sealed(int lost_cap, int expected)
{
    g_autofree char *folder = scratch_make();
    g_autofree char *path = g_build_filename(folder, "copy", NULL);
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    gsize size = 0;
    gsize size_after = 0;

    assert_true(g_file_get_contents("/proc/self/exe", &before, &size, NULL));
    assert_true(g_file_set_contents(path, before, (gssize)size, NULL));
    assert_int_equal(chmod(path, 0500), 0); /* its owner could change that */
    assert_int_equal(run(path, lost_cap), expected);
    assert_true(g_file_get_contents(path, &after, &size_after, NULL));
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    scratch_remove(folder);
}

static void binary_of_root_is_put_on_a_read_only_mount(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    check_sealed(-1, IS_ON_READ_ONLY_MOUNT);
}

static void binary_of_the_caller_is_sealed(void **state)
{
    (void)state;
    check_sealed(geteuid() == 0 ? CAP_SYS_ADMIN : -1, IS_COPY);
}

/* As as-user runs it. */
static void binary_of_root_is_run_as_it_is(void **state)
{
    struct stat status = { 0 };

    (void)state;
    assert_int_equal(stat("/proc/self/exe", &status), 0);
    if (geteuid() == 0 || status.st_uid != 0 || (status.st_mode & 022) != 0)
        skip();
    assert_int_equal(run("/proc/self/exe", -1), IS_WRITABLE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_of_root_is_put_on_a_read_only_mount),
        cmocka_unit_test(binary_of_the_caller_is_sealed),
        cmocka_unit_test(binary_of_root_is_run_as_it_is),
    };

    if (argc > 1 && strcmp(argv[1], "act") == 0)
        return act(argv);
    return cmocka_run_group_tests_name("self-seal", tests, NULL, NULL);
}
