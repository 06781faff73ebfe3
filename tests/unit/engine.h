/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine - the real libslirp behind a link, for tests that play its guest
 */
#ifndef RNET_TESTS_ENGINE_H
#define RNET_TESTS_ENGINE_H

#include <rnet/net/link.h>
#include <rnet/net/slirp.h>

#include "frames.h"

enum {
    TURNS_MAX = 500, /* of at most TURN_MS each: only a failure takes so long */
    TURN_MS = 20,
    QUIET_TURNS = 10, /* turns in which something forbidden does not happen */
};

typedef struct Engine {
    RnNetworkPlan plan;
    RnLoop *loop;
    RnLink *link;
    RnSlirp *slirp;
    int guest; /* the guest's end of the link */
    bool has_link_ended;
    TestFrame rewritten;
    TestFrame got; /* the last frame read from it, and parsed */
    RnFrame frame;
} Engine;

Engine *make_engine(const RnNetworkPlan *plan);
void free_engine(Engine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Engine, free_engine)

/* One turn of at most TURN_MS. */
void turn(Engine *engine);

void write_frame(Engine *engine, const TestFrame *frame);

/* Reads one frame for the guest; false if there is none. */
bool read_frame(Engine *engine);

typedef bool (*Wanted)(const Engine *engine);

/* Turns until a frame comes that is wanted; others are passed over. */
void await_frame(Engine *engine, Wanted is_wanted, const char *what);

/* As every guest does first: both ends learn the other's MAC. */
void resolve_gateway(Engine *engine);
void resolve_gateway6(Engine *engine);

/* A SYN from port 40000 of `guest` to a port of `to`. */
void send_syn(Engine *engine, const RnEndpoint *guest, const RnEndpoint *to,
              uint16_t port);

#endif
