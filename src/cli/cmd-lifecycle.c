/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-lifecycle - `rnet start`, `state`, `kill` and `delete`
 *
 * Runs in the command line. Everything else is runtime/lifecycle's and
 * managed's.
 */
#include "config.h"

#include "commands.h"

#include <regex.h>
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

/* What `kill` and `delete` do to one container. */
typedef struct Deed {
    bool force, all;
    int number;
} Deed;

typedef bool (*DeedFunc)(const char *state_dir, const char *id,
                         const Deed *deed, GError **error);

static bool kill_one(const char *state_dir, const char *id, const Deed *deed,
                     GError **error)
{
    return rn_kill(state_dir, id, deed->number, deed->all, error);
}

static bool delete_one(const char *state_dir, const char *id, const Deed *deed,
                       GError **error)
{
    return rn_delete(state_dir, id, deed->force, error);
}

/* All whose names match, as crun has it; the exit status. One that fails does
 * not save the others. */
static int do_to_matching(const char *state_dir, const regex_t *pattern,
                          const Deed *deed, DeedFunc func)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) list = rn_managed_list(state_dir, &failure);
    int status = 0;

    if (list == NULL)
        return rn_command_failure(failure);
    for (unsigned i = 0; i < list->len; i++) {
        const char *id = rn_managed_record(g_ptr_array_index(list, i))->id;
        g_autoptr(GError) one = NULL;

        if (regexec(pattern, id, 0, NULL, 0) == 0 &&
            !func(state_dir, id, deed, &one))
            status = rn_command_failure(one);
    }
    return status;
}

static int do_deed(const RnGlobals *globals, const char *id, bool by_pattern,
                   const Deed *deed, DeedFunc func)
{
    g_autoptr(GError) failure = NULL;
    regex_t pattern;
    int status = 0;

    if (!by_pattern)
        return func(globals->root, id, deed, &failure)
                   ? 0
                   : rn_command_failure(failure);
    if (regcomp(&pattern, id, REG_EXTENDED | REG_NOSUB) != 0) {
        (void)rn_set_error(&failure, RN_ERROR_INVALID,
                           "\"%s\" is no regular expression", id);
        return rn_command_failure(failure);
    }
    status = do_to_matching(globals->root, &pattern, deed, func);
    regfree(&pattern);
    return status;
}

int rn_cmd_kill(const RnGlobals *globals, int argc, char **argv)
{
    gboolean all = FALSE;
    gboolean regex = FALSE;
    const GOptionEntry entries[] = {
        { "all", 'a', 0, G_OPTION_ARG_NONE, &all,
          "All processes of the container, not only the first", NULL },
        { "regex", 'r', 0, G_OPTION_ARG_NONE, &regex,
          "ID is a regular expression, for all that match", NULL },
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
    Deed deed = { .number = SIGTERM };

    if (operands == NULL ||
        (operands[1] != NULL &&
         !rn_signal_parse(operands[1], &deed.number, &failure)))
        return rn_usage_failure(argv[0], failure);
    deed.all = all;
    return do_deed(globals, operands[0], regex, &deed, kill_one);
}

int rn_cmd_delete(const RnGlobals *globals, int argc, char **argv)
{
    gboolean force = FALSE;
    gboolean regex = FALSE;
    const GOptionEntry entries[] = {
        { "force", 'f', 0, G_OPTION_ARG_NONE, &force,
          "Kill it first; one that does not exist is no error", NULL },
        { "regex", 'r', 0, G_OPTION_ARG_NONE, &regex,
          "ID is a regular expression, for all that match", NULL },
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
    Deed deed = { 0 };

    if (operands == NULL)
        return rn_usage_failure(argv[0], failure);
    deed.force = force;
    return do_deed(globals, operands[0], regex, &deed, delete_one);
}
