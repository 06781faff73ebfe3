/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service - one helper process that its owner keeps running
 *
 * The life of a service: started (the process is there, its owner posts to it
 * what it needs), ready (it said so), ended (by itself or killed). Nothing here
 * blocks but the exec of the helper: sending, waiting for readiness and the
 * end all go through the loop. The owner decides what an end means; usually it
 * calls rn_service_restart_later().
 */
#ifndef RNET_NET_SERVICE_H
#define RNET_NET_SERVICE_H

#include <stdint.h>

#include <sys/types.h>

#include <rnet/net/outbox.h>
#include <rnet/sys/loop.h>
#include <rnet/util/msg.h>

typedef struct RnService RnService;

/* What the owner does; each is called from the loop, `begin` by start() too. */
typedef struct RnServiceType {
    const char *name;       /* of the helper: its argv[0] */
    uint32_t ready_message; /* due once, when all that `begin` posts is sent */
    /* Posts what a new process has to be told first. */
    void (*begin)(RnService *service);
    /* Looks at the ready message; false if it is not as it should be. */
    bool (*ready)(RnService *service, RnMsg *msg, GError **error);
    /* The same for any other message but RN_MSG_FAILED, before and after
     * readiness; NULL: none is due. */
    bool (*message)(RnService *service, RnMsg *msg, GError **error);
    /* The process is reaped; `why` says how it ended. May restart it. */
    void (*ended)(RnService *service, const GError *why);
    /* The time of rn_service_restart_later() has come. */
    void (*restart)(RnService *service);
} RnServiceType;

struct RnService {
    const RnServiceType *type;
    void *owner;
    bool is_ready;
    int socket; /* the owner's end, non-blocking; -1: not running */
    /* the rest is private */
    pid_t pid;
    int pidfd;
    RnLoop *loop;
    RnWatch exit_watch, socket_watch;
    RnTimer restart_timer;
    RnTimer held_timer; /* runs while the outbox is held */
    RnOutbox outbox;
    uint64_t n_begin; /* the outbox's n_added after begin() */
    int64_t started_ms;
    int delay_ms;    /* the last one; -1: none yet */
    GError *failure; /* what the helper said, or did wrong, before its end */
};

/* In place; nothing is started. `type` is kept, not copied. */
void rn_service_init(RnService *service, const RnServiceType *type,
                     void *owner);

/* Ends the process, if any, without a call of ended(), and reaps it. */
void rn_service_stop(RnService *service);

/* The same, but EOF on its socket tells it to end, and it gets
 * RN_SERVICE_END_MS to do that. */
void rn_service_end(RnService *service);

/* Starts the process. On failure nothing is left running. */
bool rn_service_start(RnService *service, RnLoop *loop,
                      GError **error) RN_CHECK;

/*
 * Sends a message, now or when there is room in the socket: nothing is lost
 * while the process lives. One that does not run gets nothing, and
 * takes_last_fd holds all the same. A failure ends the process.
 */
void rn_service_post(RnService *service, const RnOutMessage *message);

/* Takes back the message with this fd; false: it is sent already. */
bool rn_service_unpost(RnService *service, int fd);

/* Kills the process, if any; ended() comes from the loop, with this reason. */
void rn_service_condemn(RnService *service, GError *take_reason);

/* Takes a running service from its loop to another one. */
bool rn_service_move(RnService *service, RnLoop *loop, GError **error) RN_CHECK;

/* Takes a service from its loop; it runs on unobserved. */
void rn_service_unwatch(RnService *service);

/*
 * Calls restart() from `loop` after a delay that depends on how long the
 * service lived and on the delays before; returns it, in milliseconds.
 */
int rn_service_restart_later(RnService *service, RnLoop *loop);

enum {
    RN_SERVICE_DELAY_FIRST_MS = 100,
    RN_SERVICE_DELAY_MAX_MS = 5000,
    RN_SERVICE_STEADY_MS = 10000, /* a life that clears its past */
    RN_SERVICE_END_MS = 1000,     /* ending takes a few */
};

/*
 * The delay after one of `previous_ms` (-1: none) and a life of `lived_ms`:
 * none, then RN_SERVICE_DELAY_FIRST_MS, doubling up to
 * RN_SERVICE_DELAY_MAX_MS. Pure.
 */
int rn_service_next_delay(int previous_ms, int64_t lived_ms);

#endif
