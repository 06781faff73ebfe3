/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-self-seal - a binary that its caller owns runs as a sealed copy
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

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <rnet/sys/self-seal.h>
#include <rnet/util/fd.h>

#include "scratch.h"

/* What the copy does; its exit status tells which check failed. */
static int act(char **argv)
{
    char target[256] = "";
    char name[17] = "";
    g_autoptr(GError) error = NULL;

    /* the second run comes here again and goes on */
    if (!rn_self_seal(argv, &error)) {
        (void)fprintf(stderr, "%s\n", error->message);
        return 10;
    }
    if (readlink("/proc/self/exe", target, sizeof target - 1) < 0 ||
        strcmp(target, "/memfd:rnet (deleted)") != 0)
        return 11;
    if (open("/proc/self/exe", O_WRONLY | O_CLOEXEC) >= 0)
        return 12;
    if (open("/proc/self/exe", O_RDWR | O_TRUNC | O_CLOEXEC) >= 0 ||
        truncate("/proc/self/exe", 0) == 0)
        return 13;
    if (strcmp(argv[2], "an argument") != 0 || argv[3] != NULL ||
        g_strcmp0(g_getenv("RNET_TEST_SEAL"), "kept") != 0)
        return 14;
    if (prctl(PR_GET_NAME, name, 0, 0, 0) < 0 || strcmp(name, "copy") != 0)
        return 15;
    return 0;
}

static int run(const char *path)
{
    const char *argv[] = { path, "act", "an argument", NULL };
    const char *env[] = { "RNET_TEST_SEAL=kept", NULL };
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execve(path, (char **)argv, (char **)env);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void binary_of_the_caller_is_sealed(void **state)
{
    g_autofree char *folder = scratch_make();
    g_autofree char *path = g_build_filename(folder, "copy", NULL);
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    gsize size = 0;
    gsize size_after = 0;

    (void)state;
    assert_true(g_file_get_contents("/proc/self/exe", &before, &size, NULL));
    assert_true(g_file_set_contents(path, before, (gssize)size, NULL));
    assert_int_equal(chmod(path, 0500), 0); /* its owner could change that */
    assert_int_equal(run(path), 0);
    assert_true(g_file_get_contents(path, &after, &size_after, NULL));
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    scratch_remove(folder);
}

/* As as-user runs it. */
static void binary_of_root_is_run_as_it_is(void **state)
{
    struct stat status = { 0 };

    (void)state;
    assert_int_equal(stat("/proc/self/exe", &status), 0);
    if (geteuid() == 0 || status.st_uid != 0 || (status.st_mode & 022) != 0)
        skip();
    assert_int_equal(run("/proc/self/exe"), 11);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_of_the_caller_is_sealed),
        cmocka_unit_test(binary_of_root_is_run_as_it_is),
    };

    if (argc > 1 && strcmp(argv[1], "act") == 0)
        return act(argv);
    return cmocka_run_group_tests_name("self-seal", tests, NULL, NULL);
}
