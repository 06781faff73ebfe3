/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-loop - order, removal inside callbacks, timers
 */
#include "config.h"

#include <unit.h>

#include <unistd.h>

#include <rnet/sys/loop.h>
#include <rnet/util/fd.h>

typedef struct Fixture {
    RnLoop *loop;
    int pipes[2][2];
    RnWatch *watches[2];
    RnTimer timers[3];
    unsigned calls;
    char order[8];
} Fixture;

static int make_fixture(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);

    *state = fixture;
    fixture->loop = rn_loop_new(NULL);
    for (unsigned i = 0; i < 2; i++) {
        fixture->watches[i] = g_new0(RnWatch, 1);
        if (pipe(fixture->pipes[i]) < 0)
            return -1;
    }
    return fixture->loop == NULL ? -1 : 0;
}

static int free_fixture(void **state)
{
    Fixture *fixture = *state;

    for (unsigned i = 0; i < 2; i++) {
        if (fixture->watches[i] != NULL)
            rn_watch_remove(fixture->watches[i]);
        g_free(fixture->watches[i]);
        rn_fd_close(&fixture->pipes[i][0]);
        rn_fd_close(&fixture->pipes[i][1]);
    }
    rn_loop_free(fixture->loop);
    g_free(fixture);
    return 0;
}

static void count_call(RnWatch *watch, uint32_t events)
{
    Fixture *fixture = watch->data;

    assert_true((events & EPOLLIN) != 0);
    fixture->calls++;
}

/* Removes and frees both watches: the other one's event must be dropped. */
static void free_all(RnWatch *watch, uint32_t events)
{
    Fixture *fixture = watch->data;

    (void)events;
    fixture->calls++;
    for (unsigned i = 0; i < 2; i++) {
        rn_watch_remove(fixture->watches[i]);
        g_clear_pointer(&fixture->watches[i], g_free);
    }
}

static void watch_both(Fixture *fixture, RnWatchFunc func)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_true(rn_loop_add(fixture->loop, fixture->watches[i],
                                fixture->pipes[i][0], EPOLLIN, func, fixture,
                                NULL));
        assert_int_equal(write(fixture->pipes[i][1], "x", 1), 1);
    }
}

static void ready_fds_are_all_called(void **state)
{
    Fixture *fixture = *state;

    watch_both(fixture, count_call);
    assert_true(rn_loop_turn(fixture->loop, 0, NULL));
    assert_int_equal(fixture->calls, 2);
}

static void watch_freed_in_a_callback_is_not_called(void **state)
{
    Fixture *fixture = *state;

    watch_both(fixture, free_all);
    assert_true(rn_loop_turn(fixture->loop, 0, NULL));
    assert_int_equal(fixture->calls, 1);
}

static void watch_removed_between_wait_and_dispatch_is_not_called(void **state)
{
    Fixture *fixture = *state;

    watch_both(fixture, count_call);
    assert_true(rn_loop_wait(fixture->loop, 0, NULL));
    assert_int_equal(fixture->calls, 0);
    rn_watch_remove(fixture->watches[0]);
    rn_loop_dispatch(fixture->loop);
    assert_int_equal(fixture->calls, 1);
    rn_loop_dispatch(fixture->loop); /* nothing was waited for since */
    assert_int_equal(fixture->calls, 1);
}

static void events_can_be_turned_off(void **state)
{
    Fixture *fixture = *state;

    watch_both(fixture, count_call);
    rn_watch_set_events(fixture->watches[0], 0);
    assert_true(rn_loop_turn(fixture->loop, 0, NULL));
    assert_int_equal(fixture->calls, 1);
}

static void note_timer(RnTimer *timer)
{
    Fixture *fixture = timer->data;

    fixture->order[fixture->calls++] = (char)('a' + (timer - fixture->timers));
}

static void due_timers_fire_in_order_and_once(void **state)
{
    Fixture *fixture = *state;

    rn_loop_set_timer(fixture->loop, &fixture->timers[0], 0, note_timer,
                      fixture);
    rn_loop_set_timer(fixture->loop, &fixture->timers[1], -50, note_timer,
                      fixture);
    rn_loop_set_timer(fixture->loop, &fixture->timers[2], 3600 * 1000,
                      note_timer, fixture);
    fixture->timers[1].deadline_ms -= 10; /* before the first */
    assert_true(rn_loop_turn(fixture->loop, 0, NULL));
    assert_true(rn_loop_turn(fixture->loop, 0, NULL));
    assert_string_equal(fixture->order, "ba");
    assert_true(rn_loop_next_timeout(fixture->loop) > 1000);
    rn_timer_cancel(&fixture->timers[2]);
    assert_int_equal(rn_loop_next_timeout(fixture->loop), -1);
}

static void rearm_timer(RnTimer *timer)
{
    Fixture *fixture = timer->data;

    fixture->calls++;
    if (fixture->calls < 3)
        rn_loop_set_timer(fixture->loop, timer, 0, rearm_timer, fixture);
    else
        rn_loop_quit(fixture->loop);
}

static void timer_that_rearms_itself_waits_for_a_turn(void **state)
{
    Fixture *fixture = *state;

    rn_loop_set_timer(fixture->loop, &fixture->timers[0], 0, rearm_timer,
                      fixture);
    assert_true(rn_loop_turn(fixture->loop, 0, NULL));
    assert_int_equal(fixture->calls, 1);
    assert_true(rn_loop_run(fixture->loop, NULL));
    assert_int_equal(fixture->calls, 3);
}

#define with_fixture(test)                                                     \
    cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_fixture(ready_fds_are_all_called),
        with_fixture(watch_freed_in_a_callback_is_not_called),
        with_fixture(watch_removed_between_wait_and_dispatch_is_not_called),
        with_fixture(events_can_be_turned_off),
        with_fixture(due_timers_fire_in_order_and_once),
        with_fixture(timer_that_rearms_itself_waits_for_a_turn),
    };

    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
