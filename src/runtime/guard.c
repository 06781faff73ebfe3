/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard - the launcher's handle on the guard, and the guard itself
 *
 * Runs in: the launcher (rn_guard_new to rn_guard_free) and the guard
 * (run_guard), a fork of it with its namespaces and ids. It is not exec'd, as
 * the others are: it hears of nobody but the launcher, which it stands in for,
 * and each start of a container would wait for its libraries.
 * Data: GUARD_WATCH and GUARD_DONE in, nothing out.
 * Failure: a guard that dies is noticed by nobody; the launcher then still
 * cleans up itself, and a later container of the name takes over the entry.
 */
#include "config.h"

#include <rnet/runtime/guard.h>

#include <string.h>

#include <sys/types.h>

#include <rnet/oci/state.h>
#include <rnet/runtime/dispose.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

struct RnGuard {
    RnForked process; /* its report -1: it has started */
    int socket;
};

static const char guard_name[] = "rnet-guard";

bool rn_guard_watch(RnGuard *guard, const RnGuarded *guarded, GError **error)
{
    const int fds[] = { guarded->base_fd, guarded->lock_fd, guarded->pidfd };
    unsigned n_fds = 0;

    if (guard->process.report >= 0 &&
        !rn_helper_await(guard_name, guard->process.report, error))
        return false;
    rn_fd_close(&guard->process.report);
    while (n_fds < G_N_ELEMENTS(fds) && fds[n_fds] >= 0)
        n_fds++;
    return rn_msg_send(guard->socket, RN_MSG_GUARD_WATCH, guarded->id,
                       strlen(guarded->id), fds, n_fds, error);
}

void rn_guard_free(RnGuard *guard)
{
    g_autoptr(GError) failure = NULL;

    if (guard == NULL)
        return;
    if (!rn_msg_send(guard->socket, RN_MSG_GUARD_DONE, NULL, 0, NULL, 0,
                     &failure))
        rn_log_debug("guard: %s, ignoring", failure->message);
    g_clear_error(&failure);
    rn_fd_close(&guard->socket);
    if (!rn_process_reap(guard->process.pid, NULL, &failure))
        rn_log_debug("guard: %s, ignoring", failure->message);
    rn_fd_close(&guard->process.pidfd);
    rn_fd_close(&guard->process.report);
    g_free(guard);
}

/* What the guard has been told to undo. */
typedef struct Watched {
    char *id; /* NULL: nothing yet */
    int base_fd, lock_fd, pidfd;
} Watched;

static void clear_watched(Watched *watched)
{
    g_clear_pointer(&watched->id, g_free);
    rn_fd_close(&watched->base_fd);
    rn_fd_close(&watched->lock_fd);
    rn_fd_close(&watched->pidfd);
}

static bool take_watch(RnMsg *msg, Watched *watched)
{
    g_autofree char *id = g_strndup((const char *)msg->payload, msg->length);

    if (msg->n_fds < 1 || msg->n_fds > 3 || !rn_id_check(id, NULL))
        return false;
    clear_watched(watched);
    watched->id = g_steal_pointer(&id);
    watched->base_fd = rn_msg_steal_fd(msg, 0);
    if (msg->n_fds > 1)
        watched->lock_fd = rn_msg_steal_fd(msg, 1);
    if (msg->n_fds > 2)
        watched->pidfd = rn_msg_steal_fd(msg, 2);
    return true;
}

static bool end_init(const Watched *watched, GError **error)
{
    g_auto(RnRecord) record = { 0 };
    g_autoptr(RnCgroup) cgroup = NULL;

    rn_record_init(&record);
    /* without a record there is no cgroup yet */
    if (rn_record_load(watched->base_fd, watched->id, &record, NULL))
        cgroup = rn_cgroup_from_json(record.cgroup, NULL);
    return rn_dispose_kill(watched->pidfd, cgroup, error) &&
           rn_pidfd_wait_exit(watched->pidfd, error);
}

/*
 * The lock is ours, as a copy of the launcher's. To take it anew could fail: a
 * helper that the launcher had just forked may hold a copy too for a moment.
 * Before there was a helper there is no such moment; if the lock is held then,
 * the name is another container's.
 */
static void undo(Watched *watched)
{
    RnEntry *entry = NULL;
    bool stale = false;
    g_autoptr(GError) failure = NULL;

    if (watched->id == NULL)
        return;
    if (watched->pidfd >= 0 && !end_init(watched, &failure))
        rn_log_gerror(RN_LOG_WARNING, failure);
    g_clear_error(&failure);
    entry = watched->lock_fd >= 0
                ? rn_entry_adopt(watched->base_fd, watched->id,
                                 g_steal_fd(&watched->lock_fd))
                : rn_entry_new(watched->base_fd, watched->id, &stale, NULL);
    if (!rn_dispose_entry(entry, &failure))
        rn_log_gerror(RN_LOG_WARNING, failure);
}

/* True at GUARD_DONE, false when the launcher is gone without it. */
static bool wait_for_done(Watched *watched)
{
    g_auto(RnMsg) msg = { 0 };

    while (rn_msg_recv(RN_HELPER_FD, &msg, NULL)) {
        if (msg.type == RN_MSG_GUARD_DONE)
            return true;
        if (msg.type != RN_MSG_GUARD_WATCH || !take_watch(&msg, watched))
            rn_log_warning("malformed message, ignoring");
    }
    return false;
}

static int run_guard(void)
{
    Watched watched = { .base_fd = -1, .lock_fd = -1, .pidfd = -1 };

    if (!wait_for_done(&watched))
        undo(&watched);
    clear_watched(&watched);
    return 0;
}

RnGuard *rn_guard_new(GError **error)
{
    RnForked process = { .pid = -1, .pidfd = -1, .report = -1 };
    RnGuard *guard = NULL;
    int pair[2] = { -1, -1 };
    bool forked = false;

    if (!rn_msg_pair(pair, error))
        return NULL;
    forked = rn_helper_fork(guard_name, run_guard, pair[1],
                            RN_HELPER_OUTLIVES_CALLER, &process, error);
    rn_fd_close(&pair[1]);
    if (!forked) {
        rn_fd_close(&pair[0]);
        return NULL;
    }
    guard = g_new0(RnGuard, 1);
    guard->process = process;
    guard->socket = pair[0];
    return guard;
}
