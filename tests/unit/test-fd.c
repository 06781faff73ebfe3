/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-fd - bounded reads, refused file types, and which fds a child keeps
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include <rnet/util/fd.h>

static int make_directory(void **state)
{
    char *path = g_strdup("/tmp/rnet-test-fd.XXXXXX");

    *state = path;
    return g_mkdtemp(path) == NULL ? -1 : 0;
}

static int remove_directory(void **state)
{
    g_autofree char *path = *state;
    g_autofree char *file = g_build_filename(path, "file", NULL);
    g_autofree char *fifo = g_build_filename(path, "fifo", NULL);

    (void)unlink(file);
    (void)unlink(fifo);
    return rmdir(path);
}

static void read_at_the_bound_is_whole(void **state)
{
    g_autofree char *file = g_build_filename(*state, "file", NULL);
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) error = NULL;

    assert_true(g_file_set_contents(file, "12345", 5, NULL));
    assert_true(rn_file_read(AT_FDCWD, file, 5, &text, &length, &error));
    assert_no_error(error);
    assert_int_equal(length, 5);
    assert_string_equal(text, "12345");
}

static void read_over_the_bound_is_refused(void **state)
{
    g_autofree char *file = g_build_filename(*state, "file", NULL);
    char *text = NULL;
    g_autoptr(GError) error = NULL;

    assert_true(g_file_set_contents(file, "123456", 6, NULL));
    assert_false(rn_file_read(AT_FDCWD, file, 5, &text, NULL, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "larger than 5 bytes");
    assert_null(text);
}

static void read_of_a_fifo_is_refused_at_once(void **state)
{
    g_autofree char *fifo = g_build_filename(*state, "fifo", NULL);
    char *text = NULL;
    g_autoptr(GError) error = NULL;

    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_false(rn_file_read(AT_FDCWD, fifo, 5, &text, NULL, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "not a regular file");
}

static void read_of_a_missing_file_names_it(void **state)
{
    g_autofree char *file = g_build_filename(*state, "file", NULL);
    char *text = NULL;
    g_autoptr(GError) error = NULL;

    (void)unlink(file);
    assert_false(rn_file_read(AT_FDCWD, file, 5, &text, NULL, &error));
    assert_error(error, RN_ERRNO, ENOENT, file);
}

static void write_does_not_create(void **state)
{
    g_autofree char *file = g_build_filename(*state, "file", NULL);
    g_autoptr(GError) error = NULL;

    (void)unlink(file);
    assert_false(rn_file_write(AT_FDCWD, file, "x", &error));
    assert_error(error, RN_ERRNO, ENOENT, file);
    assert_int_not_equal(access(file, F_OK), 0);
}

static void close_keeps_errno_and_forgets(void **state)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    errno = ERANGE;
    rn_fd_close(&fd);
    assert_int_equal(fd, -1);
    rn_fd_close(&fd);
    assert_int_equal(errno, ERANGE);
}

/* In a child: three fds, the middle one kept; the exit status tells. */
G_GNUC_NORETURN static void close_in_child(void)
{
    int fds[3] = { -1, -1, -1 };
    bool as_expected = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 20 + 10 * (int)i);
    rn_fd_close_all_but(&fds[1], 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++) {
        bool is_open = fcntl(fds[i], F_GETFD) >= 0;

        as_expected = as_expected && is_open == (i == 1);
    }
    as_expected = as_expected && fcntl(STDERR_FILENO, F_GETFD) >= 0;
    _exit(as_expected ? 0 : 1);
}

static void close_all_but_keeps_what_it_should(void **state)
{
    int status = 0;
    pid_t pid = fork();

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0)
        close_in_child();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_at_the_bound_is_whole),
        cmocka_unit_test(read_over_the_bound_is_refused),
        cmocka_unit_test(read_of_a_fifo_is_refused_at_once),
        cmocka_unit_test(read_of_a_missing_file_names_it),
        cmocka_unit_test(write_does_not_create),
        cmocka_unit_test(close_keeps_errno_and_forgets),
        cmocka_unit_test(close_all_but_keeps_what_it_should),
    };

    return cmocka_run_group_tests_name("fd", tests, make_directory,
                                       remove_directory);
}
