/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest - a network namespace that rnet did not make, and a process in it
 */
#ifndef RNET_TESTS_GUEST_H
#define RNET_TESTS_GUEST_H

#include "inside.h"

typedef struct Guest {
    World *world;
    Inside inside; /* for inside.h's sockets; it has no Run */
    char *pid;     /* of the process, as an operand */
} Guest;

/* A process of rnet's user in new namespaces: a user namespace but for root,
 * and a network namespace. It waits to be killed. */
void guest_start(Guest *guest, World *world);

/* Another process in the same namespaces; its pid. */
pid_t guest_join(const Guest *guest);

/* Kills the process, if it is not dead; nothing of it is left. */
void guest_kill(Guest *guest);

/* The same, and nothing of rnet may be left, see leftovers.h. */
void guest_stop(Guest *guest);

/* `rnet attach --detach [--publish SPEC] OPERAND`, which must succeed. */
void guest_attach(const Guest *guest, const char *publish, const char *operand);

/* A file FOLDER/web that the namespace is bound to, as `ip netns` has it;
 * returns the FOLDER, the caller's. */
char *guest_bind(const Guest *guest) G_GNUC_WARN_UNUSED_RESULT;

/*
 * A connection from the world's `port` to the guest's port 80 and back, and one
 * from the guest to the world.
 */
void guest_check_published(const Guest *guest, unsigned port);
void guest_check_outbound(const Guest *guest);

#endif
