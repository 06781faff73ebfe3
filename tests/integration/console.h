/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console - the other end of --console-socket, docs/terminals.md of runc
 */
#ifndef RNET_TESTS_CONSOLE_H
#define RNET_TESTS_CONSOLE_H

#include "world.h"

/* A listening socket in the world's directory that rnet may connect to; its
 * path, the caller's, in *out_path. */
int console_listen(const World *world, char **out_path);

/* The master that comes over the next connection, the caller's. */
int console_receive(int listener);

#endif
