/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft-rule - rules of nf_tables, expression by expression
 *
 * Runs in nsagent while it configures the container's namespace. A match loads
 * something into registers and compares it; what nft(8) would put in front by
 * itself (the family before an address, the protocol before its flags) is put
 * there here too, so that nothing is compared with bytes of something else.
 * Nothing fails here but a rule with too many expressions, at the commit.
 */
#include "config.h"

#include <rnet/sys/nft.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include <rnet/sys/nft-request.h>

enum {
    VALUE = NFT_REG32_00, /* the register of whatever is looked at */
    ADDRESS_MAX = 16,
    BYTE_BITS = 8,
    TCP_FLAGS_OFFSET = 13, /* RFC 9293, 3.1 */
};

/* Where a side's address lies; RFC 791, 3.1; RFC 8200, 3. */
static const struct {
    uint32_t address4, address6;
} offsets[] = {
    [RN_NFT_SOURCE] = { offsetof(struct iphdr, saddr),
                        offsetof(struct ip6_hdr, ip6_src) },
    [RN_NFT_DESTINATION] = { offsetof(struct iphdr, daddr),
                             offsetof(struct ip6_hdr, ip6_dst) },
};

static uint32_t address_length(uint16_t family)
{
    return family == AF_INET6 ? 16 : 4;
}

void rn_nft_rule_drop(RnNft *nft)
{
    if (nft->rule != NULL)
        nftnl_rule_free(nft->rule);
    nft->rule = NULL;
    g_clear_pointer(&nft->rule_name, g_free);
    nft->n_expressions = 0;
    nft->rule_family = 0;
    nft->rule_ip_protocol = 0;
}

void rn_nft_begin_rule(RnNft *nft, const char *chain)
{
    rn_nft_rule_drop(nft);
    nft->n_rules++;
    nft->rule_name = g_strdup_printf("add rule %u to chain \"%s %s\"",
                                     nft->n_rules, nft->table, chain);
    if (!rn_nft_is_name(chain))
        rn_nft_fail(nft, ENAMETOOLONG, nft->rule_name);
    nft->rule = rn_nft_must(nftnl_rule_alloc());
    (void)nftnl_rule_set_str(nft->rule, NFTNL_RULE_TABLE, nft->table);
    (void)nftnl_rule_set_str(nft->rule, NFTNL_RULE_CHAIN, chain);
}

void rn_nft_end_rule(RnNft *nft)
{
    RnNftMessage message;

    if (nft->n_expressions > RN_NFT_MAX_EXPRESSIONS)
        rn_nft_fail(nft, E2BIG, nft->rule_name);
    if (nft->failure == NULL) { /* else it may not fit into the message */
        rn_nft_message_start(&message, NFT_MSG_NEWRULE,
                             NLM_F_CREATE | NLM_F_APPEND);
        nftnl_rule_nlmsg_build_payload(message.header, nft->rule);
        rn_nft_batch_add(&nft->batch, &message,
                         g_steal_pointer(&nft->rule_name));
    }
    rn_nft_rule_drop(nft);
}

static struct nftnl_expr *add_expression(RnNft *nft, const char *name)
{
    struct nftnl_expr *expression = rn_nft_must(nftnl_expr_alloc(name));

    nftnl_rule_add_expr(nft->rule, expression);
    nft->n_expressions++;
    return expression;
}

static void load_meta(RnNft *nft, uint32_t key)
{
    struct nftnl_expr *meta = add_expression(nft, "meta");

    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_DREG, VALUE);
}

static void load_payload(RnNft *nft, uint32_t base, uint32_t offset,
                         uint32_t length)
{
    struct nftnl_expr *payload = add_expression(nft, "payload");

    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_BASE, base);
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_LEN, length);
    nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_DREG, VALUE);
}

static void load_address(RnNft *nft, RnNftSide side, uint16_t family)
{
    load_payload(nft, NFT_PAYLOAD_NETWORK_HEADER,
                 family == AF_INET6 ? offsets[side].address6
                                    : offsets[side].address4,
                 address_length(family));
}

/* VALUE = VALUE & mask ^ flip */
static void change_value(RnNft *nft, const void *mask, const void *flip,
                         uint32_t length)
{
    struct nftnl_expr *bitwise = add_expression(nft, "bitwise");

    nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_SREG, VALUE);
    nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_DREG, VALUE);
    nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_LEN, length);
    (void)nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_MASK, mask, length);
    (void)nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_XOR, flip, length);
}

static void compare(RnNft *nft, bool is_equal, const void *value,
                    uint32_t length)
{
    struct nftnl_expr *cmp = add_expression(nft, "cmp");

    nftnl_expr_set_u32(cmp, NFTNL_EXPR_CMP_SREG, VALUE);
    nftnl_expr_set_u32(cmp, NFTNL_EXPR_CMP_OP,
                       is_equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
    (void)nftnl_expr_set(cmp, NFTNL_EXPR_CMP_DATA, value, length);
}

void rn_nft_match_output(RnNft *nft, unsigned link_index)
{
    uint32_t index = link_index;

    load_meta(nft, NFT_META_OIF);
    compare(nft, true, &index, sizeof index);
}

void rn_nft_match_family(RnNft *nft, uint16_t family)
{
    uint8_t value = family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

    if (nft->rule_family == family)
        return;
    nft->rule_family = family;
    load_meta(nft, NFT_META_NFPROTO);
    compare(nft, true, &value, sizeof value);
}

void rn_nft_match_protocol(RnNft *nft, uint8_t ip_protocol)
{
    if (nft->rule_ip_protocol == ip_protocol)
        return;
    nft->rule_ip_protocol = ip_protocol;
    load_meta(nft, NFT_META_L4PROTO);
    compare(nft, true, &ip_protocol, sizeof ip_protocol);
}

void rn_nft_match_address(RnNft *nft, RnNftSide side, bool is_equal,
                          const RnEndpoint *address, unsigned prefix)
{
    static const uint8_t no_flip[ADDRESS_MAX] = { 0 };
    uint32_t length = address_length(address->family);
    uint8_t mask[ADDRESS_MAX] = { 0 };
    uint8_t network[ADDRESS_MAX] = { 0 };

    if (prefix > BYTE_BITS * length) {
        rn_nft_fail(nft, EINVAL, nft->rule_name);
        return;
    }
    for (unsigned i = 0; i < prefix; i++)
        mask[i / BYTE_BITS] |= (uint8_t)(0x80 >> i % BYTE_BITS);
    for (unsigned i = 0; i < length; i++)
        network[i] = address->address[i] & mask[i];
    rn_nft_match_family(nft, address->family);
    load_address(nft, side, address->family);
    if (prefix < BYTE_BITS * length)
        change_value(nft, mask, no_flip, length);
    compare(nft, is_equal, network, length);
}

void rn_nft_match_tcp_flags(RnNft *nft, uint8_t mask, uint8_t value)
{
    static const uint8_t no_flip = 0;

    rn_nft_match_protocol(nft, IPPROTO_TCP);
    load_payload(nft, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
    change_value(nft, &mask, &no_flip, sizeof mask);
    compare(nft, true, &value, sizeof value);
}

void rn_nft_set_mark(RnNft *nft, uint32_t bits)
{
    uint32_t others = ~bits;
    struct nftnl_expr *meta = NULL;

    load_meta(nft, NFT_META_MARK);
    change_value(nft, &others, &bits, sizeof bits);
    meta = add_expression(nft, "meta");
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_KEY, NFT_META_MARK);
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_SREG, VALUE);
}
