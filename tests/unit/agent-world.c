/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-world - nsagent in a forked child, in a namespace of the test's own
 *
 * The test holds the monitor's and the relay's end of its conversations.
 */
#include "config.h"

#include "agent-world.h"
#include "frames.h"

#include <poll.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <rnet/sys/netlink.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

static const RnPortRange published[] = {
    { 80, 80, RN_TRANSPORT_TCP },
    { 53, 53, RN_TRANSPORT_UDP },
    { 8000, 8010, RN_TRANSPORT_TCP },
};

RnEndpoint endpoint_of(const char *text, uint16_t port)
{
    RnEndpoint endpoint = { 0 };

    assert_true(rn_endpoint_parse_address(text, &endpoint, NULL));
    endpoint.port = port;
    return endpoint;
}

RnAgentSetup make_setup(bool make_link)
{
    RnAgentSetup setup = {
        .plan = {
            .interface = "tap0",
            .mtu = 65520,
            .guest_mac = { 0x02, 0, 0, 0, 0, 0x64 },
            .prefix4 = 24,
            .prefix6 = 64,
            .network4 = endpoint_of("10.0.2.0", 0),
            .guest4 = endpoint_of("10.0.2.100", 0),
            .gateway4 = endpoint_of("10.0.2.2", 0),
            .network6 = endpoint_of("fd00::", 0),
            .guest6 = endpoint_of("fd00::100", 0),
            .gateway6 = endpoint_of("fd00::2", 0),
            .handoff_mode = RN_HANDOFF_MODE_OFF,
        },
        .make_link = make_link,
        .n_ranges = G_N_ELEMENTS(published),
        .log_level = RN_LOG_WARNING,
    };

    memcpy(setup.ranges, published, sizeof published);
    return setup;
}

void start_agent(World *world)
{
    start_agent_after(world, NULL);
}

void start_agent_after(World *world, void (*prepare)(void))
{
    int pair[2] = { -1, -1 };

    assert_true(rn_msg_pair(pair, NULL));
    world->pid = fork();
    assert_true(world->pid >= 0);
    if (world->pid == 0) {
        rn_signals_reset();
        (void)close(pair[0]);
        if (prepare != NULL)
            prepare();
        _exit(rn_agent_run(pair[1]));
    }
    (void)close(pair[1]);
    world->monitor = pair[0];
}

void serve(World *world)
{
    int pair[2] = { -1, -1 };

    rn_fd_close(&world->serving);
    assert_true(rn_msg_pair(pair, NULL));
    assert_true(rn_msg_send(world->monitor, RN_MSG_AGENT_SERVE, NULL, 0,
                            &pair[1], 1, NULL));
    (void)close(pair[1]);
    world->serving = pair[0];
}

void open_world(World *world, bool make_link)
{
    RnAgentSetup setup = make_setup(make_link);

    open_world_with(world, &setup);
}

void open_world_with(World *world, const RnAgentSetup *setup)
{
    bool make_link = setup->make_link != 0;
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };

    *world = (World){ .monitor = -1, .serving = -1, .link = -1 };
    netns_open(&world->netns);
    if (!make_link)
        netns_bring_up_loopback(&world->netns);
    start_agent(world);
    assert_true(rn_msg_send(
        world->monitor, RN_MSG_AGENT_SETUP, setup, sizeof *setup,
        (int[]){ world->netns.netns_fd, world->netns.userns_fd }, 2, NULL));
    (void)!rn_msg_expect(world->monitor, RN_MSG_AGENT_READY,
                         sizeof(RnAgentReady), make_link, &msg, &error);
    assert_no_error(error);
    if (make_link)
        world->link = rn_msg_steal_fd(&msg, 0);
    serve(world);
}

char *add_gateways(void *unused)
{
    const RnNetworkPlan plan = test_plan();
    g_autoptr(RnNetlink) netlink = rn_netlink_open(NULL);
    unsigned index = 0;

    (void)unused;
    if (netlink == NULL ||
        !rn_netlink_link_index(netlink, "tap0", &index, NULL) ||
        !rn_netlink_neighbour_add(netlink, index, &plan.gateway4,
                                  plan.gateway_mac, NULL) ||
        !rn_netlink_neighbour_add(netlink, index, &plan.gateway6,
                                  plan.gateway_mac, NULL))
        return g_strdup("cannot add neighbours");
    return NULL;
}

int wait_for_exit(World *world)
{
    int status = -1;

    assert_int_equal(waitpid(world->pid, &status, 0), world->pid);
    return status;
}

/* The monitor's EOF ends nsagent with success, whatever happened before. */
void close_world(World *world)
{
    int status = 0;

    rn_fd_close(&world->monitor);
    status = wait_for_exit(world);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    rn_fd_close(&world->serving);
    rn_fd_close(&world->link);
    netns_close(&world->netns);
}

void await_segment(const World *world, RnFrame *out_frame)
{
    static uint8_t buffer[LINK_PREFIX + RN_FRAME_MAX];

    for (;;) {
        struct pollfd entry = { .fd = world->link, .events = POLLIN };
        ssize_t got = 0;

        assert_int_equal(poll(&entry, 1, -1), 1);
        got = read(world->link, buffer, sizeof buffer);
        assert_true(got > LINK_PREFIX);
        if (rn_frame_parse(buffer + LINK_PREFIX, (gsize)got - LINK_PREFIX,
                           out_frame) &&
            out_frame->protocol == IPPROTO_TCP)
            return;
    }
}

/* Asks for one socket; its fd, or -1 with the reply's errno. */
int ask(const World *world, const RnSocketRequest *request, int *out_errno)
{
    g_auto(RnMsg) msg = { 0 };
    RnSocketReply reply = { 0 };

    assert_true(rn_msg_send(world->serving, RN_MSG_SOCKET_REQUEST, request,
                            sizeof *request, NULL, 0, NULL));
    assert_true(rn_msg_recv(world->serving, &msg, NULL));
    assert_int_equal(msg.type, RN_MSG_SOCKET_REPLY);
    assert_int_equal(msg.length, sizeof reply);
    memcpy(&reply, msg.payload, sizeof reply);
    assert_int_equal(reply.id, request->id);
    *out_errno = reply.errno_value;
    assert_int_equal(msg.n_fds, reply.errno_value == 0 ? 1 : 0);
    return msg.n_fds == 1 ? rn_msg_steal_fd(&msg, 0) : -1;
}

int await_connect(int fd)
{
    struct pollfd entry = { .fd = fd, .events = POLLOUT };
    int errno_value = 0;
    socklen_t length = sizeof errno_value;

    assert_int_equal(poll(&entry, 1, -1), 1);
    assert_int_equal(
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno_value, &length), 0);
    return errno_value;
}
