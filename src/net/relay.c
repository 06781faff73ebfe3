/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay - puts the parts of the data path together and runs them
 *
 * World on entry: exec'd by the monitor in the host's namespaces with the
 * caller's ids; a socket to the monitor, nothing else. World when it relays:
 * no capabilities, Landlock, seccomp (relay-confine.c).
 *
 * Data:     guest's frames -> the handoff, or answers of published UDP ports,
 *           or the filter, then udp-out, ping6 or libslirp;  host's listeners
 *           -> splices and frames
 * Owns:     the link, the socket to nsagent, the listeners, all flows
 * Failure:  of one frame or flow: that one; of the link or of nsagent: the
 *           relay ends, and the monitor starts another with the same fds
 */
#include "config.h"

#include <rnet/net/relay.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <rnet/net/exposed-frame.h>
#include <rnet/net/fd-room.h>
#include <rnet/net/filter.h>
#include <rnet/net/handoff.h>
#include <rnet/net/link.h>
#include <rnet/net/network.h>
#include <rnet/net/ping6.h>
#include <rnet/net/reassembly.h>
#include <rnet/net/relay-orders.h>
#include <rnet/net/slirp.h>
#include <rnet/net/udp-out.h>
#include <rnet/sys/process.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

typedef struct Relay {
    RnNetworkPlan plan; /* its guest_mac may change, if it is_manual */
    RnLoop *loop;
    RnWatch monitor;
    RnLink *link;
    RnSlirp *slirp;
    /* NULL: the link is the caller's; then so are the parts up to expose */
    RnAgentClient *agent;
    RnInside *inside;
    RnSplicer *splicer;
    RnHandoff *handoff;
    RnPublishTcp *tcp;
    RnExpose *expose;
    RnUdpIntake *udp_intake;
    RnUdpSender *udp_sender;
    RnUdpOut *udp_out;
    RnPublishUdp *udp;
    RnPing6 *ping6; /* NULL: libslirp does it */
    RnReassembly *pings;
    uint8_t *rewritten; /* RN_FRAME_MAX, in memory once it is used */
    RnRelayOrders orders;
    bool is_over;    /* leave the loop */
    GError *failure; /* why, if not for the monitor's EOF */
    RnMsg msg;
} Relay;

static void clear_relay(Relay *relay)
{
    rn_splicer_free(relay->splicer);
    rn_handoff_free(relay->handoff);
    rn_publish_tcp_free(relay->tcp);
    rn_expose_free(relay->expose);
    rn_publish_udp_free(relay->udp);
    rn_udp_out_free(relay->udp_out);
    rn_udp_sender_free(relay->udp_sender);
    rn_udp_intake_free(relay->udp_intake);
    rn_ping6_free(relay->ping6);
    rn_reassembly_free(relay->pings);
    rn_inside_free(relay->inside);
    rn_agent_client_free(relay->agent);
    rn_slirp_free(relay->slirp);
    rn_link_free(relay->link);
    rn_watch_remove(&relay->monitor);
    rn_loop_free(relay->loop);
    g_free(relay->rewritten);
    rn_msg_clear(&relay->msg);
    g_clear_error(&relay->failure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Relay, clear_relay)

/* Frames for the guest: of UDP, of ping6, refusals. */
static void send_frame(const uint8_t *frame, gsize length, void *data)
{
    const Relay *relay = data;

    rn_link_send(relay->link, frame, length);
}

static void send_slirp_frame(const uint8_t *frame, gsize length, void *data)
{
    const Relay *relay = data;

    frame =
        rn_exposed_frame_leave(&relay->plan, frame, length, relay->rewritten);
    rn_link_send(relay->link, frame, length);
}

static bool send_burst(const RnFrameBurst *burst, void *data)
{
    const Relay *relay = data;

    return rn_link_send_burst(relay->link, burst);
}

static void handle_pause(void *owner)
{
    const Relay *relay = owner;

    rn_udp_sender_flush(relay->udp_sender);
}

/*
 * The owner of an interface that is not ours to configure may change its MAC at
 * any time, and frames to the old one would be dropped there.
 */
static void learn_mac(Relay *relay, const RnFrame *frame)
{
    static const uint8_t none[6];
    const uint8_t *mac = frame->ether + 6;
    uint8_t *known = relay->plan.guest_mac;

    if (relay->plan.is_manual == 0 || memcmp(mac, known, 6) == 0 ||
        (mac[0] & 1) != 0 || memcmp(mac, none, 6) == 0 ||
        !rn_filter_is_guests_own(&relay->plan, frame))
        return;
    memcpy(known, mac, 6);
    rn_log_debug("the guest's MAC is %02x:%02x:%02x:%02x:%02x:%02x now", mac[0],
                 mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* Never a fragment, see reassembly.h: whole pings, and nothing else of those. */
static void feed_slirp(Relay *relay, const RnFrame *frame)
{
    const uint8_t *bytes = relay->rewritten;
    gsize length = frame->frame_length;

    if (frame->is_fragment)
        length = rn_reassembly_add_ping(relay->pings, frame, rn_clock_ms(),
                                        relay->rewritten);
    else
        bytes = rn_exposed_frame_enter(&relay->plan, frame, relay->rewritten);
    if (length > 0)
        rn_slirp_input(relay->slirp, bytes, length);
}

static void handle_frame(const uint8_t *data, gsize length, void *owner)
{
    Relay *relay = owner;
    RnFrame frame;

    if (!rn_frame_parse(data, length, &frame))
        return;
    learn_mac(relay, &frame);
    if (rn_filter_is_handoff(&relay->plan, &frame)) {
        rn_handoff_take(relay->handoff, &frame);
        return;
    }
    if (rn_publish_udp_wants(relay->udp, &frame) &&
        rn_publish_udp_take_answer(relay->udp, &frame))
        return;
    if (rn_filter_frame(&relay->plan, &frame) != RN_VERDICT_SLIRP)
        return;
    if (rn_udp_out_take(relay->udp_out, &frame))
        return;
    if (relay->ping6 != NULL && rn_ping6_wants(&relay->plan, &frame))
        rn_ping6_send(relay->ping6, &frame);
    else
        feed_slirp(relay, &frame);
}

static void handle_link_end(int errno_value, void *owner)
{
    Relay *relay = owner;

    relay->is_over = true;
    if (relay->failure != NULL)
        return;
    if (errno_value != 0)
        (void)rn_set_errno(&relay->failure, errno_value, "read the link");
    else
        (void)rn_set_error(&relay->failure, RN_ERROR_PEER_DIED,
                           "the link was closed");
}

static void handle_agent_loss(const GError *failure, void *owner)
{
    Relay *relay = owner;

    relay->is_over = true;
    if (relay->failure == NULL)
        (void)rn_set_error(&relay->failure, RN_ERROR_HELPER_LOST, "%s: %s",
                           RN_AGENT_NAME, failure->message);
}

static void handle_monitor(RnWatch *watch, uint32_t events)
{
    Relay *relay = watch->data;
    GError *failure = NULL;

    (void)events;
    if (rn_msg_recv(watch->fd, &relay->msg, &failure) &&
        rn_relay_orders_take(&relay->orders, &relay->msg, &failure))
        return;
    relay->is_over = true;
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PEER_DIED)) {
        g_error_free(failure);
        return;
    }
    g_clear_error(&relay->failure);
    g_propagate_error(&relay->failure, failure);
}

static bool take_setup(Relay *relay, int socket, GError **error)
{
    RnRelaySetup setup = { 0 };
    RnLinkHandlers handlers = {
        .frame = handle_frame,
        .pause = handle_pause,
        .end = handle_link_end,
        .data = relay,
    };

    if (!rn_msg_recv(socket, &relay->msg, error))
        return false;
    if (relay->msg.type != RN_MSG_RELAY_SETUP ||
        relay->msg.length != sizeof setup || relay->msg.n_fds < 1 ||
        relay->msg.n_fds > 2)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "message %u is no set-up",
                            relay->msg.type);
    memcpy(&setup, relay->msg.payload, sizeof setup);
    if (setup.log_level >= RN_LOG_N_)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "unknown log level %u",
                            setup.log_level);
    if (setup.plan.n_exposed > RN_EXPOSED_MAX)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "%u exposed ports",
                            setup.plan.n_exposed);
    rn_log_set_level(setup.log_level);
    relay->plan = setup.plan;

    relay->loop = rn_loop_new(error);
    if (relay->loop == NULL)
        return false;
    relay->link = rn_link_new(relay->loop, rn_msg_steal_fd(&relay->msg, 0),
                              &handlers, error);
    if (relay->link == NULL)
        return false;
    if (relay->msg.n_fds == 1) {
        relay->plan.handoff_mode = RN_HANDOFF_MODE_OFF;
        relay->plan.is_manual = 1;
        return true;
    }
    relay->agent =
        rn_agent_client_new(relay->loop, rn_msg_steal_fd(&relay->msg, 1),
                            handle_agent_loss, relay, error);
    return relay->agent != NULL;
}

static void make_tcp_parts(Relay *relay)
{
    RnPublishTcpParts publish = {
        .plan = &relay->plan,
        .loop = relay->loop,
    };
    RnHandoffParts handoff = {
        .plan = &relay->plan,
        .loop = relay->loop,
        .send = send_frame,
        .send_data = relay,
    };

    relay->splicer = publish.splicer = handoff.splicer =
        rn_splicer_new(relay->loop);
    relay->inside = publish.inside = handoff.inside =
        rn_inside_new(relay->loop, relay->agent, true);
    relay->tcp = rn_publish_tcp_new(&publish);
    relay->handoff = rn_handoff_new(&handoff);
    relay->expose = rn_expose_new(relay->loop, relay->splicer);
}

static void make_udp_parts(Relay *relay)
{
    RnUdpSinks sinks = {
        .frame = send_frame,
        .burst = send_burst,
        .data = relay,
    };
    RnUdpOutParts out = {
        .plan = &relay->plan,
        .loop = relay->loop,
        .sink = send_frame,
        .sink_data = relay,
        .max = RN_UDP_OUT_MAX,
    };

    relay->udp_intake = out.intake = rn_udp_intake_new(&relay->plan, &sinks);
    relay->udp_sender = out.sender = rn_udp_sender_new();
    relay->udp_out = rn_udp_out_new(&out);
    relay->udp = rn_publish_udp_new(&relay->plan, relay->loop,
                                    relay->udp_intake, relay->udp_sender);
}

static bool make_parts(Relay *relay, GError **error)
{
    relay->rewritten = g_malloc(RN_FRAME_MAX);
    relay->pings = rn_reassembly_new();
    relay->slirp =
        rn_slirp_new(&relay->plan, relay->loop, send_slirp_frame, relay, error);
    if (relay->slirp == NULL)
        return false;
    if (relay->agent != NULL)
        make_tcp_parts(relay);
    make_udp_parts(relay);
    relay->orders = (RnRelayOrders){
        .plan = &relay->plan,
        .tcp = relay->tcp,
        .slirp = relay->slirp,
        .udp = relay->udp,
        .expose = relay->expose,
    };
    if (!rn_slirp_forwards_ping6())
        relay->ping6 =
            rn_ping6_new(&relay->plan, relay->loop, send_frame, relay);
    return true;
}

static bool take_orders(Relay *relay, int socket, GError **error)
{
    RnMsg *msg = &relay->msg;

    for (;;) {
        if (!rn_msg_recv(socket, msg, error))
            return false;
        if (msg->type == RN_MSG_RELAY_START && msg->length == 0 &&
            msg->n_fds == 0)
            return true;
        if (!rn_relay_orders_take(&relay->orders, msg, error))
            return false;
    }
}

static bool begin(Relay *relay, int socket, GError **error)
{
    g_autoptr(GError) not_raised = NULL;

    if (!take_setup(relay, socket, error))
        return false;
    /* before listeners come; with fewer fds it works too, for fewer flows */
    if (!rn_fd_room_raise(&not_raised))
        rn_log_debug("%s, ignoring", not_raised->message);
    if (!make_parts(relay, error) || !take_orders(relay, socket, error) ||
        !rn_loop_add(relay->loop, &relay->monitor, socket, EPOLLIN,
                     handle_monitor, relay, error))
        return false;
    if (!rn_relay_confine(relay->agent != NULL, error)) {
        g_prefix_error(error, "confine: ");
        return false;
    }
    return rn_msg_send(socket, RN_MSG_RELAY_READY, NULL, 0, NULL, 0, error);
}

static bool run(Relay *relay, int socket, GError **error)
{
    if (!begin(relay, socket, error))
        return false;
    while (!relay->is_over) {
        if (!rn_slirp_turn(relay->slirp, -1, error))
            return false;
    }
    rn_log_debug("link: %" G_GUINT64_FORMAT " frames dropped",
                 rn_link_counters(relay->link)->dropped);
    if (relay->failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&relay->failure));
    return false;
}

bool rn_relay_run(int socket, GError **error)
{
    g_auto(Relay) relay = { 0 };
    GError *failure = NULL;

    if (run(&relay, socket, &failure))
        return true;
    /* a monitor that is gone has no use for it */
    (void)rn_msg_send_error(socket, failure, NULL);
    g_propagate_error(error, failure);
    return false;
}

static void log_glib_line(const char *domain, GLogLevelFlags level,
                          const char *text, gpointer data)
{
    (void)level;
    (void)data;
    rn_log_debug("%s: %s", domain != NULL ? domain : "glib", text);
}

bool rn_relay_prepare(GError **error)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    if (sigaction(SIGPIPE, &ignore, NULL) < 0)
        return rn_set_errno(error, errno, "ignore SIGPIPE");
    /* $G_DEBUG=fatal-warnings would let a guest's nonsense end the relay */
    g_log_set_always_fatal((GLogLevelFlags)G_LOG_FATAL_MASK);
    g_log_set_default_handler(log_glib_line, NULL);
    return true;
}

int rn_relay_main(void)
{
    g_autoptr(GError) failure = NULL;

    rn_helper_take_name(RN_RELAY_NAME);
    if (rn_relay_prepare(&failure) && rn_relay_run(RN_HELPER_FD, &failure))
        return EXIT_SUCCESS;
    rn_log_gerror(RN_LOG_DEBUG, failure);
    return EXIT_FAILURE;
}
