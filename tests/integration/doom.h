/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doom - rnet-killpoints: a process of rnet's dies, or waits, at one message
 *
 * See killpoint.c. What a run came to is known from a datagram, which is there
 * before the process dies.
 */
#ifndef RNET_TESTS_DOOM_H
#define RNET_TESTS_DOOM_H

#include <sys/socket.h>
#include <sys/un.h>

#include <rnet/util/protocol.h>

#include "run.h"

enum {
    DOOM_MESSAGES_MAX = 32
}; /* of one process in one run */

/* At which message what happens. */
typedef struct DoomPoint {
    const char *role;   /* "rnet", "init" (any fork of it) or a helper's name */
    unsigned number;    /* of its messages, from 1 */
    const char *action; /* "before", "after": it dies; "hold": it waits */
} DoomPoint;

typedef struct Doom {
    const World *world;
    char *path; /* of the socket */
    int socket;
    struct sockaddr_un held; /* who was last heard of */
    socklen_t held_length;
} Doom;

void doom_init(Doom *doom, const World *world);
void doom_clear(Doom *doom);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Doom, doom_clear)

/* Starts `rnet ARGS...`, which has this point, with `nofile` fds (0: as many
 * as there are). */
Run *doom_start(const Doom *doom, const char *const *args,
                const DoomPoint *point,
                unsigned nofile) G_GNUC_WARN_UNUSED_RESULT;

/* The type of the message at which a process died since the last call; 0: none
 * did. */
unsigned doom_take(Doom *doom);

/*
 * Waits until a process is held, then returns the type of its message; or until
 * the run has ended or, with `until_output`, written to its stdout: 0.
 */
unsigned doom_await_hold(Doom *doom, const Run *run, bool until_output);

/* Lets the process that was held go on, if it lives. */
void doom_let_go(const Doom *doom);

#endif
