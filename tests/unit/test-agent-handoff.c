/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-agent-handoff - what nsagent does to the container's outbound TCP
 *
 * The test plays the monitor and the relay: it reads the link's frames itself,
 * and asks nsagent for the other end of a connection.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <seccomp.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <netinet/in.h>

#include <rnet/net/inside-socket.h>
#include <rnet/sys/sysctl.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

#include "agent-world.h"
#include "frames.h"

static RnAgentSetup make_handoff_setup(void)
{
    RnAgentSetup setup = make_setup(true);

    setup.plan = test_plan();
    setup.plan.handoff_mode = RN_HANDOFF_MODE_ON;
    return setup;
}

static void open_handoff_world(World *world)
{
    RnAgentSetup setup = make_handoff_setup();

    require_tun();
    open_world_with(world, &setup);
    assert_true(rn_fd_set_nonblocking(world->link, true, NULL));
}

static void assert_no_segment(const World *world)
{
    static uint8_t buffer[LINK_PREFIX + RN_FRAME_MAX];
    ssize_t got = 0;

    while ((got = read(world->link, buffer, sizeof buffer)) > LINK_PREFIX) {
        RnFrame frame;

        if (rn_frame_parse(buffer + LINK_PREFIX, (gsize)got - LINK_PREFIX,
                           &frame) &&
            frame.protocol == IPPROTO_TCP)
            fail_msg("a TCP segment with flags %x", frame.tcp_flags);
    }
    assert_int_equal(errno, EAGAIN);
}

static void pass_byte(int from, int to)
{
    char byte = 0;

    assert_int_equal(write(from, "x", 1), 1);
    assert_true(rn_fd_set_nonblocking(to, false, NULL));
    assert_int_equal(read(to, &byte, 1), 1);
    assert_int_equal(byte, 'x');
}

static RnEndpoint get_name(int fd, int (*func)(int, struct sockaddr *restrict,
                                               socklen_t *restrict))
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    RnEndpoint name;

    assert_int_equal(func(fd, (struct sockaddr *)&storage, &length), 0);
    rn_endpoint_from_sockaddr(&storage, &name);
    return name;
}

/* Completes the client's connection from the destination's address. */
static int answer_syn(const World *world, const RnFrame *syn)
{
    RnSocketRequest request = {
        .local = syn->destination,
        .remote = syn->source,
    };
    int errno_value = 0;
    int fd = ask(world, &request, &errno_value);

    assert_int_equal(errno_value, 0);
    assert_int_equal(await_connect(fd), 0);
    return fd;
}

static void connect_and_pass_bytes(const World *world, const char *address)
{
    const RnNetworkPlan plan = test_plan();
    RnEndpoint to = endpoint_of(address, 443), name;
    rn_autofd int listener =
        netns_listen(&world->netns, SOCK_STREAM,
                     to.family == AF_INET ? "0.0.0.0" : "::", 443);
    rn_autofd int client = netns_connect(&world->netns, SOCK_STREAM, &to, NULL);
    rn_autofd int inside = -1;
    RnFrame syn;

    assert_true(listener >= 0);
    await_segment(world, &syn);
    assert_memory_equal(syn.ether, plan.handoff_mac, 6);
    assert_int_equal(syn.tcp_flags & (RN_TCP_SYN | RN_TCP_ACK), RN_TCP_SYN);
    assert_true(rn_endpoint_equal(&syn.destination, &to));
    inside = answer_syn(world, &syn);
    assert_int_equal(await_connect(client), 0);
    pass_byte(client, inside);
    pass_byte(inside, client);
    name = get_name(client, getpeername);
    assert_true(rn_endpoint_equal(&name, &to));
    name = get_name(client, getsockname);
    assert_true(rn_endpoint_equal(&name, &syn.source));
    assert_no_segment(world);
}

static void connection_needs_its_syn_from_the_link_only(void **state)
{
    World world;

    (void)state;
    open_handoff_world(&world);
    connect_and_pass_bytes(&world, "192.0.2.1");
    connect_and_pass_bytes(&world, "2001:db8::1");
    connect_and_pass_bytes(&world, "10.0.2.2"); /* inside the network, too */
    close_world(&world);
}

static void spare_connects_without_the_agent(void **state)
{
    RnEndpoint to = endpoint_of("192.0.2.1", 80);
    World world;
    RnFrame syn;
    int errno_value = 0, client = -1, inside = -1;

    (void)state;
    open_handoff_world(&world);
    client = netns_connect(&world.netns, SOCK_STREAM, &to, NULL);
    await_segment(&world, &syn);
    inside = ask(
        &world,
        &(RnSocketRequest){ .n_spares = 1, .remote = { .family = AF_INET } },
        &errno_value);
    assert_int_equal(errno_value, 0);
    errno_value =
        rn_inside_socket_connect(inside, &syn.destination, &syn.source);
    assert_true(errno_value == 0 || errno_value == EINPROGRESS);
    assert_int_equal(await_connect(inside), 0);
    assert_int_equal(await_connect(client), 0);
    pass_byte(inside, client);
    rn_fd_close(&inside);
    rn_fd_close(&client);
    close_world(&world);
}

static char *add_address(void *data)
{
    const RnEndpoint *address = data;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(NULL);
    unsigned index = 0;

    if (netlink == NULL ||
        !rn_netlink_link_index(netlink, "lo", &index, NULL) ||
        !rn_netlink_address_add(netlink, index, address,
                                address->family == AF_INET ? 32 : 128,
                                RN_ADDRESS_NODAD, NULL))
        return g_strdup("cannot add an address");
    return NULL;
}

static void other_address_of_the_container_is_left_to_libslirp(void **state)
{
    static const char *const pairs[][2] = {
        { "172.20.0.1", "192.0.2.1" },
        { "2001:db8:1::1", "2001:db8::1" },
    };
    const RnNetworkPlan plan = test_plan();
    World world;

    (void)state;
    open_handoff_world(&world);
    netns_run(&world.netns, add_gateways, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        RnEndpoint source = endpoint_of(pairs[i][0], 0);
        RnEndpoint to = endpoint_of(pairs[i][1], 80);
        rn_autofd int client = -1;
        RnFrame frame;

        netns_run(&world.netns, add_address, &source);
        client = netns_connect(&world.netns, SOCK_STREAM, &to, &source);
        await_segment(&world, &frame);
        assert_memory_equal(frame.ether, plan.gateway_mac, 6);
        assert_true(rn_endpoint_same_address(&frame.source, &source));
    }
    close_world(&world);
}

/* From the kernel's choice of an address, which is that same one. */
static void service_on_another_address_is_reached_from_it(void **state)
{
    static const char *const addresses[] = { "172.20.0.1", "2001:db8:1::1" };
    World world;

    (void)state;
    open_handoff_world(&world);
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        RnSocketRequest request = { .remote = endpoint_of(addresses[i], 80) };
        RnEndpoint bare = endpoint_of(addresses[i], 0);
        rn_autofd int listener = -1, client = -1, service = -1;
        int errno_value = 0;

        netns_run(&world.netns, add_address, &bare);
        listener = netns_listen(&world.netns, SOCK_STREAM, addresses[i], 80);
        client = ask(&world, &request, &errno_value);
        assert_int_equal(errno_value, 0);
        assert_int_equal(await_connect(client), 0);
        service = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        pass_byte(client, service);
    }
    assert_no_segment(&world);
    close_world(&world);
}

static void own_connections_stay_on_lo(void **state)
{
    static const char *const addresses[] = { "127.0.0.1", "10.0.2.100", "::1",
                                             "fd00::100" };
    World world;

    (void)state;
    open_handoff_world(&world);
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        RnEndpoint to = endpoint_of(addresses[i], 8080);
        rn_autofd int listener =
            netns_listen(&world.netns, SOCK_STREAM, addresses[i], 8080);
        rn_autofd int client =
            netns_connect(&world.netns, SOCK_STREAM, &to, NULL);
        rn_autofd int service = -1;

        assert_int_equal(await_connect(client), 0);
        service = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        pass_byte(client, service);
    }
    assert_no_segment(&world);
    close_world(&world);
}

static void service_published_needs_no_rule_of_its_own(void **state)
{
    static const struct {
        const char *guest, *client;
        uint16_t port;
    } rows[] = {
        { "10.0.2.100", "192.0.2.7", 80 },
        { "10.0.2.100", "192.0.2.7", 65535 },
        { "fd00::100", "2001:db8::7", 80 },
    };
    g_autofree char *reserved = NULL;
    World world;

    (void)state;
    open_handoff_world(&world);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        RnSocketRequest request = {
            .local = endpoint_of(rows[i].client, 40000),
            .remote = endpoint_of(rows[i].guest, rows[i].port),
        };
        rn_autofd int listener = netns_listen(
            &world.netns, SOCK_STREAM,
            request.local.family == AF_INET ? "0.0.0.0" : "::", rows[i].port);
        rn_autofd int client = -1, service = -1;
        int errno_value = 0;
        RnEndpoint seen;

        client = ask(&world, &request, &errno_value);
        assert_int_equal(errno_value, 0);
        assert_int_equal(await_connect(client), 0);
        service = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        seen = get_name(service, getpeername);
        assert_true(rn_endpoint_equal(&seen, &request.local));
        pass_byte(service, client);
    }
    assert_no_segment(&world);
    reserved =
        netns_read_sysctl(&world.netns, "net/ipv4/ip_local_reserved_ports");
    assert_string_equal(reserved, "");
    close_world(&world);
}

/* Another after one that was killed: at EOF it would take its rules along. */
static void start_second_agent(World *world)
{
    RnAgentSetup setup = make_handoff_setup();
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };
    RnAgentReady ready;

    assert_int_equal(kill(world->pid, SIGKILL), 0);
    (void)wait_for_exit(world);
    rn_fd_close(&world->monitor);
    setup.make_link = 0;
    start_agent(world);
    assert_true(rn_msg_send(
        world->monitor, RN_MSG_AGENT_SETUP, &setup, sizeof setup,
        (int[]){ world->netns.netns_fd, world->netns.userns_fd }, 2, NULL));
    if (!rn_msg_expect(world->monitor, RN_MSG_AGENT_READY, sizeof ready, 0,
                       &msg, &error))
        fail_msg("%s", error->message);
    memcpy(&ready, msg.payload, sizeof ready);
    assert_int_equal(ready.handoff_mode, RN_HANDOFF_MODE_ON);
    serve(world);
}

static void second_agent_does_it_again(void **state)
{
    World world;

    (void)state;
    open_handoff_world(&world);
    start_second_agent(&world);
    connect_and_pass_bytes(&world, "192.0.2.1");
    close_world(&world);
}

static void end_takes_the_rules_back(void **state)
{
    const RnEndpoint to = { .family = AF_INET, .address = { 192 }, .port = 80 };
    const RnNetworkPlan plan = test_plan();
    World world;
    RnFrame syn;
    rn_autofd int client = -1;

    (void)state;
    open_handoff_world(&world);
    rn_fd_close(&world.monitor);
    assert_int_equal(wait_for_exit(&world), 0);
    netns_run(&world.netns, add_gateways, NULL);
    client = netns_connect(&world.netns, SOCK_STREAM, &to, NULL);
    await_segment(&world, &syn);
    assert_memory_equal(syn.ether, plan.gateway_mac, 6);
    rn_fd_close(&world.serving);
    rn_fd_close(&world.link);
    netns_close(&world.netns);
}

static char *switch_ipv6_off(void *data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    if (!rn_sysctl_write("net/ipv6/conf/all/disable_ipv6", "1", &error))
        return g_strdup(error->message);
    return NULL;
}

static void second_agent_does_what_is_left_to_do(void **state)
{
    World world;

    (void)state;
    open_handoff_world(&world);
    netns_run(&world.netns, switch_ipv6_off, NULL);
    start_second_agent(&world);
    connect_and_pass_bytes(&world, "192.0.2.1");
    close_world(&world);
}

/* As a kernel without nf_tables does. */
static void refuse_netfilter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (filter == NULL ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT),
                         SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
                         SCMP_A2(SCMP_CMP_EQ, NETLINK_NETFILTER)) < 0 ||
        seccomp_load(filter) < 0)
        _exit(EXIT_FAILURE);
    seccomp_release(filter);
}

/* Has an nsagent without nf_tables configure a fresh namespace. */
static bool configure_without_nft(World *world, RnHandoffMode mode, RnMsg *msg,
                                  GError **error)
{
    RnAgentSetup setup = make_handoff_setup();

    *world = (World){ .monitor = -1, .serving = -1, .link = -1 };
    setup.plan.handoff_mode = (uint8_t)mode;
    setup.log_level = RN_LOG_ERROR;
    netns_open(&world->netns);
    start_agent_after(world, refuse_netfilter);
    assert_true(rn_msg_send(
        world->monitor, RN_MSG_AGENT_SETUP, &setup, sizeof setup,
        (int[]){ world->netns.netns_fd, world->netns.userns_fd }, 2, NULL));
    return rn_msg_expect(world->monitor, RN_MSG_AGENT_READY,
                         sizeof(RnAgentReady), 1, msg, error);
}

static void without_nf_tables_auto_leaves_tcp_to_libslirp(void **state)
{
    const RnNetworkPlan plan = test_plan();
    RnEndpoint to = endpoint_of("192.0.2.1", 80);
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };
    g_autofree char *reserved = NULL;
    rn_autofd int client = -1;
    RnAgentReady ready;
    RnFrame syn;
    World world;

    (void)state;
    require_tun();
    if (!configure_without_nft(&world, RN_HANDOFF_MODE_AUTO, &msg, &error))
        fail_msg("%s", error->message);
    memcpy(&ready, msg.payload, sizeof ready);
    assert_int_equal(ready.handoff_mode, RN_HANDOFF_MODE_OFF);
    world.link = rn_msg_steal_fd(&msg, 0);
    netns_run(&world.netns, add_gateways, NULL);
    client = netns_connect(&world.netns, SOCK_STREAM, &to, NULL);
    await_segment(&world, &syn);
    assert_memory_equal(syn.ether, plan.gateway_mac, 6);
    /* published ports have rules of their own then */
    reserved =
        netns_read_sysctl(&world.netns, "net/ipv4/ip_local_reserved_ports");
    assert_string_equal(reserved, "80,8000-8010");
    close_world(&world);
}

static void without_nf_tables_on_fails_and_says_so(void **state)
{
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };
    World world;

    (void)state;
    require_tun();
    assert_false(
        configure_without_nft(&world, RN_HANDOFF_MODE_ON, &msg, &error));
    assert_non_null(strstr(error->message, "TCP handoff: nf_tables: "));
    assert_non_null(
        strstr(error->message, "hint: the kernel has no nf_tables"));
    assert_true(rn_error_is_errno(error, EPROTONOSUPPORT));
    (void)wait_for_exit(&world);
    rn_fd_close(&world.monitor);
    netns_close(&world.netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_needs_its_syn_from_the_link_only),
        cmocka_unit_test(spare_connects_without_the_agent),
        cmocka_unit_test(other_address_of_the_container_is_left_to_libslirp),
        cmocka_unit_test(service_on_another_address_is_reached_from_it),
        cmocka_unit_test(own_connections_stay_on_lo),
        cmocka_unit_test(service_published_needs_no_rule_of_its_own),
        cmocka_unit_test(second_agent_does_it_again),
        cmocka_unit_test(end_takes_the_rules_back),
        cmocka_unit_test(second_agent_does_what_is_left_to_do),
        cmocka_unit_test(without_nf_tables_auto_leaves_tcp_to_libslirp),
        cmocka_unit_test(without_nf_tables_on_fails_and_says_so),
    };

    return cmocka_run_group_tests_name("agent-handoff", tests, NULL, NULL);
}
