/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options - the text after --network as data, and the address plan from it
 *
 *     slirp[:OPTION[,OPTION]...] | none | host
 *
 * Options: mtu=BYTES (68 to 65520), cidr=NETWORK/PREFIX (IPv4, prefix 1 to 25,
 * as slirp4netns has it), ipv6=on|off, dns=ADDRESS|none (repeatable),
 * host-loopback[=on|off], link=tap|packet|auto (auto: a TAP where
 * /dev/net/tun can be opened, else a veth pair and a packet socket),
 * handoff=on|off|auto (auto: outbound TCP goes through the kernel where that is
 * possible, else through libslirp). Pure: nothing is looked up or opened.
 */
#ifndef RNET_NET_OPTIONS_H
#define RNET_NET_OPTIONS_H

#include <rnet/util/protocol.h>

typedef enum RnNetworkMode {
    RN_NETWORK_SLIRP,
    RN_NETWORK_NONE,
    RN_NETWORK_HOST,
    RN_NETWORK_N_
} RnNetworkMode;

typedef struct RnNetworkOptions {
    RnNetworkMode mode;
    uint32_t mtu; /* bytes */
    RnEndpoint network4;
    uint8_t prefix4;
    bool ipv6;
    bool host_loopback;
    RnLinkMode link_mode;
    RnHandoffMode handoff_mode;
    bool write_resolv_conf; /* false after dns=none */
    GArray *dns; /* of RnEndpoint, ports 0; empty: the network's own */
} RnNetworkOptions;

/* Parses `text` into *options, which is initialised in any case. */
bool rn_network_options_parse(const char *text, RnNetworkOptions *options,
                              GError **error) RN_CHECK;
void rn_network_options_clear(RnNetworkOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnNetworkOptions, rn_network_options_clear)

/*
 * The address plan: gateway network+2, DNS +3, guest +100, as slirp4netns has
 * them; IPv6 fd00::/64 with ::2, ::3 and ::100; interface tap0. Only for mode
 * RN_NETWORK_SLIRP.
 */
void rn_network_options_plan(const RnNetworkOptions *options,
                             RnNetworkPlan *out_plan);

#endif
