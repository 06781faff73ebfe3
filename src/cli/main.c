/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main - finds out which of rnet's programs this is, and calls it
 *
 * Runs in every exec'd process of rnet: a helper (nsagent, relay, monitor) knows
 * itself by argv[0], and so does what stands in for another program; everything
 * else is the command line, whose first operand is the command. The environment is read here and nowhere else.
 */
#include "config.h"

#include "commands.h"

#include <string.h>
#include <unistd.h>

#include <glib.h>

#include <rnet/net/network.h>
#include <rnet/runtime/monitor.h>
#include <rnet/sys/self-seal.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#define SPEC_VERSION "1.3.0" /* of runtime-spec, the newest that is known */

enum {
    LISTEN_FDS_MAX = 1024
};

typedef struct Helper {
    const char *name;
    int (*main)(void);
} Helper;

static const Helper helpers[] = {
    { RN_AGENT_NAME, rn_agent_main },
    { RN_RELAY_NAME, rn_relay_main },
    { RN_MONITOR_NAME, rn_monitor_main },
};

typedef struct Command {
    const char *name;
    const char *summary;
    RnCommandFunc run;
    bool enters_container; /* a process of it does, self-seal.h */
} Command;

static const Command commands[] = {
    { "run", "run the container of an OCI bundle", rn_cmd_run, true },
    { "create", "create a container, up to its payload", rn_cmd_create, true },
    { "start", "start the payload of a created container", rn_cmd_start },
    { "state", "show a container's state", rn_cmd_state },
    { "kill", "send a signal to a container", rn_cmd_kill },
    { "delete", "remove a container", rn_cmd_delete },
    { "exec", "run a command in a container", rn_cmd_exec, true },
    { "up", "run a command of the host in a network of its own", rn_cmd_up },
    { "list", "list the containers", rn_cmd_list },
    { "ps", "show a container's processes", rn_cmd_ps },
    { "pause", "stop all processes of a container", rn_cmd_pause },
    { "resume", "let a paused container go on", rn_cmd_resume },
    { "update", "change the limits of a container", rn_cmd_update },
    { "attach", "give a network to a namespace of others", rn_cmd_attach },
    { "detach", "end the network of `attach`", rn_cmd_detach },
    { "hook", "give a network to a container, as its OCI hook", rn_cmd_hook },
    { "cni", "be the CNI plugin rnet-cni", rn_cmd_cni },
    { "slirp4netns", "be slirp4netns, slirp4netns(1)", rn_cmd_slirp4netns },
    { "events", "show what a container uses", rn_cmd_events },
    { "spec", "write a config.json to begin with", rn_cmd_spec },
    { "features", "show what rnet can do", rn_cmd_features },
    { "doctor", "look at what this host has for containers", rn_cmd_doctor },
};

/* Names of other programs under which rnet may be started. */
static const struct {
    const char *name;
    const char *command;
} program_names[] = {
    { "rnet-cni", "cni" },
    { "slirp4netns", "slirp4netns" },
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

/* The command that rnet's own name stands for, or NULL. */
static const Command *find_program(const char *program)
{
    g_autofree char *name = g_path_get_basename(program);

    for (unsigned i = 0; i < G_N_ELEMENTS(program_names); i++) {
        if (g_str_equal(name, program_names[i].name))
            return find_command(program_names[i].command);
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
        g_string_append_printf(text, "  %-11s %s\n", commands[i].name,
                               commands[i].summary);
    g_string_append(text, "\n`rnet COMMAND --help` tells more, and rnet(1).");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* What the global options are read into before it is looked at. */
typedef struct GlobalWords {
    gboolean debug, version, systemd_cgroup;
    char *log, *log_format, *cgroup_manager, *rootless;
} GlobalWords;

static void clear_words(GlobalWords *words)
{
    g_free(words->log);
    g_free(words->log_format);
    g_free(words->cgroup_manager);
    g_free(words->rootless);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GlobalWords, clear_words)

static bool parse_options(int *argc, char ***argv, RnGlobals *globals,
                          GlobalWords *words, GError **error)
{
    const GOptionEntry entries[] = {
        { "root", 0, 0, G_OPTION_ARG_FILENAME, &globals->root,
          "Directory of the containers' state", "DIR" },
        { "log", 0, 0, G_OPTION_ARG_FILENAME, &words->log,
          "File that errors go to, too", "FILE" },
        { "log-format", 0, 0, G_OPTION_ARG_FILENAME, &words->log_format,
          "text or json", "FORMAT" },
        { "debug", 0, 0, G_OPTION_ARG_NONE, &words->debug, "Log what is done",
          NULL },
        { "systemd-cgroup", 0, 0, G_OPTION_ARG_NONE, &words->systemd_cgroup,
          "The same as --cgroup-manager systemd", NULL },
        { "cgroup-manager", 0, 0, G_OPTION_ARG_FILENAME, &words->cgroup_manager,
          "cgroupfs, systemd or disabled", "MANAGER" },
        { "rootless", 0, 0, G_OPTION_ARG_FILENAME, &words->rootless,
          "true, false or auto: rnet finds out by itself", "BOOL" },
        { "version", 'v', 0, G_OPTION_ARG_NONE, &words->version,
          "Show the version", NULL },
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
    return g_option_context_parse(context, argc, argv, error);
}

static bool choose_cgroup_manager(const GlobalWords *words,
                                  RnCgroupManager *out_manager, GError **error)
{
    static const char *const managers[] = {
        [RN_CGROUP_MANAGER_DEFAULT] = "",
        [RN_CGROUP_MANAGER_CGROUPFS] = "cgroupfs",
        [RN_CGROUP_MANAGER_SYSTEMD] = "systemd",
        [RN_CGROUP_MANAGER_DISABLED] = "disabled",
    };

    G_STATIC_ASSERT(G_N_ELEMENTS(managers) == RN_CGROUP_MANAGER_N_);
    if (words->systemd_cgroup)
        *out_manager = RN_CGROUP_MANAGER_SYSTEMD;
    if (words->cgroup_manager == NULL)
        return true;
    for (unsigned i = 0; i < RN_CGROUP_MANAGER_N_; i++) {
        if (strcmp(words->cgroup_manager, managers[i]) == 0) {
            *out_manager = i;
            return true;
        }
    }
    return rn_set_error(error, RN_ERROR_INVALID,
                        "--cgroup-manager: \"%s\" is none of cgroupfs, "
                        "systemd and disabled",
                        words->cgroup_manager);
}

/* What rnet finds out by itself may be said all the same, as runc has it. */
static bool check_rootless(const char *word, GError **error)
{
    static const char *const known[] = { "true", "false", "auto", NULL };

    return word == NULL || g_strv_contains(known, word) ||
           rn_set_error(error, RN_ERROR_INVALID,
                        "--rootless: \"%s\" is none of true, false and auto",
                        word);
}

static bool apply_words(const GlobalWords *words, RnGlobals *globals,
                        GError **error)
{
    /* an empty one is a shell variable that was not set */
    bool has_log = words->log != NULL && words->log[0] != '\0';
    const char *log = has_log ? words->log : NULL;
    RnLogFormat format = RN_LOG_TEXT;

    if (words->debug)
        rn_log_set_level(RN_LOG_DEBUG);
    if ((words->log_format != NULL &&
         !rn_log_parse_format(words->log_format, &format, error)) ||
        !rn_log_open_file(log, format, error))
        return false;
    return choose_cgroup_manager(words, &globals->cgroup_manager, error) &&
           check_rootless(words->rootless, error);
}

/* The environment, which is read here only. */
static void read_environment(RnGlobals *globals)
{
    const char *listen_fds = g_getenv("LISTEN_FDS");
    guint64 number = 0;

    globals->environment = environ;
    globals->runtime_dir = g_getenv("XDG_RUNTIME_DIR");
    globals->bus_address = g_getenv("DBUS_SESSION_BUS_ADDRESS");
    if (listen_fds != NULL &&
        g_ascii_string_to_unsigned(listen_fds, 10, 1, LISTEN_FDS_MAX, &number,
                                   NULL))
        globals->listen_fds = (unsigned)number;
    if (globals->root == NULL)
        globals->root = default_root();
}

static const Command *choose_command(int argc, char **argv, GError **error)
{
    const Command *command = argc < 2 ? NULL : find_command(argv[1]);

    if (argc < 2)
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "which command? See rnet --help");
    else if (command == NULL)
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "unknown command \"%s\"; see rnet --help", argv[1]);
    return command;
}

static int run_command(const Command *command, const RnGlobals *globals,
                       int argc, char **argv)
{
    g_autofree char *title = g_strconcat("rnet ", command->name, NULL);

    /* usage lines start with the program's name */
    g_set_prgname(title);
    return command->run(globals, argc - 1, argv + 1);
}

static int fail_usage(const GError *failure)
{
    rn_log_gerror(RN_LOG_ERROR, failure);
    return RN_EXIT_USAGE;
}

/*
 * Whether one of the words could be a command that enters a container. Before
 * the words are understood: an exec takes all that was done with them away, and
 * one too many does no harm (`rnet list --root run`).
 */
static bool may_enter_container(char **words)
{
    for (char **word = words; *word != NULL; word++) {
        const Command *command = find_command(*word);

        if (command != NULL && command->enters_container)
            return true;
    }
    return false;
}

static int run_main(int argc, char **argv, RnGlobals *globals)
{
    g_auto(GlobalWords) words = { 0 };
    g_autoptr(GError) failure = NULL;
    const Command *command = NULL;

    if (may_enter_container(argv + MIN(argc, 1)) &&
        !rn_self_seal(argv, &failure)) {
        rn_log_gerror(RN_LOG_ERROR, failure);
        return RN_EXIT_FAILURE;
    }
    if (!parse_options(&argc, &argv, globals, &words, &failure))
        return fail_usage(failure);
    if (words.version) {
        g_print("rnet version %s\nspec: %s\n", PACKAGE_VERSION, SPEC_VERSION);
        return 0;
    }
    command = choose_command(argc, argv, &failure);
    if (command == NULL)
        return fail_usage(failure);
    if (!apply_words(&words, globals, &failure))
        return fail_usage(failure);
    read_environment(globals);
    return run_command(command, globals, argc, argv);
}

/* The whole command line is that program's: no options of rnet's are in it. */
static int run_program(const Command *command, int argc, char **argv,
                       RnGlobals *globals)
{
    read_environment(globals);
    return command->run(globals, argc, argv);
}

int main(int argc, char **argv)
{
    const char *name = argc > 0 ? argv[0] : "rnet";
    const Helper *helper = find_helper(name);
    const Command *program = find_program(name);
    RnGlobals globals = { 0 };
    int status = 0;

    if (helper != NULL)
        return helper->main();
    g_set_prgname("rnet");
    /* else a message would go into whatever file is opened first */
    if (!rn_fd_fill_stdio(NULL))
        return RN_EXIT_FAILURE;
    status = program != NULL ? run_program(program, argc, argv, &globals)
                             : run_main(argc, argv, &globals);
    g_free(globals.root);
    return status;
}
