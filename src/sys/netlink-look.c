/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink-look - reads the kernel's lists of addresses and routes
 *
 * Runs in nsagent, while it configures and confined. A list is read as a whole
 * and forgotten but for the one answer, so its length takes no memory. News
 * only say that something changed: they are dropped unread, and if there are
 * more than the socket holds (ENOBUFS), that is news as well.
 */
#include "config.h"

#include <rnet/sys/netlink-look.h>

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>

#include <rnet/sys/netlink-request.h>
#include <rnet/util/fd.h>

enum {
    MAC_LENGTH = 6,
    NEWS_MAX = 1024, /* a go, so that who makes them fast stops nobody */
};

static size_t address_length(uint16_t family)
{
    return family == AF_INET6 ? 16 : 4;
}

static int read_mac(const struct nlattr *attribute, void *data)
{
    RnLinkLook *look = data;

    if (mnl_attr_get_type(attribute) == IFLA_ADDRESS &&
        mnl_attr_get_payload_len(attribute) == MAC_LENGTH)
        memcpy(look->mac, mnl_attr_get_payload(attribute), MAC_LENGTH);
    return MNL_CB_OK;
}

static void read_link(const struct nlmsghdr *reply, void *data)
{
    const struct ifinfomsg *link = mnl_nlmsg_get_payload(reply);
    RnLinkLook *look = data;

    if (reply->nlmsg_type != RTM_NEWLINK ||
        mnl_nlmsg_get_payload_len(reply) < sizeof *link)
        return;
    look->is_up = (link->ifi_flags & IFF_UP) != 0;
    (void)mnl_attr_parse(reply, sizeof *link, read_mac, look);
}

bool rn_netlink_link_look(RnNetlink *netlink, unsigned link_index,
                          RnLinkLook *out_look, GError **error)
{
    RnLinkLook look = { 0 };
    RnNetlinkRequest request = {
        .what = "look at an interface",
        .func = read_link,
        .data = &look,
    };
    struct ifinfomsg *body =
        rn_netlink_request_start(&request, RTM_GETLINK, 0, sizeof *body);

    body->ifi_index = (int)link_index;
    if (!rn_netlink_request_run(netlink, &request, error))
        return false;
    *out_look = look;
    return true;
}

/* What is looked for in a list, and what an entry of it says. */
typedef struct Search {
    unsigned link_index;
    uint16_t family;
    const RnEndpoint *address;
    bool is_found;
    bool matches; /* the entry, so far */
    uint32_t flags, table, output;
} Search;

static int read_address_attribute(const struct nlattr *attribute, void *data)
{
    Search *search = data;
    uint16_t type = mnl_attr_get_type(attribute);
    size_t length = address_length(search->family);

    /* IPv6 has the own address as IFA_ADDRESS, unless there is a peer */
    if (type == IFA_LOCAL || (type == IFA_ADDRESS && !search->matches))
        search->matches = mnl_attr_get_payload_len(attribute) == length &&
                          memcmp(mnl_attr_get_payload(attribute),
                                 search->address->address, length) == 0;
    if (type == IFA_FLAGS && mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
        search->flags = mnl_attr_get_u32(attribute);
    return MNL_CB_OK;
}

static void read_address(const struct nlmsghdr *reply, void *data)
{
    const struct ifaddrmsg *body = mnl_nlmsg_get_payload(reply);
    Search *search = data;

    if (reply->nlmsg_type != RTM_NEWADDR ||
        mnl_nlmsg_get_payload_len(reply) < sizeof *body ||
        body->ifa_index != search->link_index ||
        body->ifa_family != search->family)
        return;
    search->matches = false;
    search->flags = body->ifa_flags;
    (void)mnl_attr_parse(reply, sizeof *body, read_address_attribute, search);
    if (search->matches &&
        (search->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0)
        search->is_found = true;
}

bool rn_netlink_has_address(RnNetlink *netlink, unsigned link_index,
                            const RnEndpoint *address, bool *out_has,
                            GError **error)
{
    Search search = {
        .link_index = link_index,
        .family = address->family,
        .address = address,
    };
    RnNetlinkRequest request = {
        .what = "list addresses",
        .func = read_address,
        .data = &search,
    };
    struct ifaddrmsg *body = rn_netlink_request_start(&request, RTM_GETADDR,
                                                      NLM_F_DUMP, sizeof *body);

    body->ifa_family = (uint8_t)address->family;
    if (!rn_netlink_request_run(netlink, &request, error))
        return false;
    *out_has = search.is_found;
    return true;
}

static int read_route_attribute(const struct nlattr *attribute, void *data)
{
    Search *search = data;

    if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
        return MNL_CB_OK;
    if (mnl_attr_get_type(attribute) == RTA_OIF)
        search->output = mnl_attr_get_u32(attribute);
    if (mnl_attr_get_type(attribute) == RTA_TABLE)
        search->table = mnl_attr_get_u32(attribute);
    return MNL_CB_OK;
}

static void read_route(const struct nlmsghdr *reply, void *data)
{
    const struct rtmsg *body = mnl_nlmsg_get_payload(reply);
    Search *search = data;

    if (reply->nlmsg_type != RTM_NEWROUTE ||
        mnl_nlmsg_get_payload_len(reply) < sizeof *body ||
        body->rtm_family != search->family || body->rtm_dst_len != 0 ||
        body->rtm_type != RTN_UNICAST)
        return;
    search->output = 0;
    search->table = body->rtm_table;
    (void)mnl_attr_parse(reply, sizeof *body, read_route_attribute, search);
    if (search->output == search->link_index && search->table == RT_TABLE_MAIN)
        search->is_found = true;
}

bool rn_netlink_has_default_route(RnNetlink *netlink, unsigned link_index,
                                  uint16_t family, bool *out_has,
                                  GError **error)
{
    Search search = { .link_index = link_index, .family = family };
    RnNetlinkRequest request = {
        .what = "list routes",
        .func = read_route,
        .data = &search,
    };
    struct rtmsg *body = rn_netlink_request_start(&request, RTM_GETROUTE,
                                                  NLM_F_DUMP, sizeof *body);

    body->rtm_family = (uint8_t)family;
    if (!rn_netlink_request_run(netlink, &request, error))
        return false;
    *out_has = search.is_found;
    return true;
}

bool rn_netlink_open_news(int *out_fd, GError **error)
{
    const struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
    };
    rn_autofd int fd = socket(
        AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return rn_set_errno(error, errno, "open a netlink socket");
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return rn_set_errno(error, errno, "bind a netlink socket");
    *out_fd = g_steal_fd(&fd);
    return true;
}

bool rn_netlink_take_news(int fd)
{
    char byte = 0;

    for (unsigned i = 0; i < NEWS_MAX; i++) {
        /* a datagram is gone however little of it is read */
        if (recv(fd, &byte, sizeof byte, 0) < 0 && errno != ENOBUFS &&
            errno != EINTR)
            return errno == EAGAIN;
    }
    return true;
}
