/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft-set - sets of flows in nf_tables, and their elements
 *
 * Runs in nsagent: sets while it configures the container's namespace, elements
 * later, from its event loop. An element's key is laid out as nft(8) does a
 * concatenation: each field in network byte order, from a multiple of 4 bytes
 * on.
 */
#include "config.h"

#include <rnet/sys/nft.h>

#include <errno.h>
#include <string.h>

#include <arpa/inet.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>

#include <rnet/sys/nft-request.h>

enum {
    FIELD_SIZE = 4, /* bytes, of a port with its padding */
    KEY_MAX = 16 + 2 * FIELD_SIZE,

    /* names of types, 6 bits each, for nft(8) to list a set; its datatype.h */
    TYPE_BITS = 6,
    TYPE_IPV4_ADDRESS = 7,
    TYPE_IPV6_ADDRESS = 8,
    TYPE_PORT = 13,
};

typedef struct Key {
    uint8_t bytes[KEY_MAX];
    uint32_t length;
} Key;

static uint32_t address_length(uint16_t family)
{
    return family == AF_INET6 ? 16 : 4;
}

void rn_nft_add_set(RnNft *nft, const char *set, uint16_t family,
                    uint32_t timeout_ms)
{
    g_autofree char *name =
        g_strdup_printf("add set \"%s %s\"", nft->table, set);
    uint32_t type = family == AF_INET6 ? TYPE_IPV6_ADDRESS : TYPE_IPV4_ADDRESS;
    struct nftnl_set *object = NULL;
    RnNftMessage message;

    if (!rn_nft_is_name(set)) {
        rn_nft_fail(nft, ENAMETOOLONG, name);
        return;
    }
    g_hash_table_replace(nft->sets, g_strdup(set), GUINT_TO_POINTER(family));
    object = rn_nft_must(nftnl_set_alloc());
    (void)nftnl_set_set_str(object, NFTNL_SET_TABLE, nft->table);
    (void)nftnl_set_set_str(object, NFTNL_SET_NAME, set);
    nftnl_set_set_u32(object, NFTNL_SET_FAMILY, NFPROTO_INET);
    nftnl_set_set_u32(object, NFTNL_SET_ID, g_hash_table_size(nft->sets));
    nftnl_set_set_u32(object, NFTNL_SET_FLAGS, NFT_SET_TIMEOUT);
    nftnl_set_set_u32(object, NFTNL_SET_KEY_TYPE,
                      (type << TYPE_BITS | TYPE_PORT) << TYPE_BITS | TYPE_PORT);
    nftnl_set_set_u32(object, NFTNL_SET_KEY_LEN,
                      address_length(family) + 2 * FIELD_SIZE);
    if (timeout_ms != 0)
        nftnl_set_set_u64(object, NFTNL_SET_TIMEOUT, timeout_ms);
    rn_nft_message_start(&message, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
    nftnl_set_nlmsg_build_payload(message.header, object);
    nftnl_set_free(object);
    rn_nft_batch_add(&nft->batch, &message, g_steal_pointer(&name));
}

static Key make_key(const RnNftFlow *flow)
{
    uint32_t length = address_length(flow->remote.family);
    uint16_t ports[] = { htons(flow->remote.port), htons(flow->local_port) };
    Key key = { .length = length + 2 * FIELD_SIZE };

    memcpy(key.bytes, flow->remote.address, length);
    memcpy(key.bytes + length, &ports[0], sizeof ports[0]);
    memcpy(key.bytes + length + FIELD_SIZE, &ports[1], sizeof ports[1]);
    return key;
}

/* What is done to which elements. */
typedef struct Change {
    const char *table, *set;
    const RnNftFlow *flows;
    size_t n;
    uint32_t timeout_ms; /* of new ones; 0: the set's */
    char *name;          /* in errors */
} Change;

static void add_message(RnNftBatch *batch, const Change *change, uint16_t type)
{
    struct nftnl_set *object = rn_nft_must(nftnl_set_alloc());
    RnNftMessage message;

    (void)nftnl_set_set_str(object, NFTNL_SET_TABLE, change->table);
    (void)nftnl_set_set_str(object, NFTNL_SET_NAME, change->set);
    for (size_t i = 0; i < change->n; i++) {
        struct nftnl_set_elem *element = rn_nft_must(nftnl_set_elem_alloc());
        Key key = make_key(&change->flows[i]);

        (void)nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key.bytes,
                                 key.length);
        if (type == NFT_MSG_NEWSETELEM && change->timeout_ms != 0)
            nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_TIMEOUT,
                                   change->timeout_ms);
        nftnl_set_elem_add(object, element);
    }
    rn_nft_message_start(&message, type,
                         type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
    nftnl_set_elems_nlmsg_build_payload(message.header, object);
    nftnl_set_free(object);
    rn_nft_batch_add(batch, &message, g_strdup(change->name));
}

static char *name_change(const Change *change, const char *verb)
{
    char text[RN_ENDPOINT_TEXT];

    if (change->n != 1)
        return g_strdup_printf("%s %zu flows of set \"%s %s\"", verb, change->n,
                               change->table, change->set);
    return g_strdup_printf("%s flow %s port %u of set \"%s %s\"", verb,
                           rn_endpoint_format(&change->flows[0].remote, text),
                           change->flows[0].local_port, change->table,
                           change->set);
}

static bool check_change(const Change *change, GError **error)
{
    if (!rn_nft_is_name(change->table) || !rn_nft_is_name(change->set))
        return rn_set_errno(error, EINVAL, "%s", change->name);
    if (change->n > RN_NFT_MAX_FLOWS)
        return rn_set_errno(error, E2BIG, "%s", change->name);
    for (size_t i = 0; i < change->n; i++) {
        if (change->flows[i].remote.family != change->flows[0].remote.family)
            return rn_set_errno(error, EINVAL, "%s", change->name);
    }
    return true;
}

/*
 * Elements are added and deleted in one transaction, since before Linux 6.12
 * adding one that is there does not touch its timeout, and deleting one that
 * has just left is a failure.
 */
static bool run_change(RnNft *nft, const Change *change, bool is_addition,
                       GError **error)
{
    g_auto(RnNftBatch) batch = { 0 };
    size_t refused = 0;

    if (!check_change(change, error))
        return false;
    if (change->n == 0)
        return true;
    rn_nft_batch_init(&batch);
    add_message(&batch, change, NFT_MSG_NEWSETELEM);
    add_message(&batch, change, NFT_MSG_DELSETELEM);
    if (is_addition)
        add_message(&batch, change, NFT_MSG_NEWSETELEM);
    return rn_nft_batch_run(nft, &batch, &refused, error);
}

bool rn_nft_flows_add(RnNft *nft, const char *table, const char *set,
                      const RnNftFlow *flows, size_t n, uint32_t timeout_ms,
                      GError **error)
{
    Change change = { table, set, flows, n, timeout_ms, NULL };
    g_autofree char *name = name_change(&change, "add");

    change.name = name;
    return run_change(nft, &change, true, error);
}

bool rn_nft_flows_remove(RnNft *nft, const char *table, const char *set,
                         const RnNftFlow *flows, size_t n, GError **error)
{
    Change change = { table, set, flows, n, 0, NULL };
    g_autofree char *name = name_change(&change, "remove");

    change.name = name;
    return run_change(nft, &change, false, error);
}
