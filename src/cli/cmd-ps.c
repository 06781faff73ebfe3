/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-ps - `rnet ps`: a container's processes, through the host's ps
 */
#include "config.h"

#include "commands.h"

#include <rnet/oci/json.h>
#include <rnet/runtime/processes.h>

#include "syntax.h"

static bool show(const RnGlobals *globals, char **operands,
                 RnOutputFormat format, GError **error)
{
    g_autoptr(RnManaged) managed =
        rn_managed_open(globals->root, operands[0], error);
    g_autoptr(GArray) pids = NULL;
    g_autoptr(json_t) list = NULL;

    if (managed == NULL || !rn_processes_list(managed, &pids, error))
        return false;
    if (format == RN_OUTPUT_TABLE)
        return rn_processes_show(pids, (const char *const *)operands + 1,
                                 rn_output, error);
    list = rn_processes_to_json(pids);
    return rn_output_json(list, RN_OUTPUT_COMPACT, error);
}

int rn_cmd_ps(const RnGlobals *globals, int argc, char **argv)
{
    g_autofree char *word = NULL;
    const GOptionEntry entries[] = {
        { "format", 'f', 0, G_OPTION_ARG_FILENAME, &word,
          "table (the default) or json: the pids alone", "FORMAT" },
        { NULL },
    };
    const RnSyntax syntax = {
        .operands = "ID [PS-OPTION...]",
        .summary = "Shows the processes of a container.",
        .description = "PS-OPTIONs are the host's ps(1)'s, -ef if there are "
                       "none; what they show must\nhave a column PID.",
        .entries = entries,
        .min_operands = 1,
        .max_operands = G_MAXUINT,
        .options_first = true,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    RnOutputFormat format = RN_OUTPUT_TABLE;

    if (operands == NULL || !rn_output_parse_format(word, &format, &failure))
        return rn_usage_failure(argv[0], failure);
    if (!show(globals, operands, format, &failure))
        return rn_command_failure(failure);
    return 0;
}
