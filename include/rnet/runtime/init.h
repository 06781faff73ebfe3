/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init - the container's first process, from clone to exec
 *
 * World on entry: a fresh fork of the launcher, pid 1 of the new pid namespace
 * (if the plan has one), in all the plan's new namespaces, ids not yet mapped,
 * all capabilities in the new user namespace. World at exec: as config.json
 * says; fds 0 to 2 only.
 *
 * Talks to the launcher over `socket` as protocol.h, "launcher and init", has
 * it; with a start_socket (a listening one, else -1) it waits there for START.
 * Any failure is sent as RN_MSG_FAILED with the step's name in front; EOF
 * of the launcher ends it.
 */
#ifndef RNET_RUNTIME_INIT_H
#define RNET_RUNTIME_INIT_H

#include <rnet/runtime/plan.h>

G_NORETURN void rn_init_main(const RnPlan *plan, int socket, int start_socket);

#endif
