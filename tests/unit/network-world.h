/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-world - the test as the monitor of a network
 *
 * nsagent is the real one. The relay is a fake in this same program, which
 * main() knows by its argv[0]: to whoever connects to one of its listeners it
 * reports its pid, what it was given, and whether nsagent served it a socket.
 */
#ifndef RNET_TESTS_UNIT_NETWORK_WORLD_H
#define RNET_TESTS_UNIT_NETWORK_WORLD_H

#include "netns.h"

#include <sys/types.h>

#include <rnet/net/network.h>

/* What the fake relay shall do; it comes as the port of the plan's dns4. */
typedef enum Part {
    PART_SERVE,
    PART_SAY_FAILED,
    PART_EXIT,
    PART_SAY_LOST, /* that nsagent is lost, once there is a client */
} Part;

/* What the fake relay tells its clients. */
typedef struct Report {
    int32_t pid;
    int32_t agent_errno; /* of the reply to its request; -1: no reply */
    uint32_t n_listeners;
    uint32_t n_exposed;
    uint32_t is_tap;       /* the link is the one of the plan */
    RnRelayListener which; /* the client came by */
} Report;

/* The test as the monitor. */
typedef struct World {
    Netns netns;
    RnNetworkPlan plan;
    GArray *ranges;
    RnNetwork *network;
    RnLoop *loop;
    uint16_t port; /* of the last listener, on 127.0.0.1 */
} World;

/* The fake relay's main function. */
int fake_relay_main(void);

/* Listeners on 127.0.0.1 for the request; world->port is the last one's. */
GArray *open_listeners(World *world, unsigned count);

void set_address(RnEndpoint *endpoint, const char *text);

/* A network that is not started, with so many listeners. */
void open_world(World *world, Part part, unsigned n_listeners);

/* The same with what the request has beside plan, ranges and listeners. */
void open_world_with(World *world, Part part, unsigned n_listeners,
                     RnNetworkRequest request);

/* The end of a network leaves no process. */
void close_world(World *world);

void assert_no_children(void);

/* Starts it, and supervises it from world->loop. */
void start(World *world);

/* Connects to whichever relay is or will be there and reads its report. */
Report ask_relay(const World *world);
Report ask_relay_at(const World *world, uint16_t port);

/* The pid of this process's child of that name, or 0. */
pid_t find_child(const char *name);

#endif
