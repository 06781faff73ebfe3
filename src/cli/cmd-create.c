/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-create - `rnet create`: a container up to its payload
 *
 * Runs in the launcher. Everything else is runtime/run's.
 */
#include "config.h"

#include "commands.h"

#include "container-options.h"
#include "syntax.h"

static const char description[] =
    "The network is left alone unless --network or --publish asks for one:\n"
    "see `rnet run --help`. `rnet start ID` starts the payload.";

int rn_cmd_create(const RnGlobals *globals, int argc, char **argv)
{
    g_auto(RnContainerOptions) options = { 0 };
    g_autofree GOptionEntry *entries =
        rn_container_options_entries(&options, NULL);
    const RnSyntax syntax = {
        .operands = "ID",
        .summary = "Creates the container of an OCI bundle.",
        .description = description,
        .entries = entries,
        .min_operands = 1,
        .max_operands = 1,
        .bare_option = RN_NETWORK_BARE_OPTION,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    RnRunRequest request = { .mode = RN_RUN_CREATE };

    if (operands == NULL ||
        !rn_container_options_apply(&options, globals, &request, &failure))
        return rn_usage_failure(argv[0], failure);
    request.bundle = options.bundle != NULL ? options.bundle : ".";
    request.id = operands[0];
    return rn_container_options_run(&request);
}
