/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-up - `rnet up`: the command line as a request, the outcome as status
 *
 * Runs in the command. Everything else is runtime/up's.
 */
#include "config.h"

#include "commands.h"

#include <pwd.h>
#include <unistd.h>

#include <rnet/runtime/up.h>
#include <rnet/util/log.h>

#include "network-options.h"
#include "syntax.h"

static const char description[] =
    "Without COMMAND your shell is run. SPEC, MODE: see `rnet run --help`.\n"
    "--publish-all: what listens inside, on 127.0.0.1 too, is published on the\n"
    "host's 127.0.0.1, same port if it is free, and shown.\n"
    "--expose-host HOSTPORT[:PORT] is reached at the gateway's address and at\n"
    "localhost inside.\n"
    "The exit status is the command's; 127 if it is missing, 126 if it cannot\n"
    "run. The network ends with the command. See rnet(1).";

/* The caller's. */
static char *choose_shell(const RnGlobals *globals)
{
    const char *shell = g_environ_getenv(globals->environment, "SHELL");
    const struct passwd *entry = NULL;

    if (shell != NULL && shell[0] != '\0')
        return g_strdup(shell);
    entry = getpwuid(getuid());
    if (entry != NULL && entry->pw_shell != NULL && entry->pw_shell[0] != '\0')
        return g_strdup(entry->pw_shell);
    return g_strdup("/bin/sh");
}

static int exit_status(const GError *failure)
{
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PROGRAM_MISSING))
        return RN_EXIT_MISSING;
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PROGRAM_UNRUNNABLE))
        return RN_EXIT_UNRUNNABLE;
    return RN_EXIT_FAILURE;
}

int rn_cmd_up(const RnGlobals *globals, int argc, char **argv)
{
    g_auto(RnNetworkOptionValues) options = { 0 };
    g_autofree GOptionEntry *entries =
        rn_network_option_entries(&options, NULL);
    const RnSyntax syntax = {
        .operands = "[COMMAND [ARGUMENT...]]",
        .summary = "Runs a command of the host in a network of its own.",
        .description = description,
        .entries = entries,
        .max_operands = G_MAXUINT,
        .options_first = true,
        .bare_option = RN_NETWORK_BARE_OPTION,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    g_autofree char *shell = choose_shell(globals);
    char *shell_args[] = { shell, NULL };
    RnUpRequest request = {
        .environment = globals->environment,
        .notice = rn_network_option_notice,
    };
    int exit_code = 0;

    if (operands == NULL)
        return rn_usage_failure(argv[0], failure);
    request.words = rn_network_option_words(&options);
    request.args = operands[0] != NULL ? operands : shell_args;
    if (rn_up(&request, &exit_code, &failure))
        return exit_code;
    g_prefix_error(&failure, "up: ");
    rn_log_gerror(RN_LOG_ERROR, failure);
    return exit_status(failure);
}
