/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp - rnet as slirp4netns, and its API socket
 */
#ifndef RNET_TESTS_SLIRP_H
#define RNET_TESTS_SLIRP_H

#include "guest.h"

#define SLIRP_COMMAND "slirp4netns"

/* Starts it with --exit-fd on its stdin; its readiness comes on *out_ready. */
Run *slirp_launch(const World *world, const char *const *args,
                  int *out_ready) G_GNUC_WARN_UNUSED_RESULT;

/* "1" on the ready fd, which is then closed. */
void slirp_await_ready(Run *run, int ready);

/* The two in one. */
Run *slirp_start(const World *world,
                 const char *const *args) G_GNUC_WARN_UNUSED_RESULT;

/* Ends it by the exit fd, and the guest; nothing may be left. */
void slirp_stop(Run *run, Guest *guest);

/* Where a test has its API socket; the caller's. */
char *slirp_socket_path(const World *world) G_GNUC_WARN_UNUSED_RESULT;

/* What one request is answered; the caller's. */
char *slirp_ask(const World *world,
                const char *request) G_GNUC_WARN_UNUSED_RESULT;

/* The same, where it is known. */
void slirp_expect_reply(const World *world, const char *request,
                        const char *wanted);

/* add_hostfwd of 127.0.0.1:8080 to the guest's port 80, which gets this id. */
void slirp_publish(const World *world, unsigned id);

#endif
