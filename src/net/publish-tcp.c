/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish-tcp - clients of published ports become visits, then flows
 *
 * Role:     acceptor -> visit -> splicer
 * Runs in:  the relay
 * Owns:     the acceptor (its limits and failures, acceptor.c); the visits under
 *           way
 */
#include "config.h"

#include <rnet/net/publish-tcp.h>

#include <errno.h>

#include <rnet/net/acceptor.h>
#include <rnet/net/visit.h>
#include <rnet/util/log.h>

G_STATIC_ASSERT((int)RN_ACCEPTOR_WAITING_MAX <= (int)RN_AGENT_CLIENT_MAX);

struct RnPublishTcp {
    RnSplicer *splicer;
    RnVisitParts visit_parts;
    RnAcceptor *acceptor;
};

static void handle_flow_end(void *data)
{
    RnPublishTcp *publish = data;

    rn_acceptor_resume(publish->acceptor);
}

static void join(RnPublishTcp *publish, int take_client, int take_inside)
{
    g_autoptr(GError) failure = NULL;

    if (!rn_splicer_join(publish->splicer, take_client, take_inside,
                         handle_flow_end, publish, &failure))
        rn_log_debug("publish: %s", failure->message);
}

static void handle_visit_end(int take_client, int take_inside, void *owner,
                             void *data)
{
    if (take_client >= 0)
        join(owner, take_client, take_inside);
    rn_acceptor_release(data);
}

static bool start_visit(RnAcceptorPort *port, int take_client,
                        const RnEndpoint *from, const RnEndpoint *target,
                        void *data)
{
    RnPublishTcp *publish = data;
    int inside = -1;
    int errno_value = rn_visit_start(&publish->visit_parts, take_client, from,
                                     target, port, &inside);

    if (errno_value == 0)
        join(publish, take_client, inside);
    return errno_value == EINPROGRESS;
}

RnPublishTcp *rn_publish_tcp_new(const RnPublishTcpParts *parts)
{
    RnPublishTcp *publish = g_new0(RnPublishTcp, 1);

    publish->splicer = parts->splicer;
    publish->visit_parts = (RnVisitParts){
        .plan = parts->plan,
        .loop = parts->loop,
        .inside = parts->inside,
        .ended = handle_visit_end,
        .owner = publish,
    };
    publish->acceptor = rn_acceptor_new(parts->loop, start_visit, publish);
    return publish;
}

void rn_publish_tcp_free(RnPublishTcp *publish)
{
    if (publish == NULL)
        return;
    rn_visits_abandon(&publish->visit_parts);
    rn_acceptor_free(publish->acceptor);
    g_free(publish);
}

bool rn_publish_tcp_add(RnPublishTcp *publish, const RnRelayListener *info,
                        int take_fd, GError **error)
{
    return rn_acceptor_add(publish->acceptor, info->id, &info->guest, take_fd,
                           error);
}

unsigned rn_publish_tcp_remove(RnPublishTcp *publish, uint32_t id)
{
    return rn_acceptor_remove(publish->acceptor, id);
}

bool rn_publish_tcp_is_paused(const RnPublishTcp *publish)
{
    return rn_acceptor_is_paused(publish->acceptor);
}

unsigned rn_publish_tcp_n_waiting(const RnPublishTcp *publish)
{
    return rn_acceptor_n_waiting(publish->acceptor);
}
