/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-options - the options about a network that `run`, `create`, `attach`
 * and `up` have in common
 */
#ifndef RNET_CLI_NETWORK_OPTIONS_H
#define RNET_CLI_NETWORK_OPTIONS_H

#include <glib.h>

#include <rnet/runtime/network-wish.h>

/* It may stand without its range: for RnSyntax.bare_option. */
#define RN_NETWORK_BARE_OPTION "publish-all"

typedef struct RnNetworkOptionValues {
    char **publish;
    char **expose_host;
    char *network;
    char *publish_all;
    gboolean publish_all_short; /* -P, as docker has it */
} RnNetworkOptionValues;

void rn_network_option_values_clear(RnNetworkOptionValues *values);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnNetworkOptionValues,
                                 rn_network_option_values_clear)

/*
 * The entries with `more` (NULL-terminated, or NULL) behind them, the
 * caller's; they point into `values` and at the same texts.
 */
GOptionEntry *rn_network_option_entries(RnNetworkOptionValues *values,
                                        const GOptionEntry *more) RN_CHECK;

/* As the runtime has them; they borrow from `values`. */
RnNetworkWords rn_network_option_words(const RnNetworkOptionValues *values);

/* For RnNoticeFunc and announcements: on stderr, whatever the log level, as
 * the payload's stdout is its own. The payload decides how many there are, so a
 * line that nobody makes room for is dropped: it must not stop the monitor. */
void rn_network_option_notice(const char *line);

#endif
