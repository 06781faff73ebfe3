/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-world - nsagent in a forked child, the test as its monitor and relay
 */
#ifndef RNET_TESTS_UNIT_AGENT_WORLD_H
#define RNET_TESTS_UNIT_AGENT_WORLD_H

#include "netns.h"

#include <sys/types.h>

#include <linux/virtio_net.h>

#include <rnet/net/agent.h>
#include <rnet/net/frame.h>

enum {
    LINK_PREFIX =
        sizeof(struct virtio_net_hdr) /* before a TAP's frames, tap.h */
};

typedef struct World {
    Netns netns;
    pid_t pid;
    int monitor; /* our end */
    int serving; /* our end, as the relay */
    int link;
} World;

RnEndpoint endpoint_of(const char *text, uint16_t port);

/* Publishes 80 and 8000-8010 over TCP, 53 over UDP; 10.0.2.100, fd00::100. */
RnAgentSetup make_setup(bool make_link);

/* Forks nsagent; it waits for its set-up on world->monitor. */
void start_agent(World *world);

/* The same after `prepare` was called in the child. */
void start_agent_after(World *world, void (*prepare)(void));

/* nsagent up to READY and serving. Without a link, lo is up. */
void open_world(World *world, bool make_link);

/* The same with a set-up that differs. */
void open_world_with(World *world, const RnAgentSetup *setup);

/* Gives nsagent a new serving socket, in place of the one before. */
void serve(World *world);

/* A NetnsFunc, so that nobody has to be asked who the gateways are. */
char *add_gateways(void *unused);

/* Reaps nsagent: a waitpid(2) status. */
int wait_for_exit(World *world);

/* Ends nsagent by the monitor's EOF and expects exit status 0. */
void close_world(World *world);

/* The next TCP frame that comes out of a TAP; parsed, until the next call. */
void await_segment(const World *world, RnFrame *out_frame);

/* Asks for one socket: its fd, or -1 with the reply's errno. */
int ask(const World *world, const RnSocketRequest *request, int *out_errno);

/* Waits for the end of a connect(2): 0 or its errno. */
int await_connect(int fd);

#endif
