/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reassembly - the guest's fragmented datagrams put together again
 *
 * UDP for what the relay sends itself, pings for libslirp, whose own reassembly
 * (4.7) crashes on last fragments that come without the others.
 * Fragments must come in order and without gaps, as a kernel sends them over a
 * link that neither loses nor turns them around; anything else (an overlap
 * above all) drops the whole datagram.
 */
#ifndef RNET_NET_REASSEMBLY_H
#define RNET_NET_REASSEMBLY_H

#include <rnet/net/frame.h>

enum {
    RN_REASSEMBLY_MAX = 16, /* datagrams at once, 64 KiB each */
    /* RFC 1122, 3.3.2 wants a fixed time of 60 to 120 s, Linux has this one */
    RN_REASSEMBLY_MS = 30 * 1000,
};

typedef struct RnReassembly RnReassembly;

/* A whole datagram; the payload is valid until the next call. */
typedef struct RnDatagram {
    RnEndpoint source, destination; /* with ports */
    const uint8_t *payload;         /* NULL: not complete */
    gsize length;
} RnDatagram;

RnReassembly *rn_reassembly_new(void) RN_CHECK;
void rn_reassembly_free(RnReassembly *reassembly);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnReassembly, rn_reassembly_free)

/*
 * Adds a UDP fragment at now_ms. A first fragment opens a datagram (in place
 * of the oldest one, if there are too many); any other is only taken for one
 * that is open: false if there is none. *out_whole is filled when the datagram
 * is complete and right, checksum included; else its payload is NULL.
 */
bool rn_reassembly_add(RnReassembly *reassembly, const RnFrame *fragment,
                       int64_t now_ms, RnDatagram *out_whole);

/*
 * The same for a fragment of an ICMP message over IPv4, in a reassembly of its
 * own: the length of the frame with the whole packet, which is in `buffer`
 * (RN_FRAME_MAX) then; 0: it is not complete, or dropped.
 */
gsize rn_reassembly_add_ping(RnReassembly *reassembly, const RnFrame *fragment,
                             int64_t now_ms, uint8_t *buffer);

#endif
