/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-options - the command line of `rnet hook`
 */
#ifndef RNET_DIALECT_HOOK_OPTIONS_H
#define RNET_DIALECT_HOOK_OPTIONS_H

#include <rnet/dialect/hook-words.h>

typedef struct RnHookOptions {
    RnHookWords words;
    gboolean no_annotations, resolv_conf;
} RnHookOptions;

void rn_hook_options_clear(RnHookOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnHookOptions, rn_hook_options_clear)

/*
 * argv[0] is skipped. Values are taken as they are; rn_hook_options_wish()
 * looks at them. Fails on an unknown option and on any other argument. --help
 * prints and exits.
 */
bool rn_hook_options_parse(int argc, char **argv, RnHookOptions *options,
                           GError **error) RN_CHECK;

/*
 * What the words, annotations that were added to them included, ask for.
 * RN_ERROR_UNSUPPORTED: a network that a hook cannot make.
 */
bool rn_hook_options_wish(const RnHookOptions *options, RnNetworkWish *wish,
                          GError **error) RN_CHECK;

#endif
