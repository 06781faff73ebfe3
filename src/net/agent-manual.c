/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-manual - an interface that its owner configures, now or later
 *
 * Runs in nsagent, from before its confinement on. News of links, addresses and
 * routes make it look, a family at a time: with the guest's address on the
 * interface and a default route over it TCP is handed off, and without not any
 * more. While it is not, published ports have rules of their own. Both can be
 * done again and again: the kernel drops routes with the address or the link.
 *
 * The sooner the better: a connection that libslirp carries already is reset when
 * the handoff begins. A namespace that changes all the time is looked at less and
 * less often, down to once in PAUSE_MAX_MS.
 * Failure: a warning, once; TCP is libslirp's then.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>

#include <rnet/net/address-plan.h>
#include <rnet/sys/netlink-look.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    PAUSE_MIN_MS = 1, /* between two looks; doubles while there is news */
    PAUSE_MAX_MS = 64,
    FAMILIES = 2,
};

struct RnAgentManual {
    const RnAgentNetwork *network;
    RnLoop *loop;
    int news;
    RnWatch news_watch;
    RnTimer pause;
    int pause_ms;
    int64_t pause_end_ms;
    bool is_handed_off[FAMILIES];
    bool has_warned;
};

/* What a family has at the moment. */
typedef struct Look {
    bool has_address; /* on a link that is up */
    bool has_route;
} Look;

static bool look(const RnAgentNetwork *network, uint16_t family, Look *out_look,
                 GError **error)
{
    const RnEndpoint *guest = rn_plan_guest(&network->plan, family);
    RnLinkLook link = { 0 };

    *out_look = (Look){ 0 };
    if (!rn_netlink_link_look(network->netlink, network->link_index, &link,
                              error))
        return false;
    if (!link.is_up)
        return true;
    return rn_netlink_has_address(network->netlink, network->link_index, guest,
                                  &out_look->has_address, error) &&
           rn_netlink_has_default_route(network->netlink, network->link_index,
                                        family, &out_look->has_route, error);
}

/* A `lo` that is down is its owner's business, too, and will come up. */
static void report(RnAgentManual *manual, const GError *failure)
{
    bool is_expected =
        manual->has_warned || rn_error_is_errno(failure, ENETDOWN);

    rn_log(is_expected ? RN_LOG_DEBUG : RN_LOG_WARNING,
           "no TCP handoff at the moment: %s; libslirp carries TCP",
           failure->message);
    manual->has_warned = manual->has_warned || !is_expected;
}

static bool try_hand_off(RnAgentManual *manual, uint16_t family)
{
    const RnAgentNetwork *network = manual->network;
    g_autoptr(GError) failure = NULL;

    if (rn_agent_begin_hand_off(&network->plan, network->netlink,
                                network->link_index, family, &failure))
        return true;
    report(manual, failure);
    return false;
}

static void deliver_ports(const RnAgentNetwork *network, uint16_t family,
                          bool is_wanted)
{
    g_autoptr(GError) failure = NULL;

    if (!rn_agent_ports_deliver(network->ports, family, is_wanted, &failure))
        rn_log_debug("published ports: %s, ignoring", failure->message);
}

static void follow_family(RnAgentManual *manual, uint16_t family)
{
    const RnAgentNetwork *network = manual->network;
    bool *is_handed_off = &manual->is_handed_off[family == AF_INET6];
    g_autoptr(GError) failure = NULL;
    Look seen;

    /* the interface may be gone, and then nothing is there */
    if (!look(network, family, &seen, &failure)) {
        rn_log_debug("%s, ignoring", failure->message);
        seen = (Look){ 0 };
    }
    if (network->nft != NULL && seen.has_address && seen.has_route &&
        try_hand_off(manual, family)) {
        *is_handed_off = true;
        deliver_ports(network, family, false);
        return;
    }
    /* these rules first, so that no answer gets lost in between */
    if (seen.has_address)
        deliver_ports(network, family, true);
    if (*is_handed_off)
        rn_agent_end_hand_off(&network->plan, network->netlink, family);
    *is_handed_off = false;
}

static void follow(RnAgentManual *manual)
{
    follow_family(manual, AF_INET);
    if (manual->network->has_ipv6)
        follow_family(manual, AF_INET6);
}

static void end_pause(RnTimer *timer)
{
    RnAgentManual *manual = timer->data;

    manual->pause_end_ms = rn_clock_ms();
    rn_watch_set_events(&manual->news_watch, EPOLLIN);
}

static void begin_pause(RnAgentManual *manual)
{
    int64_t quiet_ms = rn_clock_ms() - manual->pause_end_ms;

    if (quiet_ms <= manual->pause_ms)
        manual->pause_ms = MIN(2 * manual->pause_ms, PAUSE_MAX_MS);
    else
        manual->pause_ms = PAUSE_MIN_MS;
    rn_watch_set_events(&manual->news_watch, 0);
    rn_loop_set_timer(manual->loop, &manual->pause, manual->pause_ms, end_pause,
                      manual);
}

static void on_news(RnWatch *watch, uint32_t events)
{
    RnAgentManual *manual = watch->data;

    (void)events;
    if (!rn_netlink_take_news(watch->fd)) {
        rn_log_warning("news of the network: %s, ignoring", g_strerror(errno));
        rn_watch_remove(watch);
        return;
    }
    follow(manual);
    begin_pause(manual);
}

RnAgentManual *rn_agent_manual_new(const RnAgentNetwork *network, RnLoop *loop,
                                   GError **error)
{
    g_autoptr(RnAgentManual) manual = g_new0(RnAgentManual, 1);

    manual->network = network;
    manual->loop = loop;
    manual->news = -1;
    manual->pause_ms = PAUSE_MIN_MS;
    /* so that what an nsagent before this one did is undone if need be */
    for (unsigned i = 0; i < FAMILIES; i++)
        manual->is_handed_off[i] = true;
    if (!rn_netlink_open_news(&manual->news, error) ||
        !rn_loop_add(loop, &manual->news_watch, manual->news, EPOLLIN, on_news,
                     manual, error))
        return NULL;
    follow(manual);
    return g_steal_pointer(&manual);
}

void rn_agent_manual_free(RnAgentManual *manual)
{
    if (manual == NULL)
        return;
    rn_watch_remove(&manual->news_watch);
    rn_timer_cancel(&manual->pause);
    rn_fd_close(&manual->news);
    g_free(manual);
}
