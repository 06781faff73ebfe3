/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * box - a container "box" that is left alone, as engines have theirs
 */
#ifndef RNET_TESTS_BOX_H
#define RNET_TESTS_BOX_H

#include "bundle.h"
#include "run.h"

/* NULL-terminated words of a command line. */
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* stdout of `rnet ARGS...`, which must end with `status`; the caller's. */
char *box_rnet(const World *world, int status,
               const char *const *args) G_GNUC_WARN_UNUSED_RESULT;

/* The same when only the status matters. */
void box_do(const World *world, int status, const char *const *args);

/* The same for its stderr. */
char *box_refusal(const World *world, int status,
                  const char *const *args) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Creates and starts "box" from world->dir/box, whose program is options->args
 * or one that says "ready" and waits; it has said so. Its stdout is the Run's.
 */
Run *box_start(const World *world,
               const BundleOptions *options) G_GNUC_WARN_UNUSED_RESULT;

/* stdout of `rnet exec box /bin/sh -c SCRIPT`, which must end with 0. */
char *box_shell(const World *world,
                const char *script) G_GNUC_WARN_UNUSED_RESULT;

/* The pid of its first process in the world. */
pid_t box_pid(const World *world);

/* delete --force; nothing may be left, see leftovers.h, and nothing may have
 * been said on the stderr of its creator. */
void box_delete(const World *world, const Run *box);

#endif
