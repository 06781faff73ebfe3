/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link - the guest's Ethernet link: one frame per read and per write
 *
 * The fd is a TAP as rn_tap_open() makes it, a packet socket bound to an
 * interface, or, in tests, one end of a SOCK_SEQPACKET or SOCK_DGRAM pair.
 * The fd tells itself whether its frames have a header in front.
 */
#ifndef RNET_NET_LINK_H
#define RNET_NET_LINK_H

#include <rnet/net/frame.h>
#include <rnet/sys/loop.h>

typedef struct RnLink RnLink;

/* A frame of the guest; only valid during the call. */
typedef void (*RnLinkFrameFunc)(const uint8_t *frame, gsize length, void *data);

/*
 * The link is gone and will bring no more frames; errno_value 0: the other end
 * was closed. May not free the link.
 */
typedef void (*RnLinkEndFunc)(int errno_value, void *data);

/* No more frames are waiting, or enough were handed over for this turn. */
typedef void (*RnLinkPauseFunc)(void *data);

typedef struct RnLinkHandlers {
    RnLinkFrameFunc frame;
    RnLinkPauseFunc pause; /* may be NULL */
    RnLinkEndFunc end;
    void *data; /* for all */
} RnLinkHandlers;

typedef struct RnLinkCounters {
    uint64_t received, sent; /* frames */
    uint64_t dropped;        /* frames to the guest that found no room */
} RnLinkCounters;

/* Takes the fd, also on failure, and makes it non-blocking. */
RnLink *rn_link_new(RnLoop *loop, int take_fd, const RnLinkHandlers *handlers,
                    GError **error) RN_CHECK;
void rn_link_free(RnLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnLink, rn_link_free)

/* Writes one frame to the guest. Where there is no room, it is dropped. */
void rn_link_send(RnLink *link, const uint8_t *frame, gsize length);

/*
 * Writes a burst as one frame, or drops it for want of room. False: this link
 * takes none (no TAP, or Linux before 6.2, whose TAPs do not know them).
 */
bool rn_link_send_burst(RnLink *link, const RnFrameBurst *burst);

const RnLinkCounters *rn_link_counters(const RnLink *link);

#endif
