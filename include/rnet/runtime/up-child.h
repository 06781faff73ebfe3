/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * up-child - the process of `rnet up`, from the new namespaces to the command
 *
 * World on entry: a fork of rnet in new namespaces, no ids mapped yet. World at
 * exec: up.h has it. Talks as init does, protocol.h, "launcher and init", but
 * for SOURCES and TERMINAL.
 */
#ifndef RNET_RUNTIME_UP_CHILD_H
#define RNET_RUNTIME_UP_CHILD_H

#include <signal.h>

#include <rnet/util/error.h>

/* Decided by rnet up; all borrowed. */
typedef struct RnUpPlan {
    char *const *args;
    char *const *environment;
    const char
        *resolv_conf;     /* text; NULL: leave the file, no mount namespace */
    bool has_network;     /* rnet makes one; else: only a loopback */
    sigset_t signal_mask; /* what the command starts with */
} RnUpPlan;

G_NORETURN void rn_up_child_main(const RnUpPlan *plan, int socket);

#endif
