/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping6 - the guest's ICMPv6 echo requests through sockets of the host
 *
 * Role:     request -> flow -> its socket;  reply or error -> frame -> link
 * Runs in:  the relay
 * Data:     a socket's requests go out with an id that the kernel chose; the
 *           guest's own is put back into what returns
 * Owns:     a ping socket for each flow, a buffer for one frame
 * Limits:   RN_PING6_FLOWS_MAX flows, none is opened when few fds are left;
 *           BUDGET messages of a flow a turn; the link's MTU
 * Failure:  the guest is told where ICMPv6 has a word for it, else a drop
 */
#include "config.h"

#include <rnet/net/ping6.h>

#include <errno.h>
#include <string.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/fd-room.h>
#include <rnet/net/frame-fields.h>
#include <rnet/net/frame-icmp6.h>
#include <rnet/net/outbound.h>
#include <rnet/net/ping6-flows.h>
#include <rnet/net/ping6-socket.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    IPV6_HEADER = 40,
    HOP_LIMIT = 64,  /* RFC 1700's default, for what the gateway says */
    FD_RESERVE = 32, /* for those who need fds more */
    BUDGET = 16,
    EXPIRY_STEP_MS = 1000, /* flows are looked through no more often */
    BUFFER_SIZE = RN_ICMP6_ERROR_HEADROOM + RN_FRAME_MAX,
};

struct RnPing6 {
    const RnNetworkPlan *plan;
    RnLoop *loop;
    RnFrameSink sink;
    void *sink_data;
    RnTimer expiry;
    bool has_told; /* that the host allows no ping sockets */
    RnPing6Flows flows;
    uint8_t *buffer; /* BUFFER_SIZE, in memory once it is used */
};

/* RFC 4443, 3.1, for what a system call says. */
static const struct {
    int errno_value;
    uint8_t code;
} unreachable[] = {
    { EACCES, ICMP6_DST_UNREACH_ADMIN },
    { EPERM, ICMP6_DST_UNREACH_ADMIN },
    { EAFNOSUPPORT, ICMP6_DST_UNREACH_NOROUTE }, /* a host without IPv6 */
    { ENETUNREACH, ICMP6_DST_UNREACH_NOROUTE },
    { EHOSTUNREACH, ICMP6_DST_UNREACH_ADDR },
};

bool rn_ping6_wants(const RnNetworkPlan *plan, const RnFrame *frame)
{
    return frame->destination.family == AF_INET6 &&
           frame->protocol == IPPROTO_ICMPV6 && !frame->is_fragment &&
           frame->transport_length >= RN_ICMP6_HEADER &&
           frame->transport[0] == ICMP6_ECHO_REQUEST &&
           !rn_plan_is_inside(plan, &frame->destination);
}

static uint8_t get_hop_limit(const RnFrame *frame)
{
    return frame->ether[RN_ETHER_HEADER + 7];
}

static RnIcmp6Headers make_headers(const RnPing6 *ping6,
                                   const RnEndpoint *source,
                                   const RnEndpoint *guest)
{
    return (RnIcmp6Headers){
        .source = *source,
        .destination = *guest,
        .source_mac = ping6->plan->gateway_mac,
        .destination_mac = ping6->plan->guest_mac,
        .hop_limit = HOP_LIMIT,
    };
}

/* Answers, as the gateway, a request that the host cannot send. */
static void refuse(RnPing6 *ping6, const RnFrame *frame, int errno_value)
{
    uint8_t *request = ping6->buffer + RN_ICMP6_ERROR_HEADROOM;
    gsize length = MIN(frame->transport_length, RN_ICMP6_QUOTED_MAX);
    RnIcmp6Headers headers =
        make_headers(ping6, &ping6->plan->gateway6, &frame->source);
    RnIcmp6Error error = {
        .type = ICMP6_DST_UNREACH,
        .hop_limit = get_hop_limit(frame),
        .destination = frame->destination,
    };

    rn_log_debug("ping6: request not sent: %s", g_strerror(errno_value));
    for (unsigned i = 0; i < G_N_ELEMENTS(unreachable); i++) {
        if (unreachable[i].errno_value != errno_value)
            continue;
        error.code = unreachable[i].code;
        memcpy(request, frame->transport, length);
        rn_icmp6_send_error(&headers, &error, request, length, ping6->sink,
                            ping6->sink_data);
        return;
    }
}

static RnPing6Answer make_answer(RnPing6 *ping6)
{
    return (RnPing6Answer){
        .bytes = ping6->buffer + RN_ICMP6_ERROR_HEADROOM,
        .room = ping6->plan->mtu - IPV6_HEADER,
    };
}

/* Passes on one reply; false when there is none. */
static bool pass_reply(RnPing6 *ping6, const RnPing6Flow *flow)
{
    RnPing6Answer answer = make_answer(ping6);
    RnIcmp6Headers headers = make_headers(ping6, &flow->remote, &flow->guest);

    if (!rn_ping6_socket_read(flow->fd, &flow->remote, &answer))
        return false;
    if (answer.length == 0)
        return true;
    headers.hop_limit = answer.hop_limit;
    rn_put16(answer.bytes + 4, flow->id);
    rn_icmp6_send(&headers, answer.bytes, answer.length, ping6->sink,
                  ping6->sink_data);
    return true;
}

/* Passes on one error, as from the router that sent it if it can be shown. */
static bool pass_error(RnPing6 *ping6, const RnPing6Flow *flow)
{
    RnPing6Answer answer = make_answer(ping6);
    RnIcmp6Headers headers = make_headers(ping6, &flow->remote, &flow->guest);
    RnIcmp6Error error = { .hop_limit = flow->hop_limit,
                           .destination = flow->remote };
    RnEndpoint guest;

    if (!rn_ping6_socket_read_error(flow->fd, &answer))
        return false;
    if (answer.length == 0)
        return true;
    rn_plan_show_client(ping6->plan, &answer.offender, &headers.source, &guest);
    error.type = answer.type;
    error.code = answer.code;
    rn_put16(answer.bytes + 4, flow->id);
    rn_icmp6_send_error(&headers, &error, answer.bytes, answer.length,
                        ping6->sink, ping6->sink_data);
    return true;
}

static void handle_flow(RnWatch *watch, uint32_t events)
{
    const RnPing6Flow *flow = watch->data;
    bool has_error = (events & EPOLLERR) != 0;

    for (unsigned i = 0; i < BUDGET && has_error; i++)
        has_error = pass_error(flow->owner, flow);
    /* this also takes an error off the socket that is not in its queue */
    for (unsigned i = 0; i < BUDGET && pass_reply(flow->owner, flow); i++)
        continue;
}

static int open_socket(RnPing6 *ping6)
{
    rn_autofd int fd = rn_ping6_socket_open();

    if (fd < 0 && errno == EACCES && !ping6->has_told) {
        ping6->has_told = true;
        rn_log_info("the host allows no ping to IPv6 addresses outside; "
                    "\"sudo sysctl net.ipv4.ping_group_range='0 2147483647'\" "
                    "opens it for every group");
        errno = EACCES;
    }
    if (fd >= 0 && !rn_fd_room_above(fd, FD_RESERVE)) {
        errno = EMFILE;
        return -1;
    }
    if (fd >= 0) {
        errno = rn_outbound_bind(ping6->plan, AF_INET6, fd);
        if (errno != 0)
            return -1;
    }
    return g_steal_fd(&fd);
}

/* Opens the flow of a request; 0 or errno. */
static int open_flow(RnPing6 *ping6, const RnFrame *request, int64_t now_ms,
                     RnPing6Flow **out_flow)
{
    g_autoptr(GError) failure = NULL;
    rn_autofd int fd = open_socket(ping6);
    RnPing6Flow *flow = NULL;

    if (fd < 0)
        return errno;
    flow = rn_ping6_flows_add(&ping6->flows, request, g_steal_fd(&fd), now_ms);
    flow->owner = ping6;
    if (!rn_loop_add(ping6->loop, &flow->watch, flow->fd, EPOLLIN, handle_flow,
                     flow, &failure)) {
        rn_ping6_flow_close(flow);
        return failure->code;
    }
    *out_flow = flow;
    return 0;
}

/* 0 or errno. */
static int send_request(RnPing6Flow *flow, const RnFrame *frame)
{
    uint8_t hop_limit = get_hop_limit(frame);

    if (flow->hop_limit != hop_limit) {
        int errno_value = rn_ping6_socket_set_hop_limit(flow->fd, hop_limit);

        if (errno_value != 0)
            return errno_value;
        flow->hop_limit = hop_limit;
    }
    return rn_ping6_socket_send(flow->fd, &flow->remote, frame->transport,
                                frame->transport_length);
}

static void expire_flows(RnTimer *timer);

/* Sets the timer to when the next flow may have been idle for too long. */
static void schedule_expiry(RnPing6 *ping6, int64_t now_ms)
{
    int64_t next_ms = rn_ping6_flows_next_expiry_ms(&ping6->flows);

    if (next_ms >= 0)
        rn_loop_set_timer(ping6->loop, &ping6->expiry,
                          MAX(next_ms - now_ms, EXPIRY_STEP_MS), expire_flows,
                          ping6);
}

static void expire_flows(RnTimer *timer)
{
    RnPing6 *ping6 = timer->data;
    int64_t now_ms = rn_clock_ms();

    rn_ping6_flows_expire(&ping6->flows, now_ms);
    schedule_expiry(ping6, now_ms);
}

void rn_ping6_send(RnPing6 *ping6, const RnFrame *frame)
{
    int64_t now_ms = rn_clock_ms();
    RnPing6Flow *flow = NULL;
    int errno_value = 0;

    /* a router sends nothing on whose hop limit is used up: RFC 8200, 3 */
    if (get_hop_limit(frame) == 0 || !rn_icmp6_checksum_ok(frame))
        return;
    flow = rn_ping6_flows_find(&ping6->flows, frame, now_ms);
    if (flow == NULL)
        errno_value = open_flow(ping6, frame, now_ms, &flow);
    if (flow != NULL)
        errno_value = send_request(flow, frame);
    if (errno_value != 0)
        refuse(ping6, frame, errno_value);
    if (ping6->expiry.loop == NULL)
        schedule_expiry(ping6, now_ms);
}

RnPing6 *rn_ping6_new(const RnNetworkPlan *plan, RnLoop *loop, RnFrameSink sink,
                      void *sink_data)
{
    RnPing6 *ping6 = g_new0(RnPing6, 1);

    ping6->plan = plan;
    ping6->loop = loop;
    ping6->sink = sink;
    ping6->sink_data = sink_data;
    ping6->buffer = g_malloc(BUFFER_SIZE);
    return ping6;
}

void rn_ping6_free(RnPing6 *ping6)
{
    if (ping6 == NULL)
        return;
    rn_timer_cancel(&ping6->expiry);
    rn_ping6_flows_clear(&ping6->flows);
    g_free(ping6->buffer);
    g_free(ping6);
}
