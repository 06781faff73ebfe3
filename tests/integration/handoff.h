/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handoff - tests of outbound TCP, each in every way that TCP can be carried
 *
 * A test gets a running container and runs once for IPv4 and once for IPv6.
 * Its server is a socket of the world's "host", its client one of the
 * container; both are the body's, see inside.h and peer.h.
 */
#ifndef RNET_TESTS_HANDOFF_H
#define RNET_TESTS_HANDOFF_H

#include "inside.h"

/* The addresses of one family. */
typedef struct Side {
    int family;
    const char *outside;    /* the host's, not loopback */
    const char *inside;     /* the container's */
    const char *gateway;    /* the host's loopback, where that is open */
    const char *loopback;   /* of either */
    const char *any;        /* 0.0.0.0 */
    const char *unassigned; /* an address that nobody has */
    unsigned host_prefix;   /* bits of an address */
} Side;

typedef void (*HandoffFunc)(Inside *inside, const Side *side);

typedef enum HandoffFlags {
    HANDOFF_ONLY = 1 << 0,     /* more than libslirp can do */
    HANDOFF_LOOPBACK = 1 << 1, /* with host-loopback=on */
    HANDOFF_IPV4 = 1 << 2,     /* not once more for IPv6 */
} HandoffFlags;

typedef struct HandoffTest {
    const char *name; /* <what>_<condition>_<expected> */
    HandoffFunc body;
    unsigned flags; /* of HandoffFlags */
} HandoffTest;

/* Runs the tests as a cmocka group; returns main()'s exit status. */
int handoff_run_tests(const char *group, const HandoffTest *tests,
                      size_t n_tests);

/* True where the running test's TCP must not pass the relay as frames. */
bool handoff_is_on(const World *world);

/* The `--network` of the running test; the caller's. */
char *handoff_network(const World *world);

/*
 * A server that lets nobody in: its queue is full, so the kernel drops every
 * SYN without an answer, listen(2).
 */
typedef struct FullServer {
    int listener, filler;
    unsigned port;
} FullServer;

void full_server_start(FullServer *server, const char *address);

/* Makes room: the next SYN that is sent again gets in. */
void full_server_open(FullServer *server);
void full_server_stop(FullServer *server);

/* A connection of the container and its other end at the server. */
typedef struct Pair {
    int listener;
    int client, server; /* -1 when closed */
    unsigned port;
} Pair;

#define PAIR_CLOSED                                                            \
    {                                                                          \
        .listener = -1, .client = -1, .server = -1                             \
    }

void pair_open(Pair *pair, const Inside *inside, const Side *side);

/* One message each way: the connection works, and the relay has come round. */
void pair_exchange(const Pair *pair);
void pair_close(Pair *pair);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pair, pair_close)

#endif
