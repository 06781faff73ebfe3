/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-agent-manual - nsagent on an interface that its owner configures
 *
 * The test is the owner, as RootlessKit is with slirp4netns: it makes the TAP
 * and gives it addresses when it likes, and learns from the kernel's news of
 * routing rules what nsagent makes of it.
 */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <seccomp.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/fib_rules.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <libmnl/libmnl.h>

#include <rnet/sys/netlink-look.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

#include "agent-world.h"
#include "frames.h"

enum {
    RESULT = 1000, /* a message; not protocol.h's */
};

static const uint8_t owners_mac[6] = { 0x02, 9, 8, 7, 6, 5 };

static char *run_ip(const char *const *arguments)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    int status = -1;

    if (!g_spawn_sync(NULL, (char **)arguments, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                      NULL, NULL, &text, &status, &error))
        return g_strdup(error->message);
    return status == 0 ? NULL : g_strdup(text);
}

/* One command line of ip(8), in the namespace. */
static char *run_line(void *data)
{
    g_auto(GStrv) arguments = g_strsplit(data, " ", -1);

    return run_ip((const char *const *)arguments);
}

static void owner_runs(const World *world, const char *line)
{
    netns_run(&world->netns, run_line, (void *)line);
}

static void make_tap(const World *world)
{
    owner_runs(world, "ip tuntap add name tap0 mode tap");
    owner_runs(world, "ip link set tap0 address 02:09:08:07:06:05");
    owner_runs(world, "ip link set tap0 up");
}

static void give_address(const World *world)
{
    owner_runs(world, "ip link set lo up");
    owner_runs(world, "ip addr add 10.0.2.100/24 dev tap0");
    owner_runs(world, "ip route add default via 10.0.2.2");
}

static char *open_rule_news(void *data)
{
    const struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_IPV4_RULE,
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        !rn_msg_send(*(int *)data, RESULT, NULL, 0, &fd, 1, NULL))
        return g_strdup(g_strerror(errno));
    return NULL;
}

/* A socket with the namespace's news of IPv4 rules. */
static int hear_of_rules(const World *world)
{
    g_auto(RnMsg) msg = { 0 };
    int pair[2] = { -1, -1 };

    assert_true(rn_msg_pair(pair, NULL));
    netns_run(&world->netns, open_rule_news, &pair[1]);
    assert_true(rn_msg_recv(pair[0], &msg, NULL));
    (void)close(pair[0]);
    (void)close(pair[1]);
    return rn_msg_steal_fd(&msg, 0);
}

static int read_preference(const struct nlattr *attribute, void *data)
{
    if (mnl_attr_get_type(attribute) == FRA_PRIORITY)
        *(uint32_t *)data = mnl_attr_get_u32(attribute);
    return MNL_CB_OK;
}

/* Waits for RTM_NEWRULE or RTM_DELRULE of the rule of that preference. */
static void await_rule(int news, uint16_t type, uint32_t preference)
{
    _Alignas(NLMSG_ALIGNTO) char bytes[8192];

    for (;;) {
        ssize_t got = recv(news, bytes, sizeof bytes, 0);
        const struct nlmsghdr *header = (const struct nlmsghdr *)bytes;
        uint32_t seen = 0;

        assert_true(got > 0 && mnl_nlmsg_ok(header, (int)got));
        (void)mnl_attr_parse(header, sizeof(struct fib_rule_hdr),
                             read_preference, &seen);
        if (header->nlmsg_type == type && seen == preference)
            return;
    }
}

static RnAgentSetup make_manual_setup(void)
{
    RnAgentSetup setup = make_setup(true);

    setup.plan = test_plan();
    setup.plan.handoff_mode = RN_HANDOFF_MODE_AUTO;
    setup.plan.is_manual = 1;
    return setup;
}

/* nsagent up to READY, in the namespace as it is. */
static RnAgentReady start_manual(World *world, const RnAgentSetup *setup,
                                 void (*prepare)(void))
{
    unsigned n_links = setup->make_link != 0 ? 1 : 0;
    g_autoptr(GError) error = NULL;
    g_auto(RnMsg) msg = { 0 };
    RnAgentReady ready = { 0 };

    start_agent_after(world, prepare);
    assert_true(rn_msg_send(
        world->monitor, RN_MSG_AGENT_SETUP, setup, sizeof *setup,
        (int[]){ world->netns.netns_fd, world->netns.userns_fd }, 2, NULL));
    if (!rn_msg_expect(world->monitor, RN_MSG_AGENT_READY, sizeof ready,
                       n_links, &msg, &error))
        fail_msg("%s", error->message);
    memcpy(&ready, msg.payload, sizeof ready);
    if (n_links > 0) {
        world->link = rn_msg_steal_fd(&msg, 0);
        assert_true(rn_fd_set_nonblocking(world->link, true, NULL));
    }
    serve(world);
    return ready;
}

static void open_owned(World *world)
{
    g_autofree char *ip = g_find_program_in_path("ip");

    require_tun();
    if (ip == NULL)
        skip_without("no ip(8)");
    *world = (World){ .monitor = -1, .serving = -1, .link = -1 };
    netns_open(&world->netns);
}

/* A connection to the outside that the kernel carries. */
static void connect_handed_off(const World *world)
{
    const RnNetworkPlan plan = test_plan();
    RnEndpoint to = endpoint_of("192.0.2.1", 443);
    rn_autofd int client = netns_connect(&world->netns, SOCK_STREAM, &to, NULL);
    rn_autofd int inside = -1;
    RnSocketRequest request = { .id = 1 };
    int errno_value = 0;
    RnFrame syn;

    await_segment(world, &syn);
    assert_memory_equal(syn.ether, plan.handoff_mac, 6);
    request.local = syn.destination;
    request.remote = syn.source;
    inside = ask(world, &request, &errno_value);
    assert_int_equal(errno_value, 0);
    assert_int_equal(await_connect(inside), 0);
    assert_int_equal(await_connect(client), 0);
}

/* A client from outside of a published service. */
static void connect_published(const World *world, uint16_t port)
{
    RnSocketRequest request = {
        .id = 2,
        .local = endpoint_of("192.0.2.7", 40000),
        .remote = endpoint_of("10.0.2.100", port),
    };
    rn_autofd int listener =
        netns_listen(&world->netns, SOCK_STREAM, "0.0.0.0", port);
    rn_autofd int client = -1;
    int errno_value = 0;

    assert_true(listener >= 0);
    client = ask(world, &request, &errno_value);
    assert_int_equal(errno_value, 0);
    assert_int_equal(await_connect(client), 0);
}

static const uint32_t rule_for_all = RN_AGENT_PREF_HANDOFF + RN_AGENT_RULE_ALL;

static void persistent_tap_of_its_owner_is_handed_off_in_time(void **state)
{
    RnAgentSetup setup = make_manual_setup();
    rn_autofd int news = -1;
    RnAgentReady ready;
    World world;

    (void)state;
    open_owned(&world);
    make_tap(&world);
    news = hear_of_rules(&world);
    ready = start_manual(&world, &setup, NULL);
    assert_int_equal(ready.handoff_mode, RN_HANDOFF_MODE_ON);
    assert_memory_equal(ready.guest_mac, owners_mac, 6);
    give_address(&world);
    await_rule(news, RTM_NEWRULE, rule_for_all);
    connect_handed_off(&world);
    connect_published(&world, 80);
    close_world(&world);
}

static void address_taken_away_and_given_back_is_followed(void **state)
{
    RnAgentSetup setup = make_manual_setup();
    static const char *const turns[][2] = {
        { "ip addr del 10.0.2.100/24 dev tap0",
          "ip addr add 10.0.2.100/24 dev tap0" },
        { "ip link set tap0 down", "ip link set tap0 up" },
        { "ip route del default", "ip link show lo" },
    };
    rn_autofd int news = -1;
    World world;

    (void)state;
    open_owned(&world);
    make_tap(&world);
    news = hear_of_rules(&world);
    (void)start_manual(&world, &setup, NULL);
    give_address(&world);
    for (size_t i = 0; i < G_N_ELEMENTS(turns); i++) {
        await_rule(news, RTM_NEWRULE, rule_for_all);
        owner_runs(&world, turns[i][0]);
        await_rule(news, RTM_DELRULE, rule_for_all);
        owner_runs(&world, turns[i][1]);
        owner_runs(&world, "ip route add default via 10.0.2.2");
    }
    await_rule(news, RTM_NEWRULE, rule_for_all);
    connect_handed_off(&world);
    close_world(&world);
}

/* Without a default route over it: nobody asked for the outside there. */
static void port_published_has_a_rule_while_tcp_is_not_handed_off(void **state)
{
    RnAgentSetup setup = make_manual_setup();
    rn_autofd int news = -1;
    World world;

    (void)state;
    open_owned(&world);
    make_tap(&world);
    news = hear_of_rules(&world);
    (void)start_manual(&world, &setup, NULL);
    owner_runs(&world, "ip link set lo up");
    owner_runs(&world, "ip addr add 10.0.2.100/24 dev tap0");
    await_rule(news, RTM_NEWRULE, RN_AGENT_PREF_PUBLISHED);
    await_rule(news, RTM_NEWRULE, RN_AGENT_PREF_PUBLISHED); /* 8000-8010 */
    connect_published(&world, 80);
    owner_runs(&world, "ip route add default via 10.0.2.2");
    await_rule(news, RTM_NEWRULE, rule_for_all);
    await_rule(news, RTM_DELRULE, RN_AGENT_PREF_PUBLISHED);
    connect_published(&world, 80);
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

static void without_nf_tables_ports_have_rules(void **state)
{
    RnAgentSetup setup = make_manual_setup();
    rn_autofd int news = -1;
    RnAgentReady ready;
    World world;

    (void)state;
    open_owned(&world);
    make_tap(&world);
    news = hear_of_rules(&world);
    ready = start_manual(&world, &setup, refuse_netfilter);
    assert_int_equal(ready.handoff_mode, RN_HANDOFF_MODE_OFF);
    give_address(&world);
    await_rule(news, RTM_NEWRULE, RN_AGENT_PREF_PUBLISHED);
    await_rule(news, RTM_NEWRULE, RN_AGENT_PREF_PUBLISHED);
    connect_published(&world, 8005);
    close_world(&world);
}

static char *look_at_new_tap(void *data)
{
    g_autoptr(RnNetlink) netlink = rn_netlink_open(NULL);
    unsigned index = if_nametoindex("tap0");
    const RnEndpoint *guest = data;
    RnLinkLook look;
    bool has_address = true;

    if (netlink == NULL || index == 0 ||
        !rn_netlink_link_look(netlink, index, &look, NULL) ||
        !rn_netlink_has_address(netlink, index, guest, &has_address, NULL))
        return g_strdup("there is no tap0 to look at");
    if (look.is_up || has_address)
        return g_strdup("tap0 is up, or has an address");
    return NULL;
}

static void tap_that_is_not_there_is_made_and_left_down(void **state)
{
    RnAgentSetup setup = make_manual_setup();
    RnEndpoint guest = endpoint_of("10.0.2.100", 0);
    rn_autofd int news = -1;
    RnAgentReady ready;
    World world;

    (void)state;
    open_owned(&world);
    news = hear_of_rules(&world);
    ready = start_manual(&world, &setup, NULL);
    assert_memory_not_equal(ready.guest_mac, "\0\0\0\0\0\0", 6);
    assert_memory_not_equal(ready.guest_mac, setup.plan.guest_mac, 6);
    netns_run(&world.netns, look_at_new_tap, &guest);
    owner_runs(&world, "ip link set tap0 up");
    give_address(&world);
    await_rule(news, RTM_NEWRULE, rule_for_all);
    connect_handed_off(&world);
    close_world(&world);
}

static void second_agent_goes_on_with_it(void **state)
{
    RnAgentSetup setup = make_manual_setup();
    rn_autofd int news = -1;
    RnAgentReady ready;
    World world;

    (void)state;
    open_owned(&world);
    make_tap(&world);
    news = hear_of_rules(&world);
    (void)start_manual(&world, &setup, NULL);
    give_address(&world);
    await_rule(news, RTM_NEWRULE, rule_for_all);
    rn_fd_close(&world.monitor);
    (void)wait_for_exit(&world);
    setup.make_link = 0;
    setup.plan.handoff_mode = RN_HANDOFF_MODE_ON;
    ready = start_manual(&world, &setup, NULL);
    assert_int_equal(ready.handoff_mode, RN_HANDOFF_MODE_ON);
    assert_memory_equal(ready.guest_mac, owners_mac, 6);
    connect_handed_off(&world);
    owner_runs(&world, "ip addr del 10.0.2.100/24 dev tap0");
    await_rule(news, RTM_DELRULE, rule_for_all);
    close_world(&world);
}

/* What nsagent configures itself may be an interface that is there already. */
static void persistent_tap_is_attached_to_and_configured(void **state)
{
    RnAgentSetup setup = make_manual_setup();
    RnAgentReady ready;
    World world;

    (void)state;
    setup.plan.is_manual = 0;
    open_owned(&world);
    make_tap(&world);
    ready = start_manual(&world, &setup, NULL);
    assert_int_equal(ready.handoff_mode, RN_HANDOFF_MODE_ON);
    assert_memory_equal(ready.guest_mac, setup.plan.guest_mac, 6);
    connect_handed_off(&world);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(persistent_tap_of_its_owner_is_handed_off_in_time),
        cmocka_unit_test(address_taken_away_and_given_back_is_followed),
        cmocka_unit_test(port_published_has_a_rule_while_tcp_is_not_handed_off),
        cmocka_unit_test(without_nf_tables_ports_have_rules),
        cmocka_unit_test(tap_that_is_not_there_is_made_and_left_down),
        cmocka_unit_test(second_agent_goes_on_with_it),
        cmocka_unit_test(persistent_tap_is_attached_to_and_configured),
    };

    return cmocka_run_group_tests_name("agent-manual", tests, NULL, NULL);
}
