/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-options - the command line about a network, as words
 *
 * Runs in the commands that make one. What the words mean is
 * runtime/network-wish's.
 */
#include "config.h"

#include "network-options.h"

#include <poll.h>
#include <unistd.h>

void rn_network_option_values_clear(RnNetworkOptionValues *values)
{
    g_strfreev(values->publish);
    g_strfreev(values->expose_host);
    g_free(values->network);
    g_free(values->publish_all);
}

GOptionEntry *rn_network_option_entries(RnNetworkOptionValues *values,
                                        const GOptionEntry *more)
{
    const GOptionEntry common[] = {
        { "publish", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY, &values->publish,
          "Publish a container's port on the host", "SPEC" },
        { RN_NETWORK_BARE_OPTION, 0, 0, G_OPTION_ARG_FILENAME,
          &values->publish_all,
          "Publish on 127.0.0.1 what listens inside; -P: all ports",
          "[FIRST-LAST]" },
        { "publish-all-ports", 'P', G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE,
          &values->publish_all_short, "The same without a range", NULL },
        { "expose-host", 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
          &values->expose_host, "Let a port of the host's loopback be reached",
          "PORT[:PORT]" },
        { "network", 0, 0, G_OPTION_ARG_FILENAME, &values->network,
          "The container's network", "MODE" },
        { NULL },
    };
    g_autoptr(GArray) all = g_array_new(TRUE, FALSE, sizeof(GOptionEntry));

    g_array_append_vals(all, common, G_N_ELEMENTS(common) - 1);
    for (; more != NULL && more->long_name != NULL; more++)
        g_array_append_vals(all, more, 1);
    return g_array_steal(all, NULL);
}

RnNetworkWords rn_network_option_words(const RnNetworkOptionValues *values)
{
    const char *publish_all = values->publish_all;

    if (publish_all == NULL && values->publish_all_short)
        publish_all = "";
    return (RnNetworkWords){
        .network = values->network,
        .publish = (const char *const *)values->publish,
        .publish_all = publish_all,
        .expose_host = (const char *const *)values->expose_host,
    };
}

void rn_network_option_notice(const char *line)
{
    struct pollfd err = { .fd = STDERR_FILENO, .events = POLLOUT };

    if (poll(&err, 1, 0) == 1 && (err.revents & POLLOUT) != 0)
        g_printerr("%s\n", line);
}
