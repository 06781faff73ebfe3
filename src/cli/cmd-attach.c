/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-attach - `rnet attach` and `rnet detach`: a network for what others made
 *
 * Runs in the command, which in the foreground keeps the network. Everything
 * else is runtime/attach's.
 */
#include "config.h"

#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include <rnet/runtime/attach.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#include "network-options.h"
#include "syntax.h"

static const char operand[] = "PID|NETNS-PATH";

typedef struct AttachOptions {
    RnNetworkOptionValues network;
    gboolean detach;
    int ready_fd; /* -1: none */
    int exit_fd;
} AttachOptions;

static void clear_options(AttachOptions *options)
{
    rn_network_option_values_clear(&options->network);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AttachOptions, clear_options)

/* An open fd of the caller's, kept from the helpers. */
static bool check_fd(const char *option, int fd, GError **error)
{
    if (fd == -1)
        return true;
    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "%s: %d is no open file descriptor", option, fd);
    return true;
}

/* As slirp4netns does it. */
static bool tell_ready(void *data, GError **error)
{
    int *fd = data;

    if (*fd < 0)
        return true;
    if (!rn_fd_write_all(*fd, "1", 1, error)) {
        g_prefix_error(error, "--ready-fd: ");
        return false;
    }
    rn_fd_close(fd);
    return true;
}

/* Who started this takes a failure for "no network": so there is none. */
static bool tell_ready_detached(const RnAttachRequest *request, int *ready_fd,
                                GError **error)
{
    g_autoptr(GError) failure = NULL;

    /* SIGPIPE, for one */
    if (rn_keeper_block_signals(error) && tell_ready(ready_fd, error))
        return true;
    if (!rn_network_detach(request->state_dir, request->key, &failure))
        rn_log_warning("attach: %s", failure->message);
    return false;
}

static bool attach(const RnAttachRequest *request, AttachOptions *options,
                   int *out_status, GError **error)
{
    int signal_number = 0;

    *out_status = 0;
    if (options->detach)
        return rn_attach_detached(request, error) &&
               tell_ready_detached(request, &options->ready_fd, error);
    if (!rn_attach_foreground(request, tell_ready, &options->ready_fd,
                              &signal_number, error))
        return false;
    if (signal_number != 0)
        *out_status = 128 + signal_number;
    return true;
}

static bool run_attach(const RnGlobals *globals, const char *word,
                       const RnNetworkWish *wish, AttachOptions *options,
                       int *out_status, GError **error)
{
    g_auto(RnNetworkTarget) target = { 0 };
    g_autofree char *key = NULL;
    RnAttachRequest request = {
        .state_dir = globals->root,
        .wish = wish,
        .target = &target,
        .exit_fd = options->exit_fd,
        .notice = rn_network_option_notice,
    };

    if (!rn_network_target_open(word, &target, error))
        return false;
    key = rn_network_key_of_namespace(target.dev, target.ino);
    request.key = key;
    request.until_unused = target.pidfd < 0;
    if (attach(&request, options, out_status, error))
        return true;
    if (error != NULL && g_error_matches(*error, RN_ERROR, RN_ERROR_EXISTS))
        rn_error_add_hint(error, "`rnet detach %s` ends it", word);
    return false;
}

int rn_cmd_attach(const RnGlobals *globals, int argc, char **argv)
{
    g_auto(AttachOptions) options = { .ready_fd = -1, .exit_fd = -1 };
    const GOptionEntry own[] = {
        { "detach", 'd', 0, G_OPTION_ARG_NONE, &options.detach,
          "Leave the network to a process of its own", NULL },
        { "ready-fd", 0, 0, G_OPTION_ARG_INT, &options.ready_fd,
          "Gets \"1\" when the network is up", "N" },
        { "exit-fd", 0, 0, G_OPTION_ARG_INT, &options.exit_fd,
          "Any event on it ends the network, EOF for one", "N" },
        { NULL },
    };
    g_autofree GOptionEntry *entries =
        rn_network_option_entries(&options.network, own);
    const RnSyntax syntax = {
        .operands = operand,
        .summary = "Gives a network to the namespace of a process, or to one "
                   "at a path, and keeps it\nuntil its end.",
        .description = "See rnet(1) for SPEC, MODE, and what ends the network.",
        .entries = entries,
        .min_operands = 1,
        .max_operands = 1,
        .bare_option = RN_NETWORK_BARE_OPTION,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    const RnNetworkWords words = rn_network_option_words(&options.network);
    g_auto(RnNetworkWish) wish = { 0 };
    int status = 0;

    if (operands == NULL ||
        !check_fd("--ready-fd", options.ready_fd, &failure) ||
        !check_fd("--exit-fd", options.exit_fd, &failure))
        return rn_usage_failure(argv[0], failure);
    if (rn_network_wish_parse(&words, &wish, &failure) &&
        run_attach(globals, operands[0], &wish, &options, &status, &failure))
        return status;
    g_prefix_error(&failure, "attach: ");
    return rn_command_failure(failure);
}

static bool run_detach(const RnGlobals *globals, const char *word,
                       GError **error)
{
    g_auto(RnNetworkTarget) target = { 0 };
    g_autofree char *key = NULL;

    if (!rn_network_target_open(word, &target, error))
        return false;
    key = rn_network_find(globals->root, target.dev, target.ino, error);
    return key != NULL && rn_network_detach(globals->root, key, error);
}

int rn_cmd_detach(const RnGlobals *globals, int argc, char **argv)
{
    const RnSyntax syntax = {
        .operands = operand,
        .summary = "Ends the network that a namespace was given.",
        .min_operands = 1,
        .max_operands = 1,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);

    if (operands == NULL)
        return rn_usage_failure(argv[0], failure);
    if (run_detach(globals, operands[0], &failure))
        return 0;
    g_prefix_error(&failure, "detach \"%s\": ", operands[0]);
    return rn_command_failure(failure);
}
