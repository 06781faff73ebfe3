/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-timens - a time namespace with offsets, seen by its own clocks */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <rnet/sys/timens.h>
#include <rnet/util/fd.h>

#include "in-child.h"

enum {
    DAY_S = 24 * 60 * 60
};

static const char *enter(const char *offsets, GError **error)
{
    rn_autofd int proc_fd = open("/proc", O_PATH | O_CLOEXEC);

    if (unshare(CLONE_NEWUSER) < 0)
        return "cannot make a user namespace";
    return rn_timens_enter_new(proc_fd, offsets, error) ? NULL : "refused";
}

static const char *clocks_move(void *data)
{
    struct timespec before = { 0 };
    struct timespec after = { 0 };
    g_autoptr(GError) error = NULL;
    const char *problem = NULL;

    (void)data;
    (void)clock_gettime(CLOCK_BOOTTIME, &before);
    problem = enter("monotonic 86400 0\nboottime 172800 5\n", &error);
    if (problem != NULL)
        return error == NULL ? problem : g_strdup(error->message);
    (void)clock_gettime(CLOCK_BOOTTIME, &after);
    return after.tv_sec - before.tv_sec >= 2 * DAY_S
               ? NULL
               : "the clock has not moved";
}

static const char *no_offsets(void *data)
{
    g_autoptr(GError) error = NULL;
    char before[64] = "";
    char after[64] = "";
    const char *problem = NULL;

    (void)data;
    if (readlink("/proc/self/ns/time", before, sizeof before - 1) < 0)
        return "no time namespaces";
    problem = enter("", &error);
    if (problem != NULL)
        return error == NULL ? problem : g_strdup(error->message);
    if (readlink("/proc/self/ns/time", after, sizeof after - 1) < 0)
        return "no link";
    return strcmp(before, after) != 0 ? NULL : "still in the old namespace";
}

static const char *before_the_epoch(void *data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    if (enter("boottime -4000000000 0\n", &error) == NULL)
        return "accepted";
    if (error == NULL || !rn_error_is_errno(error, ERANGE) ||
        strstr(error->message, "no clock may be before 0") == NULL)
        return error == NULL ? "no error" : g_strdup(error->message);
    return NULL;
}

static void time_namespace_is_entered(void **state)
{
    static const InChildFunc cases[] = { clocks_move, no_offsets,
                                         before_the_epoch };

    (void)state;
    if (access("/proc/self/timens_offsets", F_OK) != 0)
        skip_unless_required("a kernel with time namespaces");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        run_in_child(cases[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_namespace_is_entered),
    };

    return cmocka_run_group_tests_name("timens", tests, NULL, NULL);
}
