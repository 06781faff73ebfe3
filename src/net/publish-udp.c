/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish-udp - moves the datagrams of published UDP ports
 *
 * Role:     listener -> intake -> flow -> frames;  answer -> flow -> sender
 * Runs in:  the relay
 * Owns:     the listeners, the table of flows
 * Limits:   the number of flows (udp-flows); those of intake and sender
 * Failure:  as UDP has it: a datagram that cannot be sent is dropped
 */
#include "config.h"

#include <rnet/net/publish-udp.h>

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/filter.h>
#include <rnet/net/reassembly.h>
#include <rnet/net/udp-flows.h>
#include <rnet/util/fd.h>

enum {
    EXPIRY_STEP_MS = 1000, /* flows are looked through no more often */
};

/* the packet information of either family has room in a route */
G_STATIC_ASSERT(CMSG_SPACE(sizeof(struct in6_pktinfo)) <= RN_UDP_ROUTE_CONTROL);

typedef struct Listener {
    RnPublishUdp *publish;
    uint32_t id;    /* the monitor's */
    uint32_t index; /* in `listeners`, for the flows */
    int fd;
    RnEndpoint host, target; /* RnRelayListener.guest */
    RnWatch watch;
} Listener;

struct RnPublishUdp {
    const RnNetworkPlan *plan;
    RnLoop *loop;
    RnUdpIntake *intake;
    RnUdpSender *sender;
    RnUdpFlows *flows;
    RnReassembly *reassembly;
    RnTimer expiry;
    unsigned n_targets;   /* listeners that lead to an address of their own */
    GPtrArray *listeners; /* of Listener; NULL: withdrawn, a free place */
};

static void free_listener(void *data)
{
    Listener *listener = data;

    if (listener == NULL)
        return;
    rn_watch_remove(&listener->watch);
    rn_fd_close(&listener->fd);
    g_free(listener);
}

static void expire_flows(RnTimer *timer);

/* Sets the timer to when the next flow may have been idle for too long. */
static void schedule_expiry(RnPublishUdp *publish, int64_t now_ms)
{
    int64_t next_ms = rn_udp_flows_next_expiry_ms(publish->flows);

    if (next_ms >= 0)
        rn_loop_set_timer(publish->loop, &publish->expiry,
                          MAX(next_ms - now_ms, EXPIRY_STEP_MS), expire_flows,
                          publish);
}

static void expire_flows(RnTimer *timer)
{
    RnPublishUdp *publish = timer->data;
    int64_t now_ms = rn_clock_ms();

    rn_udp_flows_expire(publish->flows, now_ms);
    schedule_expiry(publish, now_ms);
}

/* Where the datagram was sent to; false for multicast and broadcast. */
static bool read_local(const Listener *listener, struct msghdr *header,
                       RnEndpoint *out_local)
{
    RnEndpoint local = listener->host;

    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control)) {
        if (control->cmsg_level == IPPROTO_IP &&
            control->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(control), sizeof info);
            /* they differ when the destination is no address of this host */
            if (info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr)
                return false;
            local = (RnEndpoint){ .family = AF_INET };
            memcpy(local.address, &info.ipi_addr, sizeof info.ipi_addr);
        } else if (control->cmsg_level == IPPROTO_IPV6 &&
                   control->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;

            memcpy(&info, CMSG_DATA(control), sizeof info);
            if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
                return false;
            local = (RnEndpoint){ .family = AF_INET6 };
            /* elsewhere the answer need not leave where the question came */
            if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
                local.scope = info.ipi6_ifindex;
            memcpy(local.address, &info.ipi6_addr, sizeof info.ipi6_addr);
        }
    }
    local.port = 0;
    *out_local = local;
    return true;
}

/* Finds, or makes, the flow of a client's datagram. */
static bool route_question(const RnEndpoint *from, struct msghdr *header,
                           RnEndpoint *out_source, RnEndpoint *out_destination,
                           void *data)
{
    const Listener *listener = data;
    RnPublishUdp *publish = listener->publish;
    RnUdpOrigin origin = {
        .client = *from,
        .listener = listener->index,
    };
    const RnUdpFlow *flow = NULL;
    int64_t now_ms = rn_clock_ms();

    if (!read_local(listener, header, &origin.local))
        return false;
    flow =
        rn_udp_flows_enter(publish->flows, &origin, &listener->target, now_ms);
    if (flow == NULL)
        return false;
    *out_source = flow->shown;
    *out_destination = flow->guest;
    if (publish->expiry.loop == NULL)
        schedule_expiry(publish, now_ms);
    return true;
}

static void handle_listener(RnWatch *watch, uint32_t events)
{
    Listener *listener = watch->data;

    (void)events;
    rn_udp_intake_receive(listener->publish->intake, watch->fd, route_question,
                          listener);
}

/* Adds where the answer is to leave from. */
static void put_local(RnUdpRoute *route, const RnEndpoint *local)
{
    struct cmsghdr *control = (struct cmsghdr *)(void *)route->control;

    if (local->family == AF_INET) {
        struct in_pktinfo info = { 0 };

        memcpy(&info.ipi_spec_dst, local->address, sizeof info.ipi_spec_dst);
        control->cmsg_level = IPPROTO_IP;
        control->cmsg_type = IP_PKTINFO;
        control->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(control), &info, sizeof info);
        route->control_length = CMSG_SPACE(sizeof info);
    } else {
        struct in6_pktinfo info = { .ipi6_ifindex = local->scope };

        memcpy(&info.ipi6_addr, local->address, sizeof info.ipi6_addr);
        control->cmsg_level = IPPROTO_IPV6;
        control->cmsg_type = IPV6_PKTINFO;
        control->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(control), &info, sizeof info);
        route->control_length = CMSG_SPACE(sizeof info);
    }
}

/* The client's address in the family that the listener has. */
static socklen_t get_client(const Listener *listener, const RnUdpFlow *flow,
                            struct sockaddr_storage *out_to)
{
    RnEndpoint client = flow->origin.client;

    if (listener->host.family == AF_INET6 && client.family == AF_INET) {
        /* ::ffff:a.b.c.d, RFC 4291, 2.5.5.2 */
        memcpy(client.address + 12, client.address, 4);
        memset(client.address, 0, 10);
        memset(client.address + 10, 0xff, 2);
        client.family = AF_INET6;
    }
    return rn_endpoint_to_sockaddr(&client, out_to);
}

static void send_answer(const RnPublishUdp *publish, const RnUdpFlow *flow,
                        const uint8_t *payload, gsize length)
{
    const Listener *listener =
        g_ptr_array_index(publish->listeners, flow->origin.listener);
    RnUdpRoute route = { .fd = listener->fd };

    route.to_length = get_client(listener, flow, &route.to);
    if (rn_endpoint_is_any(&listener->host))
        put_local(&route, &flow->origin.local);
    rn_udp_sender_add(publish->sender, &route, payload, length);
}

RnPublishUdp *rn_publish_udp_new(const RnNetworkPlan *plan, RnLoop *loop,
                                 RnUdpIntake *intake, RnUdpSender *sender)
{
    RnPublishUdp *publish = g_new0(RnPublishUdp, 1);

    publish->plan = plan;
    publish->loop = loop;
    publish->intake = intake;
    publish->sender = sender;
    publish->flows = rn_udp_flows_new(plan, RN_UDP_FLOWS_MAX);
    publish->reassembly = rn_reassembly_new();
    publish->listeners = g_ptr_array_new_with_free_func(free_listener);
    return publish;
}

void rn_publish_udp_free(RnPublishUdp *publish)
{
    if (publish == NULL)
        return;
    rn_timer_cancel(&publish->expiry);
    /* the listeners are about to be closed */
    rn_udp_sender_flush(publish->sender);
    rn_udp_flows_free(publish->flows);
    rn_reassembly_free(publish->reassembly);
    g_ptr_array_unref(publish->listeners);
    g_free(publish);
}

/* Asks for the address that every datagram was sent to. */
static bool want_local(const Listener *listener, GError **error)
{
    int on = 1;
    bool is_v6 = listener->host.family == AF_INET6;

    if (!rn_endpoint_is_any(&listener->host))
        return true;
    if (setsockopt(listener->fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                   is_v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof on) < 0)
        return rn_set_errno(error, errno, "ask for destination addresses");
    return true;
}

static bool has_target(const Listener *listener)
{
    return listener->target.family != AF_UNSPEC;
}

/* Frames reach neither the loopback inside nor a family that is not there. */
static bool check_target(const RnNetworkPlan *plan, const RnEndpoint *target,
                         GError **error)
{
    char text[RN_ENDPOINT_TEXT];

    if (rn_endpoint_is_loopback(target))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "published UDP cannot reach the loopback address "
                            "%s inside",
                            rn_endpoint_format_address(target, text));
    if (target->family != AF_UNSPEC &&
        rn_plan_gateway(plan, target->family)->family == AF_UNSPEC)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "published UDP cannot reach %s inside: the network "
                            "has no IPv6",
                            rn_endpoint_format_address(target, text));
    return true;
}

/* Gives it the first free place. */
static void put_listener(RnPublishUdp *publish, Listener *listener)
{
    GPtrArray *listeners = publish->listeners;
    unsigned i = 0;

    while (i < listeners->len && g_ptr_array_index(listeners, i) != NULL)
        i++;
    if (i == listeners->len)
        g_ptr_array_add(listeners, NULL);
    listener->index = i;
    g_ptr_array_index(listeners, i) = listener;
}

static void remove_listener(Listener *listener)
{
    RnPublishUdp *publish = listener->publish;

    rn_udp_sender_flush(publish->sender); /* its answers may be there */
    rn_udp_flows_remove(publish->flows, listener->index);
    g_ptr_array_index(publish->listeners, listener->index) = NULL;
    publish->n_targets -= has_target(listener);
    free_listener(listener);
}

bool rn_publish_udp_add(RnPublishUdp *publish, const RnRelayListener *info,
                        int take_fd, GError **error)
{
    Listener *listener = g_new0(Listener, 1);

    listener->publish = publish;
    listener->id = info->id;
    listener->fd = take_fd;
    listener->target = info->guest;
    listener->host = info->host;
    publish->n_targets += has_target(listener);
    put_listener(publish, listener);
    if (check_target(publish->plan, &info->guest, error) &&
        want_local(listener, error) &&
        rn_fd_set_nonblocking(take_fd, true, error) &&
        rn_loop_add(publish->loop, &listener->watch, take_fd, EPOLLIN,
                    handle_listener, listener, error)) {
        rn_udp_intake_prepare(take_fd);
        return true;
    }
    remove_listener(listener);
    return false;
}

unsigned rn_publish_udp_remove(RnPublishUdp *publish, uint32_t id)
{
    unsigned n_removed = 0;

    for (unsigned i = 0; i < publish->listeners->len; i++) {
        Listener *listener = g_ptr_array_index(publish->listeners, i);

        if (listener == NULL || listener->id != id)
            continue;
        remove_listener(listener);
        n_removed++;
    }
    return n_removed;
}

static bool take_fragment(RnPublishUdp *publish, const RnFrame *frame)
{
    int64_t now_ms = rn_clock_ms();
    RnDatagram whole = { 0 };
    const RnUdpFlow *flow = NULL;

    /* only a flow's first fragment opens a place for the others */
    if (frame->fragment_offset == 0 &&
        rn_udp_flows_answer(publish->flows, &frame->source, &frame->destination,
                            now_ms) == NULL)
        return false;
    if (!rn_reassembly_add(publish->reassembly, frame, now_ms, &whole))
        return false;
    if (whole.payload == NULL)
        return true;
    flow = rn_udp_flows_answer(publish->flows, &whole.source,
                               &whole.destination, now_ms);
    if (flow != NULL)
        send_answer(publish, flow, whole.payload, whole.length);
    return true;
}

bool rn_publish_udp_wants(const RnPublishUdp *publish, const RnFrame *frame)
{
    if (publish->n_targets > 0)
        return frame->protocol == IPPROTO_UDP &&
               frame->source.family != AF_UNSPEC;
    return rn_filter_may_be_answer(publish->plan, frame);
}

bool rn_publish_udp_take_answer(RnPublishUdp *publish, const RnFrame *frame)
{
    const RnUdpFlow *flow = NULL;

    if (frame->is_fragment)
        return take_fragment(publish, frame);
    flow = rn_udp_flows_answer(publish->flows, &frame->source,
                               &frame->destination, rn_clock_ms());
    if (flow == NULL)
        return false;
    if (rn_frame_udp_checksum_ok(frame))
        send_answer(publish, flow, frame->payload, frame->payload_length);
    return true;
}

unsigned rn_publish_udp_n_flows(const RnPublishUdp *publish)
{
    return rn_udp_flows_count(publish->flows);
}
