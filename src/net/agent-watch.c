/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-watch - tells the monitor which TCP ports listen in the namespace
 *
 * Runs in nsagent. There is no event for listen(2), so it looks every
 * INTERVAL_MS, or less often where looking takes long: the container decides
 * how many sockets there are, and may not keep nsagent busy. What the kernel
 * could tell, the end of a socket (SKNLGRP_INET_TCP_DESTROY), it would tell of
 * every connection, too; that would cost each of them more than it is worth.
 *
 * Kept in order and without doubles, the lowest ports first, so that the same
 * sockets are the same message. Failure after the start is a warning, once, and
 * the next look comes later.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>
#include <string.h>

#include <rnet/sys/sock-diag.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

enum {
    INTERVAL_MS = 150,
    FAILED_MS = 3000, /* the interval after a failure */
    SHARE = 20,       /* of the time at most 1 in so much goes into looking */
};

struct RnAgentWatch {
    const RnNetworkPlan *plan;
    RnLoop *loop;
    int monitor;
    RnNetlink *diag;
    RnTimer timer;
    bool has_told; /* at all */
    bool has_warned;
    RnAgentListening told, now;
};

/* Our own sockets, of --expose-host. */
static bool is_exposed(const RnNetworkPlan *plan, const RnEndpoint *endpoint)
{
    if (!rn_endpoint_is_loopback(endpoint))
        return false;
    for (unsigned i = 0; i < plan->n_exposed; i++) {
        if (plan->exposed[i].guest_port == endpoint->port)
            return true;
    }
    return false;
}

static int compare(const RnEndpoint *a, const RnEndpoint *b)
{
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    return memcmp(a, b, sizeof *a);
}

/* Puts it in its place; what falls off at the end is the highest. */
static void add_endpoint(const RnEndpoint *endpoint, void *data)
{
    RnAgentWatch *watch = data;
    RnAgentListening *now = &watch->now;
    uint32_t place = now->count;
    int order = -1;

    if (is_exposed(watch->plan, endpoint))
        return;
    while (place > 0 &&
           (order = compare(endpoint, &now->endpoints[place - 1])) < 0)
        place--;
    if ((place > 0 && order == 0) || place == RN_LISTENING_MAX)
        return;
    if (now->count < RN_LISTENING_MAX)
        now->count++;
    memmove(&now->endpoints[place + 1], &now->endpoints[place],
            (now->count - place - 1) * sizeof now->endpoints[0]);
    now->endpoints[place] = *endpoint;
}

static bool look(RnAgentWatch *watch, GError **error)
{
    memset(&watch->now, 0, sizeof watch->now);
    return rn_sock_diag_listening(watch->diag, add_endpoint, watch, error);
}

/* A monitor that does not read at the moment is told the next time. */
static void tell(RnAgentWatch *watch)
{
    if (watch->has_told &&
        memcmp(&watch->told, &watch->now, sizeof watch->now) == 0)
        return;
    if (!rn_msg_send(watch->monitor, RN_MSG_AGENT_LISTENING, &watch->now,
                     sizeof watch->now, NULL, 0, NULL))
        return;
    watch->told = watch->now;
    watch->has_told = true;
}

static void on_time(RnTimer *timer)
{
    RnAgentWatch *watch = timer->data;
    g_autoptr(GError) failure = NULL;
    int64_t began_ms = rn_clock_ms();
    int64_t delay_ms = FAILED_MS;

    if (look(watch, &failure)) {
        tell(watch);
        delay_ms = MAX(INTERVAL_MS, (rn_clock_ms() - began_ms) * SHARE);
    } else {
        rn_log(watch->has_warned ? RN_LOG_DEBUG : RN_LOG_WARNING,
               "ports that listen: %s, ignoring", failure->message);
        watch->has_warned = true;
    }
    rn_loop_set_timer(watch->loop, timer, delay_ms, on_time, watch);
}

RnAgentWatch *rn_agent_watch_new(const RnNetworkPlan *plan, RnLoop *loop,
                                 int monitor, GError **error)
{
    g_autoptr(RnAgentWatch) watch = g_new0(RnAgentWatch, 1);

    watch->plan = plan;
    watch->loop = loop;
    watch->monitor = monitor;
    watch->diag = rn_sock_diag_open(error);
    /* the kernel may load a module for it, and errors are heard now */
    if (watch->diag == NULL || !look(watch, error)) {
        g_prefix_error(error, "ports that listen: ");
        return NULL;
    }
    rn_loop_set_timer(loop, &watch->timer, 0, on_time, watch);
    return g_steal_pointer(&watch);
}

void rn_agent_watch_free(RnAgentWatch *watch)
{
    if (watch == NULL)
        return;
    rn_timer_cancel(&watch->timer);
    rn_netlink_close(watch->diag);
    g_free(watch);
}
