/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link - moves Ethernet frames between a file descriptor and the relay
 *
 * Role:     one frame per read and write; knows nothing of what is in them
 * Runs in:  the relay
 * Data:     guest -> fd -> frame handler;  rn_link_send() -> fd -> guest
 * Owns:     the fd and one frame buffer
 * Limits:   FRAME_BUDGET frames a turn, so that host sockets get their share;
 *           what is left is still readable in the next turn
 * Failure:  a full queue, or an interface that is down, drops the frame and
 *           counts it (TCP recovers); a closed fd is reported once. A packet
 *           socket tells once when its interface goes down, which may come
 *           up again: not an end
 */
#include "config.h"

#include <rnet/net/link.h>

#include <errno.h>
#include <unistd.h>

#include <rnet/net/frame.h>
#include <rnet/util/fd.h>

enum {
    FRAME_BUDGET = 64
};

struct RnLink {
    int fd;
    RnWatch watch;
    RnLinkHandlers handlers;
    RnLinkCounters counters;
    uint8_t *buffer; /* RN_FRAME_MAX bytes, in memory once they are used */
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
        ssize_t got = read(link->fd, link->buffer, RN_FRAME_MAX);

        if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENETDOWN))
            return;
        if (got <= 0) {
            end_link(link, got < 0 ? errno : 0);
            return;
        }
        link->counters.received++;
        link->handlers.frame(link->buffer, (gsize)got, link->handlers.data);
    }
}

RnLink *rn_link_new(RnLoop *loop, int take_fd, const RnLinkHandlers *handlers,
                    GError **error)
{
    g_autoptr(RnLink) link = g_new0(RnLink, 1);

    link->fd = take_fd;
    link->buffer = g_malloc(RN_FRAME_MAX);
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

void rn_link_send(RnLink *link, const uint8_t *frame, gsize length)
{
    if (TEMP_FAILURE_RETRY(write(link->fd, frame, length)) < 0)
        link->counters.dropped++;
    else
        link->counters.sent++;
}

const RnLinkCounters *rn_link_counters(const RnLink *link)
{
    return &link->counters;
}
