/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-run - `rnet run`: the command line as a request, the outcome as status
 *
 * Runs in the launcher. Everything else is runtime/run's.
 */
#include "config.h"

#include "commands.h"

#include <string.h>

#include <glib.h>

#include <rnet/runtime/run.h>
#include <rnet/util/log.h>

typedef struct RunOptions {
    char **publish;
    char *name;
    char *network;
    char *bundle;
    gboolean no_hosts;
    char **rest;
} RunOptions;

static void clear_options(RunOptions *options)
{
    g_strfreev(options->publish);
    g_free(options->name);
    g_free(options->network);
    g_free(options->bundle);
    g_strfreev(options->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RunOptions, clear_options)

static const char description[] =
    "SPEC is [HOSTADDR:][HOSTPORT:]PORT[/tcp|udp], ports may be ranges;\n"
    "without HOSTPORT a free port of 127.0.0.1 is picked and shown.\n"
    "MODE is slirp[:mtu=N,cidr=NET,ipv6=on|off,dns=ADDR|none,host-loopback,\n"
    "link=tap|packet|auto,handoff=on|off|auto], none or host.\n"
    "The exit status is the payload's. See rnet(1).";

static bool parse_options(RunOptions *options, int argc, char **argv,
                          GError **error)
{
    /* bytes as they come, no locale's: who reads one names what is wrong */
    const GOptionEntry entries[] = {
        { "publish", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->publish,
          "Publish a container's port on the host", "SPEC" },
        { "name", 0, 0, G_OPTION_ARG_FILENAME, &options->name,
          "Name of the container", "ID" },
        { "network", 0, 0, G_OPTION_ARG_FILENAME, &options->network,
          "The container's network", "MODE" },
        { "bundle", 'b', 0, G_OPTION_ARG_FILENAME, &options->bundle,
          "Path of the bundle", "BUNDLE" },
        { "no-hosts", 0, 0, G_OPTION_ARG_NONE, &options->no_hosts,
          "Leave /etc/hosts as the image has it", NULL },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->rest,
          NULL, "BUNDLE | --bundle BUNDLE ID" },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(context,
                                 "Runs the container of an OCI bundle.");
    g_option_context_set_description(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, &argc, &argv, error);
}

/* The two forms: BUNDLE [--name ID], and --bundle BUNDLE ID. */
static bool assign_operands(const RunOptions *options, RnRunRequest *request,
                            GError **error)
{
    unsigned n = options->rest != NULL ? g_strv_length(options->rest) : 0;

    request->bundle = options->bundle;
    request->id = options->name;
    if (n > 1)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "unexpected argument \"%s\"", options->rest[1]);
    if (options->bundle == NULL) {
        request->bundle = n == 1 ? options->rest[0] : "";
        n = 0;
    }
    /* an empty one is a shell variable that was not set */
    if (request->bundle[0] == '\0')
        return rn_set_error(error, RN_ERROR_INVALID,
                            "which bundle? Give its path");
    if (n == 1 && options->name != NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "two names: --name \"%s\" and \"%s\"",
                            options->name, options->rest[0]);
    if (n == 1)
        request->id = options->rest[0];
    return true;
}

static int exit_status(const GError *failure)
{
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PROGRAM_MISSING))
        return RN_EXIT_MISSING;
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PROGRAM_UNRUNNABLE))
        return RN_EXIT_UNRUNNABLE;
    return RN_EXIT_FAILURE;
}

/* On stderr, whatever the log level: the payload's stdout is its own. */
static void show_notice(const char *text)
{
    g_printerr("%s\n", text);
}

int rn_cmd_run(const RnGlobals *globals, int argc, char **argv)
{
    g_auto(RunOptions) options = { 0 };
    g_autoptr(GError) failure = NULL;
    RnRunRequest request = {
        .state_dir = globals->root,
        .notice = show_notice,
    };
    int exit_code = 0;

    if (!parse_options(&options, argc, argv, &failure) ||
        !assign_operands(&options, &request, &failure)) {
        rn_log_error("run: %s", failure->message);
        return RN_EXIT_USAGE;
    }
    request.publish = (const char *const *)options.publish;
    request.network = options.network;
    request.no_hosts = options.no_hosts;
    if (rn_run(&request, &exit_code, &failure))
        return exit_code;
    rn_log_gerror(RN_LOG_ERROR, failure);
    return exit_status(failure);
}
