/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handoff - from a SYN of the guest to two spliced sockets
 *
 * Role:     SYN -> connect outside -> connect inside -> splicer
 * Runs in:  the relay
 * Data:     a flow is known by its addresses until it ends, so that a SYN that
 *           comes again is not taken for a new one. One with another sequence
 *           number is: the guest gave the old one up
 * Owns:     the outside socket of each attempt
 * Limits:   ATTEMPTS_MAX attempts: the next one takes the place of the one
 *           whose SYN has not come again for longest, since nobody tells that a
 *           client gave up; of a client that did not, the kernel sends the SYN
 *           again. FD_RESERVE fds are left to others, beyond that SYNs are
 *           dropped
 * Failure:  outside: the refusal that fits errno, or none (timed out: the guest
 *           has a clock of its own). Inside: the outside is reset. While the
 *           guest's port is still in TIME_WAIT with the same destination, the
 *           inside is tried again every RETRY_MS, as a SYN would be
 */
#include "config.h"

#include <rnet/net/handoff.h>

#include <errno.h>

#include <sys/socket.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/fd-room.h>
#include <rnet/net/filter.h>
#include <rnet/net/frame-refusal.h>
#include <rnet/net/outbound.h>
#include <rnet/sys/tcp.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    ATTEMPTS_MAX = 2048,
    FD_RESERVE = 32,
    RETRY_MS = 100,
    /* TIME_WAIT can be reused after a second (tcp_tw_reuse), then some */
    RETRIES_MAX = 30,
};

G_STATIC_ASSERT((int)ATTEMPTS_MAX <= (int)RN_AGENT_CLIENT_MAX);

typedef struct Attempt {
    RnEndpoint target;
    int outside;
    RnWatch watch;
    RnInsideAttempt inside;
    unsigned n_retries;
    bool is_exposed;        /* the target is the host's loopback, IPv4 first */
    bool is_retried;        /* waits in `retries` */
    GList link, retry_link; /* of the flow, in `attempts` and `retries` */
} Attempt;

typedef struct Flow {
    RnHandoff *handoff;
    RnSyn syn;
    Attempt *attempt; /* NULL: joined */
} Flow;

struct RnHandoff {
    RnHandoffParts parts;
    GHashTable *flows; /* by addresses; a set of Flow */
    GQueue attempts;   /* of Flow; whose SYN came last is the last */
    GQueue retries;    /* of Flow; to be tried again inside */
    RnTimer retry;     /* for all of these */
};

/* What the guest is told when a connect fails; not listed: nothing. */
static const struct {
    int errno_value;
    RnRefusal refusal;
} refusals[] = {
    { ECONNREFUSED, RN_REFUSAL_RESET },
    { ECONNRESET, RN_REFUSAL_RESET },
    { ENETUNREACH, RN_REFUSAL_NO_NETWORK },
    { ENETDOWN, RN_REFUSAL_NO_NETWORK },
    { EAFNOSUPPORT, RN_REFUSAL_NO_NETWORK },
    /* no address to connect from: IPv6 is switched off (disable_ipv6) */
    { EADDRNOTAVAIL, RN_REFUSAL_NO_NETWORK },
    { EINVAL, RN_REFUSAL_NO_NETWORK },
    { EHOSTUNREACH, RN_REFUSAL_NO_HOST },
    { EHOSTDOWN, RN_REFUSAL_NO_HOST },
    { ENONET, RN_REFUSAL_NO_HOST },
    { ENOPROTOOPT, RN_REFUSAL_NO_HOST },
    { EOPNOTSUPP, RN_REFUSAL_NO_HOST },
    { EACCES, RN_REFUSAL_PROHIBITED },
    { EPERM, RN_REFUSAL_PROHIBITED },
};

static const RnRefusal reach_refusals[] = {
    [RN_REACH_NO_NETWORK] = RN_REFUSAL_NO_NETWORK,
    [RN_REACH_NO_HOST] = RN_REFUSAL_NO_HOST,
};
G_STATIC_ASSERT(G_N_ELEMENTS(reach_refusals) == RN_REACH_N_);

/* The guest's own address is the same for all flows of a family. */
static guint hash_flow(gconstpointer key)
{
    const RnSyn *syn = &((const Flow *)key)->syn;
    guint hash = (guint)syn->source.port << 16 ^ (guint)syn->destination.port
                                                     << 8;

    for (unsigned i = 0; i < sizeof syn->destination.address; i++)
        hash = hash * 31 + syn->destination.address[i];
    return hash;
}

static gboolean flows_are_equal(gconstpointer a, gconstpointer b)
{
    const RnSyn *syn_a = &((const Flow *)a)->syn;
    const RnSyn *syn_b = &((const Flow *)b)->syn;

    return rn_endpoint_equal(&syn_a->source, &syn_b->source) &&
           rn_endpoint_equal(&syn_a->destination, &syn_b->destination);
}

/* Takes the flow from the set, where another may have its place by now. */
static void forget_flow(Flow *flow)
{
    GHashTable *flows = flow->handoff->flows;

    if (g_hash_table_lookup(flows, flow) == flow)
        g_hash_table_remove(flows, flow);
}

/* Frees the attempt; the outside socket is reset, unless it was taken. */
static void end_attempt(Flow *flow)
{
    Attempt *attempt = flow->attempt;

    if (attempt->is_retried)
        g_queue_unlink(&flow->handoff->retries, &attempt->retry_link);
    rn_watch_remove(&attempt->watch);
    rn_inside_cancel(&attempt->inside);
    rn_socket_reset(&attempt->outside);
    g_queue_unlink(&flow->handoff->attempts, &attempt->link);
    g_clear_pointer(&flow->attempt, g_free);
}

static void drop_flow(Flow *flow)
{
    forget_flow(flow);
    end_attempt(flow);
    g_free(flow);
}

static void handle_flow_end(void *data)
{
    forget_flow(data);
    g_free(data);
}

static void refuse_flow(Flow *flow, int errno_value)
{
    const RnHandoffParts *parts = &flow->handoff->parts;
    char text[RN_ENDPOINT_TEXT];

    rn_log_debug("handoff: connect to %s: %s",
                 rn_endpoint_format(&flow->attempt->target, text),
                 g_strerror(errno_value));
    for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
        if (refusals[i].errno_value != errno_value)
            continue;
        rn_frame_refuse(parts->plan, &flow->syn, refusals[i].refusal,
                        parts->send, parts->send_data);
        break;
    }
    drop_flow(flow);
}

static void join(Flow *flow, int take_inside)
{
    g_autoptr(GError) failure = NULL;
    int outside = g_steal_fd(&flow->attempt->outside);

    end_attempt(flow);
    if (rn_splicer_join(flow->handoff->parts.splicer, take_inside, outside,
                        handle_flow_end, flow, &failure))
        return;
    rn_log_debug("handoff: %s", failure->message);
    handle_flow_end(flow);
}

static void connect_inside(Flow *flow);

/* All that wait now; those that fail again wait for the next time. */
static void retry_inside(RnTimer *timer)
{
    RnHandoff *handoff = timer->data;

    for (unsigned n = handoff->retries.length; n > 0; n--) {
        GList *link = g_queue_pop_head_link(&handoff->retries);
        Flow *flow = link->data;

        flow->attempt->is_retried = false;
        connect_inside(flow);
    }
}

static void retry_later(Flow *flow)
{
    RnHandoff *handoff = flow->handoff;

    flow->attempt->is_retried = true;
    flow->attempt->retry_link.data = flow;
    g_queue_push_tail_link(&handoff->retries, &flow->attempt->retry_link);
    if (handoff->retry.loop == NULL)
        rn_loop_set_timer(handoff->parts.loop, &handoff->retry, RETRY_MS,
                          retry_inside, handoff);
}

static void handle_inside(int take_fd, int errno_value, void *data)
{
    Flow *flow = data;
    Attempt *attempt = flow->attempt;

    if (errno_value == 0) {
        join(flow, take_fd);
    } else if ((errno_value == EADDRNOTAVAIL || errno_value == EADDRINUSE) &&
               attempt->n_retries++ < RETRIES_MAX) {
        retry_later(flow);
    } else {
        /* refused: the guest does not want the connection any more */
        rn_log_debug("handoff: connect inside: %s", g_strerror(errno_value));
        drop_flow(flow);
    }
}

static void connect_inside(Flow *flow)
{
    int inside = -1;
    int errno_value =
        rn_inside_connect(flow->handoff->parts.inside, &flow->attempt->inside,
                          &flow->syn.destination, &flow->syn.source,
                          handle_inside, flow, &inside);

    if (errno_value != EINPROGRESS)
        handle_inside(inside, errno_value, flow);
}

static void connect_outside(Flow *flow);

/* An exposed port is tried on ::1 as well; what fails there is "refused". */
static void fail_outside(Flow *flow, int errno_value)
{
    Attempt *attempt = flow->attempt;
    bool is_ipv4 = attempt->target.family == AF_INET;

    rn_watch_remove(&attempt->watch);
    if (attempt->is_exposed && errno_value == ECONNREFUSED && is_ipv4) {
        rn_fd_close(&attempt->outside);
        attempt->target = rn_endpoint_loopback(AF_INET6, attempt->target.port);
        connect_outside(flow);
        return;
    }
    if (attempt->is_exposed && !is_ipv4)
        errno_value = ECONNREFUSED;
    refuse_flow(flow, errno_value);
}

/* 0, or why it is no connection after all. */
static int check_outside(const Attempt *attempt)
{
    return rn_endpoint_is_loopback(&attempt->target) &&
                   rn_tcp_is_own_peer(attempt->outside)
               ? ECONNREFUSED
               : 0;
}

static void handle_outside(RnWatch *watch, uint32_t events)
{
    Flow *flow = watch->data;
    int errno_value = 0;
    socklen_t length = sizeof errno_value;

    (void)events;
    if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &errno_value, &length) < 0)
        errno_value = errno;
    if (errno_value == 0)
        errno_value = check_outside(flow->attempt);
    if (errno_value != 0) {
        fail_outside(flow, errno_value);
        return;
    }
    rn_watch_remove(watch);
    connect_inside(flow);
}

/* Begins to connect: 0, EINPROGRESS or why not. */
static int open_outside(const RnHandoff *handoff, Attempt *attempt)
{
    int errno_value = 0;

    attempt->outside = socket(attempt->target.family,
                              SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (attempt->outside < 0)
        return errno;
    /* each attempt will have an inside socket, too */
    if (!rn_fd_room_above(attempt->outside,
                          handoff->attempts.length + FD_RESERVE))
        return EMFILE;
    rn_tcp_tune(attempt->outside);
    errno_value = rn_outbound_bind_tcp(handoff->parts.plan, &attempt->target,
                                       attempt->outside);
    if (errno_value != 0)
        return errno_value;
    errno_value = rn_tcp_connect(attempt->outside, &attempt->target);
    return errno_value == 0 ? check_outside(attempt) : errno_value;
}

static void connect_outside(Flow *flow)
{
    RnHandoff *handoff = flow->handoff;
    Attempt *attempt = flow->attempt;
    int errno_value = open_outside(handoff, attempt);

    if (errno_value == EINPROGRESS &&
        rn_loop_add(handoff->parts.loop, &attempt->watch, attempt->outside,
                    EPOLLOUT, handle_outside, flow, NULL))
        return;
    if (errno_value == 0)
        connect_inside(flow);
    else
        fail_outside(flow, errno_value);
}

static void start_flow(RnHandoff *handoff, const RnSyn *syn,
                       const RnEndpoint *target, bool is_exposed)
{
    Flow *flow = g_new0(Flow, 1);

    *flow = (Flow){
        .handoff = handoff,
        .syn = *syn,
        .attempt = g_new0(Attempt, 1),
    };
    flow->attempt->target = *target;
    flow->attempt->is_exposed = is_exposed;
    flow->attempt->link.data = flow;
    g_hash_table_add(handoff->flows, flow);
    g_queue_push_tail_link(&handoff->attempts, &flow->attempt->link);
    connect_outside(flow);
}

static void note_syn(RnHandoff *handoff, Attempt *attempt)
{
    g_queue_unlink(&handoff->attempts, &attempt->link);
    g_queue_push_tail_link(&handoff->attempts, &attempt->link);
}

/* False: it is a SYN that is dealt with already. */
static bool make_place(RnHandoff *handoff, const RnSyn *syn)
{
    Flow wanted = { .syn = *syn };
    Flow *old = g_hash_table_lookup(handoff->flows, &wanted);

    if (old == NULL)
        return true;
    if (old->syn.sequence == syn->sequence) {
        if (old->attempt != NULL)
            note_syn(handoff, old->attempt);
        return false;
    }
    if (old->attempt != NULL)
        drop_flow(old);
    else
        g_hash_table_remove(handoff->flows, old); /* it ends by itself */
    return true;
}

void rn_handoff_take(RnHandoff *handoff, const RnFrame *frame)
{
    const RnHandoffParts *parts = &handoff->parts;
    RnEndpoint target;
    RnReach reach;
    RnSyn syn;

    rn_syn_from_frame(frame, &syn);
    if (!make_place(handoff, &syn))
        return;
    reach = rn_filter_connection(parts->plan, &syn.destination, &target);
    if (reach != RN_REACH_HOST && reach != RN_REACH_EXPOSED) {
        rn_frame_refuse(parts->plan, &syn, reach_refusals[reach], parts->send,
                        parts->send_data);
        return;
    }
    if (handoff->attempts.length >= ATTEMPTS_MAX)
        drop_flow(handoff->attempts.head->data);
    start_flow(handoff, &syn, &target, reach == RN_REACH_EXPOSED);
}

RnHandoff *rn_handoff_new(const RnHandoffParts *parts)
{
    RnHandoff *handoff = g_new0(RnHandoff, 1);

    handoff->parts = *parts;
    handoff->flows = g_hash_table_new(hash_flow, flows_are_equal);
    return handoff;
}

void rn_handoff_free(RnHandoff *handoff)
{
    GHashTableIter iter;
    gpointer key = NULL;

    if (handoff == NULL)
        return;
    g_hash_table_iter_init(&iter, handoff->flows);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        g_hash_table_iter_remove(&iter);
        end_attempt(key);
        g_free(key);
    }
    rn_timer_cancel(&handoff->retry);
    g_hash_table_unref(handoff->flows);
    g_free(handoff);
}

unsigned rn_handoff_n_attempts(const RnHandoff *handoff)
{
    return handoff->attempts.length;
}
