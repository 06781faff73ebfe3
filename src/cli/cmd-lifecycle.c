/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-lifecycle - `rnet start`, `state`, `kill` and `delete`
 *
 * Runs in the command line. Everything else is runtime/lifecycle's and
 * managed's.
 */
#include "config.h"

#include "commands.h"

#include <signal.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/lifecycle.h>
#include <rnet/runtime/managed.h>

#include "syntax.h"

int rn_cmd_start(const RnGlobals *globals, int argc, char **argv)
{
    const RnSyntax syntax = {
        .operands = "ID",
        .summary = "Starts the payload of a created container.",
        .min_operands = 1,
        .max_operands = 1,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);

    if (operands == NULL)
        return rn_usage_failure(argv[0], failure);
    return rn_start(globals->root, operands[0], &failure)
               ? 0
               : rn_command_failure(failure);
}

static bool show_state(const RnManaged *managed, GError **error)
{
    g_autoptr(json_t) state = rn_managed_state(managed);
    g_autofree char *text = json_dumps(state, JSON_INDENT(2));
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    return rn_output(line, error);
}

int rn_cmd_state(const RnGlobals *globals, int argc, char **argv)
{
    return rn_act_on_container(
        globals, argc, argv, "Shows a container's state as JSON.", show_state);
}

int rn_cmd_kill(const RnGlobals *globals, int argc, char **argv)
{
    gboolean all = FALSE;
    const GOptionEntry entries[] = {
        { "all", 'a', 0, G_OPTION_ARG_NONE, &all,
          "All processes of the container, not only the first", NULL },
        { NULL },
    };
    const RnSyntax syntax = {
        .operands = "ID [SIGNAL]",
        .summary = "Sends a signal to a container, SIGTERM by default.",
        .entries = entries,
        .min_operands = 1,
        .max_operands = 2,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    int number = SIGTERM;

    if (operands == NULL || (operands[1] != NULL &&
                             !rn_signal_parse(operands[1], &number, &failure)))
        return rn_usage_failure(argv[0], failure);
    return rn_kill(globals->root, operands[0], number, all, &failure)
               ? 0
               : rn_command_failure(failure);
}

int rn_cmd_delete(const RnGlobals *globals, int argc, char **argv)
{
    gboolean force = FALSE;
    const GOptionEntry entries[] = {
        { "force", 'f', 0, G_OPTION_ARG_NONE, &force,
          "Kill it first; one that does not exist is no error", NULL },
        { NULL },
    };
    const RnSyntax syntax = {
        .operands = "ID",
        .summary = "Removes a container that has stopped.",
        .entries = entries,
        .min_operands = 1,
        .max_operands = 1,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);

    if (operands == NULL)
        return rn_usage_failure(argv[0], failure);
    return rn_delete(globals->root, operands[0], force, &failure)
               ? 0
               : rn_command_failure(failure);
}
