/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream - see stream.h
 *
 * Role:     bulk data of a test, checked byte by byte
 * Runs in:  the world's pid 1
 * Failure:  ends the body
 */
#include "config.h"

#include "stream.h"

#include <poll.h>
#include <sys/socket.h>

#include "check.h"
#include "peer.h"

enum {
    CHUNK = 128 << 10,
    MAX_STREAMS = 16,
    STUCK_TURNS = 32,
};

/* The bytes from place `from` on, eight at a time from one product each. */
static void make_bytes(guint64 from, guint8 *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        guint64 word =
            ((from + i) / 8 + 1) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
        bytes[i] = (guint8)(word >> (from + i) % 8 * 8);
    }
}

/* False: there is no room. */
static bool send_some(Stream *stream)
{
    static guint8 bytes[CHUNK];
    size_t length = MIN((guint64)CHUNK, stream->total - stream->sent);

    make_bytes(stream->sent, bytes, length);
    ssize_t n = send(stream->from, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return false;
    check(n > 0, "send after %" G_GUINT64_FORMAT " bytes: %s", stream->sent,
          g_strerror(errno));
    stream->sent += (guint64)n;
    if (stream->sent == stream->total)
        check_call(shutdown(stream->from, SHUT_WR) == 0, "shutdown");
    return true;
}

static void receive_some(Stream *stream)
{
    static guint8 bytes[CHUNK], wanted[CHUNK];
    ssize_t n = recv(stream->to, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    check(n >= 0, "receive after %" G_GUINT64_FORMAT " bytes: %s", stream->got,
          g_strerror(errno));
    make_bytes(stream->got, wanted, (size_t)n);
    check(memcmp(bytes, wanted, (size_t)n) == 0,
          "wrong bytes after %" G_GUINT64_FORMAT, stream->got);
    stream->got += (guint64)n;
    stream->ended = n == 0;
    check(n > 0 || stream->got == stream->total,
          "the end after %" G_GUINT64_FORMAT " bytes", stream->got);
}

/* A negative fd is one that poll(2) leaves out. */
static void turn_streams(Stream *streams, size_t n_streams)
{
    struct pollfd polled[2 * MAX_STREAMS];

    for (size_t i = 0; i < n_streams; i++) {
        Stream *stream = &streams[i];
        polled[2 * i] = (struct pollfd){
            .fd = stream->sent < stream->total ? stream->from : -1,
            .events = POLLOUT,
        };
        polled[2 * i + 1] = (struct pollfd){
            .fd = stream->ended ? -1 : stream->to,
            .events = POLLIN,
        };
    }
    int n = poll(polled, 2 * n_streams, PEER_TIMEOUT_S * 1000);
    check(n > 0,
          "stalled: %" G_GUINT64_FORMAT " bytes sent, %" G_GUINT64_FORMAT
          " received",
          streams[0].sent, streams[0].got);
    for (size_t i = 0; i < n_streams; i++) {
        if (polled[2 * i].revents != 0)
            (void)send_some(&streams[i]);
        if (polled[2 * i + 1].revents != 0)
            receive_some(&streams[i]);
    }
}

static bool all_ended(const Stream *streams, size_t n_streams)
{
    for (size_t i = 0; i < n_streams; i++) {
        if (!streams[i].ended)
            return false;
    }
    return true;
}

void stream_run(Stream *streams, size_t n_streams)
{
    g_assert(n_streams <= MAX_STREAMS);
    while (!all_ended(streams, n_streams))
        turn_streams(streams, n_streams);
}

void stream_fill(Stream *stream, StreamTurn turn, void *data)
{
    unsigned idle = 0;

    while (idle < STUCK_TURNS) {
        check(stream->sent < stream->total,
              "nothing held back %" G_GUINT64_FORMAT " bytes", stream->sent);
        if (send_some(stream)) {
            idle = 0;
            continue;
        }
        turn(data);
        idle++;
    }
}
