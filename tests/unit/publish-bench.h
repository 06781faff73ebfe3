/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish-bench - a published TCP port with a fake agent behind it
 *
 * The agent is played on the same loop: it notes each request and either
 * answers with an errno, or with a plain socket that connects to a service on
 * the loopback, or keeps the request for later.
 */
#ifndef RNET_TESTS_PUBLISH_BENCH_H
#define RNET_TESTS_PUBLISH_BENCH_H

#include <rnet/net/publish-tcp.h>

enum {
    TURNS_MAX = 5000, /* only a failure takes so many */
    TURN_MS = 20,
    REQUESTS_MAX = 4096,
    CONNECT = -1, /* answers: an errno, or one of these */
    KEEP = -2,
};

typedef struct Bench {
    RnNetworkPlan plan;
    RnLoop *loop;
    RnAgentClient *client;
    RnInside *inside; /* without spares: all is asked for */
    RnSplicer *splicer;
    RnPublishTcp *publish;
    RnEndpoint front; /* where clients connect */
    int service;      /* listening */
    RnEndpoint service_at;
    int agent; /* the agent's end */
    RnWatch agent_watch;
    int answers[8]; /* for the first requests; the last one goes on */
    RnSocketRequest requests[REQUESTS_MAX];
    unsigned n_requests;
    bool is_lost;
} Bench;

/* A listening socket on a free port of `address`. */
int listen_on(const char *address, RnEndpoint *out_at);

/* `front` is the address that is published, inside it is port 80. */
Bench *make_bench(const char *front);
void free_bench(Bench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, free_bench)

/* A socket whose connect has begun. */
int connect_to(const RnEndpoint *at);

/* Lets the agent answer a request: an errno, or CONNECT. */
void reply(const Bench *bench, uint64_t id, int errno_value);

void turn(Bench *bench);

/* Turns until the agent has had exactly `n` requests. */
void await_requests(Bench *bench, unsigned n);

/* Accepts at the service, turning until somebody comes. */
int await_service(Bench *bench);

/* Reads, turning until there is something: count, 0 at the end, -1 errno. */
ssize_t await_read(Bench *bench, int fd, char *buffer, gsize size);

void await_reset(Bench *bench, int fd);

/* A few bytes there and back. */
void exchange(Bench *bench, int client, int service);

/* The address of a client's socket. */
RnEndpoint get_name(int fd);

/* Request `i` was for these addresses, the remote port 80. */
void assert_request(const Bench *bench, unsigned i, const char *local,
                    uint16_t local_port, const char *remote);

#endif
