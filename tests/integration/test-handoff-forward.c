/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-handoff-forward - a network namespace behind the container's
 *
 * Role:     a client whose packets the container forwards
 * Runs in:  see world.h and handoff.h
 * Data:     a veth pair, its far end in a namespace that the body makes; the
 *           container answers ARP for it, so no source is translated
 */
#include "config.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rnet/sys/netlink.h>
#include <rnet/util/fd.h>

#include "check.h"
#include "handoff.h"
#include "peer.h"

#define NEAR_ADDRESS "172.20.0.1"
#define FAR_ADDRESS  "172.20.0.2"

enum {
    PREFIX = 24,
    MTU = 1500
};

/* Both steps in the namespace that the body is in. */
static void set_up_end(const char *name, const char *address,
                       const char *gateway)
{
    const RnLinkChange up = { .up = true };
    GError *error = NULL;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(&error);
    RnDefaultRoute route = { .family = AF_INET };
    RnEndpoint endpoint;

    if (netlink == NULL ||
        !rn_netlink_link_index(netlink, name, &route.link_index, &error) ||
        !rn_endpoint_parse_address(address, &endpoint, &error) ||
        !rn_netlink_address_add(netlink, route.link_index, &endpoint, PREFIX,
                                RN_ADDRESS_PLAIN, &error) ||
        !rn_netlink_link_change(netlink, name, &up, &error))
        check_no_error(error);
    if (gateway == NULL)
        return;
    if (!rn_endpoint_parse_address(gateway, &route.gateway, &error) ||
        !rn_netlink_route_add(netlink, &route, &error))
        check_no_error(error);
}

static void add_veth(int far_netns)
{
    const RnVeth veth = {
        .name = "near",
        .peer = "far",
        .peer_netns_fd = far_netns,
        .mtu = MTU,
    };
    GError *error = NULL;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(&error);

    if (netlink == NULL || !rn_netlink_veth_add(netlink, &veth, &error))
        check_no_error(error);
}

/* A namespace behind the container's, and a stream socket in it. */
static int open_far_socket(const Inside *inside)
{
    inside_enter(inside);
    check_call(unshare(CLONE_NEWNET) == 0, "make a network namespace");
    rn_autofd int far = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    check_call(far >= 0, "open a network namespace");
    inside_enter(inside);
    add_veth(far);
    set_up_end("near", NEAR_ADDRESS, NULL);
    check_call(setns(far, CLONE_NEWNET) == 0, "enter a network namespace");
    set_up_end("far", FAR_ADDRESS, NEAR_ADDRESS);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check_call(fd >= 0, "socket");
    inside_leave(inside);
    peer_set_timeouts(fd);
    inside_sysctl(inside, "net/ipv4/ip_forward", "1");
    inside_sysctl(inside, "net/ipv4/conf/tap0/proxy_arp", "1");
    return fd;
}

/* The container's own TCP goes on beside it. */
static void test_forwarded(Inside *inside, const Side *side)
{
    g_auto(Pair) own = PAIR_CLOSED;
    rn_autofd int listener = peer_serve(SOCK_STREAM, side->outside, 0);
    rn_autofd int client = open_far_socket(inside);

    pair_open(&own, inside, side);
    int failure = inside_dial(client, side->outside, peer_port(listener));
    check(failure == 0, "connect through the container: %s",
          g_strerror(failure));
    rn_autofd int server = peer_accept(listener);
    peer_send(client, "forwarded");
    peer_expect(server, "forwarded");
    peer_send(server, "and back");
    peer_expect(client, "and back");
    pair_exchange(&own);
}

int main(void)
{
    static const HandoffTest tests[] = {
        { "forwarded_flow_reaches_server", test_forwarded, HANDOFF_IPV4 },
    };

    return handoff_run_tests("handoff-forward", tests, G_N_ELEMENTS(tests));
}
