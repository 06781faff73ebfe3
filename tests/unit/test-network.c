/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network - the monitor's side: start, supervision, end
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <netinet/in.h>

#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

#include "network-world.h"

static void network_started_serves_and_ends(void **state)
{
    World world;
    Report seen = { 0 };

    (void)state;
    open_world(&world, PART_SERVE, 3);
    start(&world);
    seen = ask_relay(&world);
    assert_int_equal(seen.agent_errno, 0);
    assert_int_equal(seen.n_listeners, 3);
    assert_true(seen.is_tap);
    close_world(&world);
}

static void listeners_more_than_a_queue_holds_all_arrive(void **state)
{
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 700);
    start(&world);
    assert_int_equal(ask_relay(&world).n_listeners, 700);
    close_world(&world);
}

static void relay_killed_again_and_again_replaced(void **state)
{
    World world;
    pid_t last = 0;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    start(&world);
    for (int i = 0; i < 3; i++) {
        Report seen = ask_relay(&world);

        assert_int_not_equal(seen.pid, last);
        assert_int_equal(seen.agent_errno, 0);
        last = seen.pid;
        assert_int_equal(kill(last, SIGKILL), 0);
    }
    close_world(&world);
}

static void agent_killed_replaced_with_its_relay(void **state)
{
    World world;
    Report before = { 0 };
    Report after = { 0 };
    pid_t agent = 0;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    start(&world);
    before = ask_relay(&world);
    agent = find_child(RN_AGENT_NAME);
    assert_true(agent > 0);
    /* so that the old relay cannot answer in the meantime */
    assert_int_equal(kill(before.pid, SIGSTOP), 0);
    assert_int_equal(kill(agent, SIGKILL), 0);
    after = ask_relay(&world);
    assert_int_not_equal(after.pid, before.pid);
    assert_int_equal(after.agent_errno, 0);
    assert_int_not_equal(find_child(RN_AGENT_NAME), agent);
    close_world(&world);
}

/* Else a new relay might be given to an nsagent that is about to die. */
static void agent_that_a_relay_lost_is_replaced_as_well(void **state)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    rn_autofd int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    World world;
    pid_t before = 0, now = 0;

    (void)state;
    open_world(&world, PART_SAY_LOST, 1);
    start(&world);
    before = now = find_child(RN_AGENT_NAME);
    assert_true(before > 0);
    address.sin_port = htons(world.port);
    assert_int_equal(
        connect(client, (const struct sockaddr *)&address, sizeof address), 0);
    while (now == before || now == 0) {
        assert_true(rn_loop_turn(world.loop, -1, NULL));
        now = find_child(RN_AGENT_NAME);
    }
    close_world(&world);
}

static void link_of_the_caller_needs_no_namespace(void **state)
{
    g_autoptr(GError) error = NULL;
    World world;
    Report seen = { 0 };
    int pair[2] = { -1, -1 };

    (void)state;
    open_world(&world, PART_SERVE, 0);
    rn_network_free(world.network);
    assert_true(rn_msg_pair(pair, NULL));
    world.network = rn_network_new(&(RnNetworkRequest){
        .plan = &world.plan,
        .take_listeners = open_listeners(&world, 1),
        .take_link = pair[0],
    });
    (void)!rn_network_start(world.network, -1, -1, &error);
    assert_no_error(error);
    assert_true(rn_network_watch(world.network, world.loop, NULL));
    assert_int_equal(find_child(RN_AGENT_NAME), 0);
    seen = ask_relay(&world);
    assert_int_equal(seen.agent_errno, -1);
    assert_int_equal(kill(seen.pid, SIGKILL), 0);
    assert_int_not_equal(ask_relay(&world).pid, seen.pid);
    assert_int_equal(rn_network_plan(world.network)->handoff_mode,
                     RN_HANDOFF_MODE_OFF);
    (void)close(pair[1]);
    close_world(&world);
}

static void quit_loop(void *data)
{
    const World *world = data;

    rn_loop_quit(world->loop);
}

/* A virtual machine that is gone: no relay would be of use. */
static void link_of_the_caller_that_ends_ends_the_network(void **state)
{
    g_autoptr(GError) error = NULL;
    World world;
    int pair[2] = { -1, -1 };
    pid_t relay = 0;

    (void)state;
    open_world(&world, PART_SERVE, 0);
    rn_network_free(world.network);
    assert_true(rn_msg_pair(pair, NULL));
    world.network = rn_network_new(&(RnNetworkRequest){
        .plan = &world.plan,
        .take_listeners = open_listeners(&world, 1),
        .take_link = pair[0],
        .link_ended = quit_loop,
        .link_data = &world,
    });
    (void)!rn_network_start(world.network, -1, -1, &error);
    assert_no_error(error);
    assert_true(rn_network_watch(world.network, world.loop, NULL));
    relay = ask_relay(&world).pid;
    assert_true(relay > 0);
    (void)close(pair[1]);
    assert_int_equal(kill(relay, SIGKILL), 0);
    assert_true(rn_loop_run(world.loop, NULL));
    assert_false(rn_network_is_up(world.network));
    assert_no_children();
    close_world(&world);
}

static void start_failed_says_why_and_leaves_nothing(void **state)
{
    static const struct {
        Part part;
        RnErrorCode code;
        const char *text;
    } cases[] = {
        { PART_SAY_FAILED, RN_ERROR_LIMIT, "network: rnet-relay: no luck" },
        { PART_EXIT, RN_ERROR_PEER_DIED, "ended with status 7" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        World world;

        open_world(&world, cases[i].part, 1);
        assert_false(rn_network_start(world.network, world.netns.userns_fd,
                                      world.netns.netns_fd, &error));
        assert_error(error, RN_ERROR, cases[i].code, cases[i].text);
        assert_no_children();
        close_world(&world);
    }
}

static void agent_that_cannot_join_says_why(void **state)
{
    g_autoptr(GError) error = NULL;
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 1);
    assert_false(rn_network_start(world.network, world.netns.netns_fd,
                                  world.netns.netns_fd, &error));
    assert_error(error, RN_ERRNO, EINVAL,
                 "network: rnet-nsagent: join the user namespace: ");
    close_world(&world);
}

static void ranges_more_than_possible_refused(void **state)
{
    RnPortRange range = { 1, 1, RN_TRANSPORT_TCP };
    g_autoptr(GError) error = NULL;
    World world;

    (void)state;
    open_world(&world, PART_SERVE, 0);
    rn_network_free(world.network);
    for (int i = 0; i < RN_AGENT_MAX_RANGES; i++)
        g_array_append_val(world.ranges, range);
    world.network = rn_network_new(&(RnNetworkRequest){
        .plan = &world.plan, .ranges = world.ranges, .take_link = -1 });
    assert_false(rn_network_start(world.network, world.netns.userns_fd,
                                  world.netns.netns_fd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "257 separate ranges");
    close_world(&world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_started_serves_and_ends),
        cmocka_unit_test(listeners_more_than_a_queue_holds_all_arrive),
        cmocka_unit_test(relay_killed_again_and_again_replaced),
        cmocka_unit_test(agent_killed_replaced_with_its_relay),
        cmocka_unit_test(agent_that_a_relay_lost_is_replaced_as_well),
        cmocka_unit_test(link_of_the_caller_needs_no_namespace),
        cmocka_unit_test(link_of_the_caller_that_ends_ends_the_network),
        cmocka_unit_test(start_failed_says_why_and_leaves_nothing),
        cmocka_unit_test(agent_that_cannot_join_says_why),
        cmocka_unit_test(ranges_more_than_possible_refused),
    };

    if (argc > 0 && strcmp(argv[0], RN_AGENT_NAME) == 0)
        return rn_agent_main();
    if (argc > 0 && strcmp(argv[0], RN_RELAY_NAME) == 0)
        return fake_relay_main();
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
