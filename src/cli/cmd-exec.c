/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd-exec - `rnet exec`: the command line as a request, the outcome as status
 *
 * Runs in the command. Everything else is runtime/exec's.
 */
#include "config.h"

#include "commands.h"

#include <rnet/runtime/exec.h>
#include <rnet/util/log.h>

#include "syntax.h"

enum {
    EXEC_FAILURE = 255, /* as runc: no program's usual status */
    PRESERVE_FDS_MAX = 1024
};

typedef struct ExecOptions {
    char *console_socket, *cwd, *user, *process, *pid_file, *process_label,
        *apparmor, *cgroup;
    char **env, **groups, **caps;
    gboolean tty, detach, no_new_privs, ignore_paused;
    int preserve_fds;
} ExecOptions;

static void clear_options(ExecOptions *options)
{
    g_free(options->console_socket);
    g_free(options->cwd);
    g_free(options->user);
    g_free(options->process);
    g_free(options->pid_file);
    g_free(options->process_label);
    g_free(options->apparmor);
    g_free(options->cgroup);
    g_strfreev(options->env);
    g_strfreev(options->groups);
    g_strfreev(options->caps);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ExecOptions, clear_options)

static const char description[] =
    "The process is that of config.json with this command, without a terminal,\n"
    "or the one in FILE. The exit status is the program's; 127 if it is missing,\n"
    "126 if it cannot run, 255 if anything else fails. See rnet(1).";

static char **parse_options(ExecOptions *options, int argc, char **argv,
                            GError **error)
{
    const GOptionEntry entries[] = {
        { "process", 'p', 0, G_OPTION_ARG_FILENAME, &options->process,
          "File with the process as JSON", "FILE" },
        { "tty", 't', 0, G_OPTION_ARG_NONE, &options->tty, "Give it a terminal",
          NULL },
        { "console-socket", 0, 0, G_OPTION_ARG_FILENAME,
          &options->console_socket,
          "UNIX socket that gets the terminal's master", "PATH" },
        { "detach", 'd', 0, G_OPTION_ARG_NONE, &options->detach,
          "Leave it alone once it runs", NULL },
        { "pid-file", 0, 0, G_OPTION_ARG_FILENAME, &options->pid_file,
          "File that gets the pid of the process", "PATH" },
        { "cwd", 0, 0, G_OPTION_ARG_FILENAME, &options->cwd,
          "Working directory", "PATH" },
        { "env", 'e', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->env,
          "Set a variable of the environment", "NAME=VALUE" },
        { "user", 'u', 0, G_OPTION_ARG_FILENAME, &options->user,
          "User and group, as numbers", "UID[:GID]" },
        { "additional-gids", 'g', 0, G_OPTION_ARG_FILENAME_ARRAY,
          &options->groups, "Add a group", "GID" },
        { "cap", 'c', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->caps,
          "Add a capability", "CAP" },
        { "no-new-privs", 0, 0, G_OPTION_ARG_NONE, &options->no_new_privs,
          "Set no_new_privs", NULL },
        { "process-label", 0, 0, G_OPTION_ARG_FILENAME, &options->process_label,
          "SELinux label", "LABEL" },
        { "apparmor", 0, 0, G_OPTION_ARG_FILENAME, &options->apparmor,
          "AppArmor profile", "PROFILE" },
        { "preserve-fds", 0, 0, G_OPTION_ARG_INT, &options->preserve_fds,
          "Pass N more fds from 3 on", "N" },
        { "ignore-paused", 0, 0, G_OPTION_ARG_NONE, &options->ignore_paused,
          "Also in a paused container, where it waits", NULL },
        { "cgroup", 0, 0, G_OPTION_ARG_FILENAME, &options->cgroup,
          "Cgroup below the container's", "PATH" },
        { NULL },
    };
    const RnSyntax syntax = {
        .operands = "ID [COMMAND [ARGUMENT...]]",
        .summary = "Runs a command in a container.",
        .description = description,
        .entries = entries,
        .min_operands = 1,
        .max_operands = G_MAXUINT,
        .options_first = true,
    };

    return rn_syntax_parse(&syntax, argc, argv, error);
}

static void fill_wishes(const ExecOptions *options, char **operands,
                        RnExecWishes *wishes)
{
    wishes->process_file = options->process;
    if (operands[1] != NULL)
        wishes->args = (const char *const *)operands + 1;
    wishes->cwd = options->cwd;
    wishes->env = (const char *const *)options->env;
    wishes->user = options->user;
    wishes->groups = (const char *const *)options->groups;
    wishes->caps = (const char *const *)options->caps;
    wishes->process_label = options->process_label;
    wishes->apparmor = options->apparmor;
    wishes->terminal = options->tty;
    wishes->no_new_privileges = options->no_new_privs;
}

static bool check_options(const ExecOptions *options, char **operands,
                          GError **error)
{
    if (options->preserve_fds < 0 || options->preserve_fds > PRESERVE_FDS_MAX)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "--preserve-fds: must be from 0 to %d",
                            PRESERVE_FDS_MAX);
    return options->process != NULL || operands[1] != NULL ||
           rn_set_error(error, RN_ERROR_INVALID,
                        "which command? Give it, or --process FILE");
}

static int exit_status(const GError *failure)
{
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PROGRAM_MISSING))
        return RN_EXIT_MISSING;
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PROGRAM_UNRUNNABLE))
        return RN_EXIT_UNRUNNABLE;
    return EXEC_FAILURE;
}

int rn_cmd_exec(const RnGlobals *globals, int argc, char **argv)
{
    g_auto(ExecOptions) options = { 0 };
    g_autoptr(GError) failure = NULL;
    g_auto(GStrv) operands = parse_options(&options, argc, argv, &failure);
    RnExecRequest request = { .state_dir = globals->root };
    int exit_code = 0;

    if (operands == NULL || !check_options(&options, operands, &failure))
        return rn_usage_failure(argv[0], failure);
    request.id = operands[0];
    fill_wishes(&options, operands, &request.wishes);
    request.detach = options.detach;
    request.console_socket = options.console_socket;
    request.pid_file = options.pid_file;
    request.preserve_fds = (unsigned)options.preserve_fds;
    request.listen_fds = globals->listen_fds;
    request.ignore_paused = options.ignore_paused;
    request.cgroup = options.cgroup;
    if (rn_exec(&request, &exit_code, &failure))
        return exit_code;
    rn_log_gerror(RN_LOG_ERROR, failure);
    return exit_status(failure);
}
