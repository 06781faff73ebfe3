/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leftovers - what rnet must not leave behind, and finding its processes
 */
#ifndef RNET_TESTS_LEFTOVERS_H
#define RNET_TESTS_LEFTOVERS_H

#include "world.h"

enum {
    LEFTOVERS_TIMEOUT_S = 10
};

/*
 * Waits until every process but the body is gone (pid 1 inherits them all),
 * then checks: the mounts are those from before, rnet's state directory is
 * empty, no socket listens. All Runs must have ended.
 */
void check_nothing_left(const World *world);

/*
 * Waits until every process is gone but the body and these (n pids), which are
 * children of the body's.
 */
void await_no_processes_but(const pid_t *but, unsigned n);

/* rnet's state directory is empty. */
void check_no_state(const World *world);

/* The pid of a process by its argv[0]; 0 if there is none. */
pid_t find_process(const char *name);

/* Kills it (SIGKILL) and returns once it is dead; it must exist. */
void kill_process(pid_t pid);

#endif
