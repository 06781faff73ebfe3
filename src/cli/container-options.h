/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container-options - the options that `run` and `create` have in common
 */
#ifndef RNET_CLI_CONTAINER_OPTIONS_H
#define RNET_CLI_CONTAINER_OPTIONS_H

#include <glib.h>

#include <rnet/runtime/run.h>

#include "commands.h"
#include "network-options.h"

typedef struct RnContainerOptions {
    char *bundle;
    RnNetworkOptionValues network;
    gboolean no_hosts;
    char *console_socket;
    char *pid_file;
    int preserve_fds;
    gboolean no_pivot;
    gboolean no_new_keyring;
    gboolean no_subreaper; /* rnet never is one */
} RnContainerOptions;

void rn_container_options_clear(RnContainerOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnContainerOptions, rn_container_options_clear)

/*
 * The common entries with `more` (NULL-terminated, or NULL) behind them, the
 * caller's; they point into `options` and at the same texts.
 */
GOptionEntry *rn_container_options_entries(RnContainerOptions *options,
                                           const GOptionEntry *more) RN_CHECK;

/* What the options ask for; the request borrows from both. */
bool rn_container_options_apply(const RnContainerOptions *options,
                                const RnGlobals *globals, RnRunRequest *request,
                                GError **error) RN_CHECK;

/* Runs the request: the exit status, errors logged. */
int rn_container_options_run(const RnRunRequest *request);

#endif
