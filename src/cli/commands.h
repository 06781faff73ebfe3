/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * commands - what main() calls: one function a command
 */
#ifndef RNET_CLI_COMMANDS_H
#define RNET_CLI_COMMANDS_H

#include <stdbool.h>

#include <rnet/runtime/cgroup.h>

enum {
    RN_EXIT_FAILURE = 1,
    RN_EXIT_USAGE = 2,
    RN_EXIT_UNRUNNABLE = 126, /* as a shell has it */
    RN_EXIT_MISSING = 127,
};

/* What was given before the command's name, and the environment. */
typedef struct RnGlobals {
    RnCgroupManager cgroup_manager;
    unsigned listen_fds;     /* LISTEN_FDS, sd_listen_fds(3) */
    char **environment;      /* borrowed */
    char *root;              /* path of the state directory */
    const char *runtime_dir; /* $XDG_RUNTIME_DIR, or NULL */
    const char *bus_address; /* $DBUS_SESSION_BUS_ADDRESS, or NULL */
} RnGlobals;

/* argv[0] is the command's name. Returns the exit status. */
typedef int (*RnCommandFunc)(const RnGlobals *globals, int argc, char **argv);

int rn_cmd_doctor(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_run(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_create(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_start(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_state(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_kill(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_delete(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_exec(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_attach(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_detach(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_spec(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_list(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_ps(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_pause(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_resume(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_update(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_up(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_events(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_features(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_hook(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_cni(const RnGlobals *globals, int argc, char **argv);
int rn_cmd_slirp4netns(const RnGlobals *globals, int argc, char **argv);

#endif
