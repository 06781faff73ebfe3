/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inside-socket - makes, binds and connects a transparent TCP socket
 *
 * Role:     the system calls, in the order that the kernel wants
 * Runs in:  nsagent both halves; the relay the second one
 * Failure:  an errno; the fd stays the caller's
 */
#include "config.h"

#include <rnet/net/inside-socket.h>

#include <errno.h>

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/sys/tcp.h>
#include <rnet/util/fd.h>

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

int rn_inside_socket_new(uint16_t family, int *out_errno)
{
    bool is_v6 = family == AF_INET6;
    rn_autofd int fd =
        socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        rn_tcp_tune(fd);
    if (fd >= 0 &&
        set_option(fd, is_v6 ? SOL_IPV6 : SOL_IP,
                   is_v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1) &&
        set_option(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON))
        return g_steal_fd(&fd);
    *out_errno = errno;
    return -1;
}

static bool bind_to(int fd, const RnEndpoint *local)
{
    struct sockaddr_storage address;
    socklen_t length = rn_endpoint_to_sockaddr(local, &address);

    /* leaves the choice to connect(), which knows the whole quadruple */
    if (local->port == 0 && !set_option(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1))
        return false;
    return bind(fd, (const struct sockaddr *)&address, length) == 0;
}

bool rn_inside_socket_is_usable(int fd)
{
    return set_option(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
}

int rn_inside_socket_connect(int fd, const RnEndpoint *local,
                             const RnEndpoint *remote)
{
    if (local->family != AF_UNSPEC && !bind_to(fd, local))
        return errno;
    /*
     * The end of the repair mode also ends the right to share the address;
     * with SO_REUSEADDR a listener of the container can have the port as well.
     */
    if (!set_option(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP) ||
        !set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1))
        return errno;
    return rn_tcp_connect(fd, remote);
}
