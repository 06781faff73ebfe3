/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-oom-watch - kills for want of memory are counted, other events not
 *
 * A directory with a memory.events stands for a cgroup of v2. A real one of v1
 * is taken where the test may make one.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <rnet/sys/oom-watch.h>
#include <rnet/util/fd.h>

#include "in-child.h"
#include "scratch.h"

enum {
    DEADLINE_MS = 20000, /* a poll that takes longer has failed */
};

static bool is_ready(const RnOomWatch *watch, int timeout_ms)
{
    struct pollfd one = { .fd = rn_oom_watch_fd(watch), .events = POLLIN };

    return poll(&one, 1, timeout_ms) == 1;
}

static void write_events(const char *path, unsigned oom, unsigned kills)
{
    g_autofree char *text = g_strdup_printf(
        "low 0\nhigh 0\nmax 7\noom %u\noom_kill %u\noom_group_kill 0\n", oom,
        kills);
    rn_autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void unified_counts_new_kills(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autofree char *path = g_build_filename(directory, "memory.events", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(RnOomWatch) watch = NULL;

    (void)state;
    write_events(path, 2, 1);
    watch = rn_oom_watch_new(directory, &error);
    assert_no_error(error);
    assert_false(is_ready(watch, 0)); /* the kill before is not news */
    assert_int_equal(rn_oom_watch_take(watch), 0);
    write_events(path, 3, 3);
    assert_true(is_ready(watch, DEADLINE_MS));
    assert_int_equal(rn_oom_watch_take(watch), 2);
    assert_false(is_ready(watch, 0));
    write_events(path, 4, 3); /* out of memory, and nobody was killed */
    assert_true(is_ready(watch, DEADLINE_MS));
    assert_int_equal(rn_oom_watch_take(watch), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rn_oom_watch_take(watch), 0);
    scratch_remove(directory);
}

static void no_memory_controller_is_unsupported(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_null(rn_oom_watch_new(directory, &error));
    assert_error(error, RN_ERROR, RN_ERROR_UNSUPPORTED, "memory controller");
    scratch_remove(directory);
}

static void missing_cgroup_is_named(void **state)
{
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_null(rn_oom_watch_new("/nonexistent/cgroup", &error));
    assert_error(error, RN_ERRNO, ENOENT, "\"/nonexistent/cgroup\"");
}

static bool put(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    return rn_file_write(AT_FDCWD, path, text, NULL);
}

/* Joins the cgroup and takes more memory than it may have. */
static G_NORETURN void eat_main(const char *directory)
{
    const size_t size = 64 * 1024 * 1024;
    char *memory = NULL;

    if (!put(directory, "cgroup.procs", "0"))
        _exit(EXIT_FAILURE);
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED)
        memset(memory, 1, size);
    _exit(EXIT_FAILURE);
}

static void legacy_tells_a_kill(void **state)
{
    char directory[64] = ""; /* not freed when skipping jumps away */
    g_autoptr(GError) error = NULL;
    g_autoptr(RnOomWatch) watch = NULL;
    uint64_t kills = 0;
    pid_t pid = -1;
    int status = 0;

    (void)state;
    (void)snprintf(directory, sizeof directory,
                   "/sys/fs/cgroup/memory/rnet-test-oom-%d", (int)getpid());
    if (mkdir(directory, 0700) < 0) {
        print_message("# not here: a memory cgroup of v1\n");
        skip();
    }
    if (!put(directory, "memory.limit_in_bytes", "8388608"))
        status = -1;
    (void)put(directory, "memory.swappiness", "0");
    watch = rn_oom_watch_new(directory, &error);
    if (watch != NULL && status == 0) {
        assert_false(is_ready(watch, 0));
        pid = fork();
        if (pid == 0)
            eat_main(directory);
        (void)waitpid(pid, &status, 0);
        /* before it is removed, which counts up too */
        (void)is_ready(watch, DEADLINE_MS);
        kills = rn_oom_watch_take(watch);
    }
    (void)rmdir(directory);
    assert_no_error(error);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(kills > 0);
    /* the removal is no kill */
    assert_int_equal(rn_oom_watch_take(watch), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unified_counts_new_kills),
        cmocka_unit_test(no_memory_controller_is_unsupported),
        cmocka_unit_test(missing_cgroup_is_named),
        cmocka_unit_test(legacy_tells_a_kill),
    };

    return cmocka_run_group_tests_name("oom-watch", tests, NULL, NULL);
}
