/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink - rtnetlink requests through libmnl, and those about links
 *
 * Runs in nsagent while it configures the container's namespace. Every request
 * asks for an acknowledgement and is answered before the next; what comes
 * before it is handed to the request's own reader. A refusal becomes an
 * RN_ERRNO with the kernel's explanation. The kernel is the only peer: answers
 * of other senders or to other requests are passed over.
 */
#include "config.h"

#include <rnet/sys/netlink.h>

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <libmnl/libmnl.h>

#include <rnet/sys/netlink-request.h>
#include <rnet/util/fd.h>

struct RnNetlink {
    struct mnl_socket *socket;
    uint32_t sequence;
};

enum {
    REPLY_SIZE = 32768, /* bytes, as netlink(7) advises at most */
    MAC_LENGTH = 6,
};

struct mnl_socket *rn_netlink_socket_open(int protocol, GError **error)
{
    struct mnl_socket *socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
    int on = 1;

    if (socket == NULL) {
        (void)rn_set_errno(error, errno, "open a netlink socket");
        return NULL;
    }
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        (void)rn_set_errno(error, errno, "bind a netlink socket");
        (void)mnl_socket_close(socket);
        return NULL;
    }
    /* without either (kernels before 4.12) only explanations are missing */
    (void)mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof on);
    (void)mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof on);
    return socket;
}

RnNetlink *rn_netlink_open_protocol(int protocol, GError **error)
{
    struct mnl_socket *socket = rn_netlink_socket_open(protocol, error);
    RnNetlink *netlink = NULL;

    if (socket == NULL)
        return NULL;
    netlink = g_new0(RnNetlink, 1);
    netlink->socket = socket;
    return netlink;
}

RnNetlink *rn_netlink_open(GError **error)
{
    return rn_netlink_open_protocol(NETLINK_ROUTE, error);
}

RnNetlink *rn_netlink_adopt(int fd, GError **error)
{
    struct mnl_socket *socket = mnl_socket_fdopen(fd);
    RnNetlink *netlink = NULL;

    if (socket == NULL) {
        (void)rn_set_errno(error, errno, "use a netlink socket");
        rn_fd_close(&fd);
        return NULL;
    }
    netlink = g_new0(RnNetlink, 1);
    netlink->socket = socket;
    return netlink;
}

void rn_netlink_close(RnNetlink *netlink)
{
    if (netlink == NULL)
        return;
    (void)mnl_socket_close(netlink->socket);
    g_free(netlink);
}

bool rn_link_name_is_valid(const char *name)
{
    size_t length = strnlen(name, IFNAMSIZ);

    if (length == 0 || length == IFNAMSIZ)
        return false;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '/' || name[i] == ':' || g_ascii_isspace(name[i]) ||
            name[i] == '\v')
            return false;
    }
    return true;
}

void *rn_netlink_request_start(RnNetlinkRequest *request, uint16_t type,
                               uint16_t flags, size_t body_size)
{
    request->header = mnl_nlmsg_put_header(request->buffer);
    request->header->nlmsg_type = type;
    request->header->nlmsg_flags = flags | NLM_F_REQUEST | NLM_F_ACK;
    return mnl_nlmsg_put_extra_header(request->header, body_size);
}

static int find_explanation(const struct nlattr *attribute, void *data)
{
    char **out_text = data;

    if (mnl_attr_get_type(attribute) != NLMSGERR_ATTR_MSG ||
        mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
        return MNL_CB_OK;
    *out_text = g_strdup(mnl_attr_get_str(attribute));
    return MNL_CB_STOP;
}

/* The kernel's explanation in a refusal, or NULL. */
static char *read_explanation(const struct nlmsghdr *header)
{
    const struct nlmsgerr *refusal = mnl_nlmsg_get_payload(header);
    unsigned offset = sizeof *refusal;
    char *text = NULL;

    if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0)
        return NULL;
    /* the refused request comes first, unless it was left out */
    if ((header->nlmsg_flags & NLM_F_CAPPED) == 0)
        offset += refusal->msg.nlmsg_len - (unsigned)sizeof refusal->msg;
    (void)mnl_attr_parse(header, offset, find_explanation, &text);
    return text;
}

bool rn_netlink_check_status(const struct nlmsghdr *header, const char *what,
                             GError **error)
{
    const struct nlmsgerr *status = mnl_nlmsg_get_payload(header);
    g_autofree char *explanation = NULL;

    if (mnl_nlmsg_get_payload_len(header) < sizeof *status)
        return rn_set_errno(error, EBADMSG, "%s", what);
    if (status->error == 0)
        return true;
    explanation = read_explanation(header);
    if (explanation == NULL)
        return rn_set_errno(error, -status->error, "%s", what);
    return rn_set_errno(error, -status->error, "%s (%s)", what, explanation);
}

/* netlink(7): an int, 0 or a negative errno, ends a list. */
static bool check_end(const RnNetlinkRequest *request,
                      const struct nlmsghdr *header, GError **error)
{
    const int *status = mnl_nlmsg_get_payload(header);

    if (mnl_nlmsg_get_payload_len(header) < sizeof *status || *status >= 0)
        return true;
    return rn_set_errno(error, -*status, "%s", request->what);
}

/*
 * Looks at one message of an answer: sets *out_done at the acknowledgement, or
 * the end of a list; false when that is a refusal.
 */
static bool take_reply(const RnNetlinkRequest *request,
                       const struct nlmsghdr *header, bool *out_done,
                       GError **error)
{
    *out_done =
        header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE;
    if (header->nlmsg_type == NLMSG_DONE)
        return check_end(request, header, error);
    if (*out_done)
        return rn_netlink_check_status(header, request->what, error);
    if (request->func != NULL)
        request->func(header, request->data);
    return true;
}

/* Goes through the messages of one datagram up to the acknowledgement. */
static bool take_replies(const RnNetlink *netlink,
                         const RnNetlinkRequest *request, const char *buffer,
                         int length, bool *out_done, GError **error)
{
    const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;

    for (; !*out_done && mnl_nlmsg_ok(header, length);
         header = mnl_nlmsg_next(header, &length)) {
        if (!mnl_nlmsg_seq_ok(header, netlink->sequence) ||
            !mnl_nlmsg_portid_ok(header,
                                 mnl_socket_get_portid(netlink->socket)))
            continue;
        if (!take_reply(request, header, out_done, error))
            return false;
    }
    return true;
}

bool rn_netlink_request_run(RnNetlink *netlink, const RnNetlinkRequest *request,
                            GError **error)
{
    _Alignas(NLMSG_ALIGNTO) char buffer[REPLY_SIZE];
    bool done = false;

    request->header->nlmsg_seq = ++netlink->sequence;
    if (mnl_socket_sendto(netlink->socket, request->header,
                          request->header->nlmsg_len) < 0)
        return rn_set_errno(error, errno, "%s", request->what);
    while (!done) {
        ssize_t got =
            mnl_socket_recvfrom(netlink->socket, buffer, sizeof buffer);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return rn_set_errno(error, errno, "%s", request->what);
        if (!take_replies(netlink, request, buffer, (int)got, &done, error))
            return false;
    }
    return true;
}

bool rn_netlink_request_run_addition(RnNetlink *netlink,
                                     const RnNetlinkRequest *request,
                                     bool may_exist, GError **error)
{
    g_autoptr(GError) refusal = NULL;

    if (rn_netlink_request_run(netlink, request, &refusal))
        return true;
    if (may_exist && rn_error_is_errno(refusal, EEXIST))
        return true;
    g_propagate_error(error, g_steal_pointer(&refusal));
    return false;
}

static void read_link_index(const struct nlmsghdr *reply, void *data)
{
    const struct ifinfomsg *link = mnl_nlmsg_get_payload(reply);
    unsigned *out_index = data;

    if (reply->nlmsg_type == RTM_NEWLINK &&
        mnl_nlmsg_get_payload_len(reply) >= sizeof *link)
        *out_index = (unsigned)link->ifi_index;
}

bool rn_netlink_link_index(RnNetlink *netlink, const char *name,
                           unsigned *out_index, GError **error)
{
    g_autofree char *what = g_strdup_printf("look up interface \"%s\"", name);
    unsigned index = 0;
    RnNetlinkRequest request = {
        .what = what,
        .func = read_link_index,
        .data = &index,
    };

    if (!rn_link_name_is_valid(name))
        return rn_set_errno(error, EINVAL, "%s", what);
    (void)rn_netlink_request_start(&request, RTM_GETLINK, 0,
                                   sizeof(struct ifinfomsg));
    mnl_attr_put_strz(request.header, IFLA_IFNAME, name);
    if (!rn_netlink_request_run(netlink, &request, error))
        return false;
    if (index == 0)
        return rn_set_errno(error, ENODEV, "%s", what);
    *out_index = index;
    return true;
}

static void put_address_generation(RnNetlinkRequest *request, uint8_t mode)
{
    struct nlattr *families =
        mnl_attr_nest_start(request->header, IFLA_AF_SPEC);
    struct nlattr *ipv6 = mnl_attr_nest_start(request->header, AF_INET6);

    mnl_attr_put_u8(request->header, IFLA_INET6_ADDR_GEN_MODE, mode);
    mnl_attr_nest_end(request->header, ipv6);
    mnl_attr_nest_end(request->header, families);
}

bool rn_netlink_link_change(RnNetlink *netlink, const char *name,
                            const RnLinkChange *change, GError **error)
{
    g_autofree char *what = g_strdup_printf("set up interface \"%s\"", name);
    RnNetlinkRequest request = { .what = what };
    struct ifinfomsg *link = NULL;

    if (!rn_link_name_is_valid(name))
        return rn_set_errno(error, EINVAL, "%s", what);
    link = rn_netlink_request_start(&request, RTM_NEWLINK, 0, sizeof *link);
    if (change->up) {
        link->ifi_flags = IFF_UP;
        link->ifi_change = IFF_UP;
    }
    mnl_attr_put_strz(request.header, IFLA_IFNAME, name);
    if (change->mac != NULL)
        mnl_attr_put(request.header, IFLA_ADDRESS, MAC_LENGTH, change->mac);
    if (change->mtu != 0)
        mnl_attr_put_u32(request.header, IFLA_MTU, change->mtu);
    if (change->no_addresses)
        put_address_generation(&request, IN6_ADDR_GEN_MODE_NONE);
    return rn_netlink_request_run(netlink, &request, error);
}

bool rn_netlink_loopback_up(GError **error)
{
    const RnLinkChange up = { .up = true };
    g_autoptr(RnNetlink) netlink = rn_netlink_open(error);

    return netlink != NULL && rn_netlink_link_change(netlink, "lo", &up, error);
}

bool rn_netlink_veth_add(RnNetlink *netlink, const RnVeth *veth, GError **error)
{
    g_autofree char *what =
        g_strdup_printf("create interface \"%s\"", veth->peer);
    RnNetlinkRequest request = { .what = what };
    struct nlattr *info = NULL;
    struct nlattr *data = NULL;
    struct nlattr *peer = NULL;

    if (!rn_link_name_is_valid(veth->name) ||
        !rn_link_name_is_valid(veth->peer))
        return rn_set_errno(error, EINVAL, "%s", what);
    (void)rn_netlink_request_start(&request, RTM_NEWLINK,
                                   NLM_F_CREATE | NLM_F_EXCL,
                                   sizeof(struct ifinfomsg));
    mnl_attr_put_strz(request.header, IFLA_IFNAME, veth->name);
    mnl_attr_put_u32(request.header, IFLA_MTU, veth->mtu);
    info = mnl_attr_nest_start(request.header, IFLA_LINKINFO);
    mnl_attr_put_strz(request.header, IFLA_INFO_KIND, "veth");
    data = mnl_attr_nest_start(request.header, IFLA_INFO_DATA);
    peer = mnl_attr_nest_start(request.header, VETH_INFO_PEER);
    (void)mnl_nlmsg_put_extra_header(request.header, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(request.header, IFLA_IFNAME, veth->peer);
    mnl_attr_put_u32(request.header, IFLA_MTU, veth->mtu);
    mnl_attr_put_u32(request.header, IFLA_NET_NS_FD,
                     (uint32_t)veth->peer_netns_fd);
    mnl_attr_nest_end(request.header, peer);
    mnl_attr_nest_end(request.header, data);
    mnl_attr_nest_end(request.header, info);
    return rn_netlink_request_run(netlink, &request, error);
}
