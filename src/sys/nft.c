/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft - nf_tables transactions through libnftnl and libmnl
 *
 * Runs in nsagent while it configures the container's namespace; the socket
 * stays open after that, for the table that it owns. A transaction's messages
 * are collected as bytes and sent in one datagram. Only the last one asks for
 * an acknowledgement: refusals come unasked, in the order of their messages and
 * before it. A refusal becomes an RN_ERRNO that names the message.
 */
#include "config.h"

#include <rnet/sys/nft.h>

#include <errno.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/uio.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/table.h>

#include <rnet/sys/netlink-request.h>
#include <rnet/sys/nft-request.h>

enum {
    REPLY_SIZE = 32768,   /* bytes, as netlink(7) advises at most */
    ENVELOPE_SIZE = 64,   /* bytes; begin and end take 20 each */
    N_TABLE_MESSAGES = 3, /* that start a transaction */
};

/* In errors, where it is no message in particular that is refused. */
static const char transaction_name[] = "change packet rules";

static void init_batch(RnNftBatch *batch)
{
    batch->bytes = g_byte_array_new();
    batch->names = g_ptr_array_new_with_free_func(g_free);
}

static void clear_batch(RnNftBatch *batch)
{
    g_clear_pointer(&batch->bytes, g_byte_array_unref);
    g_clear_pointer(&batch->names, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnNftBatch, clear_batch)

void rn_nft_message_start(RnNftMessage *message, uint16_t type, uint16_t flags)
{
    message->header =
        nftnl_nlmsg_build_hdr(message->buffer, type, NFPROTO_INET, flags, 0);
}

void rn_nft_batch_add(RnNftBatch *batch, const RnNftMessage *message,
                      char *take_name)
{
    g_byte_array_append(batch->bytes, (const guint8 *)message->header,
                        message->header->nlmsg_len);
    g_ptr_array_add(batch->names, take_name);
}

RnNft *rn_nft_open(GError **error)
{
    struct mnl_socket *socket =
        rn_netlink_socket_open(NETLINK_NETFILTER, error);
    RnNft *nft = NULL;

    if (socket == NULL)
        return NULL;
    nft = g_new0(RnNft, 1);
    nft->socket = socket;
    nft->table = g_strdup("");
    init_batch(&nft->batch);
    return nft;
}

void rn_nft_close(RnNft *nft)
{
    if (nft == NULL)
        return;
    rn_nft_rule_drop(nft);
    (void)mnl_socket_close(nft->socket);
    g_free(nft->table);
    clear_batch(&nft->batch);
    g_clear_error(&nft->failure);
    g_free(nft);
}

bool rn_nft_is_name(const char *name)
{
    size_t length = strnlen(name, NFT_NAME_MAXLEN);

    return length > 0 && length < NFT_NAME_MAXLEN;
}

void rn_nft_fail(RnNft *nft, int errno_value, const char *name)
{
    if (nft->failure == NULL)
        (void)rn_set_errno(&nft->failure, errno_value, "%s", name);
}

/* Numbers the messages from `first` on; the last one asks for an answer. */
static void number_messages(RnNftBatch *batch, uint32_t first)
{
    struct nlmsghdr *header = (struct nlmsghdr *)batch->bytes->data;
    int left = (int)batch->bytes->len;

    for (guint i = 0; i < batch->names->len; i++) {
        header->nlmsg_seq = first + i;
        if (i + 1 == batch->names->len)
            header->nlmsg_flags |= NLM_F_ACK;
        header = mnl_nlmsg_next(header, &left);
    }
}

/*
 * ENOBUFS says that there were more refusals than fit into the socket; the
 * first ones are there all the same.
 */
static ssize_t receive(const RnNft *nft, char *buffer, int flags)
{
    struct iovec part = { .iov_base = buffer, .iov_len = REPLY_SIZE };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    ssize_t got = 0;

    do
        got = recvmsg(mnl_socket_get_fd(nft->socket), &message, flags);
    while (got < 0 && (errno == EINTR || errno == ENOBUFS));
    return got;
}

/* Forgets what a refused transaction left behind its first refusal. */
static void drain(const RnNft *nft)
{
    _Alignas(NLMSG_ALIGNTO) char buffer[REPLY_SIZE];

    while (receive(nft, buffer, MSG_DONTWAIT) >= 0)
        continue;
}

static bool send_batch(RnNft *nft, RnNftBatch *batch, uint32_t *out_first,
                       GError **error)
{
    _Alignas(NLMSG_ALIGNTO) char begin[ENVELOPE_SIZE];
    _Alignas(NLMSG_ALIGNTO) char end[ENVELOPE_SIZE];
    uint32_t first = nft->sequence + 1;
    struct iovec parts[3] = { { .iov_base = begin },
                              { 0 },
                              { .iov_base = end } };
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    struct msghdr message = {
        .msg_name = &kernel,
        .msg_namelen = sizeof kernel,
        .msg_iov = parts,
        .msg_iovlen = G_N_ELEMENTS(parts),
    };

    nft->sequence += batch->names->len + 2;
    number_messages(batch, first + 1);
    parts[0].iov_len = nftnl_batch_begin(begin, first)->nlmsg_len;
    parts[1].iov_base = batch->bytes->data;
    parts[1].iov_len = batch->bytes->len;
    parts[2].iov_len = nftnl_batch_end(end, nft->sequence)->nlmsg_len;
    drain(nft);
    if (sendmsg(mnl_socket_get_fd(nft->socket), &message, 0) < 0)
        return rn_set_errno(error, errno, "%s", transaction_name);
    *out_first = first + 1;
    return true;
}

/* What is known of an answer so far. */
typedef struct Answer {
    const RnNftBatch *batch;
    uint32_t first; /* sequence number of the batch's first message */
    bool done;
    size_t refused; /* as run_batch() has it */
} Answer;

/* Looks at one message; false if it is a refusal. */
static bool take_reply(Answer *answer, const struct nlmsghdr *header,
                       GError **error)
{
    guint n = answer->batch->names->len;
    /* the first refusal may be of the begin before them or the end after */
    uint32_t index = header->nlmsg_seq - answer->first;
    const char *name = index < n
                           ? g_ptr_array_index(answer->batch->names, index)
                           : transaction_name;

    if (header->nlmsg_type != NLMSG_ERROR || index + 1 > n + 1)
        return true;
    if (!rn_netlink_check_status(header, name, error)) {
        answer->refused = MIN(index, n);
        return false;
    }
    answer->done = index + 1 == n;
    return true;
}

static bool take_replies(const RnNft *nft, Answer *answer, const char *buffer,
                         int length, GError **error)
{
    const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
    unsigned portid = mnl_socket_get_portid(nft->socket);

    for (; !answer->done && mnl_nlmsg_ok(header, length);
         header = mnl_nlmsg_next(header, &length)) {
        if (mnl_nlmsg_portid_ok(header, portid) &&
            !take_reply(answer, header, error))
            return false;
    }
    return true;
}

/*
 * Sends the messages as one transaction and waits for the answer. On failure
 * *out_refused is the index of the message that was refused, or the number of
 * messages if it was none of them.
 */
static bool run_batch(RnNft *nft, RnNftBatch *batch, size_t *out_refused,
                      GError **error)
{
    _Alignas(NLMSG_ALIGNTO) char buffer[REPLY_SIZE];
    Answer answer = { .batch = batch, .refused = batch->names->len };

    *out_refused = answer.refused;
    if (!send_batch(nft, batch, &answer.first, error))
        return false;
    while (!answer.done) {
        ssize_t got = receive(nft, buffer, 0);

        if (got < 0)
            return rn_set_errno(error, errno, "%s", transaction_name);
        if (!take_replies(nft, &answer, buffer, (int)got, error)) {
            *out_refused = answer.refused;
            return false;
        }
    }
    return true;
}

static void add_table_message(RnNftBatch *batch, uint16_t type,
                              const char *table, uint32_t flags)
{
    struct nftnl_table *object = rn_nft_must(nftnl_table_alloc());
    RnNftMessage message;

    (void)nftnl_table_set_str(object, NFTNL_TABLE_NAME, table);
    if (flags != 0)
        nftnl_table_set_u32(object, NFTNL_TABLE_FLAGS, flags);
    rn_nft_message_start(&message, type,
                         type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);
    nftnl_table_nlmsg_build_payload(message.header, object);
    nftnl_table_free(object);
    rn_nft_batch_add(
        batch, &message,
        g_strdup_printf("%s table \"%s\"",
                        type == NFT_MSG_NEWTABLE ? "add" : "delete", table));
}

static void reset_transaction(RnNft *nft, const char *table)
{
    rn_nft_rule_drop(nft);
    g_free(nft->table);
    nft->table = g_strdup(table);
    clear_batch(&nft->batch);
    init_batch(&nft->batch);
    g_clear_error(&nft->failure);
    nft->n_rules = 0;
}

void rn_nft_begin(RnNft *nft, const char *table)
{
    bool is_name = rn_nft_is_name(table);

    reset_transaction(nft, is_name ? table : "");
    if (!is_name)
        (void)rn_set_errno(&nft->failure, ENAMETOOLONG, "add table \"%s\"",
                           table);
}

void rn_nft_add_chain(RnNft *nft, const RnNftChain *chain)
{
    g_autofree char *name =
        g_strdup_printf("add chain \"%s %s\"", nft->table, chain->name);
    struct nftnl_chain *object = NULL;
    RnNftMessage message;

    if (!rn_nft_is_name(chain->name) || !rn_nft_is_name(chain->type)) {
        rn_nft_fail(nft, ENAMETOOLONG, name);
        return;
    }
    object = rn_nft_must(nftnl_chain_alloc());
    (void)nftnl_chain_set_str(object, NFTNL_CHAIN_TABLE, nft->table);
    (void)nftnl_chain_set_str(object, NFTNL_CHAIN_NAME, chain->name);
    (void)nftnl_chain_set_str(object, NFTNL_CHAIN_TYPE, chain->type);
    nftnl_chain_set_u32(object, NFTNL_CHAIN_HOOKNUM, chain->hook);
    nftnl_chain_set_s32(object, NFTNL_CHAIN_PRIO, chain->priority);
    nftnl_chain_set_u32(object, NFTNL_CHAIN_POLICY, NF_ACCEPT);
    rn_nft_message_start(&message, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    nftnl_chain_nlmsg_build_payload(message.header, object);
    nftnl_chain_free(object);
    rn_nft_batch_add(&nft->batch, &message, g_steal_pointer(&name));
}

static bool run_transaction(RnNft *nft, uint32_t first_flags, uint32_t flags,
                            bool *out_is_table, GError **error)
{
    g_auto(RnNftBatch) batch = { 0 };
    size_t refused = 0;
    bool succeeded = false;

    init_batch(&batch);
    /* deleting needs a table; nothing deletes one "if it is there" before 6.3 */
    add_table_message(&batch, NFT_MSG_NEWTABLE, nft->table, first_flags);
    add_table_message(&batch, NFT_MSG_DELTABLE, nft->table, 0);
    add_table_message(&batch, NFT_MSG_NEWTABLE, nft->table, flags);
    g_byte_array_append(batch.bytes, nft->batch.bytes->data,
                        nft->batch.bytes->len);
    for (guint i = 0; i < nft->batch.names->len; i++)
        g_ptr_array_add(batch.names,
                        g_strdup(g_ptr_array_index(nft->batch.names, i)));
    succeeded = run_batch(nft, &batch, &refused, error);
    *out_is_table = !succeeded && refused < N_TABLE_MESSAGES;
    return succeeded;
}

/*
 * A table that is there cannot change its owner, and which one it has is not
 * known: so first ours, then none, then no owner at all for kernels before
 * 5.12.
 */
static bool run_with_owner(RnNft *nft, GError **error)
{
    static const uint32_t attempts[][2] = {
        { NFT_TABLE_F_OWNER, NFT_TABLE_F_OWNER },
        { 0, NFT_TABLE_F_OWNER },
        { 0, 0 },
    };
    g_autoptr(GError) failure = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(attempts); i++) {
        bool is_table = false;

        g_clear_error(&failure);
        if (run_transaction(nft, attempts[i][0], attempts[i][1], &is_table,
                            &failure))
            return true;
        if (!is_table || (!rn_error_is_errno(failure, EINVAL) &&
                          !rn_error_is_errno(failure, EOPNOTSUPP)))
            break;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool rn_nft_commit(RnNft *nft, GError **error)
{
    bool succeeded = false;

    if (nft->failure != NULL)
        g_propagate_error(error, g_steal_pointer(&nft->failure));
    else if (nft->table[0] == '\0')
        (void)rn_set_errno(error, EINVAL, "commit no transaction");
    else
        succeeded = run_with_owner(nft, error);
    reset_transaction(nft, "");
    return succeeded;
}
