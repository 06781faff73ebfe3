/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-pid-namespace - a namespace's processes, and nobody else's
 */
#include "config.h"

#include <unit.h>

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <rnet/sys/pid-namespace.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "in-child.h"

/*
 * The first process of a new pid namespace: a child beside it, and one in a pid
 * namespace below. Tells when they are there, and waits for its end.
 */
static G_NORETURN void init_main(int ready)
{
    pid_t pid = -1;
    int pidfd = -1;

    (void)unshare(CLONE_NEWUSER);
    for (int i = 0; i < 2; i++) {
        if (!rn_clone(i == 0 ? 0 : CLONE_NEWPID, &pid, &pidfd, NULL))
            _exit(EXIT_FAILURE);
        if (pid == 0) {
            (void)pause();
            _exit(EXIT_FAILURE);
        }
    }
    (void)!write(ready, "r", 1);
    (void)pause();
    _exit(EXIT_FAILURE);
}

static void members_are_those_inside_and_below(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) pids = NULL;
    int ready[2] = { -1, -1 };
    rn_autofd int pidfd = -1;
    pid_t pid = -1;
    char byte = 0;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    if (!rn_clone(CLONE_NEWUSER | CLONE_NEWPID, &pid, &pidfd, &error))
        skip_unless_required(error->message);
    if (pid == 0)
        init_main(ready[1]);
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(rn_pid_namespace_members(pid, &pids, &error));
    assert_no_error(error);
    assert_int_equal(pids->len, 3);
    for (unsigned i = 0; i < pids->len; i++) {
        assert_true(g_array_index(pids, pid_t, i) >= pid);
        assert_true(i == 0 || g_array_index(pids, pid_t, i) >
                                  g_array_index(pids, pid_t, i - 1));
    }
    rn_process_end(pid, &pidfd);
    (void)close(ready[0]);
}

static void process_of_this_namespace_has_none(void **state)
{
    g_autoptr(GError) error = NULL;
    GArray *pids = NULL;

    (void)state;
    assert_false(rn_pid_namespace_members(getpid(), &pids, &error));
    assert_error(error, RN_ERROR, RN_ERROR_UNSUPPORTED, "pid namespace");
    assert_null(pids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_those_inside_and_below),
        cmocka_unit_test(process_of_this_namespace_has_none),
    };

    return cmocka_run_group_tests_name("pid-namespace", tests, NULL, NULL);
}
