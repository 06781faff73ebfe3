/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * visit - from an accepted client to a connected socket inside
 *
 * Role:     the attempts, in this order: the client's address and port; its
 *           address with any port, if that port was taken inside; and, if the
 *           service refuses, the other family with the gateway as the client
 *           (a service on IPv4 only is reached through [::] so). A target with
 *           an address of its own is of one family, and at another address
 *           than the guest's or a loopback one no client can be shown
 * Runs in:  the relay
 * Owns:     the client's socket
 * Limits:   four attempts a visit
 * Failure:  the client is reset
 */
#include "config.h"

#include <rnet/net/visit.h>

#include <errno.h>

#include <sys/socket.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/splice.h>
#include <rnet/sys/tcp.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

struct RnVisit {
    RnVisitParts *parts;
    int client;
    RnWatch client_watch;
    RnInsideAttempt attempt;
    RnEndpoint address;       /* the client's, as it is outside */
    RnEndpoint local, remote; /* of the present attempt */
    bool has_target;          /* an address of its own */
    bool may_change_family;   /* the other one is there, not yet tried */
    void *data;               /* of parts->ended */
    GList link;
};

static void close_visit(RnVisit *visit)
{
    rn_inside_cancel(&visit->attempt);
    rn_watch_remove(&visit->client_watch);
    g_queue_unlink(&visit->parts->visits, &visit->link);
    rn_socket_reset(&visit->client);
    g_free(visit);
}

static void fail_visit(RnVisit *visit)
{
    RnVisitParts *parts = visit->parts;
    void *data = visit->data;

    close_visit(visit);
    parts->ended(-1, -1, parts->owner, data);
}

static void finish_visit(RnVisit *visit, int take_inside)
{
    RnVisitParts *parts = visit->parts;
    void *data = visit->data;
    int client = -1;

    rn_watch_remove(&visit->client_watch);
    client = g_steal_fd(&visit->client);
    close_visit(visit);
    parts->ended(client, take_inside, parts->owner, data);
}

static void choose_first(RnVisit *visit, const RnEndpoint *target)
{
    const RnNetworkPlan *plan = visit->parts->plan;

    rn_plan_lead_client(plan, &visit->address, target, &visit->local,
                        &visit->remote);
    /* nsagent's rules keep inside what the guest's address answers, no other */
    if (target->family != AF_UNSPEC && !rn_endpoint_is_loopback(target) &&
        !rn_endpoint_same_address(target, rn_plan_guest(plan, target->family)))
        visit->local = (RnEndpoint){ .family = AF_UNSPEC };
}

static bool choose_other_family(RnVisit *visit)
{
    const RnNetworkPlan *plan = visit->parts->plan;
    uint16_t family = visit->remote.family == AF_INET ? AF_INET6 : AF_INET;
    uint16_t guest_port = visit->remote.port;

    if (!visit->may_change_family ||
        rn_plan_guest(plan, family)->family == AF_UNSPEC)
        return false;
    visit->may_change_family = false;
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

/* Refuses a connection of the namespace to itself; as rn_inside_connect(). */
static int refuse_own_peer(const RnVisit *visit, int errno_value, int *inside)
{
    if (errno_value != 0 || !visit->has_target || !rn_tcp_is_own_peer(*inside))
        return errno_value;
    rn_fd_close(inside);
    return ECONNREFUSED;
}

static void handle_attempt(int take_fd, int errno_value, void *data);

/* Attempts until one is under way (EINPROGRESS), succeeds (0), or all failed. */
static int make_attempts(RnVisit *visit, int *out_inside)
{
    for (;;) {
        char text[RN_ENDPOINT_TEXT];
        int errno_value = rn_inside_connect(
            visit->parts->inside, &visit->attempt, &visit->local,
            &visit->remote, handle_attempt, visit, out_inside);

        errno_value = refuse_own_peer(visit, errno_value, out_inside);
        if (errno_value == 0 || errno_value == EINPROGRESS)
            return errno_value;
        rn_log_debug("publish: connect to %s inside: %s",
                     rn_endpoint_format(&visit->remote, text),
                     g_strerror(errno_value));
        if (!choose_next(visit, errno_value))
            return errno_value;
    }
}

static void handle_attempt(int take_fd, int errno_value, void *data)
{
    RnVisit *visit = data;
    int inside = take_fd;

    errno_value = refuse_own_peer(visit, errno_value, &inside);
    if (errno_value != 0 && choose_next(visit, errno_value))
        errno_value = make_attempts(visit, &inside);
    if (errno_value == 0)
        finish_visit(visit, inside);
    else if (errno_value != EINPROGRESS)
        fail_visit(visit);
}

/* Only a reset or an error; a client may well have sent its end already. */
static void handle_client(RnWatch *watch, uint32_t events)
{
    (void)events;
    fail_visit(watch->data);
}

int rn_visit_start(RnVisitParts *parts, int take_client,
                   const RnEndpoint *address, const RnEndpoint *target,
                   void *data, int *out_inside)
{
    RnVisit *visit = g_new0(RnVisit, 1);
    int errno_value = 0;

    *visit = (RnVisit){
        .parts = parts,
        .client = take_client,
        .address = *address,
        .data = data,
        .has_target = target->family != AF_UNSPEC,
        .may_change_family = target->family == AF_UNSPEC,
    };
    visit->link.data = visit;
    g_queue_push_tail_link(&parts->visits, &visit->link);
    choose_first(visit, target);

    errno_value = make_attempts(visit, out_inside);
    if (errno_value == EINPROGRESS) {
        if (rn_loop_add(parts->loop, &visit->client_watch, take_client, 0,
                        handle_client, visit, NULL))
            return EINPROGRESS;
        errno_value = ENOMEM;
    }
    if (errno_value == 0)
        visit->client = -1; /* the caller's again */
    close_visit(visit);
    return errno_value;
}

void rn_visits_abandon(RnVisitParts *parts)
{
    while (parts->visits.head != NULL)
        close_visit(parts->visits.head->data);
}
