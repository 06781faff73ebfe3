/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-run - `rnet run`: the command line as a request, the outcome as status
 *
 * Runs in the launcher. Everything else is runtime/run's.
 */
#include "config.h"

#include "commands.h"

#include <rnet/oci/state.h>

#include "container-options.h"
#include "syntax.h"

static const char description[] =
    "SPEC is [HOSTADDR:][HOSTPORT:]PORT[/tcp|udp], ports may be ranges;\n"
    "without HOSTPORT a free port of 127.0.0.1 is picked and shown.\n"
    "MODE is slirp[:mtu=N,cidr=NET,ipv6=on|off,dns=ADDR|none,host-loopback,\n"
    "link=tap|packet|auto,handoff=on|off|auto], none or host.\n"
    "--expose-host HOSTPORT[:PORT] is reached at the gateway's address and at\n"
    "localhost inside.\n"
    "The exit status is the payload's. See rnet(1).";

/* runc's and crun's form in a bundle: the name alone. It is one only where it
 * cannot be a bundle's path. */
static bool is_name_here(const char *operand)
{
    return rn_id_check(operand, NULL) &&
           !g_file_test(operand, G_FILE_TEST_IS_DIR) &&
           g_file_test("config.json", G_FILE_TEST_EXISTS);
}

/* The forms: BUNDLE [--name ID], --bundle BUNDLE ID, and ID in a bundle. */
static bool assign_operands(const RnContainerOptions *options, const char *name,
                            char **operands, RnRunRequest *request,
                            GError **error)
{
    const char *id = operands[0];

    request->bundle = options->bundle;
    if (options->bundle == NULL && name == NULL && id != NULL &&
        is_name_here(id)) {
        request->bundle = ".";
    } else if (options->bundle == NULL) {
        request->bundle = operands[0] != NULL ? operands[0] : "";
        id = NULL;
    }
    /* an empty one is a shell variable that was not set */
    if (request->bundle[0] == '\0')
        return rn_set_error(error, RN_ERROR_INVALID,
                            "which bundle? Give its path");
    if (id != NULL && name != NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "two names: --name \"%s\" and \"%s\"", name, id);
    request->id = id != NULL ? id : name;
    return true;
}

int rn_cmd_run(const RnGlobals *globals, int argc, char **argv)
{
    g_auto(RnContainerOptions) options = { 0 };
    g_autofree char *name = NULL;
    gboolean detach = FALSE;
    gboolean keep = FALSE;
    const GOptionEntry own[] = {
        { "name", 0, 0, G_OPTION_ARG_FILENAME, &name, "Name of the container",
          "ID" },
        { "detach", 'd', 0, G_OPTION_ARG_NONE, &detach,
          "Leave the container running", NULL },
        { "keep", 0, 0, G_OPTION_ARG_NONE, &keep,
          "Leave what has ended to `rnet delete`", NULL },
        { NULL },
    };
    g_autofree GOptionEntry *entries =
        rn_container_options_entries(&options, own);
    const RnSyntax syntax = {
        .operands = "BUNDLE | --bundle BUNDLE ID | ID",
        .summary = "Runs the container of an OCI bundle.",
        .description = description,
        .entries = entries,
        .max_operands = 1,
        .bare_option = RN_NETWORK_BARE_OPTION,
    };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = rn_syntax_parse(&syntax, argc, argv, &failure);
    RnRunRequest request = { 0 };

    if (operands == NULL ||
        !assign_operands(&options, name, operands, &request, &failure) ||
        !rn_container_options_apply(&options, globals, &request, &failure))
        return rn_usage_failure(argv[0], failure);
    request.mode = detach ? RN_RUN_DETACHED : RN_RUN_FOREGROUND;
    request.keep = keep;
    return rn_container_options_run(&request);
}
