/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run - one container in the foreground, from bundle to exit status
 */
#ifndef RNET_RUNTIME_RUN_H
#define RNET_RUNTIME_RUN_H

#include <rnet/net/options.h>

/* One line of text for the person, without a newline. */
typedef void (*RnNoticeFunc)(const char *text);

typedef struct RnRunRequest {
    const char *bundle;        /* path of the bundle */
    const char *id;            /* NULL: one is made up */
    const char *state_dir;     /* path of the state directory */
    const char *network;       /* text of --network, NULL: none given */
    const char *const *publish; /* SPECs, NULL-terminated, or NULL */
    bool no_hosts;             /* leave the image's /etc/hosts */
    RnNoticeFunc notice;       /* told about ports that rnet picked */
} RnRunRequest;

/*
 * Runs the container and waits for its end. *out_exit_code is the payload's
 * (128 + signal if one ended it). Signals to this process are passed on to the
 * payload; one that would end a process but that pid 1 neither catches nor
 * ignores ends the container, which the kernel would not do by itself
 * (pid_namespaces(7)).
 */
bool rn_run(const RnRunRequest *request, int *out_exit_code, GError **error)
    RN_CHECK;

#endif
