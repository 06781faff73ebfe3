/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inside - a running container, and sockets of its network namespace
 *
 * The body has all capabilities over the container's namespaces, so it can
 * make sockets there and hold both ends of a connection: no process has to be
 * told what to do, and one thread sees the order of all that happens. To the
 * kernel such a socket is one of a process in the container.
 */
#ifndef RNET_TESTS_INSIDE_H
#define RNET_TESTS_INSIDE_H

#include "run.h"

typedef struct Inside {
    World *world;
    Run *run;
    pid_t pid; /* of the container's payload, serve-tcp on port 80 */
    int netns_fd, world_netns_fd;
} Inside;

/* Starts a container with `--network NETWORK` (NULL: none given). */
Inside *inside_start(World *world,
                     const char *network) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a command of `rnet up OPTIONS...` (NULL-terminated). */
Inside *inside_start_up(World *world,
                        const char *const *options) G_GNUC_WARN_UNUSED_RESULT;

/* Ends it with SIGTERM; nothing may be left, see leftovers.h. Frees. */
void inside_stop(Inside *inside);

/* Between these two the body is in the container's network namespace. */
void inside_enter(const Inside *inside);
void inside_leave(const Inside *inside);

/* A stream socket with peer.h's time-outs; the caller's fd. */
int inside_socket(const Inside *inside, int family);

/* The same, bound with SO_REUSEADDR; port 0: any. */
int inside_bind(const Inside *inside, const char *address, unsigned port);

/* The same, and listening. */
int inside_listen(const Inside *inside, const char *address, unsigned port);

/* connect() of any socket: 0 or errno. */
int inside_dial(int fd, const char *address, unsigned port);

/* A connected socket; the caller's fd. */
int inside_connect(const Inside *inside, const char *address, unsigned port);

/* Writes "VALUE" to a parameter of the network namespace, sysctl.h. */
void inside_sysctl(const Inside *inside, const char *name, const char *value);

/* A number of a file below the container's /proc/PID, after `key`. */
guint64 inside_number(const Inside *inside, const char *path, const char *key);

/* The relay's open fds, and its resident memory in KiB. */
unsigned inside_relay_fds(void);
guint64 inside_relay_rss(void);

#endif
