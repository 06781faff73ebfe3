/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay-bench - the whole relay in a process of its own, confined
 *
 * The test is its monitor, its agent and its guest; what works here works
 * under the seccomp filter. Every wait has a deadline, after which the test
 * fails.
 */
#ifndef RNET_TESTS_RELAY_BENCH_H
#define RNET_TESTS_RELAY_BENCH_H

#include <sys/types.h>

#include <rnet/net/frame.h>
#include <rnet/util/protocol.h>

#include "frames.h"

enum {
    REFUSAL_TRIES = 20000,
    FIRST_ID = 1, /* of what is published from the start */
    LATE_ID,
};

typedef struct Bench {
    RnNetworkPlan plan;
    pid_t relay;
    int monitor, agent, guest; /* our ends */
    bool has_no_agent;         /* send_setup() sends the link alone */
    RnEndpoint tcp_front, udp_front;
    TestFrame got; /* the last frame read, and parsed */
    RnFrame frame;
} Bench;

/* Starts the process with nothing but its socket; the plan can be changed. */
Bench *start_relay(void);
/* The same in other namespaces; -1: in this one. */
Bench *start_relay_in(int userns_fd, int netns_fd);
void end_relay(Bench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, end_relay)

/* What a monitor sends, in this order; send_start() waits for the answer. */
void send_setup(Bench *bench);
void send_listener(Bench *bench, RnTransport transport, uint32_t id,
                   RnEndpoint *out_front);
void send_start(Bench *bench);
void withdraw(Bench *bench, uint32_t id);

/* All of this: a TCP and a UDP port are published to port 80. */
Bench *make_ready_relay(void);

void wait_readable(int fd);

/* Reaps the relay, which has to end by itself; its exit status. */
int await_exit(Bench *bench);

/* Sockets on a free port of 127.0.0.1, or of `address`; of TCP, listening. */
int open_socket(int type, RnEndpoint *out_at);
int open_socket_at(const char *address, int type, RnEndpoint *out_at);

int connect_to(const RnEndpoint *at, int type);

/* The next client of a listening socket. */
int accept_client(int listener);

/* Connects until nobody listens there any more. */
void await_refusal(const RnEndpoint *at);

void write_frame(Bench *bench, const TestFrame *frame);

/* Reads frames until one of this protocol comes (0: any that is no IP). */
void await_frame(Bench *bench, uint8_t protocol);

/* As every guest does first: both ends learn the other's MAC. */
void resolve_gateway(Bench *bench);

void read_exactly(int fd, void *buffer, gsize length);

/* A few bytes there and back. */
void exchange(int client, int service);

/*
 * Plays the agent once: a socket that connects to `service`. Requests for
 * spares, which can come at any time, are refused.
 */
void answer_request(Bench *bench, const RnEndpoint *service);

/* Refuses all requests that have come so far. */
void refuse_requests(Bench *bench);

#endif
