/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-nft - what rules do to packets, and what refusals leave behind
 *
 * Rules set a mark, and that decides where a packet goes; see nft-world.h.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>

#include "nft-world.h"
#include "refusal.h"

/* One rule, with the matches that are not 0 or NULL. */
typedef struct MatchCase {
    uint16_t family;
    uint8_t ip_protocol, flags_mask, flags;
    const char *source, *destination;
    unsigned prefix; /* bits, of either */
    bool is_not;     /* unequal to source or destination */
    bool by_link;    /* leaves by the link, else by lo if `by_lo` */
    bool by_lo;
    Packet taken; /* to where the mark leads; .to NULL: none */
    Packet left;  /* as it was; likewise */
} MatchCase;

static const MatchCase match_cases[] = {
    { .taken = { .to = HOST } },
    { .taken = { .to = HOST6, .is_tcp = true } },
    { .family = AF_INET, .taken = { .to = HOST }, .left = { .to = HOST6 } },
    { .family = AF_INET6, .taken = { .to = HOST6 }, .left = { .to = HOST } },
    { .ip_protocol = IPPROTO_TCP,
      .taken = { .to = HOST, .is_tcp = true },
      .left = { .to = HOST } },
    { .ip_protocol = IPPROTO_UDP,
      .taken = { .to = HOST6 },
      .left = { .to = HOST6, .is_tcp = true } },
    { .destination = HOST,
      .prefix = 32,
      .taken = { .to = HOST },
      .left = { .to = "192.0.2.2" } },
    /* the prefix ends within a byte; what is beyond it does not matter */
    { .destination = "192.0.3.255",
      .prefix = 23,
      .taken = { .to = HOST },
      .left = { .to = "192.0.4.1" } },
    { .destination = "2001:db8::ffff",
      .prefix = 47,
      .taken = { .to = HOST6_OTHER },
      .left = { .to = "2001:db8:2::1" } },
    { .destination = HOST6,
      .prefix = 128,
      .is_not = true,
      .taken = { .to = HOST6_OTHER },
      .left = { .to = HOST6 } },
    { .destination = "192.0.2.0",
      .prefix = 24,
      .is_not = true,
      .taken = { .to = HOST_OTHER },
      .left = { .to = HOST } },
    /* unequal to an IPv4 address does not mean every IPv6 packet */
    { .destination = HOST,
      .prefix = 32,
      .is_not = true,
      .left = { .to = HOST6 } },
    { .destination = "0.0.0.0",
      .taken = { .to = HOST },
      .left = { .to = HOST6 } },
    { .source = WAYS_ADDRESS,
      .prefix = 32,
      .taken = { .to = HOST, .from = WAYS_ADDRESS },
      .left = { .to = HOST, .from = WAYS_ADDRESS_OTHER } },
    { .source = WAYS_ADDRESS6,
      .prefix = 64,
      .taken = { .to = HOST6, .is_tcp = true },
      .left = { .to = HOST } },
    { .by_link = true, .taken = { .to = HOST } },
    { .by_lo = true, .left = { .to = HOST } },
    { .flags_mask = TH_SYN | TH_ACK,
      .flags = TH_SYN,
      .taken = { .to = HOST, .is_tcp = true } },
    /* where TCP has its flags, a datagram has nothing */
    { .flags_mask = TH_SYN, .left = { .to = HOST } },
    { .flags_mask = TH_SYN | TH_ACK,
      .flags = TH_SYN | TH_ACK,
      .left = { .to = HOST, .is_tcp = true } },
    { .flags_mask = TH_ACK | TH_RST, .taken = { .to = HOST6, .is_tcp = true } },
};

static void add_matches(const World *world, const MatchCase *test)
{
    RnNft *nft = world->nft;
    RnEndpoint address;

    if (test->by_link)
        rn_nft_match_output(nft, world->ways.link_index);
    else if (test->by_lo)
        rn_nft_match_output(nft, world->ways.lo_index);
    if (test->family != AF_UNSPEC)
        rn_nft_match_family(nft, test->family);
    if (test->ip_protocol != 0)
        rn_nft_match_protocol(nft, test->ip_protocol);
    if (test->source != NULL) {
        address = ways_address(test->source);
        rn_nft_match_address(nft, RN_NFT_SOURCE, !test->is_not, &address,
                             test->prefix);
    }
    if (test->destination != NULL) {
        address = ways_address(test->destination);
        rn_nft_match_address(nft, RN_NFT_DESTINATION, !test->is_not, &address,
                             test->prefix);
    }
    if (test->flags_mask != 0)
        rn_nft_match_tcp_flags(nft, test->flags_mask, test->flags);
}

static char *run_match_case(World *world, const MatchCase *test)
{
    char *failure = NULL;

    begin_table(world->nft);
    rn_nft_begin_rule(world->nft, "out");
    add_matches(world, test);
    rn_nft_set_mark(world->nft, MARK & 0xffff);
    rn_nft_set_mark(world->nft, MARK & 0xffff0000);
    rn_nft_end_rule(world->nft);
    failure = commit_table(world->nft);
    if (failure == NULL && test->taken.to != NULL)
        failure = ways_expect(&world->ways, &test->taken, WAY_HERE);
    if (failure == NULL && test->left.to != NULL)
        failure = ways_expect(&world->ways, &test->left, WAY_LINK);
    return failure;
}

static char *run_match_cases(void *data)
{
    World world = { 0 };
    char *failure = world_open(&world);

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(match_cases) && failure == NULL; i++) {
        g_autofree char *why = run_match_case(&world, &match_cases[i]);

        if (why != NULL)
            failure = g_strdup_printf("case %zu: %s", i, why);
    }
    world_close(&world);
    return failure;
}

static void packet_that_matches_takes_the_other_way(void **state)
{
    (void)state;
    run_in_world(run_match_cases, NULL);
}

static void add_bad_chain_type(RnNft *nft)
{
    RnNftChain chain = { "bad", "nosuch", NF_INET_LOCAL_OUT, 0 };

    rn_nft_add_chain(nft, &chain);
}

static void add_bad_chain_hook(RnNft *nft)
{
    RnNftChain chain = { "bad", "route", NF_INET_FORWARD, 0 };

    rn_nft_add_chain(nft, &chain);
}

static void add_long_chain(RnNft *nft)
{
    g_autofree char *name = g_strnfill(1 << 16, 'n');
    RnNftChain chain = { name, "route", NF_INET_LOCAL_OUT, 0 };

    rn_nft_add_chain(nft, &chain);
}

static void add_rule_to_no_chain(RnNft *nft)
{
    rn_nft_begin_rule(nft, "nosuch");
    rn_nft_set_mark(nft, MARK);
    rn_nft_end_rule(nft);
}

/* More refusals than the socket has room for. */
static void add_rules_to_no_chain(RnNft *nft)
{
    for (int i = 0; i < 400; i++)
        add_rule_to_no_chain(nft);
}

static void add_endless_rule(RnNft *nft)
{
    rn_nft_begin_rule(nft, "out");
    for (int i = 0; i < 2 * RN_NFT_MAX_EXPRESSIONS; i++)
        rn_nft_set_mark(nft, MARK);
    rn_nft_end_rule(nft);
}

static void add_rule_with_long_prefix(RnNft *nft)
{
    RnEndpoint address = ways_address(HOST);

    rn_nft_begin_rule(nft, "out");
    rn_nft_match_address(nft, RN_NFT_SOURCE, true, &address, 33);
    rn_nft_end_rule(nft);
}

static void begin_long_table(RnNft *nft)
{
    g_autofree char *name = g_strnfill(NFT_NAME_MAXLEN, 'n');

    rn_nft_begin(nft, name);
    add_bad_chain_type(nft);
}

static const struct {
    void (*add)(RnNft *nft);
    Refusal refusal;
} bad_cases[] = {
    { add_bad_chain_type, { ENOENT, "add chain \"rnet bad\"" } },
    { add_bad_chain_hook, { EOPNOTSUPP, "add chain \"rnet bad\"" } },
    { add_long_chain, { ENAMETOOLONG, "add chain \"rnet nnn" } },
    { add_rule_to_no_chain, { ENOENT, "add rule 2 to chain \"rnet nosuch\"" } },
    { add_rules_to_no_chain,
      { ENOENT, "add rule 2 to chain \"rnet nosuch\"" } },
    { add_endless_rule, { E2BIG, "add rule 2 to chain \"rnet out\"" } },
    { add_rule_with_long_prefix,
      { EINVAL, "add rule 2 to chain \"rnet out\"" } },
    { begin_long_table, { ENAMETOOLONG, "add table \"nnn" } },
};

/* The table "rnet", marking IPv6 only. */
static char *commit_table6(RnNft *nft)
{
    begin_table(nft);
    rn_nft_begin_rule(nft, "out");
    rn_nft_match_family(nft, AF_INET6);
    rn_nft_set_mark(nft, MARK);
    rn_nft_end_rule(nft);
    return commit_table(nft);
}

/* Whether there is a table before or not, the bad one changes nothing. */
static char *commit_bad_tables(void *data)
{
    const bool *is_there = data;
    World world = { 0 };
    char *failure = world_open(&world);
    g_autoptr(GError) error = NULL;

    if (failure == NULL && *is_there)
        failure = commit_table6(world.nft);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_cases) && failure == NULL; i++) {
        begin_marking_table(world.nft);
        bad_cases[i].add(world.nft);
        failure = check_refusal(rn_nft_commit(world.nft, &error), &error,
                                &bad_cases[i].refusal);
        if (failure == NULL)
            failure = expect_way(&world, HOST, WAY_LINK);
        if (failure == NULL)
            failure =
                expect_way(&world, HOST6, *is_there ? WAY_HERE : WAY_LINK);
    }
    if (failure == NULL)
        failure = check_refusal(rn_nft_commit(world.nft, &error), &error,
                                &(Refusal){ EINVAL, "commit no transaction" });
    world_close(&world);
    return failure;
}

static void refused_transaction_changes_nothing(void **state)
{
    static bool is_there[] = { false, true };

    (void)state;
    run_in_world(commit_bad_tables, &is_there[0]);
    run_in_world(commit_bad_tables, &is_there[1]);
}

/* A transaction replaces all that was there, and nothing of other tables. */
static char *replace_tables(void *data)
{
    World world = { 0 };
    char *failure = world_open(&world);

    (void)data;
    for (int i = 0; i < 2 && failure == NULL; i++) {
        begin_marking_table(world.nft);
        failure = commit_table(world.nft);
        if (failure == NULL)
            failure = expect_way(&world, HOST, WAY_HERE);
        if (failure == NULL) {
            rn_nft_begin(world.nft, "other");
            failure = commit_table(world.nft);
        }
        if (failure == NULL)
            failure = expect_way(&world, HOST, WAY_HERE);
        if (failure == NULL) {
            begin_marking_table(world.nft); /* dropped by the next line */
            begin_table(world.nft);
            failure = commit_table(world.nft);
        }
        if (failure == NULL)
            failure = expect_way(&world, HOST, WAY_LINK);
    }
    world_close(&world);
    return failure;
}

static void table_replaced_as_a_whole(void **state)
{
    (void)state;
    run_in_world(replace_tables, NULL);
}

/* One request about tables, as another program makes it. */
static char *request_of_others(uint16_t type, uint16_t family, const char *name)
{
    _Alignas(NLMSG_ALIGNTO) char buffer[1024];
    struct mnl_socket *socket = mnl_socket_open(NETLINK_NETFILTER);
    size_t length = nftnl_batch_begin(buffer, 1)->nlmsg_len;
    struct nlmsghdr *header = nftnl_nlmsg_build_hdr(
        buffer + length, type, family, NLM_F_CREATE | NLM_F_ACK, 2);
    char *failure = NULL;
    ssize_t got = -1;

    if (name != NULL)
        mnl_attr_put_strz(header, NFTA_TABLE_NAME, name);
    length += header->nlmsg_len;
    length += nftnl_batch_end(buffer + length, 3)->nlmsg_len;
    if (socket != NULL && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) >= 0 &&
        mnl_socket_sendto(socket, buffer, length) >= 0)
        got = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
    if (got < 0 || mnl_cb_run(buffer, (size_t)got, 2,
                              mnl_socket_get_portid(socket), NULL, NULL) < 0)
        failure = g_strdup_printf("others: %s", g_strerror(errno));
    if (socket != NULL)
        (void)mnl_socket_close(socket);
    return failure;
}

/* Another socket can neither replace the table "rnet" nor delete it. */
static char *expect_closed(RnNft *other)
{
    static const Refusal not_owner = { EPERM, "add table \"rnet\"" };
    g_autofree char *refused = g_strdup_printf("others: %s", g_strerror(EPERM));
    g_autofree char *answer = NULL;
    g_autoptr(GError) error = NULL;
    char *failure = NULL;

    begin_table(other);
    failure = check_refusal(rn_nft_commit(other, &error), &error, &not_owner);
    if (failure != NULL)
        return failure;
    answer = request_of_others(NFT_MSG_DELTABLE, NFPROTO_INET, "rnet");
    if (g_strcmp0(answer, refused) != 0)
        failure = g_strdup_printf("deletion by others: %s",
                                  answer != NULL ? answer : "accepted");
    return failure;
}

static char *share_a_table(void *data)
{
    World world = { 0 };
    char *failure = world_open(&world);
    g_autoptr(RnNft) other = rn_nft_open(NULL);

    (void)data;
    if (failure == NULL) {
        begin_marking_table(world.nft);
        failure = commit_table(world.nft);
    }
    if (failure == NULL)
        failure = expect_closed(other);
    if (failure == NULL)
        failure = expect_way(&world, HOST, WAY_HERE);
    if (failure == NULL) /* "nft flush ruleset" */
        failure = request_of_others(NFT_MSG_DELTABLE, AF_UNSPEC, NULL);
    if (failure == NULL)
        failure = expect_way(&world, HOST, WAY_HERE);
    g_clear_pointer(&world.nft, rn_nft_close);
    if (failure == NULL) /* gone with its owner */
        failure = expect_way(&world, HOST, WAY_LINK);
    if (failure == NULL) {
        begin_marking_table(other);
        failure = commit_table(other);
    }
    if (failure == NULL)
        failure = expect_way(&world, HOST, WAY_HERE);
    world_close(&world);
    return failure;
}

/* A table that nobody owns is replaced by one that we do. */
static char *take_a_table_over(void *data)
{
    World world = { 0 };
    char *failure = world_open(&world);
    g_autoptr(RnNft) other = rn_nft_open(NULL);

    (void)data;
    if (failure == NULL)
        failure = request_of_others(NFT_MSG_NEWTABLE, NFPROTO_INET, "rnet");
    if (failure == NULL) {
        begin_marking_table(world.nft);
        failure = commit_table(world.nft);
    }
    if (failure == NULL)
        failure = expect_way(&world, HOST, WAY_HERE);
    if (failure == NULL)
        failure = expect_closed(other);
    if (failure == NULL)
        failure = expect_way(&world, HOST, WAY_HERE);
    world_close(&world);
    return failure;
}

static void require_owners(void)
{
    struct utsname kernel;
    int major = 0;
    int minor = 0;

    assert_int_equal(uname(&kernel), 0);
    assert_int_equal(sscanf(kernel.release, "%d.%d", &major, &minor), 2);
    if (major < 5 || (major == 5 && minor < 12))
        skip_without("Linux %s: tables have no owners", kernel.release);
}

static void owned_table_closed_to_others_and_gone_with_its_owner(void **state)
{
    (void)state;
    require_owners();
    run_in_world(share_a_table, NULL);
}

static void table_without_owner_taken_over(void **state)
{
    (void)state;
    require_owners();
    run_in_world(take_a_table_over, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packet_that_matches_takes_the_other_way),
        cmocka_unit_test(refused_transaction_changes_nothing),
        cmocka_unit_test(table_replaced_as_a_whole),
        cmocka_unit_test(owned_table_closed_to_others_and_gone_with_its_owner),
        cmocka_unit_test(table_without_owner_taken_over),
    };

    return cmocka_run_group_tests_name("nft", tests, NULL, NULL);
}
