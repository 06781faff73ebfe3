/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop - the event loop of every rnet process: epoll and one-shot timers
 *
 * Watches and timers are embedded in their owner's structure and borrowed by
 * the loop; removing one that is already removed (or never was added) is
 * harmless. A callback may remove and free any watch, its own included: events
 * of this turn for a removed watch are dropped.
 */
#ifndef RNET_SYS_LOOP_H
#define RNET_SYS_LOOP_H

#include <stdint.h>

#include <sys/epoll.h>

#include <rnet/util/error.h>

typedef struct RnLoop RnLoop;
typedef struct RnWatch RnWatch;
typedef struct RnTimer RnTimer;

typedef void (*RnWatchFunc)(RnWatch *watch, uint32_t events);
typedef void (*RnTimerFunc)(RnTimer *timer);

/* Zero it, then rn_loop_add(). The members are the loop's to write. */
struct RnWatch {
    int fd; /* borrowed */
    uint32_t events;
    RnWatchFunc func;
    void *data; /* the owner's */
    RnLoop *loop; /* NULL while not added */
};

/* Zero it, then rn_loop_set_timer(). */
struct RnTimer {
    int64_t deadline_ms; /* CLOCK_MONOTONIC */
    RnTimerFunc func;
    void *data;
    RnLoop *loop; /* NULL while not set */
};

RnLoop *rn_loop_new(GError **error) RN_CHECK;
void rn_loop_free(RnLoop *loop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnLoop, rn_loop_free)

/* The epoll fd, for a caller that polls it among others. */
int rn_loop_fd(const RnLoop *loop);

/* Watches fd for `events` (EPOLLIN, ..., EPOLLET). */
bool rn_loop_add(RnLoop *loop, RnWatch *watch, int fd, uint32_t events,
                 RnWatchFunc func, void *data, GError **error) RN_CHECK;

/* Changes the events of an added watch; a no-op if they are the same. */
void rn_watch_set_events(RnWatch *watch, uint32_t events);

/* Call it before the fd is closed. */
void rn_watch_remove(RnWatch *watch);

/* (Re)arms a timer to fire once, delay_ms from now. */
void rn_loop_set_timer(RnLoop *loop, RnTimer *timer, int64_t delay_ms,
                       RnTimerFunc func, void *data);
void rn_timer_cancel(RnTimer *timer);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t rn_clock_ms(void);

/* Milliseconds until the next timer is due, 0 if overdue, -1: none. */
int rn_loop_next_timeout(RnLoop *loop);

/*
 * One turn: waits for events at most timeout_ms (-1: until the next timer),
 * dispatches them, then the due timers.
 */
bool rn_loop_turn(RnLoop *loop, int timeout_ms, GError **error) RN_CHECK;

/*
 * The two halves of a turn, for a caller that has work between them: waiting,
 * which calls nobody, and dispatching what was waited for and the due timers.
 * After a failed wait, or none, there are only timers to dispatch.
 */
bool rn_loop_wait(RnLoop *loop, int timeout_ms, GError **error) RN_CHECK;
void rn_loop_dispatch(RnLoop *loop);

/* Turns until rn_loop_quit(). */
bool rn_loop_run(RnLoop *loop, GError **error) RN_CHECK;
void rn_loop_quit(RnLoop *loop);

#endif
