/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-events - `rnet events`: what a container uses, and its kills for want of
 * memory
 */
#include "config.h"

#include "commands.h"

#include <rnet/runtime/events.h>
#include <rnet/util/units.h>

#include "syntax.h"

static bool parse_interval(const char *text, int64_t *out_ms, GError **error)
{
    if (!rn_parse_duration(text, "interval", out_ms, error))
        return false;
    if (*out_ms > 0)
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "interval \"%s\" is not longer than 0", text);
}

int rn_cmd_events(const RnGlobals *globals, int argc, char **argv)
{
    g_autofree char *interval = NULL;
    gboolean once = FALSE;
    const GOptionEntry entries[] = {
        { "interval", 0, 0, G_OPTION_ARG_FILENAME, &interval,
          "Time between two lines of usage (default: 5s)", "TIME" },
        { "stats", 0, 0, G_OPTION_ARG_NONE, &once,
          "One line of usage, and no more", NULL },
        { NULL },
    };
    const RnSyntax syntax = {
        .operands = "ID",
        .summary = "Shows what a container uses, and when it runs out of "
                   "memory, until it ends.",
        .description = "Each line is a JSON object as runc has it.",
        .entries = entries,
        .min_operands = 1,
        .max_operands = 1,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    g_autoptr(RnManaged) managed = NULL;
    int64_t interval_ms = 0;

    if (operands == NULL || !parse_interval(interval != NULL ? interval : "5s",
                                            &interval_ms, &failure))
        return rn_usage_failure(argv[0], failure);
    managed = rn_managed_open(globals->root, operands[0], &failure);
    if (managed == NULL ||
        !(once ? rn_events_stats(managed, rn_output, &failure)
               : rn_events_follow(managed, interval_ms, rn_output, &failure)))
        return rn_command_failure(failure);
    return 0;
}
