/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container-options - the command line of `run` and `create` as a request
 *
 * Runs in the launcher. Everything else is runtime/run's.
 */
#include "config.h"

#include "container-options.h"

#include <rnet/util/log.h>

enum {
    PRESERVE_FDS_MAX = 1024
}; /* RLIMIT_NOFILE's usual soft limit */

void rn_container_options_clear(RnContainerOptions *options)
{
    g_free(options->bundle);
    rn_network_option_values_clear(&options->network);
    g_free(options->console_socket);
    g_free(options->pid_file);
}

GOptionEntry *rn_container_options_entries(RnContainerOptions *options,
                                           const GOptionEntry *more)
{
    const GOptionEntry common[] = {
        { "bundle", 'b', 0, G_OPTION_ARG_FILENAME, &options->bundle,
          "Path of the bundle", "BUNDLE" },
        { "no-hosts", 0, 0, G_OPTION_ARG_NONE, &options->no_hosts,
          "Leave /etc/hosts as the image has it", NULL },
        { "console-socket", 0, 0, G_OPTION_ARG_FILENAME,
          &options->console_socket,
          "UNIX socket that gets the terminal's master", "PATH" },
        { "pid-file", 0, 0, G_OPTION_ARG_FILENAME, &options->pid_file,
          "File that gets the pid of the container's init", "PATH" },
        { "preserve-fds", 0, 0, G_OPTION_ARG_INT, &options->preserve_fds,
          "Pass N more fds from 3 on to the container", "N" },
        { "no-pivot", 0, 0, G_OPTION_ARG_NONE, &options->no_pivot,
          "Change the root without pivot_root(2), on a ramdisk", NULL },
        { "no-new-keyring", 0, 0, G_OPTION_ARG_NONE, &options->no_new_keyring,
          "Keep the caller's session keyring", NULL },
        { "no-subreaper", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE,
          &options->no_subreaper, "Taken for compatibility", NULL },
        { NULL },
    };
    g_autoptr(GArray) all = g_array_new(TRUE, FALSE, sizeof(GOptionEntry));

    g_array_append_vals(all, common, G_N_ELEMENTS(common) - 1);
    for (; more != NULL && more->long_name != NULL; more++)
        g_array_append_vals(all, more, 1);
    return rn_network_option_entries(
        &options->network, (const GOptionEntry *)(const void *)all->data);
}

bool rn_container_options_apply(const RnContainerOptions *options,
                                const RnGlobals *globals, RnRunRequest *request,
                                GError **error)
{
    if (options->preserve_fds < 0 || options->preserve_fds > PRESERVE_FDS_MAX)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "--preserve-fds: must be from 0 to %d",
                            PRESERVE_FDS_MAX);
    request->state_dir = globals->root;
    request->cgroup_manager = globals->cgroup_manager;
    request->environment = globals->environment;
    request->listen_fds = globals->listen_fds;
    request->network = rn_network_option_words(&options->network);
    request->no_hosts = options->no_hosts;
    request->console_socket = options->console_socket;
    request->pid_file = options->pid_file;
    request->preserve_fds = (unsigned)options->preserve_fds;
    request->no_pivot = options->no_pivot;
    request->no_new_keyring = options->no_new_keyring;
    request->notice = rn_network_option_notice;
    return true;
}

static int exit_status(const GError *failure)
{
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PROGRAM_MISSING))
        return RN_EXIT_MISSING;
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PROGRAM_UNRUNNABLE))
        return RN_EXIT_UNRUNNABLE;
    return RN_EXIT_FAILURE;
}

int rn_container_options_run(const RnRunRequest *request)
{
    g_autoptr(GError) failure = NULL;
    int exit_code = 0;

    if (rn_run(request, &exit_code, &failure))
        return exit_code;
    rn_log_gerror(RN_LOG_ERROR, failure);
    return exit_status(failure);
}
