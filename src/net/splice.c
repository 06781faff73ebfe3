/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * splice - the life of a flow: its sockets' events, its turns, its end
 *
 * Role:     decides when the two pumps of a flow run and when it is over
 * Runs in:  the relay
 * Data:     the sockets are watched edge-triggered, once for their whole life:
 *           `readable` and `writable` remember an edge until a call says
 *           EAGAIN. A flow whose budget is used up waits in a queue, which a
 *           timer without delay takes up in the next turn.
 * Owns:     both sockets of every flow
 * Failure:  an error of either socket resets the other
 */
#include "config.h"

#include <rnet/net/splice.h>

#include <errno.h>

#include <sys/socket.h>

#include <rnet/net/pump.h>
#include <rnet/util/fd.h>

typedef struct Flow Flow;

struct Flow {
    RnSplicer *splicer;
    RnPumpEnd ends[2];
    RnWatch watches[2];
    RnPump pumps[2]; /* [i] carries from ends[i] to ends[1 - i] */
    GList all_link, run_link;
    bool is_queued;
    RnFlowEndFunc ended;
    void *data;
};

struct RnSplicer {
    RnLoop *loop;
    RnPumpGear *gear;
    GQueue flows, run_queue; /* of Flow, by their own links */
    RnTimer run_timer;
};

void rn_socket_reset(int *fd)
{
    struct linger hard = { .l_onoff = 1, .l_linger = 0 };

    if (*fd < 0)
        return;
    /* fails for no TCP socket; then it is closed the plain way */
    (void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    rn_fd_close(fd);
}

static void free_flow(Flow *flow)
{
    RnSplicer *splicer = flow->splicer;

    for (unsigned i = 0; i < 2; i++) {
        rn_pump_clear(&flow->pumps[i], splicer->gear);
        rn_watch_remove(&flow->watches[i]);
        rn_fd_close(&flow->ends[i].fd);
    }
    if (flow->is_queued)
        g_queue_unlink(&splicer->run_queue, &flow->run_link);
    g_queue_unlink(&splicer->flows, &flow->all_link);
    g_free(flow);
}

static void reset_flow(Flow *flow)
{
    for (unsigned i = 0; i < 2; i++) {
        rn_watch_remove(&flow->watches[i]);
        rn_socket_reset(&flow->ends[i].fd);
    }
    free_flow(flow);
}

static void end_flow(Flow *flow, bool is_reset)
{
    RnFlowEndFunc ended = flow->ended;
    void *data = flow->data;

    if (is_reset)
        reset_flow(flow);
    else
        free_flow(flow);
    if (ended != NULL)
        ended(data);
}

static void run_flows(RnTimer *timer);

static void queue_flow(Flow *flow)
{
    RnSplicer *splicer = flow->splicer;

    if (flow->is_queued)
        return;
    flow->is_queued = true;
    g_queue_push_tail_link(&splicer->run_queue, &flow->run_link);
    if (splicer->run_timer.loop == NULL)
        rn_loop_set_timer(splicer->loop, &splicer->run_timer, 0, run_flows,
                          splicer);
}

/* Lets both pumps work. False: the flow has ended and is freed. */
static bool run_flow(Flow *flow)
{
    bool all_done = true, again = false;

    for (unsigned i = 0; i < 2; i++) {
        RnPumpState state = rn_pump_run(&flow->pumps[i], flow->splicer->gear,
                                        &flow->ends[i], &flow->ends[1 - i]);

        if (state == RN_PUMP_FAILED) {
            end_flow(flow, true);
            return false;
        }
        all_done = all_done && state == RN_PUMP_DONE;
        again = again || state == RN_PUMP_MORE;
    }
    if (all_done) {
        end_flow(flow, false);
        return false;
    }
    if (again)
        queue_flow(flow);
    return true;
}

/* Each queued flow gets one turn; those that want more queue up again. */
static void run_flows(RnTimer *timer)
{
    RnSplicer *splicer = timer->data;

    for (unsigned n = splicer->run_queue.length; n > 0; n--) {
        GList *link = g_queue_pop_head_link(&splicer->run_queue);
        Flow *flow = NULL;

        if (link == NULL)
            return;
        flow = link->data;
        flow->is_queued = false;
        (void)run_flow(flow); /* an ended flow needs nothing more */
    }
}

static int take_socket_error(int fd)
{
    int errno_value = 0;
    socklen_t length = sizeof errno_value;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno_value, &length) < 0)
        return errno;
    return errno_value;
}

static void handle_events(Flow *flow, unsigned i, uint32_t events)
{
    RnPumpEnd *end = &flow->ends[i];

    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        end->hung_up = true;
    if ((events & EPOLLPRI) != 0)
        end->has_urgent = true;
    if (end->hung_up || (events & (EPOLLIN | EPOLLPRI)) != 0)
        end->readable = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
        end->writable = true;
    if (!run_flow(flow))
        return;
    /* a reset of a side that nobody reads from or writes to at the moment */
    if ((events & EPOLLERR) != 0 && take_socket_error(end->fd) != 0)
        end_flow(flow, true);
}

static void handle_first(RnWatch *watch, uint32_t events)
{
    handle_events(watch->data, 0, events);
}

static void handle_second(RnWatch *watch, uint32_t events)
{
    handle_events(watch->data, 1, events);
}

RnSplicer *rn_splicer_new(RnLoop *loop)
{
    RnSplicer *splicer = g_new0(RnSplicer, 1);

    splicer->loop = loop;
    splicer->gear = rn_pump_gear_new();
    return splicer;
}

void rn_splicer_free(RnSplicer *splicer)
{
    if (splicer == NULL)
        return;
    rn_timer_cancel(&splicer->run_timer);
    while (splicer->flows.head != NULL)
        end_flow(splicer->flows.head->data, true);
    rn_pump_gear_free(splicer->gear);
    g_free(splicer);
}

bool rn_splicer_join(RnSplicer *splicer, int take_a, int take_b,
                     RnFlowEndFunc ended, void *data, GError **error)
{
    static const RnWatchFunc handlers[2] = { handle_first, handle_second };
    const int fds[2] = { take_a, take_b };
    Flow *flow = g_new0(Flow, 1);

    *flow = (Flow){ .splicer = splicer, .ended = ended, .data = data };
    flow->all_link.data = flow;
    flow->run_link.data = flow;
    g_queue_push_tail_link(&splicer->flows, &flow->all_link);
    for (unsigned i = 0; i < 2; i++) {
        flow->ends[i].fd = fds[i];
        rn_pump_init(&flow->pumps[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (!rn_loop_add(splicer->loop, &flow->watches[i], fds[i],
                         EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                         handlers[i], flow, error)) {
            reset_flow(flow);
            return false;
        }
    }
    return true;
}

unsigned rn_splicer_n_flows(const RnSplicer *splicer)
{
    return splicer->flows.length;
}
