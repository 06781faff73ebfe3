/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-agent - nsagent as its peers see it: the test plays monitor and relay
 *
 * No link is made here, so this works without /dev/net/tun.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

#include "agent-world.h"

static void request_malformed_in_a_field_answered_with_einval(void **state)
{
    RnEndpoint v4 = endpoint_of("127.0.0.1", 9);
    RnEndpoint v6 = endpoint_of("::1", 9);
    RnEndpoint any = endpoint_of("0.0.0.0", 9);
    RnEndpoint port0 = endpoint_of("127.0.0.1", 0);
    RnEndpoint family = { .family = AF_UNIX, .port = 9, .address = { 1 } };
    const RnSocketRequest cases[] = {
        { .id = 1, .n_spares = RN_SPARES_MAX + 1, .remote = v4 },
        { .id = 2, .reserved = 1, .remote = v4 },
        { .id = 3, .remote = family },
        { .id = 4, .remote = any },
        { .id = 5, .remote = port0 },
        { .id = 6, .remote = { 0 } },
        { .id = 7, .remote = v4, .local = v6 },
        { .id = 8, .remote = v4, .local = any },
        { .id = 9, .remote = v4, .local = family },
        { .id = 10, .n_spares = 1, .remote = family },
    };
    World world;
    int errno_value = 0;
    int fd = -1;

    (void)state;
    open_world(&world, false);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(ask(&world, &cases[i], &errno_value), -1);
        assert_int_equal(errno_value, EINVAL);
    }
    fd = ask(&world, &(RnSocketRequest){ .n_spares = 1, .remote = v4 },
             &errno_value);
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    (void)close(fd);
    close_world(&world);
}

static void port_closed_refused(void **state)
{
    RnSocketRequest request = { .remote = endpoint_of("127.0.0.1", 9) };
    World world;
    int errno_value = 0;
    int fd = -1;

    (void)state;
    open_world(&world, false);
    fd = ask(&world, &request, &errno_value);
    if (fd >= 0)
        errno_value = await_connect(fd);
    assert_int_equal(errno_value, ECONNREFUSED);
    rn_fd_close(&fd);
    close_world(&world);
}

static void protocol_violated_costs_the_serving_socket_only(void **state)
{
    RnSocketRequest request = {
        .n_spares = 1,
        .remote = endpoint_of("127.0.0.1", 9),
    };
    const struct {
        uint32_t type;
        gsize length;
        unsigned n_fds;
    } cases[] = {
        { RN_MSG_SOCKET_REQUEST, sizeof request - 1, 0 },
        { RN_MSG_SOCKET_REQUEST, 0, 0 },
        { RN_MSG_SOCKET_REQUEST, sizeof request, 1 },
        { RN_MSG_SOCKET_REPLY, sizeof request, 0 },
        { 0, sizeof request, 0 },
    };
    World world;
    int errno_value = 0;

    (void)state;
    open_world(&world, false);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnMsg) msg = { 0 };
        g_autoptr(GError) error = NULL;
        int fd = -1;

        assert_true(rn_msg_send(world.serving, cases[i].type, &request,
                                cases[i].length, &world.serving, cases[i].n_fds,
                                NULL));
        assert_false(rn_msg_recv(world.serving, &msg, &error));
        assert_error(error, RN_ERROR, RN_ERROR_PEER_DIED, "");
        serve(&world);
        fd = ask(&world, &request, &errno_value);
        assert_true(fd >= 0);
        (void)close(fd);
    }
    close_world(&world);
}

/* Sends requests until neither side takes any more; returns their number. */
static uint64_t fill_queues(const World *world, RnSocketRequest *request)
{
    g_autoptr(GError) error = NULL;

    assert_true(rn_fd_set_nonblocking(world->serving, true, NULL));
    while (rn_msg_send(world->serving, RN_MSG_SOCKET_REQUEST, request,
                       sizeof *request, NULL, 0, &error))
        request->id++;
    assert_error(error, RN_ERRNO, EAGAIN, "");
    assert_true(rn_fd_set_nonblocking(world->serving, false, NULL));
    return request->id;
}

static void replies_not_read_arrive_whole_and_in_order_later(void **state)
{
    RnSocketRequest request = {
        .n_spares = 1,
        .remote = endpoint_of("127.0.0.1", 9),
    };
    World world;
    uint64_t sent = 0;

    (void)state;
    open_world(&world, false);
    sent = fill_queues(&world, &request);
    for (uint64_t i = 0; i < sent; i++) {
        g_auto(RnMsg) msg = { 0 };
        RnSocketReply reply = { 0 };

        assert_true(rn_msg_expect(world.serving, RN_MSG_SOCKET_REPLY,
                                  sizeof reply, 1, &msg, NULL));
        memcpy(&reply, msg.payload, sizeof reply);
        assert_int_equal(reply.id, i);
    }
    close_world(&world);
}

static void monitor_gone_while_queues_are_full_still_ends_it(void **state)
{
    RnSocketRequest request = {
        .n_spares = 1,
        .remote = endpoint_of("127.0.0.1", 9),
    };
    World world;

    (void)state;
    open_world(&world, false);
    assert_true(fill_queues(&world, &request) > 0);
    close_world(&world);
}

static void setup_bad_reported_and_ended(void **state)
{
    RnAgentSetup good = make_setup(false);
    RnAgentSetup bad = make_setup(false);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const struct {
        const RnAgentSetup *setup;
        unsigned n_fds;
        const char *part;
    } cases[] = {
        { &good, 0, "where the set-up was due" },
        { &good, 3, "where the set-up was due" },
        { &bad, 2, "mtu 1" },
        { &good, 2, "join the user namespace" },
        { &good, 1, "join the network namespace" },
    };

    (void)state;
    bad.plan.mtu = 1;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        World world = { .monitor = -1 };
        g_autoptr(GError) error = NULL;
        g_auto(RnMsg) msg = { 0 };
        int status = 0;

        start_agent(&world);
        assert_true(rn_msg_send(
            world.monitor, RN_MSG_AGENT_SETUP, cases[i].setup, sizeof good,
            (int[]){ null, null, null }, cases[i].n_fds, NULL));
        assert_false(rn_msg_expect(world.monitor, RN_MSG_AGENT_READY, 0, 0,
                                   &msg, &error));
        assert_non_null(strstr(error->message, cases[i].part));
        status = wait_for_exit(&world);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
        rn_fd_close(&world.monitor);
    }
    rn_fd_close(&null);
}

static void process_ready_is_confined(void **state)
{
    static const char *const lines[] = {
        "\nCapPrm:\t0000000000001400\n", /* NET_ADMIN, NET_BIND_SERVICE */
        "\nCapEff:\t0000000000001400\n",
        "\nCapBnd:\t0000000000001400\n",
        "\nCapAmb:\t0000000000000000\n",
        "\nNoNewPrivs:\t1\n",
        "\nSeccomp:\t2\n",
        "\nThreads:\t1\n",
    };
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    World world;

    (void)state;
    open_world(&world, false);
    path = g_strdup_printf("/proc/%d/status", (int)world.pid);
    assert_true(rn_file_read(AT_FDCWD, path, 65536, &text, NULL, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (strstr(text, lines[i]) == NULL)
            fail_msg("no \"%s\" in:\n%s", lines[i] + 1, text);
    }
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_malformed_in_a_field_answered_with_einval),
        cmocka_unit_test(port_closed_refused),
        cmocka_unit_test(protocol_violated_costs_the_serving_socket_only),
        cmocka_unit_test(replies_not_read_arrive_whole_and_in_order_later),
        cmocka_unit_test(monitor_gone_while_queues_are_full_still_ends_it),
        cmocka_unit_test(setup_bad_reported_and_ended),
        cmocka_unit_test(process_ready_is_confined),
    };

    return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
