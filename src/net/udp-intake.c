/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-intake - receives batches and joins what can be joined
 *
 * Role:     recvmmsg -> route -> burst or frames -> sinks
 * Runs in:  the relay
 * Data:     each message in a slot with room for headers before it. With
 *           UDP_GRO a message may be several datagrams of one size already
 * Owns:     the slots, which all sockets share
 * Limits:   BATCH messages a call, BATCHES calls a turn; a burst is one IP
 *           packet of the largest size and SEGMENTS_MAX datagrams
 * Failure:  as UDP has it: a datagram that cannot be sent is dropped
 */
#include "config.h"

#include <rnet/net/udp-intake.h>

#include <stdalign.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

enum {
    BATCH = 32,
    BATCHES = 4,
    SEGMENTS_MAX = 64,     /* UDP_MAX_SEGMENTS of Linux before 6.9 */
    QUEUE_BYTES = 4 << 20, /* asked for; the kernel gives net.core.rmem_max */
};

G_STATIC_ASSERT((int)BATCH <= (int)RN_BURST_PARTS_MAX);

/* Enough for the packet information of either family, and UDP_GRO's. */
#define CONTROL_SPACE                                                          \
    (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)))

typedef struct Slot {
    struct sockaddr_storage from;
    alignas(struct cmsghdr) uint8_t control[CONTROL_SPACE];
    uint8_t bytes[RN_FRAME_HEADROOM + RN_UDP_PAYLOAD_MAX];
} Slot;

/* One message as it was received. */
typedef struct Message {
    uint8_t *payload;
    gsize length;
    gsize segment; /* bytes of each datagram in it but the last */
} Message;

/* Messages in slots that follow each other in one flow. */
typedef struct Run {
    RnUdpHeaders headers;
    Message messages[BATCH];
    unsigned n_messages;
    gsize length;
    bool is_closed; /* the last datagram is a short one */
} Run;

struct RnUdpIntake {
    const RnNetworkPlan *plan;
    RnUdpSinks sinks;
    uint32_t last_id; /* of IP packets */
    Run run;
    Slot slots[BATCH];
};

RnUdpIntake *rn_udp_intake_new(const RnNetworkPlan *plan,
                               const RnUdpSinks *sinks)
{
    /* not cleared: a slot is in memory once it is used */
    RnUdpIntake *intake = g_malloc(sizeof *intake);

    intake->plan = plan;
    intake->sinks = *sinks;
    intake->last_id = g_random_int();
    intake->run.n_messages = 0;
    return intake;
}

void rn_udp_intake_free(RnUdpIntake *intake)
{
    g_free(intake);
}

void rn_udp_intake_prepare(int fd)
{
    const int on = 1, bytes = QUEUE_BYTES;

    /* either only makes things faster */
    (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

/* As one frame; false if it has to be several. */
static bool send_burst(RnUdpIntake *intake)
{
    Run *run = &intake->run;
    const Message *first = &run->messages[0];
    struct iovec parts[BATCH];
    RnFrameBurst burst = {
        .parts = parts,
        .n_parts = run->n_messages,
        .segment = (uint16_t)first->segment,
    };
    uint8_t *start = NULL;

    if (run->length <= first->segment || intake->sinks.burst == NULL)
        return false;
    start = rn_frame_put_burst(&run->headers, first->payload, run->length);
    burst.headers = (gsize)(first->payload - start);
    for (unsigned i = 0; i < run->n_messages; i++)
        parts[i] = (struct iovec){
            .iov_base = run->messages[i].payload,
            .iov_len = run->messages[i].length,
        };
    parts[0].iov_base = start;
    parts[0].iov_len += burst.headers;
    return intake->sinks.burst(&burst, intake->sinks.data);
}

static void send_frames(RnUdpIntake *intake)
{
    Run *run = &intake->run;

    for (unsigned i = 0; i < run->n_messages; i++) {
        const Message *message = &run->messages[i];
        gsize done = 0;

        /* the headers of one datagram overwrite the one that is sent */
        do {
            gsize length = MIN(message->segment, message->length - done);

            run->headers.id = ++intake->last_id;
            (void)rn_frame_send_udp(&run->headers, message->payload + done,
                                    length, intake->sinks.frame,
                                    intake->sinks.data);
            done += length;
        } while (done < message->length);
    }
}

static void flush_run(RnUdpIntake *intake)
{
    Run *run = &intake->run;

    if (run->n_messages == 0)
        return;
    run->headers.id = ++intake->last_id;
    if (!send_burst(intake))
        send_frames(intake);
    run->n_messages = 0;
}

/* Whether the message can be in one burst with those before it. */
static bool can_join(const Run *run, const RnUdpHeaders *headers,
                     const Message *message)
{
    gsize segment = run->messages[0].segment;
    gsize length = run->length + message->length;

    /* a single datagram that is shorter can be the last one */
    return run->n_messages > 0 && !run->is_closed && message->length > 0 &&
           (message->segment == segment ||
            (message->length == message->segment &&
             message->length < segment)) &&
           length <= RN_BURST_PAYLOAD_MAX && length <= SEGMENTS_MAX * segment &&
           rn_frame_udp_fits(headers, segment) &&
           rn_endpoint_equal(&headers->source, &run->headers.source) &&
           rn_endpoint_equal(&headers->destination, &run->headers.destination);
}

static void take_message(RnUdpIntake *intake, const RnUdpHeaders *headers,
                         const Message *message)
{
    Run *run = &intake->run;
    gsize segment = 0;

    if (!can_join(run, headers, message)) {
        flush_run(intake);
        run->headers = *headers;
        run->length = 0;
        run->is_closed = message->length == 0;
    }
    run->messages[run->n_messages++] = *message;
    run->length += message->length;
    segment = run->messages[0].segment;
    if (message->segment < segment ||
        (segment > 0 && message->length % segment != 0))
        run->is_closed = true;
    /* datagrams that need fragments cannot be a burst */
    if (!rn_frame_udp_fits(headers, message->segment)) {
        send_frames(intake);
        run->n_messages = 0;
    }
}

/* The size of the datagrams in a message, if it has more than one. */
static gsize get_segment(struct msghdr *header, gsize length)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control)) {
        int segment = 0;

        if (control->cmsg_level != IPPROTO_UDP || control->cmsg_type != UDP_GRO)
            continue;
        memcpy(&segment, CMSG_DATA(control), sizeof segment);
        if (segment > 0 && (gsize)segment < length)
            return (gsize)segment;
    }
    return length;
}

static void take_slot(RnUdpIntake *intake, Slot *slot, struct mmsghdr *received,
                      RnUdpRouteFunc route, void *route_data)
{
    struct msghdr *header = &received->msg_hdr;
    RnUdpHeaders headers = {
        .source_mac = intake->plan->gateway_mac,
        .destination_mac = intake->plan->guest_mac,
        .mtu = intake->plan->mtu,
    };
    Message message = {
        .payload = slot->bytes + RN_FRAME_HEADROOM,
        .length = received->msg_len,
    };
    RnEndpoint from;

    rn_endpoint_from_sockaddr(&slot->from, &from);
    if ((header->msg_flags & MSG_TRUNC) != 0 || from.family == AF_UNSPEC ||
        from.port == 0 ||
        !route(&from, header, &headers.source, &headers.destination,
               route_data))
        return;
    message.segment = get_segment(header, message.length);
    take_message(intake, &headers, &message);
}

/* Receives one batch; the number of messages, 0 when there is nothing. */
static int receive_batch(RnUdpIntake *intake, int fd, RnUdpRouteFunc route,
                         void *route_data)
{
    struct mmsghdr headers[BATCH];
    struct iovec parts[BATCH];
    int n = 0;

    for (unsigned i = 0; i < BATCH; i++) {
        Slot *slot = &intake->slots[i];

        parts[i] = (struct iovec){
            .iov_base = slot->bytes + RN_FRAME_HEADROOM,
            .iov_len = RN_UDP_PAYLOAD_MAX,
        };
        headers[i].msg_hdr = (struct msghdr){
            .msg_name = &slot->from,
            .msg_namelen = sizeof slot->from,
            .msg_iov = &parts[i],
            .msg_iovlen = 1,
            .msg_control = slot->control,
            .msg_controllen = sizeof slot->control,
        };
    }
    n = recvmmsg(fd, headers, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++)
        take_slot(intake, &intake->slots[i], &headers[i], route, route_data);
    /* the next batch uses the same slots */
    flush_run(intake);
    return MAX(n, 0);
}

void rn_udp_intake_receive(RnUdpIntake *intake, int fd, RnUdpRouteFunc route,
                           void *route_data)
{
    for (unsigned i = 0; i < BATCHES; i++) {
        if (receive_batch(intake, fd, route, route_data) < BATCH)
            return;
    }
}
