/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network-use - when the path of a namespace leads to it no longer
 *
 * The processes in it are left to test-attach-ends: those of this test's are
 * children of the caller, which do not count.
 */
#include "config.h"

#include <unit.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rnet/runtime/network-use.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "holder.h"
#include "scratch.h"

enum {
    TIMEOUT_MS = 20000
};

/* A namespace, a link to it in a directory, and who watches that. */
typedef struct Watched {
    Holder holder;
    char *target; /* below /proc */
    char *scratch, *folder, *link;
    RnLoop *loop;
    RnNetworkUse *use;
    bool has_ended, is_late;
} Watched;

static void note_end(void *data)
{
    Watched *watched = data;

    watched->has_ended = true;
    rn_loop_quit(watched->loop);
}

static void note_late(RnTimer *timer)
{
    Watched *watched = timer->data;

    watched->is_late = true;
    rn_loop_quit(watched->loop);
}

static void await_end(Watched *watched)
{
    RnTimer timer = { 0 };
    g_autoptr(GError) error = NULL;

    rn_loop_set_timer(watched->loop, &timer, TIMEOUT_MS, note_late, watched);
    assert_true(rn_loop_run(watched->loop, &error));
    rn_timer_cancel(&timer);
    assert_false(watched->is_late);
    assert_true(watched->has_ended);
}

/* What is there to be done is done, and it is not the end. */
static void expect_none(Watched *watched)
{
    g_autoptr(GError) error = NULL;

    assert_true(rn_loop_turn(watched->loop, 0, &error));
    assert_false(watched->has_ended);
}

static void watch(Watched *watched, const char *path, bool until_unused)
{
    g_autoptr(GError) error = NULL;
    struct stat status = { 0 };
    RnNetworkUseRequest request = {
        .path = path,
        .until_unused = until_unused,
        .ended = note_end,
        .data = watched,
    };

    assert_int_equal(stat(watched->target, &status), 0);
    request.dev = status.st_dev;
    request.ino = status.st_ino;
    watched->use = rn_network_use_new(&request, watched->loop, &error);
    assert_no_error(error);
}

static int set_up(void **state)
{
    Watched *watched = g_new0(Watched, 1);

    holder_start(&watched->holder, CLONE_NEWUSER | CLONE_NEWNET);
    watched->target = holder_ns_path(watched->holder.pid, "net");
    watched->scratch = scratch_make();
    watched->folder = g_build_filename(watched->scratch, "netns", NULL);
    watched->link = g_build_filename(watched->folder, "web", NULL);
    watched->loop = rn_loop_new(NULL);
    assert_int_equal(mkdir(watched->folder, 0700), 0);
    assert_int_equal(symlink(watched->target, watched->link), 0);
    *state = watched;
    return 0;
}

static int tear_down(void **state)
{
    Watched *watched = *state;

    rn_network_use_free(watched->use);
    rn_loop_free(watched->loop);
    holder_end(&watched->holder);
    scratch_remove(watched->scratch);
    g_free(watched->scratch);
    g_free(watched->folder);
    g_free(watched->link);
    g_free(watched->target);
    g_free(watched);
    return 0;
}

static void removed_path_is_the_end(void **state)
{
    Watched *watched = *state;

    watch(watched, watched->link, false);
    expect_none(watched);
    assert_int_equal(unlink(watched->link), 0);
    await_end(watched);
}

static void path_to_another_namespace_is_the_end(void **state)
{
    Watched *watched = *state;
    g_autofree char *other = g_strconcat(watched->link, "-new", NULL);

    watch(watched, watched->link, false);
    assert_int_equal(symlink("/proc/self/ns/net", other), 0);
    expect_none(watched);
    assert_int_equal(rename(other, watched->link), 0);
    await_end(watched);
}

static void moved_directory_is_the_end(void **state)
{
    Watched *watched = *state;
    g_autofree char *elsewhere = g_strconcat(watched->folder, "-old", NULL);

    watch(watched, watched->link, false);
    expect_none(watched);
    assert_int_equal(rename(watched->folder, elsewhere), 0);
    await_end(watched);
}

static void path_of_a_process_ends_with_it(void **state)
{
    Watched *watched = *state;
    g_autoptr(GError) error = NULL;

    watch(watched, watched->target, false);
    expect_none(watched);
    assert_true(rn_pidfd_signal(watched->holder.pidfd, SIGKILL, &error));
    assert_true(rn_process_reap(watched->holder.pid, NULL, &error));
    watched->holder.pid = 0;
    await_end(watched);
}

static void path_that_leads_elsewhere_already_is_the_end(void **state)
{
    Watched *watched = *state;

    watch(watched, "/proc/self/ns/net", false);
    await_end(watched);
}

static void unused_namespace_is_the_end_unless_a_path_leads_there(void **state)
{
    Watched *watched = *state;

    watch(watched, watched->link, true);
    expect_none(watched);
    rn_network_use_free(watched->use);
    watch(watched, NULL, true);
    await_end(watched);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(removed_path_is_the_end),
        TEST(path_to_another_namespace_is_the_end),
        TEST(moved_directory_is_the_end),
        TEST(path_of_a_process_ends_with_it),
        TEST(path_that_leads_elsewhere_already_is_the_end),
        TEST(unused_namespace_is_the_end_unless_a_path_leads_there),
    };

    return cmocka_run_group_tests_name("network-use", tests, NULL, NULL);
}
