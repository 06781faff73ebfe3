/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events - a loop over a timer, the memory cgroup and the end of init
 *
 * Runs in `rnet events`, which changes nothing. A failure ends the loop, and
 * is the command's; but what cannot be read because the container has just
 * ended is its end.
 */
#include "config.h"

#include <rnet/runtime/events.h>

#include <rnet/oci/json.h>
#include <rnet/sys/loop.h>
#include <rnet/sys/oom-watch.h>
#include <rnet/util/log.h>

typedef struct Follower {
    const RnManaged *managed;
    int64_t interval_ms;
    RnEventFunc emit;
    RnLoop *loop;
    RnOomWatch *oom; /* NULL: cannot be watched */
    RnTimer timer;
    RnWatch end_watch, oom_watch;
    GError *failure;
} Follower;

/* `take_data` may be NULL: there is none. */
static bool emit_event(const RnManaged *managed, const char *type,
                       json_t *take_data, RnEventFunc emit, GError **error)
{
    g_autoptr(json_t) event = json_pack("{s:s, s:s}", "type", type, "id",
                                        rn_managed_record(managed)->id);
    g_autofree char *text = NULL;
    g_autofree char *line = NULL;

    if (take_data != NULL)
        (void)json_object_set_new(event, "data", take_data);
    text = json_dumps(event, JSON_COMPACT | JSON_PRESERVE_ORDER);
    line = g_strconcat(text, "\n", NULL);
    return emit(line, error);
}

static bool check_running(const RnManaged *managed, GError **error)
{
    const char *id = rn_managed_record(managed)->id;

    if (rn_managed_pid(managed) == 0)
        return rn_set_error(error, RN_ERROR_STATE,
                            "container \"%s\" is stopped", id);
    if (!rn_cgroup_exists(rn_managed_cgroup(managed)))
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "container \"%s\" has no cgroup: nothing counts "
                            "what it uses",
                            id);
    return true;
}

bool rn_events_stats(const RnManaged *managed, RnEventFunc emit, GError **error)
{
    json_t *stats = NULL;

    if (!check_running(managed, error))
        return false;
    stats = rn_cgroup_stats(rn_managed_cgroup(managed), error);
    return stats != NULL && emit_event(managed, "stats", stats, emit, error);
}

/* Ends the loop; `failure` may be unset. */
static void finish(Follower *follower, GError *take_failure)
{
    g_clear_error(&follower->failure);
    follower->failure = take_failure;
    rn_loop_quit(follower->loop);
}

static void tell_kills(Follower *follower)
{
    uint64_t kills = rn_oom_watch_take(follower->oom);
    GError *failure = NULL;

    for (; kills > 0; kills--) {
        if (!emit_event(follower->managed, "oom", NULL, follower->emit,
                        &failure)) {
            finish(follower, failure);
            return;
        }
    }
}

static void on_oom(RnWatch *watch, uint32_t events)
{
    (void)events;
    tell_kills(watch->data);
}

static void on_end(RnWatch *watch, uint32_t events)
{
    Follower *follower = watch->data;

    (void)events;
    rn_loop_quit(follower->loop);
    /* the kill that ended it may be told of only now */
    if (follower->oom != NULL)
        tell_kills(follower);
}

static void on_timer(RnTimer *timer)
{
    Follower *follower = timer->data;
    GError *failure = NULL;

    if (rn_events_stats(follower->managed, follower->emit, &failure)) {
        rn_loop_set_timer(follower->loop, timer, follower->interval_ms,
                          on_timer, follower);
        return;
    }
    if (rn_managed_pid(follower->managed) == 0)
        g_clear_error(&failure);
    finish(follower, failure);
}

/* Usage is worth having without the kills, too. */
static bool watch_oom(Follower *follower, GError **error)
{
    const RnCgroup *cgroup = rn_managed_cgroup(follower->managed);
    const char *directory = rn_cgroup_directory(cgroup, "memory");
    g_autoptr(GError) failure = NULL;

    if (directory != NULL)
        follower->oom = rn_oom_watch_new(directory, &failure);
    if (follower->oom == NULL) {
        rn_log_debug("kills for want of memory are not told: %s",
                     failure != NULL ? failure->message
                                     : "no memory controller");
        return true;
    }
    return rn_loop_add(follower->loop, &follower->oom_watch,
                       rn_oom_watch_fd(follower->oom), EPOLLIN, on_oom,
                       follower, error);
}

static bool follow(Follower *follower, GError **error)
{
    if (!watch_oom(follower, error) ||
        !rn_loop_add(follower->loop, &follower->end_watch,
                     rn_managed_pidfd(follower->managed), EPOLLIN, on_end,
                     follower, error))
        return false;
    rn_loop_set_timer(follower->loop, &follower->timer, follower->interval_ms,
                      on_timer, follower);
    if (!rn_loop_run(follower->loop, error))
        return false;
    if (follower->failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&follower->failure));
    return false;
}

bool rn_events_follow(const RnManaged *managed, int64_t interval_ms,
                      RnEventFunc emit, GError **error)
{
    g_autoptr(RnLoop) loop = NULL;
    Follower follower = {
        .managed = managed,
        .interval_ms = interval_ms,
        .emit = emit,
    };
    bool good = false;

    if (!check_running(managed, error))
        return false;
    loop = rn_loop_new(error);
    if (loop == NULL)
        return false;
    follower.loop = loop;
    good = follow(&follower, error);
    rn_timer_cancel(&follower.timer);
    rn_watch_remove(&follower.end_watch);
    rn_watch_remove(&follower.oom_watch);
    rn_oom_watch_free(follower.oom);
    g_clear_error(&follower.failure);
    return good;
}
