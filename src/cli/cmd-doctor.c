/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-doctor - `rnet doctor`: what this host has for containers, as a table
 *
 * Everything else is runtime/doctor's.
 */
#include "config.h"

#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

#include <rnet/runtime/doctor.h>
#include <rnet/util/log.h>

static const char description[] =
    "Each line is fine, degraded (what is lost follows) or missing (what\n"
    "fails), with the command that mends it and who can: you, root, or who\n"
    "starts the container around this one (outside).\n"
    "The exit status is 1 if anything is missing, 2 for wrong usage, else 0.";

static bool parse_options(gboolean *out_json, int argc, char **argv,
                          GError **error)
{
    const GOptionEntry entries[] = {
        { "json", 0, 0, G_OPTION_ARG_NONE, out_json, "Print JSON", NULL },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(
        context, "Tries what containers need, and says how to mend it.");
    g_option_context_set_description(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error))
        return false;
    if (argc > 1)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "unexpected argument \"%s\"", argv[1]);
    return true;
}

/* Bytes as they are: g_print() would convert them to the C locale's. */
static bool print(char *take_text)
{
    g_autofree char *text = take_text;

    return fputs(text, stdout) >= 0 && fflush(stdout) == 0;
}

static bool print_json(const GPtrArray *checks)
{
    json_t *report = rn_doctor_to_json(checks);
    char *text = json_dumps(report, JSON_INDENT(2));
    bool printed = fputs(text, stdout) >= 0 && fputc('\n', stdout) >= 0 &&
                   fflush(stdout) == 0;

    free(text);
    json_decref(report);
    return printed;
}

int rn_cmd_doctor(const RnGlobals *globals, int argc, char **argv)
{
    const RnDoctorEnvironment environment = {
        .runtime_dir = globals->runtime_dir,
        .bus_address = globals->bus_address,
    };
    g_auto(RnDoctorFacts) facts = { 0 };
    g_autoptr(GPtrArray) checks = NULL;
    g_autoptr(GError) failure = NULL;
    gboolean as_json = FALSE;

    if (!parse_options(&as_json, argc, argv, &failure)) {
        rn_log_error("doctor: %s", failure->message);
        return RN_EXIT_USAGE;
    }
    rn_doctor_look(&environment, &facts);
    checks = rn_doctor_judge(&facts);
    if (!(as_json ? print_json(checks) : print(rn_doctor_format(checks)))) {
        rn_log_error("doctor: stdout cannot be written");
        return RN_EXIT_FAILURE;
    }
    return rn_doctor_state(checks) == RN_DOCTOR_MISSING ? RN_EXIT_FAILURE : 0;
}
