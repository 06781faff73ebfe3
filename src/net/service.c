/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service - a helper process, from its exec over its readiness to its end
 *
 * Runs in the monitor. The helper's end is learnt from its pidfd alone; EOF on
 * its socket only stops the watching of the socket. A message that is not due
 * makes the helper useless: it is killed, and its end takes the usual way.
 * What it said before (RN_MSG_FAILED) becomes the reason for its end.
 */
#include "config.h"

#include <rnet/net/service.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include <sys/wait.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/protocol.h>

enum {
    BUDGET = 16,  /* messages a turn */
    HELD_MS = 20, /* until fds in flight may have arrived */
};

void rn_service_init(RnService *service, const RnServiceType *type, void *owner)
{
    *service = (RnService){
        .type = type,
        .owner = owner,
        .socket = -1,
        .pidfd = -1,
        .delay_ms = -1,
    };
}

void rn_service_unwatch(RnService *service)
{
    rn_watch_remove(&service->exit_watch);
    rn_watch_remove(&service->socket_watch);
    rn_timer_cancel(&service->restart_timer);
    rn_timer_cancel(&service->held_timer);
    service->loop = NULL;
}

/* Forgets a process that is reaped. */
static void forget_process(RnService *service)
{
    rn_service_unwatch(service);
    rn_fd_close(&service->socket);
    rn_fd_close(&service->pidfd);
    rn_outbox_clear(&service->outbox);
    service->pid = 0;
    service->is_ready = false;
}

void rn_service_stop(RnService *service)
{
    rn_service_unwatch(service);
    rn_process_end(service->pid, &service->pidfd);
    forget_process(service);
    g_clear_error(&service->failure);
}

void rn_service_end(RnService *service)
{
    struct pollfd entry = { .fd = service->pidfd, .events = POLLIN };

    rn_service_unwatch(service);
    rn_fd_close(&service->socket);
    /* one that takes longer is killed below */
    if (service->pid > 0)
        (void)TEMP_FAILURE_RETRY(poll(&entry, 1, RN_SERVICE_END_MS));
    rn_service_stop(service);
}

void rn_service_condemn(RnService *service, GError *take_reason)
{
    g_autoptr(GError) reason = take_reason;

    if (service->pid == 0)
        return;
    rn_watch_remove(&service->socket_watch);
    if (service->failure == NULL)
        service->failure = g_steal_pointer(&reason);
    /* it cannot fail: the process is a child that is not reaped yet */
    (void)!rn_pidfd_signal(service->pidfd, SIGKILL, NULL);
}

static void on_held(RnTimer *timer);

/* A socket whose outbox is held is writable, and would be so again and again. */
static void update_events(RnService *service)
{
    const RnOutbox *outbox = &service->outbox;
    bool waits = outbox->waiting.length > 0;

    if (service->socket_watch.loop == NULL)
        return;
    rn_watch_set_events(&service->socket_watch, waits && !outbox->is_held
                                                    ? EPOLLIN | EPOLLOUT
                                                    : EPOLLIN);
    if (waits && outbox->is_held)
        rn_loop_set_timer(service->loop, &service->held_timer, HELD_MS, on_held,
                          service);
}

/* Takes one message of the helper. */
static bool take_message(RnService *service, RnMsg *msg, GError **error)
{
    const RnServiceType *type = service->type;
    bool is_told = service->outbox.n_gone >= service->n_begin;

    if (msg->type == RN_MSG_FAILED)
        return rn_msg_take_error(msg, error);
    if (msg->type == type->ready_message && is_told && !service->is_ready) {
        service->is_ready = true;
        return type->ready(service, msg, error);
    }
    if (msg->type != type->ready_message && type->message != NULL)
        return type->message(service, msg, error);
    return rn_set_error(error, RN_ERROR_PROTOCOL, "unexpected message %u",
                        msg->type);
}

/*
 * Reads what there is to read, at most `budget` messages, so that one helper
 * cannot keep its owner from the others; true while more may come.
 */
static bool read_messages(RnService *service, unsigned budget)
{
    g_auto(RnMsg) msg = { 0 };
    int received = 1;

    while (budget-- > 0 &&
           (received = rn_msg_try_recv(service->socket, &msg)) > 0) {
        GError *failure = NULL;

        if (!take_message(service, &msg, &failure)) {
            rn_service_condemn(service, failure);
            return false;
        }
    }
    return received >= 0;
}

/*
 * Sends what waits. A helper that does not read any more may have said why; one
 * that is gone is ending by itself, and its status says more than EOF.
 */
static void flush(RnService *service)
{
    GError *failure = NULL;

    if (rn_outbox_flush(&service->outbox, service->socket, &failure)) {
        update_events(service);
        return;
    }
    if (service->socket_watch.loop != NULL)
        (void)read_messages(service, BUDGET);
    rn_outbox_clear(&service->outbox);
    if (!g_error_matches(failure, RN_ERROR, RN_ERROR_PEER_DIED)) {
        rn_service_condemn(service, failure);
        return;
    }
    rn_watch_remove(&service->socket_watch);
    g_error_free(failure);
}

static void on_held(RnTimer *timer)
{
    RnService *service = timer->data;

    if (service->outbox.waiting.length > 0)
        flush(service);
}

void rn_service_post(RnService *service, const RnOutMessage *message)
{
    rn_outbox_add(&service->outbox, message);
    if (service->socket < 0)
        rn_outbox_clear(&service->outbox);
    else
        flush(service);
}

bool rn_service_unpost(RnService *service, int fd)
{
    return rn_outbox_drop(&service->outbox, fd);
}

static void on_socket(RnWatch *watch, uint32_t events)
{
    RnService *service = watch->data;

    if ((events & ~(uint32_t)EPOLLOUT) != 0 &&
        !read_messages(service, BUDGET)) {
        rn_watch_remove(watch);
        return;
    }
    if (service->outbox.waiting.length > 0)
        flush(service);
}

static void set_reason(GError **error, int status)
{
    if (WIFSIGNALED(status))
        (void)rn_set_error(error, RN_ERROR_PEER_DIED,
                           "killed by signal %d (%s)", WTERMSIG(status),
                           strsignal(WTERMSIG(status)));
    else
        (void)rn_set_error(error, RN_ERROR_PEER_DIED, "ended with status %d",
                           WEXITSTATUS(status));
}

static void on_end(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    RnService *service = watch->data;
    g_autoptr(GError) why = NULL;
    int status = 0;

    /* its last words may have arrived in this same turn */
    if (service->socket_watch.loop != NULL)
        (void)read_messages(service, UINT_MAX);
    why = g_steal_pointer(&service->failure);
    if (!rn_process_reap(service->pid, &status, why == NULL ? &why : NULL))
        status = 0; /* not a child any more: what is left is to forget it */
    forget_process(service);
    if (why == NULL)
        set_reason(&why, status);
    service->type->ended(service, why);
}

static bool watch(RnService *service, RnLoop *loop, GError **error)
{
    service->loop = loop;
    if (!rn_loop_add(loop, &service->exit_watch, service->pidfd, EPOLLIN,
                     on_end, service, error) ||
        !rn_loop_add(loop, &service->socket_watch, service->socket,
                     EPOLLIN | EPOLLOUT, on_socket, service, error))
        return false;
    update_events(service);
    return true;
}

static bool spawn(RnService *service, GError **error)
{
    int pair[2] = { -1, -1 };
    rn_autofd int helpers_end = -1;

    if (!rn_msg_pair(pair, error))
        return false;
    service->socket = pair[0];
    helpers_end = pair[1];
    service->started_ms = rn_clock_ms();
    return rn_fd_set_nonblocking(service->socket, true, error) &&
           rn_helper_spawn(service->type->name, helpers_end,
                           RN_HELPER_DIES_WITH_CALLER, &service->pid,
                           &service->pidfd, error);
}

bool rn_service_start(RnService *service, RnLoop *loop, GError **error)
{
    g_return_val_if_fail(service->pid == 0, false);
    rn_timer_cancel(&service->restart_timer);
    if (!spawn(service, error) || !watch(service, loop, error)) {
        rn_service_stop(service);
        return false;
    }
    service->n_begin = UINT64_MAX;
    service->type->begin(service);
    service->n_begin = service->outbox.n_added;
    return true;
}

bool rn_service_move(RnService *service, RnLoop *loop, GError **error)
{
    rn_service_unwatch(service);
    return watch(service, loop, error);
}

int rn_service_next_delay(int previous_ms, int64_t lived_ms)
{
    if (previous_ms < 0 || lived_ms >= RN_SERVICE_STEADY_MS)
        return 0;
    if (previous_ms == 0)
        return RN_SERVICE_DELAY_FIRST_MS;
    return MIN(previous_ms, RN_SERVICE_DELAY_MAX_MS / 2) * 2;
}

static void on_restart(RnTimer *timer)
{
    RnService *service = timer->data;

    service->type->restart(service);
}

int rn_service_restart_later(RnService *service, RnLoop *loop)
{
    int64_t now = rn_clock_ms();

    service->delay_ms =
        rn_service_next_delay(service->delay_ms, now - service->started_ms);
    service->started_ms = now; /* for a restart that fails before the start */
    rn_loop_set_timer(loop, &service->restart_timer, service->delay_ms,
                      on_restart, service);
    return service->delay_ms;
}
