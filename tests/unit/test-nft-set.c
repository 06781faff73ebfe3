/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-nft-set - flows that are added to a set change where packets go
 */
#include "config.h"

#include <errno.h>

#include <sys/socket.h>

#include "nft-world.h"
#include "refusal.h"

enum {
    N_MANY = RN_NFT_MAX_FLOWS,
};

static const struct {
    const char *set, *host;
} set_cases[] = {
    { "flows4", HOST },
    { "flows6", HOST6 },
};

static char *change_sets(void *data)
{
    static const bool additions[] = { true, true, false, false, true };
    World world = { 0 };
    char *failure = world_open(&world);

    (void)data;
    if (failure == NULL)
        failure = commit_sets(world.nft);
    for (size_t i = 0; i < G_N_ELEMENTS(set_cases); i++) {
        RnNftFlow flow = flow_to(set_cases[i].host);

        if (failure == NULL)
            failure = expect_flow(&world, set_cases[i].host, WAY_LINK);
        for (size_t j = 0; j < G_N_ELEMENTS(additions); j++) {
            if (failure == NULL)
                failure =
                    change_flow(&world, set_cases[i].set, &flow, additions[j]);
            if (failure == NULL)
                failure = expect_flow(&world, set_cases[i].host,
                                      additions[j] ? WAY_HERE : WAY_LINK);
        }
    }
    world_close(&world);
    return failure;
}

static void flow_taken_from_when_added_until_removed(void **state)
{
    (void)state;
    run_in_world(change_sets, NULL);
}

static char *change_many(void *data)
{
    RnNftFlow flows[N_MANY + 1];
    World world = { 0 };
    char *failure = world_open(&world);
    g_autoptr(GError) error = NULL;

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(flows); i++) {
        flows[i] = flow_to(HOST6);
        flows[i].remote.port = (uint16_t)(REMOTE_PORT - i);
    }
    if (failure == NULL)
        failure = commit_sets(world.nft);
    if (failure == NULL &&
        (!rn_nft_flows_add(world.nft, "rnet", "flows6", flows, 0, 0, &error) ||
         !rn_nft_flows_add(world.nft, "rnet", "flows6", flows, N_MANY,
                           TIMEOUT_MS, &error) ||
         !rn_nft_flows_remove(world.nft, "rnet", "flows6", flows + 1,
                              N_MANY - 1, &error)))
        failure = g_strdup(error->message);
    if (failure == NULL)
        failure = expect_flow(&world, HOST6, WAY_HERE);
    if (failure == NULL)
        failure = check_refusal(rn_nft_flows_add(world.nft, "rnet", "flows6",
                                                 flows, N_MANY + 1, 0, &error),
                                &error, &(Refusal){ E2BIG, "add 257 flows" });
    world_close(&world);
    return failure;
}

static void flows_changed_many_at_once(void **state)
{
    (void)state;
    run_in_world(change_many, NULL);
}

static char *refuse_flows(void *data)
{
    const struct {
        const char *table, *set, *host;
        Refusal refusal;
    } cases[] = {
        { "rnet",
          "flows4",
          HOST6,
          { EINVAL, "add flow [2001:db8::1]:4660 port 22136 of set "
                    "\"rnet flows4\"" } },
        { "rnet", "flows6", HOST, { EINVAL, "of set \"rnet flows6\"" } },
        { "rnet", "nosuch", HOST, { ENOENT, "of set \"rnet nosuch\"" } },
        { "other", "flows4", HOST, { ENOENT, "of set \"other flows4\"" } },
        { "rnet", "", HOST, { EINVAL, "of set \"rnet \"" } },
    };
    World world = { 0 };
    char *failure = world_open(&world);
    RnNftFlow mixed[] = { flow_to(HOST), flow_to(HOST6) };
    g_autoptr(GError) error = NULL;

    (void)data;
    if (failure == NULL)
        failure = commit_sets(world.nft);
    for (size_t i = 0; i < G_N_ELEMENTS(cases) && failure == NULL; i++) {
        RnNftFlow flow = flow_to(cases[i].host);

        failure =
            check_refusal(rn_nft_flows_add(world.nft, cases[i].table,
                                           cases[i].set, &flow, 1, 0, &error),
                          &error, &cases[i].refusal);
    }
    if (failure == NULL)
        failure = check_refusal(
            rn_nft_flows_add(world.nft, "rnet", "flows4", mixed, 2, 0, &error),
            &error, &(Refusal){ EINVAL, "add 2 flows" });
    if (failure == NULL) /* nor is the first one of the two there */
        failure = expect_flow(&world, HOST, WAY_LINK);
    world_close(&world);
    return failure;
}

static void flow_refused_by_name(void **state)
{
    (void)state;
    run_in_world(refuse_flows, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flow_taken_from_when_added_until_removed),
        cmocka_unit_test(flows_changed_many_at_once),
        cmocka_unit_test(flow_refused_by_name),
    };

    return cmocka_run_group_tests_name("nft-set", tests, NULL, NULL);
}
