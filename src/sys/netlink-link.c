/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink-link - an interface's addresses and its way to another namespace
 *
 * Runs in the launcher. Each function is one request for netlink.c, or one for
 * each address. In: the kernel's lists, whose attributes are checked all the
 * same.
 */
#include "config.h"

#include <rnet/sys/netlink-link.h>

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>

#include <rnet/sys/netlink-request.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

enum {
    /* of addresses that the owner chose; the others are the kernel's to say */
    OWNER_FLAGS = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR |
                  IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN,
};

/* A list being read. */
typedef struct Listing {
    unsigned link_index;
    GArray *addresses;
} Listing;

G_NORETURN static void open_main(int netns_fd, int socket)
{
    g_autoptr(GError) failure = NULL;
    struct mnl_socket *netlink = NULL;
    int fd = -1;

    if (setns(netns_fd, CLONE_NEWNET) < 0)
        (void)rn_set_errno(&failure, errno, "enter the network namespace");
    else
        netlink = rn_netlink_socket_open(NETLINK_ROUTE, &failure);
    if (netlink == NULL)
        (void)rn_msg_send_error(socket, failure, NULL);
    else {
        fd = mnl_socket_get_fd(netlink);
        /* the other end notices its absence */
        (void)!rn_msg_send(socket, RN_MSG_JOINED, NULL, 0, &fd, 1, NULL);
    }
    _exit(EXIT_SUCCESS);
}

RnNetlink *rn_netlink_open_in(int netns_fd, GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    int pair[2] = { -1, -1 };
    rn_autofd int pidfd = -1;
    pid_t pid = 0;
    bool cloned = false;
    bool answered = false;

    if (!rn_msg_pair(pair, error))
        return NULL;
    cloned = rn_clone(0, &pid, &pidfd, error);
    if (cloned && pid == 0)
        open_main(netns_fd, pair[1]);
    rn_fd_close(&pair[1]);
    answered =
        cloned && rn_msg_expect(pair[0], RN_MSG_JOINED, 0, 1, &msg, error);
    rn_process_end(pid, &pidfd);
    rn_fd_close(&pair[0]);
    return answered ? rn_netlink_adopt(rn_msg_steal_fd(&msg, 0), error) : NULL;
}

static void read_endpoint(const struct nlattr *attribute, uint16_t family,
                          RnEndpoint *endpoint)
{
    size_t length = family == AF_INET6 ? 16 : 4;

    if (mnl_attr_get_payload_len(attribute) != length)
        return;
    endpoint->family = family;
    memcpy(endpoint->address, mnl_attr_get_payload(attribute), length);
}

/* `data` is the RnLinkAddress, whose family is in peer already. */
static int read_attribute(const struct nlattr *attribute, void *data)
{
    RnLinkAddress *address = data;
    uint16_t family = address->peer.family;
    bool is_word = mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0;

    switch (mnl_attr_get_type(attribute)) {
    case IFA_LOCAL:
        read_endpoint(attribute, family, &address->address);
        break;
    case IFA_ADDRESS:
        read_endpoint(attribute, family, &address->peer);
        break;
    case IFA_BROADCAST:
        read_endpoint(attribute, family, &address->broadcast);
        break;
    case IFA_FLAGS:
        if (is_word)
            address->flags = mnl_attr_get_u32(attribute);
        break;
    case IFA_RT_PRIORITY:
        if (is_word)
            address->metric = mnl_attr_get_u32(attribute);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

static void read_address(const struct nlmsghdr *reply, void *data)
{
    const struct ifaddrmsg *body = mnl_nlmsg_get_payload(reply);
    const Listing *listing = data;
    RnLinkAddress address = { 0 };

    if (reply->nlmsg_type != RTM_NEWADDR ||
        mnl_nlmsg_get_payload_len(reply) < sizeof *body ||
        body->ifa_index != listing->link_index ||
        body->ifa_scope != RT_SCOPE_UNIVERSE ||
        (body->ifa_family != AF_INET && body->ifa_family != AF_INET6))
        return;
    address.prefix = body->ifa_prefixlen;
    address.flags = body->ifa_flags;
    address.peer.family = body->ifa_family;
    (void)mnl_attr_parse(reply, sizeof *body, read_attribute, &address);
    /* IPv6 names the own address only where it has a peer */
    if (address.address.family == AF_UNSPEC)
        address.address = address.peer;
    if (address.address.family == AF_UNSPEC ||
        (address.flags & IFA_F_PERMANENT) == 0)
        return;
    address.flags &= OWNER_FLAGS;
    g_array_append_val(listing->addresses, address);
}

bool rn_netlink_link_addresses(RnNetlink *netlink, unsigned link_index,
                               GArray *addresses, GError **error)
{
    Listing listing = { .link_index = link_index, .addresses = addresses };
    RnNetlinkRequest request = {
        .what = "list addresses",
        .func = read_address,
        .data = &listing,
    };

    (void)rn_netlink_request_start(&request, RTM_GETADDR, NLM_F_DUMP,
                                   sizeof(struct ifaddrmsg));
    return rn_netlink_request_run(netlink, &request, error);
}

static void put_endpoint(RnNetlinkRequest *request, uint16_t attribute,
                         const RnEndpoint *endpoint)
{
    if (endpoint->family != AF_UNSPEC)
        mnl_attr_put(request->header, attribute,
                     endpoint->family == AF_INET6 ? 16 : 4, endpoint->address);
}

bool rn_netlink_link_address_add(RnNetlink *netlink, unsigned link_index,
                                 const RnLinkAddress *address, GError **error)
{
    char text[RN_ENDPOINT_TEXT];
    g_autofree char *what = g_strdup_printf(
        "add address %s/%u",
        rn_endpoint_format_address(&address->address, text), address->prefix);
    RnNetlinkRequest request = { .what = what };
    struct ifaddrmsg *body = rn_netlink_request_start(
        &request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *body);

    body->ifa_family = (uint8_t)address->address.family;
    body->ifa_prefixlen = address->prefix;
    body->ifa_scope = RT_SCOPE_UNIVERSE;
    body->ifa_index = link_index;
    mnl_attr_put_u32(request.header, IFA_FLAGS, address->flags);
    put_endpoint(&request, IFA_LOCAL, &address->address);
    put_endpoint(&request, IFA_ADDRESS, &address->peer);
    put_endpoint(&request, IFA_BROADCAST, &address->broadcast);
    if (address->metric != 0)
        mnl_attr_put_u32(request.header, IFA_RT_PRIORITY, address->metric);
    return rn_netlink_request_run(netlink, &request, error);
}

static bool set_down(RnNetlink *netlink, unsigned link_index, GError **error)
{
    RnNetlinkRequest request = { .what = "set the interface down" };
    struct ifinfomsg *link =
        rn_netlink_request_start(&request, RTM_NEWLINK, 0, sizeof *link);

    link->ifi_index = (int)link_index;
    link->ifi_change = IFF_UP;
    return rn_netlink_request_run(netlink, &request, error);
}

bool rn_netlink_link_move(RnNetlink *netlink, unsigned link_index, int netns_fd,
                          const char *new_name, GError **error)
{
    RnNetlinkRequest request = { .what = "move the interface" };
    struct ifinfomsg *link = NULL;

    if (!rn_link_name_is_valid(new_name))
        return rn_set_errno(error, EINVAL, "%s", request.what);
    /* one that is up cannot be renamed before Linux 6.2 */
    if (!set_down(netlink, link_index, error))
        return false;
    link = rn_netlink_request_start(&request, RTM_NEWLINK, 0, sizeof *link);
    link->ifi_index = (int)link_index;
    mnl_attr_put_u32(request.header, IFLA_NET_NS_FD, (uint32_t)netns_fd);
    mnl_attr_put_strz(request.header, IFLA_IFNAME, new_name);
    return rn_netlink_request_run(netlink, &request, error);
}
