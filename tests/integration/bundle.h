/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bundle - OCI bundles for tests: busybox, the payload, a config.json
 */
#ifndef RNET_TESTS_BUNDLE_H
#define RNET_TESTS_BUNDLE_H

#include "world.h"

/*
 * What differs from the standard bundle. Members are JSON text, each standing
 * in for the named part of config.json; NULL: the standard one.
 */
typedef struct BundleOptions {
    const char *const *args;  /* NULL-terminated; NULL: /bin/true */
    const char *user;         /* process.user, standard: uid and gid 0 */
    const char *env;          /* items after PATH: "\"A=b\"" */
    const char *cwd;          /* path, standard "/" */
    const char *capabilities; /* of all sets but ambient and inheritable:
                                 "\"CAP_A\", \"CAP_B\"", standard: what
                                 `runc spec` gives, and CAP_NET_RAW */
    const char *process;      /* more members of process: "\"umask\": 63" */
    const char *mounts;       /* more items of mounts */
    const char *linux_more;   /* more members of linux */
    const char *namespaces;   /* their types, standard: all but cgroup; or
                                 TYPE=PATH for one to join */
    const char *top;          /* more members of the document */
    bool terminal;
    bool readonly_root;
} BundleOptions;

/*
 * Makes world->dir/NAME with rootfs and config.json, owned by whom rnet runs
 * as; options may be NULL. Returns its path, the caller's.
 */
char *bundle_new(const World *world, const char *name,
                 const BundleOptions *options) G_GNUC_WARN_UNUSED_RESULT;

/* The standard bundle running `/bin/sh -c SCRIPT`. */
char *bundle_new_shell(const World *world, const char *name,
                       const char *script) G_GNUC_WARN_UNUSED_RESULT;

/* The standard bundle running `/bin/payload VERB [ARGUMENT]...`. */
char *bundle_new_payload(const World *world, const char *name,
                         const char *const *verb) G_GNUC_WARN_UNUSED_RESULT;

/* Writes (replaces) a file of the bundle, mode in octal. */
void bundle_write(const World *world, const char *bundle, const char *path,
                  const char *text, mode_t mode);

#endif
