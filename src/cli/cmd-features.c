/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-features - `rnet features`: what this rnet can do, for engines
 */
#include "config.h"

#include "commands.h"

#include <rnet/oci/json.h>
#include <rnet/runtime/features.h>

#include "syntax.h"

int rn_cmd_features(const RnGlobals *globals, int argc, char **argv)
{
    const RnSyntax syntax = {
        .summary = "Shows what rnet can do, as runtime-spec's features.md "
                   "has it.",
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    g_autoptr(json_t) features = NULL;

    (void)globals;
    if (operands == NULL)
        return rn_usage_failure(argv[0], failure);
    features = rn_features();
    if (!rn_output_json(features, RN_OUTPUT_INDENTED, &failure))
        return rn_command_failure(failure);
    return 0;
}
