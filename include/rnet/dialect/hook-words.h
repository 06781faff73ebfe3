/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-words - what a hook's arguments and annotations ask for (pure)
 *
 *     rnet.publish      SPEC[,SPEC]...          added to --publish
 *     rnet.expose-host  PORT[:PORT][,...]       added to --expose-host
 *     rnet.network      as --network, and in place of it
 *     rnet.publish-all  true, false or a RANGE; in place of --publish-all
 *
 * Other annotations that begin with "rnet." are refused: they are misspelt.
 */
#ifndef RNET_DIALECT_HOOK_WORDS_H
#define RNET_DIALECT_HOOK_WORDS_H

#include <rnet/runtime/network-wish.h>

typedef struct RnHookWords {
    char *network;     /* NULL: the default */
    char *publish_all; /* NULL: not asked for; "": all ports */
    char **publish;    /* NULL-terminated, or NULL */
    char **expose_host;
} RnHookWords;

void rn_hook_words_clear(RnHookWords *words);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnHookWords, rn_hook_words_clear)

/* Adds the annotations (char * to char *) to what the arguments said. */
bool rn_hook_words_annotate(RnHookWords *words, GHashTable *annotations,
                            GError **error) RN_CHECK;

/* The same as borrowed words. */
RnNetworkWords rn_hook_words_view(const RnHookWords *words);

#endif
