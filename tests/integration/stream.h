/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream - many bytes through a connection whose both ends the body has
 *
 * The byte at each place is known from its place alone, so that a byte that is
 * lost, doubled or moved is found where it happens.
 */
#ifndef RNET_TESTS_STREAM_H
#define RNET_TESTS_STREAM_H

#include <stdbool.h>

#include <glib.h>

typedef struct Stream {
    int from, to;      /* fds; `from` is shut down after `total` bytes */
    guint64 total;     /* bytes */
    guint64 sent, got; /* so far */
    bool ended;        /* `to` has seen the end */
} Stream;

/* Runs all streams to their ends at once; a stall ends the body. */
void stream_run(Stream *streams, size_t n_streams);

/*
 * Sends what a stream takes while nobody reads. It is stuck once `turn` has
 * been called often enough with no room made by it: `turn` is to make the relay
 * come round. Ends the body when the stream takes all its bytes.
 */
typedef void (*StreamTurn)(void *data);
void stream_fill(Stream *stream, StreamTurn turn, void *data);

#endif
