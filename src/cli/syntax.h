/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syntax - what all commands share in reading their command line, and in
 * answering
 */
#ifndef RNET_CLI_SYNTAX_H
#define RNET_CLI_SYNTAX_H

#include <glib.h>

#include <rnet/runtime/managed.h>

#include "commands.h"

typedef struct RnSyntax {
    const char *operands; /* "ID", for the usage line; NULL: none */
    const char *summary;
    const char *description;     /* shown below the options; NULL: none */
    const GOptionEntry *entries; /* NULL-terminated; NULL: none */
    unsigned min_operands, max_operands;
    bool options_first; /* all that follows the first operand is operands */
    /* "publish-all": an option that may stand without its "=VALUE", and has ""
     * then; a VALUE of its own is never the next argument. NULL: none */
    const char *bare_option;
} RnSyntax;

/*
 * Reads options into what the entries name and returns the operands
 * (NULL-terminated, the caller's), as bytes. NULL: the command line is wrong.
 * With --help it shows that and ends the process.
 */
char **rn_syntax_parse(const RnSyntax *syntax, int argc, char **argv,
                       GError **error) RN_CHECK;

/* Logs the error of a wrong command line; returns RN_EXIT_USAGE. */
int rn_usage_failure(const char *command, const GError *failure);

/* Logs any other error; returns RN_EXIT_FAILURE. */
int rn_command_failure(const GError *failure);

/* Writes all of `text` to stdout. */
bool rn_output(const char *text, GError **error) RN_CHECK;

typedef enum RnOutputShape {
    RN_OUTPUT_COMPACT, /* one line */
    RN_OUTPUT_INDENTED,
} RnOutputShape;

/* Writes a document and a newline to stdout. */
bool rn_output_json(const json_t *tree, RnOutputShape shape,
                    GError **error) RN_CHECK;

typedef enum RnOutputFormat {
    RN_OUTPUT_TABLE,
    RN_OUTPUT_JSON,
} RnOutputFormat;

/* "table", "json"; NULL is the former. RN_ERROR_INVALID. */
bool rn_output_parse_format(const char *word, RnOutputFormat *out_format,
                            GError **error) RN_CHECK;

/*
 * For a command whose only operand is a container: parses, finds it, and does
 * `act` with it. Returns the exit status.
 */
typedef bool (*RnContainerAct)(const RnManaged *managed, GError **error);
int rn_act_on_container(const RnGlobals *globals, int argc, char **argv,
                        const char *summary, RnContainerAct act);

#endif
