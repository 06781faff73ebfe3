/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * visit - from an accepted client to a connected socket inside
 *
 * Role:     the attempts, in this order: the client's address and port; its
 *           address with any port, if that port was taken inside; and, if the
 *           service refuses, the other family with the gateway as the client
 *           (a service on IPv4 only is reached through [::] so)
 * Runs in:  the relay
 * Owns:     the client's socket, and the inside one once it has come
 * Limits:   four requests a visit; how long a connect may take is the kernel's
 *           business (tcp(7), tcp_syn_retries)
 * Failure:  the client is reset
 */
#include "config.h"

#include <rnet/net/visit.h>

#include <errno.h>

#include <sys/socket.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/splice.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

struct RnVisit {
    RnVisitParts *parts;
    int client, inside; /* -1: not there yet */
    RnWatch client_watch, inside_watch;
    uint64_t request;         /* under way, or 0 */
    RnEndpoint address;       /* the client's, as it is outside */
    RnEndpoint local, remote; /* of the present attempt */
    bool tried_other_family;
    void *data; /* of parts->ended */
    GList link;
};

static void close_visit(RnVisit *visit)
{
    rn_agent_client_cancel(visit->parts->agent, visit->request);
    rn_watch_remove(&visit->client_watch);
    rn_watch_remove(&visit->inside_watch);
    g_queue_unlink(&visit->parts->visits, &visit->link);
    rn_fd_close(&visit->inside);
    rn_socket_reset(&visit->client);
    g_free(visit);
}

static void fail_visit(RnVisit *visit)
{
    RnVisitParts *parts = visit->parts;
    void *data = visit->data;

    close_visit(visit);
    parts->ended(-1, -1, data);
}

static void finish_visit(RnVisit *visit)
{
    RnVisitParts *parts = visit->parts;
    void *data = visit->data;
    int client = -1, inside = -1;

    rn_watch_remove(&visit->client_watch);
    rn_watch_remove(&visit->inside_watch);
    client = g_steal_fd(&visit->client);
    inside = g_steal_fd(&visit->inside);
    close_visit(visit);
    parts->ended(client, inside, data);
}

static void take_answer(int take_fd, int errno_value, void *data);

static bool ask_agent(RnVisit *visit)
{
    visit->request = rn_agent_client_request(
        visit->parts->agent, &visit->local, &visit->remote, take_answer, visit);
    return visit->request != 0;
}

static bool choose_other_family(RnVisit *visit)
{
    const RnNetworkPlan *plan = visit->parts->plan;
    uint16_t family = visit->remote.family == AF_INET ? AF_INET6 : AF_INET;
    uint16_t guest_port = visit->remote.port;

    if (visit->tried_other_family ||
        rn_plan_guest(plan, family)->family == AF_UNSPEC)
        return false;
    visit->tried_other_family = true;
    visit->local = *rn_plan_gateway(plan, family);
    visit->local.port = visit->address.port;
    visit->remote = *rn_plan_guest(plan, family);
    visit->remote.port = guest_port;
    return true;
}

/* Turns the failed attempt into the next one; false: there is none. */
static bool choose_next(RnVisit *visit, int errno_value)
{
    if (errno_value == EADDRINUSE || errno_value == EADDRNOTAVAIL) {
        bool had_port = visit->local.port != 0;

        visit->local.port = 0;
        return had_port;
    }
    return errno_value == ECONNREFUSED && choose_other_family(visit);
}

static void fail_attempt(RnVisit *visit, int errno_value)
{
    char text[RN_ENDPOINT_TEXT];

    rn_watch_remove(&visit->inside_watch);
    rn_fd_close(&visit->inside);
    rn_log_debug("publish: connect to %s inside: %s",
                 rn_endpoint_format(&visit->remote, text),
                 g_strerror(errno_value));
    if (!choose_next(visit, errno_value) || !ask_agent(visit))
        fail_visit(visit);
}

/* 0: connected; EINPROGRESS: not yet; else why not. */
static int get_connect_result(int fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    int errno_value = 0;
    socklen_t errno_length = sizeof errno_value;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno_value, &errno_length) < 0)
        return errno;
    if (errno_value != 0)
        return errno_value;
    if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0)
        return 0;
    return errno == ENOTCONN ? EINPROGRESS : errno;
}

static void handle_inside(RnWatch *watch, uint32_t events)
{
    RnVisit *visit = watch->data;
    int errno_value = get_connect_result(visit->inside);

    /* an event without a result would come again for ever */
    if (errno_value == EINPROGRESS && (events & (EPOLLHUP | EPOLLERR)) != 0)
        errno_value = ECONNABORTED;
    if (errno_value == 0)
        finish_visit(visit);
    else if (errno_value != EINPROGRESS)
        fail_attempt(visit, errno_value);
}

static void take_answer(int take_fd, int errno_value, void *data)
{
    g_autoptr(GError) failure = NULL;
    RnVisit *visit = data;

    visit->request = 0;
    if (errno_value != 0) {
        fail_attempt(visit, errno_value);
        return;
    }
    visit->inside = take_fd;
    if (!rn_fd_set_nonblocking(take_fd, true, &failure)) {
        fail_attempt(visit, EINVAL);
        return;
    }
    /* inside the namespace a connect mostly ends before the answer is here */
    errno_value = get_connect_result(take_fd);
    if (errno_value == 0)
        finish_visit(visit);
    else if (errno_value != EINPROGRESS)
        fail_attempt(visit, errno_value);
    else if (!rn_loop_add(visit->parts->loop, &visit->inside_watch, take_fd,
                          EPOLLOUT, handle_inside, visit, &failure))
        fail_attempt(visit, ENOMEM);
}

/* Only a reset or an error; a client may well have sent its end already. */
static void handle_client(RnWatch *watch, uint32_t events)
{
    (void)events;
    fail_visit(watch->data);
}

bool rn_visit_start(RnVisitParts *parts, int take_client,
                    const RnEndpoint *address, uint16_t guest_port, void *data,
                    GError **error)
{
    RnVisit *visit = g_new0(RnVisit, 1);

    *visit = (RnVisit){
        .parts = parts,
        .client = take_client,
        .inside = -1,
        .address = *address,
        .data = data,
    };
    visit->link.data = visit;
    g_queue_push_tail_link(&parts->visits, &visit->link);
    rn_plan_show_client(parts->plan, address, &visit->local, &visit->remote);
    visit->remote.port = guest_port;

    if (!rn_loop_add(parts->loop, &visit->client_watch, take_client, 0,
                     handle_client, visit, error)) {
        close_visit(visit);
        return false;
    }
    if (!ask_agent(visit)) {
        close_visit(visit);
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "too many requests are under way");
    }
    return true;
}

void rn_visits_abandon(RnVisitParts *parts)
{
    while (parts->visits.head != NULL)
        close_visit(parts->visits.head->data);
}
