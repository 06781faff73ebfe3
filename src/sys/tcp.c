/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp - connecting without waiting, and options
 *
 * Runs in the relay and in nsagent.
 */
#include "config.h"

#include <rnet/sys/tcp.h>

#include <errno.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int rn_tcp_connect(int fd, const RnEndpoint *to)
{
    struct sockaddr_storage address;
    socklen_t length = rn_endpoint_to_sockaddr(to, &address);

    if (connect(fd, (const struct sockaddr *)&address, length) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    /*
     * Within one host the answer is there by now, but it is only looked at as
     * connect() returns. Asking again is much cheaper than an event.
     */
    if (connect(fd, (const struct sockaddr *)&address, length) == 0)
        return 0;
    return errno == EALREADY ? EINPROGRESS : errno;
}

bool rn_tcp_is_own_peer(int fd)
{
    struct sockaddr_storage name, peer;
    socklen_t name_length = sizeof name, peer_length = sizeof peer;
    RnEndpoint a, b;

    if (getsockname(fd, (struct sockaddr *)&name, &name_length) < 0 ||
        getpeername(fd, (struct sockaddr *)&peer, &peer_length) < 0)
        return false;
    rn_endpoint_from_sockaddr(&name, &a);
    rn_endpoint_from_sockaddr(&peer, &b);
    return rn_endpoint_equal(&a, &b);
}

void rn_tcp_tune(int fd)
{
    int on = 1;

    /* the sender has decided on its segments already */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* urgent bytes stay in their place instead of being skipped, tcp(7) */
    (void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
    /* a peer that vanished without a word ends the flow after all, tcp(7) */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}
