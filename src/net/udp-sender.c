/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-sender - a run of datagrams in one buffer
 *
 * Role:     datagrams of frames -> buffer -> sendmsg with UDP_SEGMENT
 * Runs in:  the relay
 * Owns:     the buffer
 * Limits:   a run is one IP packet of the largest size, SEGMENTS_MAX datagrams
 * Failure:  what cannot be sent together (larger than the path's MTU, a device
 *           without checksums) is sent one by one; a datagram that cannot be
 *           sent is dropped, and its owner told
 */
#include "config.h"

#include <rnet/net/udp-sender.h>

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/udp.h>

enum {
    SEGMENTS_MAX = 64, /* UDP_MAX_SEGMENTS of Linux before 6.9 */
    RUN_MAX = 65535 - 20 - 8,
    BUFFER_SIZE = 65535,
};

struct RnUdpSender {
    RnUdpRoute route;
    gsize segment; /* bytes of each datagram but the last */
    gsize length;  /* bytes in the buffer */
    bool has_run;
    bool is_closed; /* the last datagram is a short one */
    uint8_t buffer[BUFFER_SIZE];
};

RnUdpSender *rn_udp_sender_new(void)
{
    /* not cleared: the buffer is in memory once it is used */
    RnUdpSender *sender = g_malloc(sizeof *sender);

    sender->has_run = false;
    return sender;
}

void rn_udp_sender_free(RnUdpSender *sender)
{
    g_free(sender);
}

/* 0 or errno. With a segment it is several datagrams. */
static int send_bytes(RnUdpRoute *route, uint8_t *bytes, gsize length,
                      gsize segment)
{
    struct iovec part = { .iov_base = bytes, .iov_len = length };
    uint64_t control[G_N_ELEMENTS(route->control) +
                     CMSG_SPACE(sizeof(uint16_t)) / sizeof(uint64_t)];
    struct msghdr header = {
        .msg_name = &route->to,
        .msg_namelen = route->to_length,
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = route->control_length,
    };

    memcpy(control, route->control, route->control_length);
    if (segment > 0) {
        struct cmsghdr *last =
            (struct cmsghdr *)(void *)((uint8_t *)control +
                                       route->control_length);
        uint16_t size = (uint16_t)segment;

        last->cmsg_level = IPPROTO_UDP;
        last->cmsg_type = UDP_SEGMENT;
        last->cmsg_len = CMSG_LEN(sizeof size);
        memcpy(CMSG_DATA(last), &size, sizeof size);
        header.msg_controllen += CMSG_SPACE(sizeof size);
    }
    if (header.msg_controllen == 0)
        header.msg_control = NULL;
    /* the first may only tell of an error that an earlier datagram met */
    for (unsigned i = 0; i < 2; i++) {
        if (sendmsg(route->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno == EAGAIN || errno == EINVAL)
            break;
    }
    return errno;
}

static void send_one(RnUdpSender *sender, gsize offset, gsize length)
{
    RnUdpRoute *route = &sender->route;
    int errno_value = send_bytes(route, sender->buffer + offset, length, 0);

    if (errno_value != 0 && route->fail != NULL)
        route->fail(route, errno_value);
}

void rn_udp_sender_flush(RnUdpSender *sender)
{
    gsize offset = 0;
    int errno_value = 0;

    if (!sender->has_run)
        return;
    sender->has_run = false;
    if (sender->length > sender->segment) {
        errno_value = send_bytes(&sender->route, sender->buffer, sender->length,
                                 sender->segment);
        /* a full queue has no room for single ones either */
        if (errno_value == 0 || errno_value == EAGAIN)
            return;
    }
    do {
        gsize length = MIN(sender->segment, sender->length - offset);

        send_one(sender, offset, length);
        offset += length;
    } while (offset < sender->length);
}

static bool is_same_way(const RnUdpRoute *a, const RnUdpRoute *b)
{
    return a->fd == b->fd && a->to_length == b->to_length &&
           a->control_length == b->control_length &&
           memcmp(&a->to, &b->to, a->to_length) == 0 &&
           memcmp(a->control, b->control, a->control_length) == 0;
}

static bool can_join(const RnUdpSender *sender, const RnUdpRoute *route,
                     gsize length)
{
    return sender->has_run && !sender->is_closed && length > 0 &&
           length <= sender->segment && sender->length + length <= RUN_MAX &&
           sender->length + length <= SEGMENTS_MAX * sender->segment &&
           is_same_way(&sender->route, route);
}

void rn_udp_sender_add(RnUdpSender *sender, const RnUdpRoute *route,
                       const void *payload, gsize length)
{
    if (length > BUFFER_SIZE)
        return;
    if (!can_join(sender, route, length)) {
        rn_udp_sender_flush(sender);
        sender->route = *route;
        sender->segment = length;
        sender->length = 0;
        sender->has_run = true;
        sender->is_closed = length == 0;
    }
    if (length > 0) /* memcpy() takes no NULL */
        memcpy(sender->buffer + sender->length, payload, length);
    sender->length += length;
    if (length < sender->segment)
        sender->is_closed = true;
}
