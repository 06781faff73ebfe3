/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run - one container from a bundle: `run`, in the foreground or detached, and
 * `create`
 */
#ifndef RNET_RUNTIME_RUN_H
#define RNET_RUNTIME_RUN_H

#include <rnet/runtime/cgroup.h>
#include <rnet/runtime/network-wish.h>
#include <rnet/runtime/plan.h>

/* One line of text for the person, without a newline. */
typedef void (*RnNoticeFunc)(const char *text);

typedef enum RnRunMode {
    RN_RUN_FOREGROUND, /* wait for its end */
    RN_RUN_DETACHED,   /* start it and leave it */
    RN_RUN_CREATE,     /* do not even start it */
} RnRunMode;

typedef struct RnRunRequest {
    RnRunMode mode;
    const char *bundle;    /* path of the bundle */
    const char *id;        /* NULL: one is made up */
    const char *state_dir; /* path of the state directory */
    RnNetworkWords network;
    bool no_hosts;              /* leave the image's /etc/hosts */
    const char *console_socket; /* path, or NULL: gets the terminal's master */
    const char *pid_file;       /* path, or NULL */
    unsigned preserve_fds;      /* --preserve-fds: 3 and up, beside these: */
    unsigned listen_fds;        /* LISTEN_FDS, sd_listen_fds(3) */
    bool no_pivot;
    bool no_new_keyring;
    bool keep; /* in the foreground: leave the entry of what has ended */
    RnCgroupManager cgroup_manager;
    char **environment;  /* of hooks that have none */
    RnNoticeFunc notice; /* told about ports that rnet picked, and in the
                            foreground about those that come and go */
} RnRunRequest;

/*
 * In the foreground: runs the container and waits for its end; *out_exit_code
 * is the payload's (128 + signal if one ended it). Signals to this process are
 * passed on to the payload; one that would end a process but that pid 1
 * neither catches nor ignores ends the container, which the kernel would not
 * do by itself (pid_namespaces(7)). Otherwise returns when the container runs
 * or is created; *out_exit_code is 0.
 */
bool rn_run(const RnRunRequest *request, int *out_exit_code,
            GError **error) RN_CHECK;

#endif
