/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holder - a process that does nothing but have namespaces
 */
#ifndef RNET_TESTS_UNIT_HOLDER_H
#define RNET_TESTS_UNIT_HOLDER_H

#include <stdint.h>

#include <sys/types.h>

#include <unit.h>

enum {
    HOLDER_KINDS = 8
};

typedef struct HolderKind {
    uint64_t flag;
    const char *name; /* in /proc/PID/ns */
} HolderKind;

/* The user namespace first. */
extern const HolderKind holder_kinds[HOLDER_KINDS];

#define HOLDER_ALL                                                             \
    (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |              \
     CLONE_NEWUTS | CLONE_NEWTIME | CLONE_NEWCGROUP | CLONE_NEWNS)

typedef struct Holder {
    pid_t pid;
    int pidfd;
} Holder;

/* In new namespaces; a user namespace has the caller as its root. */
void holder_start(Holder *holder, uint64_t namespaces);
void holder_end(Holder *holder);

/* The path of a namespace, the caller's. */
char *holder_ns_path(pid_t pid, const char *name);

/* "user:[4026531837]\n" and so on, of the kinds in `flags`; pid 0: of the
 * caller. The text is the caller's. */
char *holder_describe(pid_t pid, uint64_t flags);

/* Makes the caller root of a new user namespace; for a forked child. */
bool holder_unshare_user(void);

#endif
