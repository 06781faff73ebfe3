/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-spec - `rnet spec`: a config.json to begin with
 */
#include "config.h"

#include "commands.h"

#include <rnet/runtime/spec-template.h>

#include "syntax.h"

int rn_cmd_spec(const RnGlobals *globals, int argc, char **argv)
{
    g_autofree char *bundle = NULL;
    gboolean rootless = FALSE;
    const GOptionEntry entries[] = {
        { "bundle", 'b', 0, G_OPTION_ARG_FILENAME, &bundle,
          "Directory that gets it (default: where you are)", "BUNDLE" },
        { "rootless", 0, 0, G_OPTION_ARG_NONE, &rootless,
          "One that an ordinary user can run, with the user's id map", NULL },
        { NULL },
    };
    const RnSyntax syntax = {
        .summary = "Writes a config.json, which runs sh in the directory "
                   "rootfs.",
        .entries = entries,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);

    (void)globals;
    if (operands == NULL)
        return rn_usage_failure(argv[0], failure);
    if (!rn_spec_write(bundle != NULL ? bundle : ".", rootless, &failure))
        return rn_command_failure(failure);
    return 0;
}
