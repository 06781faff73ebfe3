/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commands - what main() calls: one function a command
 */
#ifndef RNET_CLI_COMMANDS_H
#define RNET_CLI_COMMANDS_H

#include <stdbool.h>

enum {
    RN_EXIT_FAILURE = 1,
    RN_EXIT_USAGE = 2,
    RN_EXIT_UNRUNNABLE = 126, /* as a shell has it */
    RN_EXIT_MISSING = 127,
};

/* What was given before the command's name, and the environment. */
typedef struct RnGlobals {
    char *root; /* path of the state directory */
} RnGlobals;

/* argv[0] is the command's name. Returns the exit status. */
typedef int (*RnCommandFunc)(const RnGlobals *globals, int argc, char **argv);

int rn_cmd_run(const RnGlobals *globals, int argc, char **argv);

#endif
