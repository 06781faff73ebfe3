/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link - moves Ethernet frames between a file descriptor and the relay
 *
 * Role:     one frame per read and write, or one burst per write; knows
 *           nothing of what is in them
 * Runs in:  the relay
 * Data:     guest -> fd -> frame handler;  rn_link_send() -> fd -> guest
 * Owns:     the fd and one frame buffer
 * Limits:   FRAME_BUDGET frames a turn, so that host sockets get their share;
 *           what is left is still readable in the next turn
 * Failure:  a full queue, or an interface that is down, drops the frame and
 *           counts it (TCP recovers); a closed fd is reported once. A packet
 *           socket tells once when its interface goes down, which may come
 *           up again: not an end. A kernel that refuses a burst as malformed
 *           is given no other
 */
#include "config.h"

#include <rnet/net/link.h>

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include <linux/if_tun.h>
#include <linux/virtio_net.h>

#include <rnet/util/fd.h>

enum {
    FRAME_BUDGET = 64,

    /* a UDP burst; linux/virtio_net.h has the name since 6.2 */
    GSO_UDP_L4 = 5,
    UDP_HEADER = 8,
    UDP_CHECKSUM = 6, /* its offset there */
};

struct RnLink {
    int fd;
    RnWatch watch;
    RnLinkHandlers handlers;
    RnLinkCounters counters;
    gsize prefix; /* bytes before each frame: struct virtio_net_hdr, or 0 */
    bool takes_bursts; /* as far as is known */
    uint8_t *buffer;   /* of one frame, in memory once it is used */
};

static void end_link(RnLink *link, int errno_value)
{
    rn_watch_remove(&link->watch);
    link->handlers.end(errno_value, link->handlers.data);
}

static void drain_frames(RnWatch *watch, uint32_t events)
{
    RnLink *link = watch->data;

    (void)events; /* errors show up in read(2) */
    for (unsigned i = 0; i < FRAME_BUDGET && watch->loop != NULL; i++) {
        ssize_t got = read(link->fd, link->buffer, link->prefix + RN_FRAME_MAX);

        if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENETDOWN))
            break;
        if (got <= 0 || (gsize)got < link->prefix) {
            end_link(link, got < 0 ? errno : 0);
            break;
        }
        link->counters.received++;
        link->handlers.frame(link->buffer + link->prefix,
                             (gsize)got - link->prefix, link->handlers.data);
    }
    if (link->handlers.pause != NULL)
        link->handlers.pause(link->handlers.data);
}

/* A TAP tells how it was made; nothing else knows the question. */
static bool has_header(int fd)
{
    struct ifreq request = { 0 };

    return ioctl(fd, TUNGETIFF, &request) == 0 &&
           (request.ifr_flags & IFF_VNET_HDR) != 0;
}

RnLink *rn_link_new(RnLoop *loop, int take_fd, const RnLinkHandlers *handlers,
                    GError **error)
{
    g_autoptr(RnLink) link = g_new0(RnLink, 1);

    link->fd = take_fd;
    link->takes_bursts = has_header(take_fd);
    link->prefix = link->takes_bursts ? sizeof(struct virtio_net_hdr) : 0;
    link->buffer = g_malloc(link->prefix + RN_FRAME_MAX);
    link->handlers = *handlers;
    if (!rn_fd_set_nonblocking(take_fd, true, error) ||
        !rn_loop_add(loop, &link->watch, take_fd, EPOLLIN, drain_frames, link,
                     error)) {
        g_prefix_error(error, "link: ");
        return NULL;
    }
    return g_steal_pointer(&link);
}

void rn_link_free(RnLink *link)
{
    if (link == NULL)
        return;
    rn_watch_remove(&link->watch);
    rn_fd_close(&link->fd);
    g_free(link->buffer);
    g_free(link);
}

/* 0, or why not; what was not written is counted as dropped. */
static int write_parts(RnLink *link, const struct iovec *parts, unsigned n)
{
    if (TEMP_FAILURE_RETRY(writev(link->fd, parts, (int)n)) < 0) {
        link->counters.dropped++;
        return errno;
    }
    link->counters.sent++;
    return 0;
}

void rn_link_send(RnLink *link, const uint8_t *frame, gsize length)
{
    struct virtio_net_hdr header = { 0 }; /* nothing is left to do */
    const struct iovec parts[] = {
        { .iov_base = &header, .iov_len = link->prefix },
        { .iov_base = (void *)frame, .iov_len = length },
    };

    (void)write_parts(link, parts, G_N_ELEMENTS(parts)); /* it is counted */
}

bool rn_link_send_burst(RnLink *link, const RnFrameBurst *burst)
{
    struct virtio_net_hdr header = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = GSO_UDP_L4,
        .hdr_len = (uint16_t)burst->headers,
        .gso_size = burst->segment,
        .csum_start = (uint16_t)(burst->headers - UDP_HEADER),
        .csum_offset = UDP_CHECKSUM,
    };
    struct iovec parts[1 + RN_BURST_PARTS_MAX];

    if (!link->takes_bursts)
        return false;
    parts[0] = (struct iovec){ .iov_base = &header, .iov_len = sizeof header };
    memcpy(parts + 1, burst->parts, burst->n_parts * sizeof *parts);
    if (write_parts(link, parts, 1 + burst->n_parts) != EINVAL)
        return true;
    link->counters.dropped--;
    link->takes_bursts = false;
    return false;
}

const RnLinkCounters *rn_link_counters(const RnLink *link)
{
    return &link->counters;
}
