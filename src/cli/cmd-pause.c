/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-pause - `rnet pause` and `rnet resume`
 */
#include "config.h"

#include "commands.h"

#include <rnet/runtime/freeze.h>

#include "syntax.h"

int rn_cmd_pause(const RnGlobals *globals, int argc, char **argv)
{
    return rn_act_on_container(globals, argc, argv,
                               "Stops all processes of a container.",
                               rn_freeze_pause);
}

int rn_cmd_resume(const RnGlobals *globals, int argc, char **argv)
{
    return rn_act_on_container(
        globals, argc, argv, "Lets the processes of a paused container go on.",
        rn_freeze_resume);
}
