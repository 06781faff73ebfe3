/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft - packet rules of a network namespace, nf_tables through libnftnl
 *
 * Tables of the family "inet" (IPv4 and IPv6), as nft(8) would make them. A
 * transaction replaces one table as a whole: rn_nft_begin(), then chains and
 * rules in the order in which they depend on each other, then
 * rn_nft_commit(), which does all or nothing. What cannot be said (a name too
 * long, too many expressions) is remembered and fails the commit, so nothing
 * between the two returns an error. A transaction goes in one piece through the
 * socket's send buffer: about 400 rules with an IPv6 address each fit into the
 * 208 KiB that are net.core.wmem_default; EMSGSIZE beyond.
 *
 * Every request blocks for its acknowledgement, which the kernel has queued by
 * the time the sending returns. Needs CAP_NET_ADMIN over the network namespace,
 * when the socket is opened and at each request. Errors are RN_ERRNO with the
 * kernel's errno; they name the object that was refused, and carry the kernel's
 * own explanation where it gives one. EOPNOTSUPP or EPROTONOSUPPORT: there is
 * no nf_tables in this kernel.
 */
#ifndef RNET_SYS_NFT_H
#define RNET_SYS_NFT_H

#include <stdint.h>

#include <rnet/util/inet.h>

typedef struct RnNft RnNft;

/* Opens a socket bound to the network namespace of the moment, CLOEXEC. */
RnNft *rn_nft_open(GError **error) RN_CHECK;

/* Closes the socket; the kernel removes the tables that it owns. */
void rn_nft_close(RnNft *nft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnNft, rn_nft_close)

/*
 * Starts a transaction that replaces `table`, whether it is there or not, and
 * drops one that was not committed. The table is owned by the socket
 * (NFT_TABLE_F_OWNER, Linux 5.12): requests of others for it are refused with
 * EPERM, their "flush ruleset" leaves it alone, and it goes with the socket.
 * Where the kernel knows no owners it is made without, and stays for as long
 * as the namespace.
 */
void rn_nft_begin(RnNft *nft, const char *table);

/* A base chain; packets that its rules let through are accepted. */
typedef struct RnNftChain {
    const char *name;
    const char *type; /* "filter", "nat", "route" */
    uint32_t hook;    /* NF_INET_LOCAL_OUT, ... of linux/netfilter.h */
    int32_t priority; /* NF_IP_PRI_MANGLE, ... of linux/netfilter_ipv4.h */
} RnNftChain;

void rn_nft_add_chain(RnNft *nft, const RnNftChain *chain);

/*
 * A rule at the end of a chain of this transaction: what comes in between is
 * looked at in that order, and the first match that fails ends it.
 */
void rn_nft_begin_rule(RnNft *nft, const char *chain);
void rn_nft_end_rule(RnNft *nft);

enum {
    RN_NFT_MAX_EXPRESSIONS = 48 /* in a rule; a match has 2 to 5 */
};

typedef enum RnNftSide {
    RN_NFT_SOURCE,
    RN_NFT_DESTINATION,
} RnNftSide;

/* "meta oif": the interface that the packet is about to leave by. */
void rn_nft_match_output(RnNft *nft, unsigned link_index);

/* "meta nfproto": AF_INET or AF_INET6. */
void rn_nft_match_family(RnNft *nft, uint16_t family);

/* "meta l4proto": IPPROTO_TCP, ... */
void rn_nft_match_protocol(RnNft *nft, uint8_t ip_protocol);

/*
 * "ip saddr ADDRESS/PREFIX", ... or "!=" unless is_equal; the prefix in bits.
 * Matches the family first, as the other one has something else there.
 */
void rn_nft_match_address(RnNft *nft, RnNftSide side, bool is_equal,
                          const RnEndpoint *address, unsigned prefix);

/*
 * "tcp flags & MASK == VALUE"; the bits are TH_SYN, ... of netinet/tcp.h.
 * Matches the protocol first.
 */
void rn_nft_match_tcp_flags(RnNft *nft, uint8_t mask, uint8_t value);

/* "meta mark set meta mark | BITS". */
void rn_nft_set_mark(RnNft *nft, uint32_t bits);

/* Ends the transaction. On failure everything is as it was before. */
bool rn_nft_commit(RnNft *nft, GError **error) RN_CHECK;

#endif
