/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syntax - command lines through GOption, answers on stdout
 *
 * Runs in the command line. Options and operands are bytes as they come, no
 * locale's: who reads one names what is wrong.
 */
#include "config.h"

#include "syntax.h"

#include <string.h>
#include <unistd.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>

static bool check_operands(const RnSyntax *syntax, char **operands,
                           GError **error)
{
    unsigned n = g_strv_length(operands);

    if (n > syntax->max_operands)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "unexpected argument \"%s\"",
                            operands[syntax->max_operands]);
    return n >= syntax->min_operands ||
           rn_set_error(error, RN_ERROR_INVALID, "missing: %s",
                        syntax->operands);
}

/* GOption would take the next argument for the option's: puts `complete` in the
 * place of the bare one. */
static void complete_option(const RnSyntax *syntax, int argc, char **argv,
                            char *complete)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (g_str_has_prefix(argv[i], "--") &&
            strcmp(argv[i] + 2, syntax->bare_option) == 0)
            argv[i] = complete;
    }
}

static bool parse_options(const RnSyntax *syntax, GOptionContext *context,
                          int argc, char **argv, GError **error)
{
    g_autofree char **copy =
        g_memdup2(argv, ((gsize)argc + 1) * sizeof argv[0]);
    g_autofree char *complete = NULL;

    if (syntax->bare_option != NULL) {
        complete = g_strdup_printf("--%s=", syntax->bare_option);
        complete_option(syntax, argc, copy, complete);
    }
    return g_option_context_parse(context, &argc, &copy, error);
}

/* The last arguments are the operands, and there as they were given. */
static void copy_last(char **end, char ***operands)
{
    char **originals = end - g_strv_length(*operands);

    g_strfreev(*operands);
    *operands = g_strdupv(originals);
}

char **rn_syntax_parse(const RnSyntax *syntax, int argc, char **argv,
                       GError **error)
{
    g_auto(GStrv) operands = NULL;
    const GOptionEntry rest[] = {
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &operands,
          NULL, syntax->operands },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(context, syntax->summary);
    g_option_context_set_description(context, syntax->description);
    if (syntax->entries != NULL)
        g_option_context_add_main_entries(context, syntax->entries, NULL);
    g_option_context_add_main_entries(context, rest, NULL);
    g_option_context_set_strict_posix(context, syntax->options_first);
    if (!parse_options(syntax, context, argc, argv, error))
        return NULL;
    if (operands == NULL)
        operands = g_new0(char *, 1);
    /* one of them may look like the bare option */
    if (syntax->options_first)
        copy_last(argv + argc, &operands);
    if (!check_operands(syntax, operands, error))
        return NULL;
    return g_steal_pointer(&operands);
}

int rn_usage_failure(const char *command, const GError *failure)
{
    rn_log_error("%s: %s", command, failure->message);
    return RN_EXIT_USAGE;
}

int rn_command_failure(const GError *failure)
{
    rn_log_gerror(RN_LOG_ERROR, failure);
    return RN_EXIT_FAILURE;
}

bool rn_output(const char *text, GError **error)
{
    if (rn_fd_write_all(STDOUT_FILENO, text, strlen(text), error))
        return true;
    g_prefix_error(error, "stdout: ");
    return false;
}

bool rn_output_json(const json_t *tree, RnOutputShape shape, GError **error)
{
    const gsize flags =
        shape == RN_OUTPUT_INDENTED ? JSON_INDENT(4) : JSON_COMPACT;
    g_autofree char *text = json_dumps(tree, flags | JSON_PRESERVE_ORDER);

    return rn_output(text, error) && rn_output("\n", error);
}

bool rn_output_parse_format(const char *word, RnOutputFormat *out_format,
                            GError **error)
{
    bool json = word != NULL && strcmp(word, "json") == 0;

    if (!json && word != NULL && strcmp(word, "table") != 0)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "invalid format option \"%s\": neither table nor "
                            "json",
                            word);
    *out_format = json ? RN_OUTPUT_JSON : RN_OUTPUT_TABLE;
    return true;
}

int rn_act_on_container(const RnGlobals *globals, int argc, char **argv,
                        const char *summary, RnContainerAct act)
{
    const RnSyntax syntax = {
        .operands = "ID",
        .summary = summary,
        .min_operands = 1,
        .max_operands = 1,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    g_autoptr(RnManaged) managed = NULL;

    if (operands == NULL)
        return rn_usage_failure(argv[0], failure);
    managed = rn_managed_open(globals->root, operands[0], &failure);
    if (managed == NULL || !act(managed, &failure))
        return rn_command_failure(failure);
    return 0;
}
