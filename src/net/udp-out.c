/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-out - a table of host sockets by the guest's port
 *
 * Role:     frame -> port's socket -> sender;  socket -> intake -> frames;
 *           error queue -> ICMP -> frame
 * Runs in:  the relay
 * Owns:     the sockets, which are not connected, and queues of them in the
 *           order of last use, one for each idle time
 * Limits:   `max` sockets; when fds are short each new one costs an old one;
 *           ERRORS_MAX errors of a socket a turn
 * Failure:  the guest gets the ICMP error that fits, if any; else a drop
 */
#include "config.h"

#include <rnet/net/udp-out.h>

#include <errno.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/fd-room.h>
#include <rnet/net/filter.h>
#include <rnet/net/frame-refusal.h>
#include <rnet/net/outbound.h>
#include <rnet/net/reassembly.h>
#include <rnet/net/udp-flows.h>
#include <rnet/net/udp-out-error.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    FD_RESERVE = 128,      /* for TCP, which is told when there is none */
    EXPIRY_STEP_MS = 1000, /* ports are looked through no more often */
    ERRORS_MAX = 16,
    SEND_BYTES = 4 << 20, /* asked for; the kernel gives net.core.wmem_max */
    PORT_DNS = 53,
    HOP_LIMIT = 64, /* RFC 1700's default TTL, of what came in fragments */
};

typedef enum Use {
    USE_QUERY, /* sent to name servers only */
    USE_UNANSWERED,
    USE_ANSWERED,
    USE_N_
} Use;

static const int idle_ms[] = {
    [USE_QUERY] = RN_UDP_QUERY_MS,
    [USE_UNANSWERED] = RN_UDP_UNANSWERED_MS,
    [USE_ANSWERED] = RN_UDP_ANSWERED_MS,
};
G_STATIC_ASSERT(G_N_ELEMENTS(idle_ms) == USE_N_);

typedef struct Port {
    RnUdpOut *out;
    RnEndpoint guest;
    int fd;
    uint8_t hop_limit; /* of the socket; 0: not known */
    RnWatch watch;
    Use use;
    int64_t last_ms;
    GList link; /* in the queue of its use */
} Port;

struct RnUdpOut {
    RnUdpOutParts parts;
    GHashTable *ports; /* by key of guest endpoint; owns Port */
    GQueue idle[USE_N_];
    RnReassembly *reassembly;
    RnTimer expiry;
};

/* The guest has one address a family. */
static gpointer make_key(const RnEndpoint *guest)
{
    return GUINT_TO_POINTER((guint)guest->family << 16 | guest->port);
}

static void free_port(void *data)
{
    Port *port = data;

    rn_udp_sender_flush(port->out->parts.sender);
    g_queue_unlink(&port->out->idle[port->use], &port->link);
    rn_watch_remove(&port->watch);
    rn_fd_close(&port->fd);
    g_free(port);
}

static void close_port(Port *port)
{
    g_hash_table_remove(port->out->ports, make_key(&port->guest));
}

/* Notes that the port was used, and how. */
static void touch(Port *port, Use use, int64_t now_ms)
{
    GQueue *idle = port->out->idle;

    g_queue_unlink(&idle[port->use], &port->link);
    port->use = MAX(port->use, use);
    port->last_ms = now_ms;
    g_queue_push_tail_link(&idle[port->use], &port->link);
}

static bool close_most_idle(RnUdpOut *out)
{
    for (unsigned i = 0; i < USE_N_; i++) {
        if (out->idle[i].head == NULL)
            continue;
        close_port(out->idle[i].head->data);
        return true;
    }
    return false;
}

static void expire_ports(RnTimer *timer);

static void schedule_expiry(RnUdpOut *out, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;

    for (unsigned i = 0; i < USE_N_; i++) {
        const Port *port = g_queue_peek_head(&out->idle[i]);

        if (port != NULL)
            next_ms = MIN(next_ms, port->last_ms + idle_ms[i]);
    }
    if (next_ms < INT64_MAX)
        rn_loop_set_timer(out->parts.loop, &out->expiry,
                          MAX(next_ms - now_ms, EXPIRY_STEP_MS), expire_ports,
                          out);
}

static void expire_ports(RnTimer *timer)
{
    RnUdpOut *out = timer->data;
    int64_t now_ms = rn_clock_ms();

    for (unsigned i = 0; i < USE_N_; i++) {
        Port *port = NULL;

        while ((port = g_queue_peek_head(&out->idle[i])) != NULL &&
               now_ms - port->last_ms >= idle_ms[i])
            close_port(port);
    }
    schedule_expiry(out, now_ms);
}

/* Where an answer of `from` seems to come from; false: from nowhere. */
static bool route_answer(const RnEndpoint *from, struct msghdr *header,
                         RnEndpoint *out_source, RnEndpoint *out_destination,
                         void *data)
{
    Port *port = data;
    const RnNetworkPlan *plan = port->out->parts.plan;

    (void)header;
    /* the host's loopback is closed in this direction, too */
    if (from->family != port->guest.family ||
        (rn_endpoint_is_loopback(from) && plan->host_loopback == 0))
        return false;
    rn_plan_show_client(plan, from, out_source, out_destination);
    out_destination->port = port->guest.port;
    return true;
}

static void handle_port(RnWatch *watch, uint32_t events)
{
    Port *port = watch->data;
    const RnUdpOutParts *parts = &port->out->parts;

    if ((events & EPOLLERR) != 0)
        rn_udp_out_pass_errors(parts->plan, port->fd, &port->guest, ERRORS_MAX,
                               parts->sink, parts->sink_data);
    if ((events & EPOLLIN) == 0)
        return;
    touch(port, port->use == USE_QUERY ? USE_QUERY : USE_ANSWERED,
          rn_clock_ms());
    rn_udp_intake_receive(parts->intake, port->fd, route_answer, port);
}

static int open_socket(RnUdpOut *out, uint16_t family)
{
    const int bytes = SEND_BYTES;
    rn_autofd int fd = rn_udp_out_socket(family);

    if (fd >= 0 && rn_fd_room_above(fd, FD_RESERVE)) {
        errno = rn_outbound_bind(out->parts.plan, family, fd);
        if (errno != 0)
            return -1;
        /* a larger queue only makes drops fewer */
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        rn_udp_intake_prepare(fd);
        return g_steal_fd(&fd);
    }
    if (fd >= 0)
        errno = EMFILE;
    if (rn_fd_room_is_error(errno) && close_most_idle(out))
        errno = EAGAIN;
    return -1;
}

/* NULL and errno, if there can be none. */
static Port *open_port(RnUdpOut *out, const RnEndpoint *guest)
{
    Port *port = NULL;
    int fd = -1;

    if (rn_udp_out_n_sockets(out) >= out->parts.max)
        (void)close_most_idle(out);
    fd = open_socket(out, guest->family);
    if (fd < 0 && errno == EAGAIN) /* one was closed for it */
        fd = open_socket(out, guest->family);
    if (fd < 0)
        return NULL;
    port = g_new0(Port, 1);
    *port = (Port){ .out = out, .guest = *guest, .fd = fd };
    port->link.data = port;
    g_queue_push_tail_link(&out->idle[port->use], &port->link);
    g_hash_table_insert(out->ports, make_key(guest), port);
    if (rn_loop_add(out->parts.loop, &port->watch, fd, EPOLLIN, handle_port,
                    port, NULL))
        return port;
    close_port(port);
    errno = ENOMEM;
    return NULL;
}

static void handle_failure(const RnUdpRoute *route, int errno_value)
{
    const Port *port = route->fail_data;
    const RnUdpOutParts *parts = &port->out->parts;
    RnEndpoint to, destination, guest;

    rn_endpoint_from_sockaddr(&route->to, &to);
    rn_plan_show_client(parts->plan, &to, &destination, &guest);
    rn_udp_out_refuse(parts->plan, &port->guest, &destination, errno_value,
                      parts->sink, parts->sink_data);
}

/* What goes out of a socket at another time is not to have this limit. */
static void set_hop_limit(Port *port, uint8_t hop_limit)
{
    if (port->hop_limit == hop_limit)
        return;
    rn_udp_sender_flush(port->out->parts.sender);
    rn_udp_out_set_hop_limit(port->fd, port->guest.family, hop_limit);
    port->hop_limit = hop_limit;
}

static void send_datagram(RnUdpOut *out, const RnDatagram *datagram,
                          const RnEndpoint *target, uint8_t hop_limit)
{
    Port *port = g_hash_table_lookup(out->ports, make_key(&datagram->source));
    int64_t now_ms = rn_clock_ms();
    RnUdpRoute route = { .fail = handle_failure };

    if (port == NULL)
        port = open_port(out, &datagram->source);
    if (port == NULL) {
        rn_log_debug("udp: no socket: %s", g_strerror(errno));
        return;
    }
    touch(port,
          datagram->destination.port == PORT_DNS ? USE_QUERY : USE_UNANSWERED,
          now_ms);
    set_hop_limit(port, hop_limit);
    route.fd = port->fd;
    route.fail_data = port;
    route.to_length = rn_endpoint_to_sockaddr(target, &route.to);
    rn_udp_sender_add(out->parts.sender, &route, datagram->payload,
                      datagram->length);
    if (out->expiry.loop == NULL)
        schedule_expiry(out, now_ms);
}

/* Whether a datagram from and to there is for this module, and where it goes */
static bool is_wanted(const RnUdpOut *out, const RnEndpoint *source,
                      const RnEndpoint *destination, RnEndpoint *out_target)
{
    return source->port != 0 && destination->port != 0 &&
           rn_filter_is_udp_outside(out->parts.plan, destination, out_target);
}

static bool take_fragment(RnUdpOut *out, const RnFrame *frame)
{
    RnDatagram whole = { 0 };
    RnEndpoint target;

    if (frame->fragment_offset == 0 &&
        !is_wanted(out, &frame->source, &frame->destination, &target))
        return false;
    if (!rn_reassembly_add(out->reassembly, frame, rn_clock_ms(), &whole))
        return false;
    if (whole.payload != NULL &&
        is_wanted(out, &whole.source, &whole.destination, &target))
        send_datagram(out, &whole, &target, HOP_LIMIT);
    return true;
}

bool rn_udp_out_take(RnUdpOut *out, const RnFrame *frame)
{
    const RnDatagram datagram = {
        .source = frame->source,
        .destination = frame->destination,
        .payload = frame->payload,
        .length = frame->payload_length,
    };
    uint8_t hop_limit = 0;
    RnEndpoint target;

    /* UDP of the guest's own address */
    if (!rn_filter_may_be_answer(out->parts.plan, frame))
        return false;
    if (frame->is_fragment)
        return take_fragment(out, frame);
    if (!is_wanted(out, &frame->source, &frame->destination, &target))
        return false;
    hop_limit = frame->ether[RN_ETHER_HEADER +
                             (frame->source.family == AF_INET ? 8 : 7)];
    if (hop_limit > 0 && rn_frame_udp_checksum_ok(frame))
        send_datagram(out, &datagram, &target, hop_limit);
    return true;
}

RnUdpOut *rn_udp_out_new(const RnUdpOutParts *parts)
{
    RnUdpOut *out = g_new0(RnUdpOut, 1);

    out->parts = *parts;
    out->parts.max = MAX(parts->max, 1);
    out->ports = g_hash_table_new_full(NULL, NULL, NULL, free_port);
    out->reassembly = rn_reassembly_new();
    return out;
}

void rn_udp_out_free(RnUdpOut *out)
{
    if (out == NULL)
        return;
    rn_timer_cancel(&out->expiry);
    g_hash_table_unref(out->ports);
    rn_reassembly_free(out->reassembly);
    g_free(out);
}

unsigned rn_udp_out_n_sockets(const RnUdpOut *out)
{
    return g_hash_table_size(out->ports);
}
