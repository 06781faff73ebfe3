/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer - sockets of the world's "host": clients of published ports, servers
 *
 * Blocking sockets whose every operation is bounded by PEER_TIMEOUT_S; a
 * failure ends the body.
 */
#ifndef RNET_TESTS_PEER_H
#define RNET_TESTS_PEER_H

#include <sys/socket.h>

#include "world.h"

enum {
    PEER_TIMEOUT_S = 15
};

/* A sockaddr from a literal; returns its length. */
socklen_t peer_make_address(const char *text, unsigned port,
                            struct sockaddr_storage *out_address);

/* Bounds the operations of a socket that came from elsewhere. */
void peer_set_timeouts(int fd);

/* A bound socket (SOCK_STREAM: listening); port 0: any. The caller's fd. */
int peer_serve(int type, const char *address, unsigned port);

/* The port that a socket is bound to. */
unsigned peer_port(int fd);

/* A connected socket (SOCK_STREAM or SOCK_DGRAM); the caller's fd. */
int peer_connect(int type, const char *address, unsigned port);

/* The same, but returns errno of connect() and closes; 0: it connected. */
int peer_try_connect(const char *address, unsigned port);

/* Waits for the end of a connect(2) that has begun, which must succeed. */
void peer_await_connect(int fd);

/* The next connection of a listener; the caller's fd. */
int peer_accept(int listener);

void peer_send(int fd, const char *text);

/* Receives exactly as much as `text` is long, and it must be equal. */
void peer_expect(int fd, const char *text);

/* Sends a text, then receives the same. */
void peer_echo(int fd, const char *text);

/* Half-closes, then the peer must send `text` and close. */
void peer_finish(int fd, const char *text);

/* Receives until the end; returns errno if that was an error, else 0. */
int peer_await_end(int fd);

/* Receives a datagram, which must be `text`, and sends it back. */
void peer_reflect(int fd, const char *text);

/*
 * Receives `count` datagrams of `size` bytes, each full of its number, then
 * sends them back.
 */
void peer_reflect_many(int fd, int count, size_t size);

/* Answers one A query with 203.0.113.7 (RFC 5737). */
#define PEER_DNS_ADDRESS "203.0.113.7"
void peer_answer_query(int fd);

/* Closes with a reset instead of a FIN. */
void peer_reset(int fd);

#endif
