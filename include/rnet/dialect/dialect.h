/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dialect - other programs' interfaces as main functions
 *
 * Each is called by main() for its name as argv[0] or as rnet's command, and
 * translates what that interface says into a request to the runtime layer, and
 * what came of it into that interface's answer.
 */
#ifndef RNET_DIALECT_DIALECT_H
#define RNET_DIALECT_DIALECT_H

/* What main() knows of the world; all borrowed. */
typedef struct RnDialectWorld {
    const char *state_dir;
    char **environment;
} RnDialectWorld;

/* slirp4netns(1) 1.2, contracts: its options, texts, fds, API and statuses. */
int rn_dialect_slirp4netns(const RnDialectWorld *world, int argc, char **argv);

/* `rnet hook`: an OCI hook, runtime-spec config.md, "POSIX-platform Hooks". */
int rn_dialect_hook(const RnDialectWorld *world, int argc, char **argv);

/* rnet-cni: a plugin of the Container Network Interface 1.1.0. */
int rn_dialect_cni(const RnDialectWorld *world, int argc, char **argv);

#endif
