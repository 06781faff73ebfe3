/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-slirp4netns-links - links that slirp4netns does not make: an
 * owner's interface, a TAP that is open already, a socket
 *
 * Role:     makes them as callers do, and configures them later
 * Runs in:  see world.h
 * Data:     what goes through the network, and frames
 */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <rnet/net/agent.h>
#include <rnet/sys/netlink.h>
#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "leftovers.h"
#include "peer.h"
#include "slirp.h"

#define GATEWAY     "10.0.2.2"
#define FRAME_BYTES 60 /* an Ethernet frame's least, without its checksum */

enum {
    /* what the handoff adds last: all other TCP is delivered locally */
    LAST_RULE = RN_AGENT_PREF_HANDOFF + RN_AGENT_RULE_ALL,
};

/* A TAP in the namespace that the body is in; its fd. */
static int open_tap(const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    check_call(fd >= 0, "open /dev/net/tun");
    g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    check_call(ioctl(fd, TUNSETIFF, &request) == 0, "TUNSETIFF");
    return fd;
}

static void do_or_fail(bool done, const GError *error)
{
    if (!done)
        check_no_error(error);
}

/* What a caller without --configure does, inside. */
static void configure(const Guest *guest, const char *name)
{
    const RnLinkChange change = { .mtu = 1500, .up = true };
    g_autoptr(RnNetlink) netlink = NULL;
    RnDefaultRoute route = { .family = AF_INET };
    RnEndpoint address;
    GError *error = NULL;

    inside_enter(&guest->inside);
    netlink = rn_netlink_open(&error);
    inside_leave(&guest->inside);
    do_or_fail(netlink != NULL, error);
    do_or_fail(rn_netlink_link_change(netlink, "lo", &change, &error), error);
    do_or_fail(rn_netlink_link_change(netlink, name, &change, &error), error);
    do_or_fail(rn_netlink_link_index(netlink, name, &route.link_index, &error),
               error);
    do_or_fail(rn_endpoint_parse_address("10.0.2.100", &address, &error),
               error);
    do_or_fail(rn_netlink_address_add(netlink, route.link_index, &address, 24,
                                      RN_ADDRESS_PLAIN, &error),
               error);
    do_or_fail(rn_endpoint_parse_address(GATEWAY, &route.gateway, &error),
               error);
    do_or_fail(rn_netlink_route_add(netlink, &route, &error), error);
}

/* A socket with the guest's news of IPv4's rules. */
static int hear_of_rules(const Guest *guest)
{
    const struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_IPV4_RULE,
    };
    int fd = -1;

    inside_enter(&guest->inside);
    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    inside_leave(&guest->inside);
    check_call(fd >= 0, "netlink");
    check_call(bind(fd, (const struct sockaddr *)&address, sizeof address) == 0,
               "news of rules");
    peer_set_timeouts(fd);
    return fd;
}

static int read_preference(const struct nlattr *attribute, void *data)
{
    if (mnl_attr_get_type(attribute) == FRA_PRIORITY)
        *(uint32_t *)data = mnl_attr_get_u32(attribute);
    return MNL_CB_OK;
}

/* nsagent has seen the address, and hands TCP off from now on: what has begun
 * before is reset then. */
static void await_handoff(int news)
{
    _Alignas(NLMSG_ALIGNTO) char bytes[8192];
    uint32_t preference = 0;

    while (preference != LAST_RULE) {
        const struct nlmsghdr *header = (const struct nlmsghdr *)bytes;
        ssize_t got = recv(news, bytes, sizeof bytes, 0);

        check_call(got > 0 && mnl_nlmsg_ok(header, (int)got), "news of rules");
        (void)mnl_attr_parse(header, sizeof(struct fib_rule_hdr),
                             read_preference, &preference);
    }
}

static void check_manual(World *world, bool is_there)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = slirp_socket_path(world);
    if (is_there) {
        inside_enter(&guest.inside);
        rn_autofd int tap = open_tap("tap0");
        check_call(ioctl(tap, TUNSETPERSIST, 1) == 0, "TUNSETPERSIST");
        inside_leave(&guest.inside);
    }
    g_autoptr(Run) run =
        slirp_start(world, WORDS("-a", path, guest.pid, "tap0"));
    rn_autofd int news = hear_of_rules(&guest);
    configure(&guest, "tap0");
    await_handoff(news);
    guest_check_outbound(&guest);
    slirp_publish(world, 1);
    guest_check_published(&guest, 8080);
    rn_fd_close(&news);
    slirp_stop(run, &guest);
}

static void test_interface_of_another_is_attached_to(World *world)
{
    check_manual(world, true);
}

static void test_interface_is_made_and_left_down(World *world)
{
    check_manual(world, false);
}

static void test_tapfd_is_served(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    inside_enter(&guest.inside);
    rn_autofd int tap = open_tap("tap0");
    inside_leave(&guest.inside);
    configure(&guest, "tap0");
    check_call(fcntl(tap, F_SETFD, 0) == 0, "FD_CLOEXEC");
    g_autofree char *number = g_strdup_printf("%d", tap);
    g_autofree char *path = slirp_socket_path(world);
    g_autoptr(Run) run =
        slirp_start(world, WORDS("-a", path, "--netns-type=tapfd", number));
    rn_fd_close(&tap);
    guest_check_outbound(&guest);
    slirp_publish(world, 1);
    guest_check_published(&guest, 8080);
    slirp_stop(run, &guest);
}

/* Who has the gateway's address? */
static const uint8_t arp_request[FRAME_BYTES] = {
    255, 255, 255, 255, 255, 255, 2,  0, 0, 0,   0, 1, 8, 6, /* Ethernet */
    0,   1,   8,   0,   6,   4,   0,  1,                     /* a request */
    2,   0,   0,   0,   0,   1,   10, 0, 2, 100, /* of the guest's */
    0,   0,   0,   0,   0,   0,   10, 0, 2, 2,
};

static void test_bess_serves_packets(World *world)
{
    static const uint8_t gateway_mac[] = { 0x52, 0x55, 10, 0, 2, 2 };
    g_autofree char *path =
        g_build_filename(world->runtime_dir, "bess.sock", NULL);
    uint8_t answer[2048];
    GError *error = NULL;
    rn_autofd int link = -1;

    rn_autofd int ready = -1;
    g_autoptr(Run) run =
        slirp_launch(world, WORDS("--target-type=bess", path), &ready);
    run_await_error(run, "Waiting for connection to ");
    if (!rn_unix_connect(AT_FDCWD, path, SOCK_SEQPACKET, &link, &error))
        check_no_error(error);
    peer_set_timeouts(link);
    slirp_await_ready(run, ready);
    check(send(link, arp_request, sizeof arp_request, 0) == FRAME_BYTES,
          "send a frame");
    do
        check_call(recv(link, answer, sizeof answer, 0) > 42, "an answer");
    while (answer[12] != 8 || answer[13] != 6); /* but router advertisements */
    check(memcmp(answer + 22, gateway_mac, sizeof gateway_mac) == 0,
          "the gateway's MAC");
    check(access(path, F_OK) < 0, "the socket is left");
    run_write(run, "");
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

static const WorldTest tests[] = {
    { "slirp4netns_interface_of_another_is_attached_to",
      test_interface_of_another_is_attached_to, WORLD_NEEDS_LINK },
    { "slirp4netns_interface_is_made_and_left_down",
      test_interface_is_made_and_left_down, WORLD_NEEDS_LINK },
    { "slirp4netns_tapfd_is_served", test_tapfd_is_served, WORLD_NEEDS_LINK },
    { "slirp4netns_bess_serves_packets", test_bess_serves_packets },
};

int main(void)
{
    return world_run_tests("slirp4netns-links", tests, G_N_ELEMENTS(tests));
}
