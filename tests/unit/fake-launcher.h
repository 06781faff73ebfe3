/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake-launcher - the launcher's half of the handshake with init, for tests
 *
 * Makes a bundle in a temporary directory (busybox of the host is bound into
 * its root), writes config.json's text around what a test cares for, and runs
 * init on it in real namespaces.
 */
#ifndef RNET_TESTS_UNIT_FAKE_LAUNCHER_H
#define RNET_TESTS_UNIT_FAKE_LAUNCHER_H

#include <unit.h>

#include <rnet/runtime/plan.h>

/* Where the launcher closes its socket. */
typedef enum LauncherEnd {
    LAUNCHER_STAYS,
    LAUNCHER_GOES_BEFORE_MAPPED,
    LAUNCHER_GOES_BEFORE_NETWORK_UP,
    LAUNCHER_GOES_BEFORE_START,
} LauncherEnd;

/* Parts of config.json; NULL: nothing. Members begin with a comma. */
typedef struct Container {
    const char *script;  /* for sh -c; without double quotes */
    const char *args;    /* the args array in place of that */
    const char *user;    /* process.user; NULL: uid and gid `uid` */
    const char *env;     /* process.env; NULL: a PATH */
    const char *process; /* further members of process */
    const char *root;    /* further members of root */
    const char *kernel;   /* further members of linux */
    const char *mounts;  /* further mounts */
    const char *further; /* further members of the document */
    const char *cwd;     /* NULL: "/" */
    unsigned uid;        /* process.user.uid and gid, the one that is mapped */
    const char *folder; /* of the bundle; NULL: a temporary one */
    bool no_image; /* the root directory is missing */
    bool bare_dev;       /* no tmpfs on /dev */
    bool has_network;
    uint64_t without; /* CLONE_NEW* that it does not have */
    int stdin_fd;     /* 0: /dev/null */
    bool no_userns; /* only for root */
    bool many_ids;  /* 0 to 65535 are mapped to themselves; only for root */
    bool shifted_ids; /* 0 to 65535 are the host's 100000 on; only for root */
    bool no_pivot;
    LauncherEnd end;
    const char *resolv_conf, *hosts;
    void (*amend)(RnConfig *config); /* changes it after reading; or NULL */
    char *const *image; /* links to make in the root: name, target, ..., NULL */
} Container;

typedef struct Outcome {
    GError *failure;  /* init's, or NULL: it ran */
    char *output;     /* of the payload, stdout and stderr */
    int exit_code;
    bool got_terminal;
} Outcome;

/* Skips the test (or fails it) where the container cannot be had. */
void container_require(const Container *container);

/* container_require(), then runs it to its end. */
void container_run(const Container *container, Outcome *outcome);
void outcome_clear(Outcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

#endif
