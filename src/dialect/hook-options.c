/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-options - the command line of `rnet hook`
 *
 * Runs in the hook, and in `rnet hook install` for the options that a hook is
 * to be called with. Whatever is wrong names the option.
 */
#include "config.h"

#include <rnet/dialect/hook-options.h>

void rn_hook_options_clear(RnHookOptions *options)
{
    rn_hook_words_clear(&options->words);
}

/* --publish-all has a value or none. */
static gboolean take_publish_all(G_GNUC_UNUSED const char *name,
                                 const char *value, gpointer data,
                                 G_GNUC_UNUSED GError **error)
{
    RnHookOptions *options = data;

    g_free(options->words.publish_all);
    options->words.publish_all = g_strdup(value != NULL ? value : "");
    return TRUE;
}

bool rn_hook_options_parse(int argc, char **argv, RnHookOptions *options,
                           GError **error)
{
    const GOptionEntry entries[] = {
        { "publish", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY,
          &options->words.publish, "Publish a port, see rnet run --help",
          "SPEC" },
        { "network", 0, 0, G_OPTION_ARG_FILENAME, &options->words.network,
          "The network's options, see rnet run --help", "OPTIONS" },
        { "publish-all", 'P', G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK,
          take_publish_all,
          "Publish on the host's loopback what listens inside", "RANGE" },
        { "expose-host", 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
          &options->words.expose_host,
          "Let a port of the host's loopback be reached", "PORT[:PORT]" },
        { "no-annotations", 0, 0, G_OPTION_ARG_NONE, &options->no_annotations,
          "Do not heed the container's annotations", NULL },
        { "resolv-conf", 0, 0, G_OPTION_ARG_NONE, &options->resolv_conf,
          "Write /etc/resolv.conf into its root file system if it has none",
          NULL },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    GOptionGroup *group = g_option_group_new("hook", NULL, NULL, options, NULL);

    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(
        context, "Gives a network to the container whose state is on stdin: "
                 "an OCI hook for the\nstages createRuntime (or prestart), "
                 "createContainer and poststop.");
    g_option_context_set_description(
        context, "Annotations rnet.publish and rnet.expose-host (lists with "
                 "commas) add to the\noptions, rnet.network and "
                 "rnet.publish-all replace them.\n\n`rnet hook install --help` "
                 "tells of Podman's hook files.");
    if (!g_option_context_parse(context, &argc, &argv, error))
        return false;
    return argc < 2 || rn_set_error(error, RN_ERROR_INVALID,
                                    "unexpected argument \"%s\"", argv[1]);
}

bool rn_hook_options_wish(const RnHookOptions *options, RnNetworkWish *wish,
                          GError **error)
{
    RnNetworkWords words = rn_hook_words_view(&options->words);

    if (!rn_network_wish_parse(&words, wish, error))
        return false;
    return wish->options.mode == RN_NETWORK_NONE ||
           wish->options.mode == RN_NETWORK_SLIRP ||
           rn_set_error(error, RN_ERROR_UNSUPPORTED,
                        "network \"%s\": a hook can only make one",
                        words.network);
}
