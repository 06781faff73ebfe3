/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ethtool - what an interface leaves to its hardware, SIOCETHTOOL
 *
 * Features are turned off by name and not through ETHTOOL_STXCSUM, STSO, ...:
 * those know of no segmentation of UDP or of tunnels, which the kernel hands
 * over unfinished all the same when a bridge inside forwards it. Three
 * requests: how many features there are, their names, which of them can be
 * changed; then one change for all.
 */
#include "config.h"

#include <rnet/sys/ethtool.h>

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include <rnet/sys/netlink.h>
#include <rnet/util/fd.h>

enum {
    FEATURES_MAX = 1024, /* 64 in Linux 6.x */
    BLOCK_BITS = 32,
};

typedef struct Device {
    int socket; /* any: it only says which namespace */
    const char *name;
} Device;

bool rn_ethtool_is_offload(const char *feature)
{
    static const char *const harmless[] = {
        "tx-scatter-gather",
        "tx-generic-segmentation",
        "tx-nocache-copy",
        "tx-lockless",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++) {
        if (g_str_has_prefix(feature, harmless[i]))
            return false;
    }
    return g_str_has_prefix(feature, "tx-");
}

static bool request(const Device *device, void *command, const char *what,
                    GError **error)
{
    struct ifreq ifreq = { .ifr_data = command };

    g_strlcpy(ifreq.ifr_name, device->name, sizeof ifreq.ifr_name);
    if (ioctl(device->socket, SIOCETHTOOL, &ifreq) >= 0)
        return true;
    return rn_set_errno(error, errno, "%s of interface \"%s\"", what,
                        device->name);
}

static bool count_features(const Device *device, uint32_t *out_n,
                           GError **error)
{
    /* one number follows the header for each set that was asked for */
    union {
        struct ethtool_sset_info info;
        uint32_t words[sizeof(struct ethtool_sset_info) / 4 + 1];
    } reply = {
        .info = {
            .cmd = ETHTOOL_GSSET_INFO,
            .sset_mask = UINT64_C(1) << ETH_SS_FEATURES,
        },
    };
    uint32_t n = 0;

    if (!request(device, &reply, "count features", error))
        return false;
    n = reply.words[G_N_ELEMENTS(reply.words) - 1];
    if (reply.info.sset_mask == 0 || n == 0 || n > FEATURES_MAX)
        return rn_set_errno(error, EOPNOTSUPP,
                            "count features of interface \"%s\"", device->name);
    *out_n = n;
    return true;
}

static struct ethtool_gstrings *read_names(const Device *device, uint32_t n,
                                           GError **error)
{
    g_autofree struct ethtool_gstrings *names =
        g_malloc0(sizeof *names + (gsize)n * ETH_GSTRING_LEN);

    names->cmd = ETHTOOL_GSTRINGS;
    names->string_set = ETH_SS_FEATURES;
    names->len = n;
    if (!request(device, names, "read names of features", error))
        return NULL;
    return g_steal_pointer(&names);
}

/* Those that can be changed, in blocks as the kernel has them. */
static struct ethtool_gfeatures *
read_features(const Device *device, uint32_t n_blocks, GError **error)
{
    g_autofree struct ethtool_gfeatures *features =
        g_malloc0(sizeof *features + n_blocks * sizeof features->features[0]);

    features->cmd = ETHTOOL_GFEATURES;
    features->size = n_blocks;
    if (!request(device, features, "read features", error))
        return NULL;
    return g_steal_pointer(&features);
}

static bool stop_offloads(const Device *device, GError **error)
{
    uint32_t n = 0;
    uint32_t n_blocks = 0;
    g_autofree struct ethtool_gstrings *names = NULL;
    g_autofree struct ethtool_gfeatures *features = NULL;
    g_autofree struct ethtool_sfeatures *change = NULL;

    if (!count_features(device, &n, error))
        return false;
    n_blocks = (n + BLOCK_BITS - 1) / BLOCK_BITS;
    names = read_names(device, n, error);
    if (names == NULL)
        return false;
    features = read_features(device, n_blocks, error);
    if (features == NULL)
        return false;

    change = g_malloc0(sizeof *change + n_blocks * sizeof change->features[0]);
    change->cmd = ETHTOOL_SFEATURES;
    change->size = n_blocks;
    for (uint32_t i = 0; i < n; i++) {
        char name[ETH_GSTRING_LEN + 1] = "";
        uint32_t bit = UINT32_C(1) << i % BLOCK_BITS;

        memcpy(name, names->data + (gsize)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
        if (rn_ethtool_is_offload(name) &&
            (features->features[i / BLOCK_BITS].available & bit) != 0)
            change->features[i / BLOCK_BITS].valid |= bit;
    }
    return request(device, change, "stop offloads", error);
}

bool rn_ethtool_stop_offloads(const char *name, GError **error)
{
    Device device = { .name = name };
    rn_autofd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (!rn_link_name_is_valid(name))
        return rn_set_errno(error, EINVAL, "stop offloads of interface \"%s\"",
                            name);
    if (fd < 0)
        return rn_set_errno(error, errno, "open a socket");
    device.socket = fd;
    return stop_offloads(&device, error);
}
