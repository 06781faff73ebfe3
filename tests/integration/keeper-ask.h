/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper-ask - asks the keeper of a network, as runtime/network-entry.h has it
 */
#ifndef RNET_TESTS_KEEPER_ASK_H
#define RNET_TESTS_KEEPER_ASK_H

#include "world.h"

/*
 * The JSON of runtime/keeper.h about the network of this key (NULL: the first
 * that is found), the caller's; NULL: there is no such network, or its keeper
 * has died over the question.
 */
char *keeper_ask(const World *world, const char *key) G_GNUC_WARN_UNUSED_RESULT;

/* The process that keeps it; it must be there. */
pid_t keeper_pid(const World *world, const char *key);

#endif
