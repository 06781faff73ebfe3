/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-schedule - scheduler, I/O priority and CPU lists: words and effects
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <rnet/sys/schedule.h>

#include "in-child.h"

static void words_become_numbers(void **state)
{
    uint32_t policy = 0;
    uint64_t flag = 0;
    int io_class = 0;

    (void)state;
    assert_true(rn_scheduler_parse_policy("SCHED_RR", &policy));
    assert_int_equal(policy, SCHED_RR);
    assert_true(rn_scheduler_parse_policy("SCHED_DEADLINE", &policy));
    assert_int_equal(policy, 6);
    assert_true(rn_scheduler_parse_flag("SCHED_FLAG_RESET_ON_FORK", &flag));
    assert_int_equal(flag, 1);
    assert_true(rn_io_priority_parse_class("IOPRIO_CLASS_IDLE", &io_class));
    assert_int_equal(io_class, 3);
    assert_false(rn_scheduler_parse_policy("SCHED_", &policy));
    assert_false(rn_scheduler_parse_flag("SCHED_RR", &flag));
    assert_false(rn_io_priority_parse_class("idle", &io_class));
}

static void good_cpu_lists_are_accepted(void **state)
{
    static const char *const lists[] = { "0",       "0-3,7",   "8191",
                                         " 0 , 2 ", ",1,,2-2", "0-8191" };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(GError) error = NULL;

        assert_true(rn_cpu_list_check(lists[i], &error));
        assert_no_error(error);
    }
}

static void bad_cpu_lists_are_refused(void **state)
{
    static const struct {
        const char *list, *part;
    } cases[] = {
        { "", "empty" },
        { " , ", "empty" },
        { "x", "CPU \"x\"" },
        { "-1", "CPU \"\"" },
        { "1-", "CPU \"\"" },
        { "3-1", "\"3-1\" ends before it begins" },
        { "8192", "CPU \"8192\"" },
        { "0-99999999999999999999", "CPU \"99999999999999999999\"" },
        { "0-3-5", "CPU \"3-5\"" },
    };
    g_autofree char *long_list = g_strnfill(70000, ',');
    g_autoptr(GError) error = NULL;

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) failure = NULL;

        assert_false(rn_cpu_list_check(cases[i].list, &failure));
        assert_error(failure, RN_ERROR, RN_ERROR_INVALID, cases[i].part);
    }
    assert_false(rn_cpu_list_check(long_list, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "longer than 65536");
}

static const char *batch_with_nice(void *data)
{
    const RnScheduler wanted = { .policy = SCHED_BATCH, .nice = 5 };
    g_autoptr(GError) error = NULL;

    (void)data;
    if (!rn_scheduler_set(&wanted, &error))
        return g_strdup(error->message);
    if (sched_getscheduler(0) != SCHED_BATCH)
        return "policy not set";
    return getpriority(PRIO_PROCESS, 0) == 5 ? NULL : "nice value not set";
}

static const char *impossible_policy(void *data)
{
    const RnScheduler wanted = { .policy = SCHED_FIFO, .priority = 4711 };
    g_autoptr(GError) error = NULL;

    (void)data;
    if (rn_scheduler_set(&wanted, &error))
        return "accepted";
    if (!rn_error_is_errno(error, EINVAL) ||
        strstr(error->message, "set SCHED_FIFO, nice 0, priority 4711") == NULL)
        return g_strdup(error->message);
    return NULL;
}

static const char *idle_io(void *data)
{
    const RnIoPriority wanted = { .io_class = IOPRIO_CLASS_IDLE };
    g_autoptr(GError) error = NULL;

    (void)data;
    if (!rn_io_priority_set(&wanted, &error))
        return g_strdup(error->message);
    return syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) ==
                   IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)
               ? NULL
               : "not set";
}

/* On the first CPU that the test may use. */
static const char *one_cpu(void *data)
{
    g_autofree char *list = NULL;
    g_autoptr(GError) error = NULL;
    cpu_set_t set;
    int first = 0;

    (void)data;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return "no affinity";
    while (!CPU_ISSET(first, &set))
        first++;
    list = g_strdup_printf("%d", first);
    if (!rn_cpu_affinity_set(list, &error))
        return g_strdup(error->message);
    if (sched_getaffinity(0, sizeof set, &set) < 0 || CPU_COUNT(&set) != 1 ||
        !CPU_ISSET(first, &set))
        return "not set";
    return NULL;
}

static const char *missing_cpu(void *data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    if (rn_cpu_affinity_set("8191", &error))
        return "accepted";
    if (!rn_error_is_errno(error, EINVAL) ||
        strstr(error->message, "run on the CPUs \"8191\"") == NULL)
        return g_strdup(error->message);
    return NULL;
}

static void settings_have_their_effect(void **state)
{
    static const InChildFunc cases[] = { batch_with_nice, impossible_policy,
                                         idle_io, one_cpu, missing_cpu };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        run_in_child(cases[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_numbers),
        cmocka_unit_test(good_cpu_lists_are_accepted),
        cmocka_unit_test(bad_cpu_lists_are_refused),
        cmocka_unit_test(settings_have_their_effect),
    };

    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
