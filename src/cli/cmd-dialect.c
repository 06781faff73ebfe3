/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-dialect - other programs' interfaces as commands
 *
 * Runs in the command line. Also what main() calls when rnet was started under
 * one of their names.
 */
#include "config.h"

#include "commands.h"

#include <rnet/dialect/dialect.h>

static RnDialectWorld describe_world(const RnGlobals *globals)
{
    return (RnDialectWorld){
        .state_dir = globals->root,
        .environment = globals->environment,
    };
}

int rn_cmd_hook(const RnGlobals *globals, int argc, char **argv)
{
    const RnDialectWorld world = describe_world(globals);

    return rn_dialect_hook(&world, argc, argv);
}

int rn_cmd_cni(const RnGlobals *globals, int argc, char **argv)
{
    const RnDialectWorld world = describe_world(globals);

    return rn_dialect_cni(&world, argc, argv);
}

int rn_cmd_slirp4netns(const RnGlobals *globals, int argc, char **argv)
{
    const RnDialectWorld world = describe_world(globals);

    return rn_dialect_slirp4netns(&world, argc, argv);
}
