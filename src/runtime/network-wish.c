/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-wish - what is asked of a network, from words
 *
 * Runs in the command line and the dialects; pure. In: words as they came. Out:
 * checked data, or an error that names the word.
 */
#include "config.h"

#include <rnet/runtime/network-wish.h>

#include <rnet/net/auto-publish.h>
#include <rnet/net/exposed-spec.h>

static bool has_any(const char *const *words)
{
    return words != NULL && words[0] != NULL;
}

bool rn_network_words_publish(const RnNetworkWords *words)
{
    return has_any(words->publish) || has_any(words->expose_host) ||
           words->publish_all != NULL;
}

bool rn_network_words_check(const RnNetworkWords *words, RnNetworkMode mode,
                            GError **error)
{
    if (mode == RN_NETWORK_SLIRP || !rn_network_words_publish(words))
        return true;
    (void)rn_set_error(error, RN_ERROR_INVALID,
                       "ports can only be published from a network that "
                       "rnet makes");
    return rn_error_add_hint(error, "add --network slirp");
}

static bool parse_words(const RnNetworkWords *words, RnNetworkWish *wish,
                        GError **error)
{
    const char *network = words->network != NULL ? words->network : "slirp";

    if (!rn_network_options_parse(network, &wish->options, error) ||
        !rn_network_words_check(words, wish->options.mode, error) ||
        !rn_publish_parse_all(words->publish, &wish->specs, error))
        return false;
    wish->ranges = rn_publish_ranges(wish->specs);
    if (wish->options.mode == RN_NETWORK_SLIRP)
        rn_network_options_plan(&wish->options, &wish->plan);
    return rn_exposed_parse_all(words->expose_host, &wish->plan, error) &&
           (words->publish_all == NULL ||
            rn_auto_publish_parse(words->publish_all, &wish->auto_publish,
                                  error));
}

bool rn_network_wish_parse(const RnNetworkWords *words, RnNetworkWish *wish,
                           GError **error)
{
    *wish = (RnNetworkWish){ 0 };
    return parse_words(words, wish, error);
}

void rn_network_wish_clear(RnNetworkWish *wish)
{
    rn_network_options_clear(&wish->options);
    g_clear_pointer(&wish->specs, g_array_unref);
    g_clear_pointer(&wish->ranges, g_array_unref);
}

static bool was_asked_for(const GArray *specs, const RnRelayListener *info)
{
    for (unsigned i = 0; i < specs->len; i++) {
        const RnPublishSpec *spec = &g_array_index(specs, RnPublishSpec, i);
        uint32_t offset = info->guest.port - spec->guest_port;

        if (spec->host.port != 0 && spec->transport == info->transport &&
            info->guest.port >= spec->guest_port && offset < spec->count &&
            info->host.port == spec->host.port + offset)
            return true;
    }
    return false;
}

void rn_network_wish_announce(const RnNetworkWish *wish,
                              const GArray *listeners,
                              void (*notice)(const char *line))
{
    static const char *const transports[] = {
        [RN_TRANSPORT_TCP] = "tcp",
        [RN_TRANSPORT_UDP] = "udp",
    };

    G_STATIC_ASSERT(G_N_ELEMENTS(transports) == RN_TRANSPORT_N_);
    for (unsigned i = 0; i < listeners->len; i++) {
        const RnRelayListener *info =
            &g_array_index(listeners, RnListener, i).info;
        char host[RN_ENDPOINT_TEXT];
        g_autofree char *line = NULL;

        if (was_asked_for(wish->specs, info))
            continue;
        line = g_strdup_printf("published %s -> %u/%s",
                               rn_endpoint_format(&info->host, host),
                               info->guest.port, transports[info->transport]);
        notice(line);
    }
}
