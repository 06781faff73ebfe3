/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * veth - a link without /dev/net/tun: a veth pair whose outer end is a socket
 *
 * Runs in nsagent, inside the container's network namespace. The outer end is
 * made in a fresh network namespace that nothing but the packet socket on it
 * keeps: so the container has one interface, as with a TAP, no address of its
 * answers on the outer end, whoever holds the socket sees nothing but the
 * link's frames, and all of it goes with the socket. The outer end needs no
 * promiscuous mode: a packet socket sees frames for others too.
 */
#include "config.h"

#include <rnet/sys/veth.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include <rnet/sys/ethtool.h>
#include <rnet/sys/netlink.h>
#include <rnet/util/fd.h>

#define OUTER "link0" /* alone in its namespace */

enum {
    QUEUE_SIZE = 8 << 20, /* bytes: some 100 frames of the largest MTU */
};

#define HINT_TAKEN                                                             \
    "the namespace has an interface of that name already; choose another "     \
    "network namespace"
#define HINT_NO_VETH "load it with \"sudo modprobe veth\""
#define HINT_NAMESPACES                                                        \
    "see /proc/sys/user/max_net_namespaces, and what holds network namespaces"

/* Room for frames that the relay did not read yet; less is slower, no more. */
static void enlarge_queue(int fd)
{
    int size = QUEUE_SIZE;

    /* beyond net.core.rmem_max, which takes the host's CAP_NET_ADMIN */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static bool open_packet_socket(unsigned link_index, int *out_fd, GError **error)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)link_index,
    };
    int on = 1;
    /* protocol 0: nothing is received before bind(2) says from where */
    rn_autofd int fd =
        socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return rn_set_errno(error, errno, "open a packet socket");
    /* or our own writes would come back */
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0)
        return rn_set_errno(error, errno, "set PACKET_IGNORE_OUTGOING");
    enlarge_queue(fd);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return rn_set_errno(error, errno, "bind a packet socket");
    *out_fd = g_steal_fd(&fd);
    return true;
}

/* The outer end makes no IPv6 address: it would talk to the guest about it. */
static bool silence_outer(RnNetlink *netlink, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (rn_netlink_link_change(netlink, OUTER,
                               &(RnLinkChange){ .no_addresses = true },
                               &failure) ||
        rn_error_is_errno(failure, EAFNOSUPPORT)) /* no IPv6 in the kernel */
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool add_pair(RnNetlink *netlink, const RnVeth *veth, GError **error)
{
    g_autoptr(GError) failure = NULL;
    const char *hint = NULL;

    if (rn_netlink_veth_add(netlink, veth, &failure))
        return true;
    if (rn_error_is_errno(failure, EEXIST))
        hint = HINT_TAKEN;
    else if (rn_error_is_errno(failure, EOPNOTSUPP))
        hint = HINT_NO_VETH;
    g_propagate_error(error, g_steal_pointer(&failure));
    return hint != NULL ? rn_error_add_hint(error, "%s", hint) : false;
}

/* In the outer namespace. */
static bool open_outside(const RnVeth *veth, int *out_fd, GError **error)
{
    g_autoptr(RnNetlink) netlink = rn_netlink_open(error);
    unsigned link_index = 0;

    return netlink != NULL && add_pair(netlink, veth, error) &&
           silence_outer(netlink, error) &&
           rn_netlink_link_change(netlink, OUTER, &(RnLinkChange){ .up = true },
                                  error) &&
           rn_netlink_link_index(netlink, OUTER, &link_index, error) &&
           open_packet_socket(link_index, out_fd, error);
}

static bool leave_for_outside(int *out_home, GError **error)
{
    rn_autofd int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    if (home < 0)
        return rn_set_errno(error, errno, "open \"/proc/self/ns/net\"");
    if (unshare(CLONE_NEWNET) < 0) {
        int errno_value = errno;

        (void)rn_set_errno(error, errno_value, "make a network namespace");
        if (errno_value == ENOSPC)
            (void)rn_error_add_hint(error, "%s", HINT_NAMESPACES);
        return false;
    }
    *out_home = g_steal_fd(&home);
    return true;
}

bool rn_veth_open(const char *name, uint32_t mtu, int *out_fd, GError **error)
{
    RnVeth veth = { .name = OUTER, .peer = name, .mtu = mtu };
    rn_autofd int home = -1;
    rn_autofd int fd = -1;
    bool opened = false;

    /* the kernel would take "tap%d" as a pattern */
    if (!rn_link_name_is_valid(name) || strchr(name, '%') != NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "\"%s\" is not an interface name", name);
    if (!leave_for_outside(&home, error))
        return false;
    veth.peer_netns_fd = home;
    opened = open_outside(&veth, &fd, error);
    /* tried in any case; that it fails matters only if nothing did before */
    if (setns(home, CLONE_NEWNET) < 0 && opened)
        return rn_set_errno(error, errno, "return to the network namespace");
    if (!opened || !rn_ethtool_stop_offloads(name, error))
        return false;
    *out_fd = g_steal_fd(&fd);
    return true;
}
