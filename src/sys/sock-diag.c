/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sock-diag - lists TCP sockets that listen, through NETLINK_SOCK_DIAG
 *
 * Runs in nsagent, confined. One list a family; entries are told as they come,
 * nothing is kept. A kernel without IPv6 has no list of it, and no socket.
 */
#include "config.h"

#include <rnet/sys/sock-diag.h>

#include <errno.h>
#include <string.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <libmnl/libmnl.h>

#include <rnet/sys/netlink-request.h>

typedef struct Listing {
    RnListeningFunc func;
    void *data;
} Listing;

RnNetlink *rn_sock_diag_open(GError **error)
{
    return rn_netlink_open_protocol(NETLINK_SOCK_DIAG, error);
}

static void read_socket(const struct nlmsghdr *reply, void *data)
{
    const struct inet_diag_msg *body = mnl_nlmsg_get_payload(reply);
    const Listing *listing = data;
    struct sockaddr_storage storage = { 0 };
    struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
    RnEndpoint endpoint;

    if (reply->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        mnl_nlmsg_get_payload_len(reply) < sizeof *body ||
        body->idiag_state != TCP_LISTEN)
        return;
    storage.ss_family = body->idiag_family;
    if (body->idiag_family == AF_INET6) {
        v6->sin6_port = body->id.idiag_sport;
        memcpy(&v6->sin6_addr, body->id.idiag_src, sizeof v6->sin6_addr);
    } else {
        v4->sin_port = body->id.idiag_sport;
        memcpy(&v4->sin_addr, body->id.idiag_src, sizeof v4->sin_addr);
    }
    rn_endpoint_from_sockaddr(&storage, &endpoint);
    if (endpoint.family != AF_UNSPEC)
        listing->func(&endpoint, listing->data);
}

static bool list_family(RnNetlink *diag, uint8_t family, Listing *listing,
                        GError **error)
{
    RnNetlinkRequest request = {
        .what = "list listening sockets",
        .func = read_socket,
        .data = listing,
    };
    struct inet_diag_req_v2 *body = rn_netlink_request_start(
        &request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof *body);

    body->sdiag_family = family;
    body->sdiag_protocol = IPPROTO_TCP;
    body->idiag_states = 1U << TCP_LISTEN;
    return rn_netlink_request_run(diag, &request, error);
}

bool rn_sock_diag_listening(RnNetlink *diag, RnListeningFunc func, void *data,
                            GError **error)
{
    Listing listing = { .func = func, .data = data };
    g_autoptr(GError) failure = NULL;

    if (!list_family(diag, AF_INET, &listing, error)) {
        if (error != NULL && rn_error_is_errno(*error, ENOENT))
            (void)rn_error_add_hint(error, "root can load the module: "
                                           "modprobe tcp_diag");
        return false;
    }
    if (list_family(diag, AF_INET6, &listing, &failure) ||
        rn_error_is_errno(failure, ENOENT))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
