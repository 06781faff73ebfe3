/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world-setup - what a world's pid 1 does before the test body
 */
#ifndef RNET_TESTS_WORLD_SETUP_H
#define RNET_TESTS_WORLD_SETUP_H

#include "world.h"

/* The files that a world takes in from outside, as O_PATH fds or -1. */
typedef struct WorldFiles {
    int rnet, killpoints, payload, busybox;
} WorldFiles;

/*
 * Opens them: in the world's mount namespace, since a mount of another one
 * cannot be bound, but with the ids that the test was started with, as the
 * build directory may be closed to others.
 */
void world_files_open(WorldFiles *files);

/* Mounts, directories and /etc files; ends the body on failure. */
void world_setup_mounts(World *world, const WorldFiles *files);

/* Loopback up, the addresses, the sysctls; ends the body on failure. */
void world_setup_network(World *world);

#endif
