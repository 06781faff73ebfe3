/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink-request - one netlink request, for the files that build requests
 *
 * Private to the sys layer: netlink.c sends what netlink-route.c builds;
 * nft.c has the opening of a socket and the reading of a refusal from here.
 */
#ifndef RNET_SYS_NETLINK_REQUEST_H
#define RNET_SYS_NETLINK_REQUEST_H

#include <linux/netlink.h>

#include <rnet/sys/netlink.h>

struct mnl_socket;

enum {
    RN_NETLINK_REQUEST_SIZE = 512, /* bytes; the largest takes about 150 */
};

typedef void (*RnNetlinkReplyFunc)(const struct nlmsghdr *reply, void *data);

typedef struct RnNetlinkRequest {
    const char *what; /* is asked for, in errors */
    /* reads what comes before the acknowledgement, or NULL */
    RnNetlinkReplyFunc func;
    void *data; /* of func */
    struct nlmsghdr *header;
    _Alignas(NLMSG_ALIGNTO) char buffer[RN_NETLINK_REQUEST_SIZE];
} RnNetlinkRequest;

/*
 * Sets header to a message of `type` that asks for an acknowledgement and
 * returns its body of body_size bytes, zeroed. libmnl's functions then add
 * attributes.
 */
void *rn_netlink_request_start(RnNetlinkRequest *request, uint16_t type,
                               uint16_t flags, size_t body_size);

/* Sends a request and waits for its acknowledgement. */
bool rn_netlink_request_run(RnNetlink *netlink, const RnNetlinkRequest *request,
                            GError **error) RN_CHECK;

/* The same for an addition; with may_exist, EEXIST counts as success. */
bool rn_netlink_request_run_addition(RnNetlink *netlink,
                                     const RnNetlinkRequest *request,
                                     bool may_exist, GError **error) RN_CHECK;

/*
 * A socket of `protocol` (NETLINK_ROUTE, ...) that is bound, CLOEXEC, and told
 * to explain refusals. The caller's, for mnl_socket_close().
 */
struct mnl_socket *rn_netlink_socket_open(int protocol,
                                          GError **error) RN_CHECK;

/* The same as an RnNetlink. */
RnNetlink *rn_netlink_open_protocol(int protocol, GError **error) RN_CHECK;

/* Makes an RnNetlink of such a socket's fd, which is its own from now on. */
RnNetlink *rn_netlink_adopt(int fd, GError **error) RN_CHECK;

/*
 * Reads an NLMSG_ERROR: true for an acknowledgement, else the error is `what`,
 * the kernel's explanation if it gives one, and its errno.
 */
bool rn_netlink_check_status(const struct nlmsghdr *header, const char *what,
                             GError **error) RN_CHECK;

#endif
