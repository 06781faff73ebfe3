/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-wish - what a person or a program asks of a network, as checked data
 *
 * The same words on every command line that makes a network (`run`, `create`,
 * `attach`, `up`, `hook`), and what the dialects translate into.
 */
#ifndef RNET_RUNTIME_NETWORK_WISH_H
#define RNET_RUNTIME_NETWORK_WISH_H

#include <rnet/net/options.h>
#include <rnet/net/publish.h>

/* All borrowed. */
typedef struct RnNetworkWords {
    const char *network;            /* text of --network, NULL: the default */
    const char *const *publish;     /* SPECs, NULL-terminated, or NULL */
    const char *publish_all;        /* NULL: not asked for; "": all ports */
    const char *const *expose_host; /* PORT[:PORT], NULL-terminated, or NULL */
} RnNetworkWords;

/* Does anything in it need a network of rnet's? */
bool rn_network_words_publish(const RnNetworkWords *words);

/* Can they be had from a network of this mode? RN_ERROR_INVALID. */
bool rn_network_words_check(const RnNetworkWords *words, RnNetworkMode mode,
                            GError **error) RN_CHECK;

typedef struct RnNetworkWish {
    RnNetworkOptions options;
    RnNetworkPlan plan;       /* valid if options.mode is RN_NETWORK_SLIRP */
    GArray *specs;            /* of RnPublishSpec */
    GArray *ranges;           /* of RnPortRange */
    RnPortRange auto_publish; /* first 0: not asked for */
} RnNetworkWish;

/* Parses and checks all; *wish is initialised in any case. Pure. */
bool rn_network_wish_parse(const RnNetworkWords *words, RnNetworkWish *wish,
                           GError **error) RN_CHECK;
void rn_network_wish_clear(RnNetworkWish *wish);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnNetworkWish, rn_network_wish_clear)

/*
 * Tells which host ports rnet picked, one line each ("published
 * 127.0.0.1:40001 -> 80/tcp"); those that were asked for are known.
 */
void rn_network_wish_announce(const RnNetworkWish *wish,
                              const GArray *listeners,
                              void (*notice)(const char *line));

#endif
