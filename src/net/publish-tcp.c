/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish-tcp - accepts clients, and stops accepting while fds are short
 *
 * Role:     listener -> visit -> splicer
 * Runs in:  the relay
 * Owns:     the listeners; the visits under way. A listener that was withdrawn
 *           is closed, and freed when the last of its visits has ended
 * Limits:   ACCEPT_BUDGET clients of one listener a turn; at most WAITING_MAX
 *           visits, and LISTENER_WAITING_MAX of one listener, so that a service
 *           that accepts nobody does not close the other ports; FD_RESERVE fds,
 *           and one for each visit's answer, are left to others
 * Failure:  no fds: all listeners leave the loop, so nothing spins, and clients
 *           queue in the kernel; they come back when a flow or a visit ends and
 *           there is room, at the latest looked at every RETRY_MS, since
 *           libslirp's sockets end without a word
 */
#include "config.h"

#include <rnet/net/publish-tcp.h>

#include <errno.h>

#include <sys/socket.h>

#include <rnet/net/fd-room.h>
#include <rnet/net/visit.h>
#include <rnet/sys/tcp.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    ACCEPT_BUDGET = 64,
    WAITING_MAX = 2048,
    LISTENER_WAITING_MAX = 512,
    FD_RESERVE = 32,
    RETRY_MS = 500,
};

G_STATIC_ASSERT((int)WAITING_MAX <= (int)RN_AGENT_CLIENT_MAX);

typedef struct Listener {
    RnPublishTcp *publish;
    uint32_t id;        /* the monitor's */
    int fd;             /* -1: withdrawn */
    RnEndpoint target;  /* RnRelayListener.guest */
    unsigned n_waiting; /* visits under way */
    RnWatch watch;
} Listener;

struct RnPublishTcp {
    RnLoop *loop;
    RnSplicer *splicer;
    RnVisitParts visit_parts;
    GPtrArray *listeners; /* of Listener */
    bool is_paused;
    RnTimer retry;
};

static void free_listener(void *data)
{
    Listener *listener = data;

    rn_watch_remove(&listener->watch);
    rn_fd_close(&listener->fd);
    g_free(listener);
}

/* Whether there are fds for what is under way and one more client. */
static bool has_room(const RnPublishTcp *publish)
{
    unsigned n_visits = publish->visit_parts.visits.length;

    return n_visits < WAITING_MAX &&
           rn_fd_room(rn_loop_fd(publish->loop), n_visits + FD_RESERVE);
}

/* Watches a listener while it may accept. */
static void update_listener(Listener *listener)
{
    bool accepts = !listener->publish->is_paused &&
                   listener->n_waiting < LISTENER_WAITING_MAX;

    rn_watch_set_events(&listener->watch, accepts ? EPOLLIN : 0);
}

static void update_listeners(RnPublishTcp *publish)
{
    for (unsigned i = 0; i < publish->listeners->len; i++)
        update_listener(g_ptr_array_index(publish->listeners, i));
}

static void retry_accepting(RnTimer *timer);

static void pause_accepting(RnPublishTcp *publish)
{
    if (!publish->is_paused)
        rn_log_debug("publish: accepting stops, %u clients wait",
                     publish->visit_parts.visits.length);
    publish->is_paused = true;
    update_listeners(publish);
    rn_loop_set_timer(publish->loop, &publish->retry, RETRY_MS, retry_accepting,
                      publish);
}

/* Goes on accepting if it stopped and there is room again. */
static void resume_accepting(RnPublishTcp *publish)
{
    if (!publish->is_paused || !has_room(publish))
        return;
    publish->is_paused = false;
    rn_timer_cancel(&publish->retry);
    update_listeners(publish);
    rn_log_debug("publish: accepting goes on");
}

static void retry_accepting(RnTimer *timer)
{
    RnPublishTcp *publish = timer->data;

    resume_accepting(publish);
    if (publish->is_paused)
        pause_accepting(publish);
}

static void handle_flow_end(void *data)
{
    resume_accepting(data);
}

static void join(RnPublishTcp *publish, int take_client, int take_inside)
{
    g_autoptr(GError) failure = NULL;

    if (!rn_splicer_join(publish->splicer, take_client, take_inside,
                         handle_flow_end, publish, &failure))
        rn_log_debug("publish: %s", failure->message);
}

static void handle_visit_end(int take_client, int take_inside, void *data)
{
    Listener *listener = data;
    RnPublishTcp *publish = listener->publish;

    listener->n_waiting--;
    if (listener->fd < 0 && listener->n_waiting == 0)
        g_ptr_array_remove_fast(publish->listeners, listener);
    else
        update_listener(listener);
    if (take_client >= 0)
        join(publish, take_client, take_inside);
    resume_accepting(publish);
}

static void start_visit(Listener *listener, int take_client,
                        const struct sockaddr_storage *from)
{
    RnEndpoint address;
    int errno_value = 0, inside = -1;

    rn_endpoint_from_sockaddr(from, &address);
    errno_value =
        rn_visit_start(&listener->publish->visit_parts, take_client, &address,
                       &listener->target, listener, &inside);
    if (errno_value == 0) {
        join(listener->publish, take_client, inside);
    } else if (errno_value == EINPROGRESS) {
        listener->n_waiting++;
        update_listener(listener);
    }
}

/*
 * What accept(2) says of one client that failed before it was accepted, or of
 * its route, is no fault of the listener.
 */
static bool is_clients_fault(int errno_value)
{
    static const int faults[] = {
        EINTR,  ECONNABORTED, EPROTO,     ENETDOWN,    ENOPROTOOPT, EHOSTDOWN,
        ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EPERM,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
        if (errno_value == faults[i])
            return true;
    }
    return false;
}

/* Accepts one client. False: no more for now. */
static bool accept_client(Listener *listener)
{
    RnPublishTcp *publish = listener->publish;
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    int client = accept4(listener->fd, (struct sockaddr *)&from, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (client < 0) {
        int errno_value = errno;

        if (errno_value == EAGAIN)
            return false;
        if (is_clients_fault(errno_value))
            return true;
        if (!rn_fd_room_is_error(errno_value))
            rn_log_debug("publish: accept: %s", g_strerror(errno_value));
        pause_accepting(publish);
        return false;
    }
    start_visit(listener, client, &from);
    if (publish->visit_parts.visits.length < WAITING_MAX &&
        rn_fd_room_above(client,
                         publish->visit_parts.visits.length + FD_RESERVE))
        return listener->n_waiting < LISTENER_WAITING_MAX;
    pause_accepting(publish);
    return false;
}

static void handle_listener(RnWatch *watch, uint32_t events)
{
    (void)events; /* errors show up in accept(2) */
    for (unsigned i = 0; i < ACCEPT_BUDGET; i++) {
        if (!accept_client(watch->data))
            return;
    }
}

RnPublishTcp *rn_publish_tcp_new(const RnPublishTcpParts *parts)
{
    RnPublishTcp *publish = g_new0(RnPublishTcp, 1);

    publish->loop = parts->loop;
    publish->splicer = parts->splicer;
    publish->visit_parts = (RnVisitParts){
        .plan = parts->plan,
        .loop = parts->loop,
        .inside = parts->inside,
        .ended = handle_visit_end,
    };
    publish->listeners = g_ptr_array_new_with_free_func(free_listener);
    return publish;
}

void rn_publish_tcp_free(RnPublishTcp *publish)
{
    if (publish == NULL)
        return;
    rn_timer_cancel(&publish->retry);
    rn_visits_abandon(&publish->visit_parts);
    g_ptr_array_unref(publish->listeners);
    g_free(publish);
}

bool rn_publish_tcp_add(RnPublishTcp *publish, const RnRelayListener *info,
                        int take_fd, GError **error)
{
    Listener *listener = g_new0(Listener, 1);

    listener->publish = publish;
    listener->id = info->id;
    listener->fd = take_fd;
    listener->target = info->guest;
    g_ptr_array_add(publish->listeners, listener);
    rn_tcp_tune(take_fd);
    if (rn_fd_set_nonblocking(take_fd, true, error) &&
        rn_loop_add(publish->loop, &listener->watch, take_fd,
                    publish->is_paused ? 0 : EPOLLIN, handle_listener, listener,
                    error))
        return true;
    g_ptr_array_remove(publish->listeners, listener);
    return false;
}

static void withdraw_listener(RnPublishTcp *publish, Listener *listener)
{
    rn_watch_remove(&listener->watch);
    rn_fd_close(&listener->fd);
    if (listener->n_waiting == 0)
        g_ptr_array_remove_fast(publish->listeners, listener);
}

unsigned rn_publish_tcp_remove(RnPublishTcp *publish, uint32_t id)
{
    unsigned n_removed = 0;

    /* backwards: what takes the place of one that is gone was looked at */
    for (unsigned i = publish->listeners->len; i > 0; i--) {
        Listener *listener = g_ptr_array_index(publish->listeners, i - 1);

        if (listener->id != id || listener->fd < 0)
            continue;
        withdraw_listener(publish, listener);
        n_removed++;
    }
    return n_removed;
}

bool rn_publish_tcp_is_paused(const RnPublishTcp *publish)
{
    return publish->is_paused;
}

unsigned rn_publish_tcp_n_waiting(const RnPublishTcp *publish)
{
    return publish->visit_parts.visits.length;
}
