/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft-world - tables for tests, see the header
 *
 * Nothing here asserts but run_in_world(): the rest runs in forked children.
 */
#include "config.h"

#include "nft-world.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>

#include <rnet/util/msg.h>

enum {
    PROBE = 1001, /* message type; none of protocol.h */
};

char *world_open(World *world)
{
    static const uint16_t families[] = { AF_INET, AF_INET6 };
    g_autoptr(GError) error = NULL;
    char *failure = ways_open(&world->ways);

    for (size_t i = 0; i < G_N_ELEMENTS(families) && failure == NULL; i++) {
        RnRule rule = {
            .family = families[i],
            .mark = MARK,
            .table = WAYS_TABLE,
            .preference = 100,
        };

        if (!rn_netlink_rule_add(world->ways.netlink, &rule, &error))
            failure = g_strdup(error->message);
    }
    if (failure == NULL)
        world->nft = rn_nft_open(&error);
    if (error != NULL && failure == NULL)
        failure = g_strdup(error->message);
    return failure;
}

void world_close(World *world)
{
    rn_nft_close(world->nft);
    ways_close(&world->ways);
}

void begin_table(RnNft *nft)
{
    RnNftChain chain = {
        .name = "out",
        .type = "route",
        .hook = NF_INET_LOCAL_OUT,
        .priority = NF_IP_PRI_MANGLE,
    };

    rn_nft_begin(nft, "rnet");
    rn_nft_add_chain(nft, &chain);
}

void begin_marking_table(RnNft *nft)
{
    begin_table(nft);
    rn_nft_begin_rule(nft, "out");
    rn_nft_set_mark(nft, MARK);
    rn_nft_end_rule(nft);
}

char *commit_table(RnNft *nft)
{
    g_autoptr(GError) error = NULL;

    return rn_nft_commit(nft, &error) ? NULL : g_strdup(error->message);
}

char *expect_way(World *world, const char *to, Way wanted)
{
    return ways_expect(&world->ways, &(Packet){ .to = to }, wanted);
}

static char *probe_nft(void *data)
{
    const int *socket = data;
    g_autoptr(RnNft) nft = rn_nft_open(NULL);
    g_autoptr(GError) error = NULL;
    int result = nft == NULL ? EPROTONOSUPPORT : 0;

    if (nft != NULL)
        begin_marking_table(nft);
    if (nft != NULL && !rn_nft_commit(nft, &error))
        result = error->code;
    (void)!rn_msg_send(*socket, PROBE, &result, sizeof result, NULL, 0, NULL);
    return NULL;
}

void run_in_world(NetnsFunc func, void *data)
{
    Netns netns = { -1, -1 };
    g_auto(RnMsg) msg = { 0 };
    int pair[2] = { -1, -1 };
    int result = -1;

    netns_open(&netns);
    assert_true(rn_msg_pair(pair, NULL));
    netns_run(&netns, probe_nft, &pair[1]);
    assert_true(rn_msg_recv(pair[0], &msg, NULL));
    memcpy(&result, msg.payload, sizeof result);
    (void)close(pair[0]);
    (void)close(pair[1]);
    if (result == 0)
        netns_run(&netns, func, data);
    netns_close(&netns);
    if (result == EOPNOTSUPP || result == EPROTONOSUPPORT)
        skip_without("no nf_tables: %s", g_strerror(result));
    assert_int_equal(result, 0);
}
