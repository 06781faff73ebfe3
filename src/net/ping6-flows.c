/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping6-flows - a small table, looked through from end to end
 *
 * Role:     echo request -> flow, by source, destination and id
 * Runs in:  the relay
 * Limits:   RN_PING6_FLOWS_MAX flows
 */
#include "config.h"

#include <rnet/net/ping6-flows.h>

#include <rnet/net/frame-fields.h>
#include <rnet/util/fd.h>

static uint16_t get_id(const RnFrame *request)
{
    return rn_get16(request->transport + 4); /* RFC 4443, 4.1 */
}

void rn_ping6_flow_close(RnPing6Flow *flow)
{
    if (!flow->is_open)
        return;
    rn_watch_remove(&flow->watch);
    rn_fd_close(&flow->fd);
    flow->is_open = false;
}

void rn_ping6_flows_clear(RnPing6Flows *flows)
{
    for (unsigned i = 0; i < RN_PING6_FLOWS_MAX; i++)
        rn_ping6_flow_close(&flows->flows[i]);
}

RnPing6Flow *rn_ping6_flows_find(RnPing6Flows *flows, const RnFrame *request,
                                 int64_t now_ms)
{
    for (unsigned i = 0; i < RN_PING6_FLOWS_MAX; i++) {
        RnPing6Flow *flow = &flows->flows[i];

        if (!flow->is_open || flow->id != get_id(request) ||
            !rn_endpoint_same_address(&flow->remote, &request->destination) ||
            !rn_endpoint_same_address(&flow->guest, &request->source))
            continue;
        flow->last_ms = now_ms;
        return flow;
    }
    return NULL;
}

/* A free place, or else the flow that was idle the longest. */
static RnPing6Flow *choose_place(RnPing6Flows *flows)
{
    RnPing6Flow *chosen = &flows->flows[0];

    for (unsigned i = 0; i < RN_PING6_FLOWS_MAX; i++) {
        RnPing6Flow *flow = &flows->flows[i];

        if (!flow->is_open)
            return flow;
        if (flow->last_ms < chosen->last_ms)
            chosen = flow;
    }
    return chosen;
}

RnPing6Flow *rn_ping6_flows_add(RnPing6Flows *flows, const RnFrame *request,
                                int take_fd, int64_t now_ms)
{
    RnPing6Flow *flow = choose_place(flows);

    rn_ping6_flow_close(flow);
    *flow = (RnPing6Flow){
        .is_open = true,
        .fd = take_fd,
        .guest = request->source,
        .remote = request->destination,
        .id = get_id(request),
        .last_ms = now_ms,
    };
    return flow;
}

void rn_ping6_flows_expire(RnPing6Flows *flows, int64_t now_ms)
{
    for (unsigned i = 0; i < RN_PING6_FLOWS_MAX; i++) {
        if (now_ms - flows->flows[i].last_ms >= RN_PING6_IDLE_MS)
            rn_ping6_flow_close(&flows->flows[i]);
    }
}

int64_t rn_ping6_flows_next_expiry_ms(const RnPing6Flows *flows)
{
    int64_t next_ms = -1;

    for (unsigned i = 0; i < RN_PING6_FLOWS_MAX; i++) {
        const RnPing6Flow *flow = &flows->flows[i];
        int64_t due_ms = flow->last_ms + RN_PING6_IDLE_MS;

        if (flow->is_open && (next_ms < 0 || due_ms < next_ms))
            next_ms = due_ms;
    }
    return next_ms;
}

unsigned rn_ping6_flows_count(const RnPing6Flows *flows)
{
    unsigned n = 0;

    for (unsigned i = 0; i < RN_PING6_FLOWS_MAX; i++)
        n += flows->flows[i].is_open;
    return n;
}
