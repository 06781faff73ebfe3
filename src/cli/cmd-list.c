/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-list - `rnet list`: all containers of the state directory
 */
#include "config.h"

#include "commands.h"

#include <rnet/oci/json.h>
#include <rnet/runtime/list.h>

#include "syntax.h"

static char *format_ids(const GPtrArray *managed)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < managed->len; i++) {
        const RnManaged *one = g_ptr_array_index(managed, i);

        g_string_append_printf(text, "%s\n", rn_managed_record(one)->id);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool show(const RnGlobals *globals, bool quiet, RnOutputFormat format,
                 GError **error)
{
    g_autoptr(GPtrArray) managed = rn_managed_list(globals->root, error);
    g_autoptr(json_t) list = NULL;
    g_autofree char *text = NULL;

    if (managed == NULL)
        return false;
    if (quiet) {
        text = format_ids(managed);
        return rn_output(text, error);
    }
    list = rn_list_to_json(managed);
    if (format == RN_OUTPUT_JSON)
        return rn_output_json(list, RN_OUTPUT_COMPACT, error);
    text = rn_list_format(list);
    return rn_output(text, error);
}

int rn_cmd_list(const RnGlobals *globals, int argc, char **argv)
{
    g_autofree char *word = NULL;
    gboolean quiet = FALSE;
    const GOptionEntry entries[] = {
        { "format", 'f', 0, G_OPTION_ARG_FILENAME, &word,
          "table (the default) or json", "FORMAT" },
        { "quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Only the names", NULL },
        { NULL },
    };
    const RnSyntax syntax = {
        .summary = "Lists the containers.",
        .entries = entries,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    RnOutputFormat format = RN_OUTPUT_TABLE;

    if (operands == NULL || !rn_output_parse_format(word, &format, &failure))
        return rn_usage_failure(argv[0], failure);
    if (!show(globals, quiet, format, &failure))
        return rn_command_failure(failure);
    return 0;
}
