/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network - starts nsagent and the relay, joins them, keeps them running
 *
 * Runs in the monitor. Both helpers are services (service.h). The link, the
 * listeners and the sockets of exposed ports stay here, so a helper that dies takes nothing along that the next
 * one would miss: a new relay gets the same fds, a new nsagent finds the
 * namespace configured. A relay is of no use without nsagent, so the end of
 * nsagent ends the relay; nsagent's readiness starts it again.
 *
 * rn_network_start() turns a loop of its own until the relay is ready; the
 * first end or failure of a helper in that time is its error. Afterwards an
 * end is a warning and a restart, for ever: the namespace fds are held here, so
 * a restart cannot be in vain for good while the container lives. A link of the
 * caller's is another matter: its end is the network's.
 */
#include "config.h"

#include <rnet/net/network.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include <rnet/net/network-parts.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

/* What a restart's failure or a helper's end means depends on the time. */
static void report_failure(RnService *service, const GError *why)
{
    RnNetwork *network = service->owner;
    int delay_ms = 0;

    if (network->is_starting) {
        if (network->failure == NULL) {
            network->failure = g_error_copy(why);
            g_prefix_error(&network->failure,
                           "network: %s: ", service->type->name);
        }
        rn_loop_quit(network->loop);
        return;
    }
    delay_ms = rn_service_restart_later(service, network->loop);
    rn_log_warning("%s: %s; starting it again in %d ms", service->type->name,
                   why->message, delay_ms);
}

static void begin_agent(RnService *service)
{
    RnNetwork *network = service->owner;
    bool is_first = network->link < 0;
    int fds[] = { network->netns_fd, network->userns_fd };

    network->setup.make_link = is_first;
    network->setup.log_level = (uint32_t)rn_log_level();
    /* the first one has what the request says, of which errors can be told */
    if (!is_first)
        rn_network_fill_ranges(network);
    rn_service_post(service, &(RnOutMessage){
                                 .type = RN_MSG_AGENT_SETUP,
                                 .payload = &network->setup,
                                 .length = sizeof network->setup,
                                 .fds = fds,
                                 .n_fds = network->userns_fd >= 0 ? 2 : 1,
                             });
}

static void begin_relay(RnService *service)
{
    RnNetwork *network = service->owner;
    int fds[] = { network->link, g_steal_fd(&network->relay_serving) };
    RnRelaySetup setup = {
        .plan = network->setup.plan,
        .log_level = (uint32_t)rn_log_level(),
    };

    /* a copy kept here would hide the relay's end from nsagent */
    rn_service_post(service, &(RnOutMessage){
                                 .type = RN_MSG_RELAY_SETUP,
                                 .payload = &setup,
                                 .length = sizeof setup,
                                 .fds = fds,
                                 .n_fds = network->is_agentless ? 1 : 2,
                                 .takes_last_fd = !network->is_agentless,
                             });
    for (guint i = 0; i < network->listeners->len; i++)
        rn_network_post_listener(
            network, &g_array_index(network->listeners, RnListener, i));
    for (guint i = 0; i < network->exposed->len; i++) {
        const RnNetworkExposed *exposed =
            &g_array_index(network->exposed, RnNetworkExposed, i);

        rn_service_post(service, &(RnOutMessage){
                                     .type = RN_MSG_RELAY_EXPOSE,
                                     .payload = &exposed->port,
                                     .length = sizeof exposed->port,
                                     .fds = &exposed->fd,
                                     .n_fds = 1,
                                 });
    }
    rn_service_post(service, &(RnOutMessage){ .type = RN_MSG_RELAY_START });
}

/* Starts the relay with a fresh serving pair between it and nsagent, if any. */
static bool start_relay(RnNetwork *network, GError **error)
{
    int pair[2] = { -1, -1 };

    if (!network->is_agentless) {
        if (!rn_msg_pair(pair, error))
            return false;
        rn_fd_close(&network->relay_serving);
        network->relay_serving = pair[1];
        rn_service_post(&network->agent, &(RnOutMessage){
                                             .type = RN_MSG_AGENT_SERVE,
                                             .fds = &pair[0],
                                             .n_fds = 1,
                                             .takes_last_fd = true,
                                         });
    }
    return rn_service_start(&network->relay, network->loop, error);
}

static void restart_relay(RnService *service)
{
    RnNetwork *network = service->owner;
    g_autoptr(GError) failure = NULL;

    /* nsagent's readiness will start it */
    if (!network->agent.is_ready && !network->is_agentless)
        return;
    if (!start_relay(network, &failure))
        report_failure(service, failure);
}

static void restart_agent(RnService *service)
{
    RnNetwork *network = service->owner;
    g_autoptr(GError) failure = NULL;

    if (!rn_service_start(service, network->loop, &failure))
        report_failure(service, failure);
}

static bool take_agent_ready(RnService *service, RnMsg *msg, GError **error)
{
    RnNetwork *network = service->owner;
    unsigned n_fds = network->link < 0 ? 1 : 0;
    RnAgentReady ready = { 0 };

    if (msg->length != sizeof ready || msg->n_fds != n_fds)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed answer");
    memcpy(&ready, msg->payload, sizeof ready);
    if (ready.handoff_mode != RN_HANDOFF_MODE_ON &&
        ready.handoff_mode != RN_HANDOFF_MODE_OFF)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed answer");
    /* that is settled now, for the relay and for every nsagent to come */
    network->setup.plan.handoff_mode = (uint8_t)ready.handoff_mode;
    memcpy(network->setup.plan.guest_mac, ready.guest_mac,
           sizeof ready.guest_mac);
    if (network->link < 0)
        network->link = rn_msg_steal_fd(msg, 0);
    else
        rn_network_post_other_ranges(network);
    restart_relay(&network->relay);
    return true;
}

/* Only what was asked for, and once a family. */
static bool may_expose(const RnNetwork *network, const RnExposedPort *port)
{
    const RnNetworkPlan *plan = &network->setup.plan;
    unsigned count = 0;

    for (guint i = 0; i < network->exposed->len; i++)
        count += g_array_index(network->exposed, RnNetworkExposed, i)
                     .port.guest_port == port->guest_port;
    for (unsigned i = 0; i < plan->n_exposed; i++) {
        if (memcmp(&plan->exposed[i], port, sizeof *port) == 0)
            return count < 2;
    }
    return false;
}

static bool take_exposed(RnNetwork *network, RnMsg *msg, GError **error)
{
    RnNetworkExposed exposed = { .fd = -1 };

    if (msg->length != sizeof exposed.port || msg->n_fds != 1)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed socket");
    memcpy(&exposed.port, msg->payload, sizeof exposed.port);
    if (!may_expose(network, &exposed.port))
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "a socket that nobody asked for");
    exposed.fd = rn_msg_steal_fd(msg, 0);
    g_array_append_val(network->exposed, exposed);
    return true;
}

static bool take_agent_message(RnService *service, RnMsg *msg, GError **error)
{
    RnNetwork *network = service->owner;

    if (service->is_ready && msg->type == RN_MSG_AGENT_LISTENING)
        return rn_network_take_listening(network, msg, error);
    if (!service->is_ready && network->link < 0 &&
        msg->type == RN_MSG_AGENT_EXPOSED)
        return take_exposed(network, msg, error);
    return rn_set_error(error, RN_ERROR_PROTOCOL, "unexpected message %u",
                        msg->type);
}

static bool take_relay_ready(RnService *service, RnMsg *msg, GError **error)
{
    RnNetwork *network = service->owner;

    if (msg->length != 0 || msg->n_fds != 0)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed answer");
    if (network->is_starting)
        rn_loop_quit(network->loop);
    return true;
}

static void note_agent_end(RnService *service, const GError *why)
{
    RnNetwork *network = service->owner;

    rn_service_stop(&network->relay);
    report_failure(service, why);
}

/* Whether the other end of a link of the caller's is gone. */
static bool has_link_ended(const RnNetwork *network)
{
    struct pollfd link = { .fd = network->link, .events = POLLRDHUP };

    return network->is_agentless && poll(&link, 1, 0) > 0;
}

/*
 * An nsagent that is dying loses its sockets one by one: the relay learns it
 * first, and a new relay would get one that nobody answers on. Its end, which
 * is made certain, brings both back.
 */
static void note_relay_end(RnService *service, const GError *why)
{
    RnNetwork *network = service->owner;

    if (!network->is_starting && has_link_ended(network)) {
        rn_log_info("%s: %s; the link has ended", service->type->name,
                    why->message);
        if (network->link_ended != NULL)
            network->link_ended(network->link_data);
        return;
    }
    if (!network->is_starting &&
        g_error_matches(why, RN_ERROR, RN_ERROR_HELPER_LOST) &&
        network->agent.is_ready)
        rn_service_condemn(&network->agent, NULL);
    else
        report_failure(service, why);
}

static const RnServiceType agent_type = {
    .name = RN_AGENT_NAME,
    .ready_message = RN_MSG_AGENT_READY,
    .begin = begin_agent,
    .ready = take_agent_ready,
    .message = take_agent_message,
    .ended = note_agent_end,
    .restart = restart_agent,
};

static const RnServiceType relay_type = {
    .name = RN_RELAY_NAME,
    .ready_message = RN_MSG_RELAY_READY,
    .begin = begin_relay,
    .ready = take_relay_ready,
    .ended = note_relay_end,
    .restart = restart_relay,
};

static void close_exposed(void *data)
{
    RnNetworkExposed *exposed = data;

    rn_fd_close(&exposed->fd);
}

RnNetwork *rn_network_new(const RnNetworkRequest *request)
{
    RnNetwork *network = g_new0(RnNetwork, 1);
    const GArray *ranges = request->ranges;
    unsigned n_ranges = ranges != NULL ? ranges->len : 0;

    network->setup.plan = *request->plan;
    /* more than fit make rn_network_start() fail */
    network->setup.n_ranges = n_ranges;
    if (n_ranges > 0)
        memcpy(network->setup.ranges, ranges->data,
               MIN(n_ranges, RN_AGENT_MAX_RANGES) * sizeof(RnPortRange));
    rn_network_take_listeners(network, request->take_listeners);
    network->exposed = g_array_new(FALSE, FALSE, sizeof(RnNetworkExposed));
    g_array_set_clear_func(network->exposed, close_exposed);
    network->auto_publish = request->auto_publish;
    network->auto_ports = g_array_new(FALSE, FALSE, sizeof(RnAutoPort));
    network->setup.watch_ports = request->auto_publish.first != 0;
    network->notice = request->notice;
    network->notice_data = request->notice_data;
    network->userns_fd = -1;
    network->netns_fd = -1;
    network->link = request->take_link;
    network->is_agentless = request->take_link >= 0;
    network->link_ended = request->link_ended;
    network->link_data = request->link_data;
    if (network->is_agentless)
        network->setup.plan.handoff_mode = RN_HANDOFF_MODE_OFF;
    network->relay_serving = -1;
    rn_service_init(&network->agent, &agent_type, network);
    rn_service_init(&network->relay, &relay_type, network);
    return network;
}

static bool duplicate(int fd, int *out_fd, GError **error)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (copy < 0)
        return rn_set_errno(error, errno, "keep a namespace");
    *out_fd = copy;
    return true;
}

/* Turns `loop` until the relay is ready or something failed. */
static bool start_in_loop(RnNetwork *network, RnLoop *loop, GError **error)
{
    bool ok = false;

    network->loop = loop;
    network->is_starting = true;
    ok = network->is_agentless ? start_relay(network, error)
                               : rn_service_start(&network->agent, loop, error);
    ok = ok && rn_loop_run(loop, error);
    network->is_starting = false;
    network->loop = NULL;
    if (ok && network->failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&network->failure));
        ok = false;
    }
    g_clear_error(&network->failure);
    rn_service_unwatch(&network->agent);
    rn_service_unwatch(&network->relay);
    return ok;
}

static void end_services(RnNetwork *network)
{
    rn_service_stop(&network->relay);
    rn_service_stop(&network->agent);
    rn_fd_close(&network->relay_serving);
    rn_fd_close(&network->link);
}

void rn_network_end(RnNetwork *network)
{
    rn_service_end(&network->relay);
    rn_service_end(&network->agent);
}

bool rn_network_start(RnNetwork *network, int userns_fd, int netns_fd,
                      GError **error)
{
    g_autoptr(RnLoop) loop = NULL;

    g_return_val_if_fail(network->netns_fd < 0, false);
    if (network->setup.n_ranges > RN_AGENT_MAX_RANGES)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "network: %u separate ranges of published ports, "
                            "where %d are possible",
                            network->setup.n_ranges, RN_AGENT_MAX_RANGES);
    if ((!network->is_agentless &&
         !duplicate(netns_fd, &network->netns_fd, error)) ||
        (userns_fd >= 0 && !duplicate(userns_fd, &network->userns_fd, error)))
        return false;
    loop = rn_loop_new(error);
    if (loop == NULL)
        return false;
    if (start_in_loop(network, loop, error))
        return true;
    rn_network_end(network);
    end_services(network);
    return false;
}

bool rn_network_is_up(const RnNetwork *network)
{
    return network->relay.is_ready;
}

const RnNetworkPlan *rn_network_plan(const RnNetwork *network)
{
    return &network->setup.plan;
}

bool rn_network_watch(RnNetwork *network, RnLoop *loop, GError **error)
{
    network->loop = loop;
    rn_network_look_in_time(network);
    return (network->is_agentless ||
            rn_service_move(&network->agent, loop, error)) &&
           rn_service_move(&network->relay, loop, error);
}

void rn_network_free(RnNetwork *network)
{
    if (network == NULL)
        return;
    end_services(network);
    rn_timer_cancel(&network->listening_timer);
    g_array_unref(network->auto_ports);
    g_array_unref(network->exposed);
    rn_fd_close(&network->userns_fd);
    rn_fd_close(&network->netns_fd);
    g_array_unref(network->listeners);
    g_clear_error(&network->failure);
    g_free(network);
}
