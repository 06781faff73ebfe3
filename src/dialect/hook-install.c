/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-install - `rnet hook install`: makes Podman know the hook
 *
 * Run by a person. Where Podman does not look by itself, the answer says what
 * it has to be told.
 */
#include "config.h"

#include <rnet/dialect/hook-files.h>
#include <rnet/dialect/hook-options.h>

#include <unistd.h>

#include <sys/stat.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>

/* Podman looks there by itself (podman(1), --hooks-dir), when it is root's. */
#define SYSTEM_DIR "/etc/containers/oci/hooks.d"
#define VENDOR_DIR "/usr/share/containers/oci/hooks.d"

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
};

typedef struct InstallOptions {
    char *directory;
    gboolean always;
    char **arguments; /* of the hook */
} InstallOptions;

static void clear_options(InstallOptions *options)
{
    g_free(options->directory);
    g_strfreev(options->arguments);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(InstallOptions, clear_options)

static bool parse_arguments(int argc, char **argv, InstallOptions *options,
                            GError **error)
{
    const GOptionEntry entries[] = {
        { "hooks-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->directory,
          "Directory of the files", "DIR" },
        { "always", 0, 0, G_OPTION_ARG_NONE, &options->always,
          "For all containers, not only those with an annotation \"rnet.*\"",
          NULL },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
          &options->arguments, NULL, "[-- HOOK-OPTION...]" },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_summary(
        context, "Writes Podman's hook files, which call `rnet hook` with the "
                 "options after \"--\".");
    g_option_context_set_description(
        context, "DIR is for root " SYSTEM_DIR ", for others\n"
                 "~/.config/containers/oci/hooks.d, which Podman has to be "
                 "told.");
    return g_option_context_parse(context, &argc, &argv, error);
}

/* The "root" of a user namespace is a user. */
static bool is_root(void)
{
    return geteuid() == 0 && access("/etc", W_OK) == 0;
}

static char *choose_directory(const RnDialectWorld *world, GError **error)
{
    const char *config =
        g_environ_getenv(world->environment, "XDG_CONFIG_HOME");
    const char *home = g_environ_getenv(world->environment, "HOME");

    if (is_root())
        return g_strdup(SYSTEM_DIR);
    if (config != NULL && g_path_is_absolute(config))
        return g_build_filename(config, "containers/oci/hooks.d", NULL);
    if (home != NULL && g_path_is_absolute(home))
        return g_build_filename(home, ".config/containers/oci/hooks.d", NULL);
    (void)rn_set_error(error, RN_ERROR_INVALID, "which directory?");
    (void)rn_error_add_hint(error, "neither HOME nor XDG_CONFIG_HOME is set: "
                                   "give --hooks-dir DIR");
    return NULL;
}

static bool is_same_file(const char *path, const char *other)
{
    struct stat status = { 0 }, other_status = { 0 };

    return stat(path, &status) == 0 && stat(other, &other_status) == 0 &&
           status.st_dev == other_status.st_dev &&
           status.st_ino == other_status.st_ino;
}

/* The binary's own path, for hooks are absolute. One that self-seal.h has put
 * out of reach, or that has been replaced, has none. */
static char *find_program(GError **error)
{
    static const char own[] = "/proc/self/exe";
    g_autofree char *path = g_file_read_link(own, NULL);

    if (path != NULL && is_same_file(path, own))
        return g_steal_pointer(&path);
    (void)rn_set_error(error, RN_ERROR_STATE,
                       "rnet cannot tell where it is installed");
    (void)rn_error_add_hint(error, "its file has been removed or replaced, or "
                                   "a word of the command line is the name of "
                                   "a command, as \"run\" is: write \"./run\"");
    return NULL;
}

/* What was done, and what is left to do for the person. */
static bool tell(const char *directory, GError **error)
{
    static const char *const known[] = { SYSTEM_DIR, VENDOR_DIR, NULL };
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_printf(text, "%s: rnet-createRuntime.json, rnet-poststop.json\n",
                    directory);
    if (!is_root() || !g_strv_contains(known, directory))
        g_string_append_printf(
            text,
            "Podman has to be told of that directory: podman --hooks-dir %s,\n"
            "or hooks_dir = [\"%s\"] in the part [engine] of "
            "containers.conf.\n",
            directory, directory);
    return rn_fd_write_all(STDOUT_FILENO, text->str, text->len, error);
}

/* Nobody would see their errors before a container starts. */
static bool check_arguments(char **arguments, GError **error)
{
    g_auto(RnHookOptions) options = { 0 };
    g_auto(RnNetworkWish) wish = { 0 };
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    char name[] = "hook";

    /* a copy, from which the parser takes out what it knows */
    g_ptr_array_add(words, name);
    for (unsigned i = 0; arguments != NULL && arguments[i] != NULL; i++)
        g_ptr_array_add(words, arguments[i]);
    g_ptr_array_add(words, NULL);
    return rn_hook_options_parse((int)words->len - 1, (char **)words->pdata,
                                 &options, error) &&
           rn_hook_options_wish(&options, &wish, error);
}

static bool install(const RnDialectWorld *world, InstallOptions *options,
                    GError **error)
{
    g_autofree char *program = find_program(error);
    g_autofree char *directory = NULL;
    RnHookFiles files = {
        .program = program,
        .arguments = (const char *const *)options->arguments,
        .always = options->always,
    };

    if (program == NULL)
        return false;
    if (options->directory == NULL)
        options->directory = choose_directory(world, error);
    if (options->directory == NULL)
        return false;
    /* Podman is told of it, and has another working directory */
    directory = g_canonicalize_filename(options->directory, NULL);
    return rn_hook_files_write(&files, directory, error) &&
           tell(directory, error);
}

static int fail(int status, GError *failure)
{
    g_prefix_error(&failure, "hook install: ");
    rn_log_gerror(RN_LOG_ERROR, failure);
    return status;
}

int rn_hook_install(const RnDialectWorld *world, int argc, char **argv)
{
    g_auto(InstallOptions) options = { 0 };
    g_autoptr(GError) failure = NULL;

    if (!parse_arguments(argc, argv, &options, &failure) ||
        !check_arguments(options.arguments, &failure))
        return fail(EXIT_USAGE, failure);
    if (!install(world, &options, &failure))
        return fail(EXIT_FAILED, failure);
    return 0;
}
