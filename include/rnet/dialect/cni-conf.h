/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni-conf - a CNI network configuration as data (pure)
 *
 * CNI specification 1.1.0, section 1 and 2, and CONVENTIONS.md; rnet's own keys
 * are those of --network: "mtu", "cidr", "ipv6", "hostLoopback", "handoff",
 * "link"; and "exposeHost" (array of ports or "PORT:PORT"), "publishAll" (true
 * or a RANGE). Capabilities: portMappings, dns, mac, ips.
 */
#ifndef RNET_DIALECT_CNI_CONF_H
#define RNET_DIALECT_CNI_CONF_H

#include <jansson.h>

#include <rnet/runtime/network-wish.h>

/* In order; rn_cni_version_text() has them as text. */
typedef enum RnCniVersion {
    RN_CNI_0_1_0,
    RN_CNI_0_2_0,
    RN_CNI_0_3_0,
    RN_CNI_0_3_1,
    RN_CNI_0_4_0,
    RN_CNI_1_0_0,
    RN_CNI_1_1_0,
    RN_CNI_N_
} RnCniVersion;

const char *rn_cni_version_text(RnCniVersion version);

enum {
    RN_CNI_NAME_MAX = 100,        /* bytes: both names and an interface's fit */
    RN_CNI_ATTACHMENTS_MAX = 8192 /* of cni.dev/valid-attachments */
};

typedef struct RnCniConf {
    RnCniVersion version;
    char *name;
    char *network;          /* text of --network */
    GPtrArray *publish;     /* SPECs; char *, NULL at the end, like the next */
    GPtrArray *expose_host; /* PORT[:PORT] */
    char *publish_all;      /* NULL: not asked for; "": all ports */
    bool has_mac;
    uint8_t mac[6];
    char **ips;          /* ADDRESS[/PREFIX], or NULL */
    json_t *dns;         /* as a result has it; NULL: not given */
    json_t *prev_result; /* an object, or NULL */
    bool has_attachments;
    GHashTable *attachments; /* "CONTAINERID@IFNAME" that are still valid */
} RnCniConf;

/* What `cniVersion` of the document says, "0.1.0" where it is missing. */
bool rn_cni_conf_version(json_t *document, RnCniVersion *out_version,
                         GError **error) RN_CHECK;

typedef enum RnCniConfPart {
    RN_CNI_CONF_HEAD, /* version, name, attachments: what ending takes */
    RN_CNI_CONF_ALL,
} RnCniConfPart;

/* *conf is initialised in any case. RN_ERROR_UNSUPPORTED for what rnet refuses
 * by name: "ipam", bandwidth, aliases, SCTP. */
bool rn_cni_conf_read(json_t *document, RnCniConfPart part, RnCniConf *conf,
                      GError **error) RN_CHECK;
void rn_cni_conf_clear(RnCniConf *conf);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnCniConf, rn_cni_conf_clear)

/*
 * The network it asks for, with an interface of that name (which is valid);
 * *wish is initialised in any case. RN_ERROR_INVALID for an address of "ips"
 * that a guest in the network cannot have.
 */
bool rn_cni_conf_wish(const RnCniConf *conf, const char *interface,
                      RnNetworkWish *wish, GError **error) RN_CHECK;

/* Names of networks and containers: a letter or digit, then also "_.-". */
bool rn_cni_name_is_valid(const char *name);

#endif
