/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-agent-watch - what nsagent says of the sockets that listen inside
 */
#include "config.h"

#include <sched.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/wait.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

#include "agent-world.h"

static RnAgentSetup make_watching_setup(void)
{
    RnAgentSetup setup = make_setup(false);

    setup.n_ranges = 0;
    setup.watch_ports = 1;
    return setup;
}

static RnAgentListening await_list(const World *world)
{
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) error = NULL;
    RnAgentListening listening;

    if (!rn_msg_expect(world->monitor, RN_MSG_AGENT_LISTENING, sizeof listening,
                       0, &msg, &error))
        fail_msg("%s", error->message);
    memcpy(&listening, msg.payload, sizeof listening);
    return listening;
}

static void assert_endpoint(const RnEndpoint *endpoint, const char *text)
{
    char buffer[RN_ENDPOINT_TEXT];

    assert_string_equal(rn_endpoint_format(endpoint, buffer), text);
}

static void list_is_sent_at_first_and_at_each_change(void **state)
{
    RnAgentSetup setup = make_watching_setup();
    RnAgentListening list;
    int first = -1, second = -1;
    World world;

    (void)state;
    open_world_with(&world, &setup);
    assert_int_equal(await_list(&world).count, 0);
    first = netns_listen(&world.netns, SOCK_STREAM, "127.0.0.1", 3000);
    list = await_list(&world);
    assert_int_equal(list.count, 1);
    assert_endpoint(&list.endpoints[0], "127.0.0.1:3000");
    /* in the order of the ports, whichever came first */
    second = netns_listen(&world.netns, SOCK_STREAM, "::", 2000);
    list = await_list(&world);
    assert_int_equal(list.count, 2);
    assert_endpoint(&list.endpoints[0], "[::]:2000");
    assert_endpoint(&list.endpoints[1], "127.0.0.1:3000");
    (void)close(first);
    list = await_list(&world);
    assert_int_equal(list.count, 1);
    assert_endpoint(&list.endpoints[0], "[::]:2000");
    (void)close(second);
    assert_int_equal(await_list(&world).count, 0);
    close_world(&world);
}

static void sockets_that_do_not_listen_or_are_our_own_left_out(void **state)
{
    RnAgentSetup setup = make_watching_setup();
    RnEndpoint to = endpoint_of("127.0.0.1", 3000);
    rn_autofd int ours = -1, datagram = -1, theirs = -1, client = -1;
    RnAgentListening list;
    World world;

    (void)state;
    setup.plan.n_exposed = 1;
    setup.plan.exposed[0] = (RnExposedPort){ 5432, 2000 };
    open_world_with(&world, &setup);
    assert_int_equal(await_list(&world).count, 0);
    ours = netns_listen(&world.netns, SOCK_STREAM, "127.0.0.1", 2000);
    datagram = netns_listen(&world.netns, SOCK_DGRAM, "127.0.0.1", 2001);
    theirs = netns_listen(&world.netns, SOCK_STREAM, "127.0.0.1", 3000);
    client = netns_connect(&world.netns, SOCK_STREAM, &to, NULL);
    assert_int_equal(await_connect(client), 0);
    list = await_list(&world);
    assert_int_equal(list.count, 1);
    assert_endpoint(&list.endpoints[0], "127.0.0.1:3000");
    close_world(&world);
}

/* More than a message holds, without an end. */
static char *listen_on_many(void *data)
{
    const unsigned *count = data;

    for (unsigned i = 0; i < *count; i++) {
        struct sockaddr_in address = {
            .sin_family = AF_INET,
            .sin_port = htons((uint16_t)(20000 - i)),
        };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 ||
            bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
            listen(fd, 1) < 0)
            return g_strdup("listen");
    }
    return NULL;
}

static void rest_of_too_many_is_left_out(void **state)
{
    RnAgentSetup setup = make_watching_setup();
    unsigned count = RN_LISTENING_MAX + 44;
    Netns inside;
    World world;
    int pair[2] = { -1, -1 };
    RnAgentListening list = { 0 };
    char byte = 0;
    pid_t pid = 0;

    (void)state;
    open_world_with(&world, &setup);
    inside = world.netns;
    assert_int_equal(pipe(pair), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        rn_signals_reset();
        (void)close(pair[1]);
        if (setns(inside.userns_fd, CLONE_NEWUSER) == 0 &&
            setns(inside.netns_fd, CLONE_NEWNET) == 0 &&
            listen_on_many(&count) == NULL)
            (void)!read(pair[0], &byte, 1); /* until the test closes its end */
        _exit(0);
    }
    (void)close(pair[0]);
    while (list.count < RN_LISTENING_MAX || list.endpoints[0].port != 19701)
        list = await_list(&world);
    assert_int_equal(list.count, RN_LISTENING_MAX);
    assert_int_equal(list.endpoints[RN_LISTENING_MAX - 1].port, 19956);
    (void)close(pair[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_is_sent_at_first_and_at_each_change),
        cmocka_unit_test(sockets_that_do_not_listen_or_are_our_own_left_out),
        cmocka_unit_test(rest_of_too_many_is_left_out),
    };

    return cmocka_run_group_tests_name("agent-watch", tests, NULL, NULL);
}
