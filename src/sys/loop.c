/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop - epoll and one-shot timers for single-threaded processes
 *
 * Runs in the monitor, the relay and nsagent. The batch of events of one
 * epoll_wait(2) is kept in the loop, so that removing a watch can strike it
 * from the batch: a callback may free any watch. Timers are few (a process has
 * a handful), so they sit in an array that is searched.
 */
#include "config.h"

#include <rnet/sys/loop.h>

#include <errno.h>
#include <unistd.h>

#include <rnet/util/fd.h>

enum {
    BATCH = 64
};

struct RnLoop {
    int epoll_fd;
    bool running;
    struct epoll_event batch[BATCH];
    int n_batch;
    GPtrArray *timers; /* of RnTimer, borrowed */
};

RnLoop *rn_loop_new(GError **error)
{
    g_autoptr(RnLoop) loop = g_new0(RnLoop, 1);

    loop->timers = g_ptr_array_new();
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        (void)rn_set_errno(error, errno, "create an epoll instance");
        return NULL;
    }
    return g_steal_pointer(&loop);
}

void rn_loop_free(RnLoop *loop)
{
    if (loop == NULL)
        return;
    rn_fd_close(&loop->epoll_fd);
    g_ptr_array_unref(loop->timers);
    g_free(loop);
}

int rn_loop_fd(const RnLoop *loop)
{
    return loop->epoll_fd;
}

bool rn_loop_add(RnLoop *loop, RnWatch *watch, int fd, uint32_t events,
                 RnWatchFunc func, void *data, GError **error)
{
    struct epoll_event event = { .events = events, .data.ptr = watch };

    g_return_val_if_fail(watch->loop == NULL, false);
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return rn_set_errno(error, errno, "watch fd %d", fd);
    *watch = (RnWatch){
        .fd = fd,
        .events = events,
        .func = func,
        .data = data,
        .loop = loop,
    };
    return true;
}

void rn_watch_set_events(RnWatch *watch, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = watch };

    if (watch->loop == NULL || watch->events == events)
        return;
    /* can only fail for an fd that is not in the set: a programmer's error */
    if (epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0)
        g_critical("change a watch: %s", g_strerror(errno));
    watch->events = events;
}

void rn_watch_remove(RnWatch *watch)
{
    RnLoop *loop = watch->loop;

    if (loop == NULL)
        return;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL) < 0)
        g_critical("remove a watch: %s", g_strerror(errno));
    for (int i = 0; i < loop->n_batch; i++) {
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
    }
    watch->loop = NULL;
}

int64_t rn_clock_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

void rn_loop_set_timer(RnLoop *loop, RnTimer *timer, int64_t delay_ms,
                       RnTimerFunc func, void *data)
{
    if (timer->loop == NULL)
        g_ptr_array_add(loop->timers, timer);
    timer->deadline_ms = rn_clock_ms() + MAX(delay_ms, 0);
    timer->func = func;
    timer->data = data;
    timer->loop = loop;
}

void rn_timer_cancel(RnTimer *timer)
{
    if (timer->loop == NULL)
        return;
    g_ptr_array_remove_fast(timer->loop->timers, timer);
    timer->loop = NULL;
}

static RnTimer *find_first_timer(const RnLoop *loop)
{
    RnTimer *first = NULL;

    for (unsigned i = 0; i < loop->timers->len; i++) {
        RnTimer *timer = g_ptr_array_index(loop->timers, i);

        if (first == NULL || timer->deadline_ms < first->deadline_ms)
            first = timer;
    }
    return first;
}

int rn_loop_next_timeout(RnLoop *loop)
{
    const RnTimer *first = find_first_timer(loop);

    if (first == NULL)
        return -1;
    return (int)CLAMP(first->deadline_ms - rn_clock_ms(), 0, G_MAXINT);
}

/* Fires what was due when the turn began; a timer that sets itself again with
 * no delay waits for the next turn, so that fds get their share. */
static void fire_timers(RnLoop *loop)
{
    int64_t now = rn_clock_ms();
    unsigned budget = loop->timers->len;
    RnTimer *timer = NULL;

    while (budget-- > 0 && (timer = find_first_timer(loop)) != NULL &&
           timer->deadline_ms <= now) {
        rn_timer_cancel(timer);
        timer->func(timer);
    }
}

bool rn_loop_wait(RnLoop *loop, int timeout_ms, GError **error)
{
    int next_ms = rn_loop_next_timeout(loop);

    if (timeout_ms < 0 || (next_ms >= 0 && next_ms < timeout_ms))
        timeout_ms = next_ms;
    loop->n_batch = epoll_wait(loop->epoll_fd, loop->batch, BATCH, timeout_ms);
    if (loop->n_batch >= 0)
        return true;
    loop->n_batch = 0;
    return errno == EINTR || rn_set_errno(error, errno, "wait for events");
}

void rn_loop_dispatch(RnLoop *loop)
{
    for (int i = 0; i < loop->n_batch; i++) {
        RnWatch *watch = loop->batch[i].data.ptr;

        if (watch != NULL)
            watch->func(watch, loop->batch[i].events);
    }
    loop->n_batch = 0;
    if (loop->timers->len > 0)
        fire_timers(loop);
}

bool rn_loop_turn(RnLoop *loop, int timeout_ms, GError **error)
{
    if (!rn_loop_wait(loop, timeout_ms, error))
        return false;
    rn_loop_dispatch(loop);
    return true;
}

bool rn_loop_run(RnLoop *loop, GError **error)
{
    loop->running = true;
    while (loop->running) {
        if (!rn_loop_turn(loop, -1, error))
            return false;
    }
    return true;
}

void rn_loop_quit(RnLoop *loop)
{
    loop->running = false;
}
