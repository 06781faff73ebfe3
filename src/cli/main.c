/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main - finds out which of rnet's programs this is, and calls it
 *
 * Runs in every exec'd process of rnet: a helper (nsagent, relay, guard) knows
 * itself by argv[0], everything else is the command line, whose first operand
 * is the command. The environment is read here and nowhere else.
 */
#include "config.h"

#include "commands.h"

#include <string.h>
#include <unistd.h>

#include <glib.h>

#include <rnet/net/network.h>
#include <rnet/runtime/guard.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

typedef struct Helper {
    const char *name;
    int (*main)(void);
} Helper;

static const Helper helpers[] = {
    { RN_AGENT_NAME, rn_agent_main },
    { RN_RELAY_NAME, rn_relay_main },
    { RN_GUARD_NAME, rn_guard_main },
};

typedef struct Command {
    const char *name;
    const char *summary;
    RnCommandFunc run;
} Command;

static const Command commands[] = {
    { "run", "run the container of an OCI bundle", rn_cmd_run },
};

static const Helper *find_helper(const char *program)
{
    g_autofree char *name = g_path_get_basename(program);

    for (unsigned i = 0; i < G_N_ELEMENTS(helpers); i++) {
        if (g_str_equal(name, helpers[i].name))
            return &helpers[i];
    }
    return NULL;
}

static const Command *find_command(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(name, commands[i].name))
            return &commands[i];
    }
    return NULL;
}

/* Root has /run. A user has $XDG_RUNTIME_DIR, his own and gone after a reboot
 * (XDG Base Directory Specification); so has the "root" of a user namespace,
 * who cannot write /run. Without either: a directory in /tmp, which the state
 * module accepts only if it is this user's alone. */
static char *default_root(void)
{
    const char *runtime_dir = g_getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0 && access("/run", W_OK) == 0)
        return g_strdup("/run/rnet");
    if (runtime_dir != NULL && g_path_is_absolute(runtime_dir))
        return g_build_filename(runtime_dir, "rnet", NULL);
    return g_strdup_printf("/tmp/rnet-%u", geteuid());
}

static char *describe_commands(void)
{
    g_autoptr(GString) text = g_string_new("Commands:\n");

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        g_string_append_printf(text, "  %-8s %s\n", commands[i].name,
                               commands[i].summary);
    g_string_append(text, "\n`rnet COMMAND --help` tells more, and rnet(1).");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool parse_globals(int *argc, char ***argv, RnGlobals *globals,
                          gboolean *out_version, GError **error)
{
    gboolean debug = FALSE;
    const GOptionEntry entries[] = {
        { "root", 0, 0, G_OPTION_ARG_FILENAME, &globals->root,
          "Directory of the containers' state", "DIR" },
        { "debug", 0, 0, G_OPTION_ARG_NONE, &debug, "Log what is done", NULL },
        { "version", 0, 0, G_OPTION_ARG_NONE, out_version, "Show the version",
          NULL },
        { NULL },
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("COMMAND [ARGUMENT...]");
    g_autofree char *list = describe_commands();

    g_option_context_set_summary(
        context, "Rootless containers with real, fast networking.");
    g_option_context_set_description(context, list);
    g_option_context_add_main_entries(context, entries, NULL);
    /* the command's own options are the command's */
    g_option_context_set_strict_posix(context, TRUE);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (debug)
        rn_log_set_level(RN_LOG_DEBUG);
    return true;
}

static int run_command(const RnGlobals *globals, int argc, char **argv)
{
    const Command *command = NULL;
    g_autofree char *title = NULL;

    if (argc < 2) {
        rn_log_error("which command? See rnet --help");
        return RN_EXIT_USAGE;
    }
    command = find_command(argv[1]);
    if (command == NULL) {
        rn_log_error("unknown command \"%s\"; see rnet --help", argv[1]);
        return RN_EXIT_USAGE;
    }
    title = g_strconcat("rnet ", command->name, NULL);
    /* usage lines start with the program's name */
    g_set_prgname(title);
    return command->run(globals, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    const Helper *helper = find_helper(argc > 0 ? argv[0] : "rnet");
    RnGlobals globals = { 0 };
    gboolean version = FALSE;
    g_autoptr(GError) failure = NULL;
    int status = 0;

    if (helper != NULL)
        return helper->main();
    g_set_prgname("rnet");
    /* else a message would go into whatever file is opened first */
    if (!rn_fd_fill_stdio(NULL))
        return RN_EXIT_FAILURE;
    if (!parse_globals(&argc, &argv, &globals, &version, &failure)) {
        rn_log_error("%s", failure->message);
        status = RN_EXIT_USAGE;
    } else if (version) {
        g_print("rnet version %s\n", PACKAGE_VERSION);
    } else {
        if (globals.root == NULL)
            globals.root = default_root();
        status = run_command(&globals, argc, argv);
    }
    g_free(globals.root);
    return status;
}
