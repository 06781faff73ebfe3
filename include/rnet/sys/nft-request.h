/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft-request - what the two files of nft share
 *
 * Private to the sys layer. nft.c sends what nft-rule.c builds.
 */
#ifndef RNET_SYS_NFT_REQUEST_H
#define RNET_SYS_NFT_REQUEST_H

#include <linux/netlink.h>

#include <rnet/sys/nft.h>

struct mnl_socket;
struct nftnl_rule;

enum {
    /*
     * Bytes of one message, which libnftnl does not check. An expression
     * takes 100 at most, names 256 each.
     */
    RN_NFT_MESSAGE_SIZE = 8192,
};

/* Messages that go into one transaction, in their order. */
typedef struct RnNftBatch {
    GByteArray *bytes;
    GPtrArray *names; /* what each message asks for, in errors */
} RnNftBatch;

typedef struct RnNftMessage {
    struct nlmsghdr *header;
    _Alignas(NLMSG_ALIGNTO) char buffer[RN_NFT_MESSAGE_SIZE];
} RnNftMessage;

/* Sets header to an empty message, NFT_MSG_..., of the family "inet". */
void rn_nft_message_start(RnNftMessage *message, uint16_t type, uint16_t flags);

/* Adds a message that is complete; takes `take_name`. */
void rn_nft_batch_add(RnNftBatch *batch, const RnNftMessage *message,
                      char *take_name);

struct RnNft {
    struct mnl_socket *socket;
    uint32_t sequence;

    /* the transaction */
    char *table;      /* "" if there is none */
    RnNftBatch batch; /* without the table's own messages */
    GError *failure;  /* the first one, for the commit */

    /* the rule that is being built, of nft-rule.c */
    struct nftnl_rule *rule; /* NULL: none */
    char *rule_name;         /* in errors */
    unsigned n_rules, n_expressions;
    uint16_t rule_family;     /* matched already, or 0 */
    uint8_t rule_ip_protocol; /* likewise */
};

/* Drops the rule that is being built, if any. */
void rn_nft_rule_drop(RnNft *nft);

/* Makes the commit fail, unless something else does already. */
void rn_nft_fail(RnNft *nft, int errno_value, const char *name);

/* True if it is 1 to 255 bytes (NFT_NAME_MAXLEN): all the kernel asks. */
bool rn_nft_is_name(const char *name);

/* Passes an object of libnftnl on; like GLib, aborts when memory runs out. */
#define rn_nft_must(object)                                                    \
    ({                                                                         \
        __typeof__(object) made_ = (object);                                   \
                                                                               \
        if (made_ == NULL)                                                     \
            g_error("out of memory");                                          \
        made_;                                                                 \
    })

#endif
