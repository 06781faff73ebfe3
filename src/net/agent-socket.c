/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-socket - one socket of the container's namespace for the relay
 *
 * Runs in nsagent. The request comes from the relay, which talks to the
 * hostile side: every field is checked here, and the worst that a valid
 * request can do is a connection inside the container's own network. A failure
 * is an errno for the reply, never more.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <rnet/util/fd.h>

static const int socket_types[] = {
    [RN_TRANSPORT_TCP] = SOCK_STREAM,
    [RN_TRANSPORT_UDP] = SOCK_DGRAM,
};
G_STATIC_ASSERT(G_N_ELEMENTS(socket_types) == RN_TRANSPORT_N_);

static bool is_valid(const RnSocketRequest *request)
{
    const RnEndpoint *local = &request->local;
    const RnEndpoint *remote = &request->remote;

    if (request->transport >= RN_TRANSPORT_N_ || request->reserved != 0)
        return false;
    if (remote->family != AF_INET && remote->family != AF_INET6)
        return false;
    if (remote->port == 0 || rn_endpoint_is_any(remote))
        return false;
    if (local->family == AF_UNSPEC)
        return true;
    return local->family == remote->family && !rn_endpoint_is_any(local);
}

static bool set_option(int fd, int level, int option)
{
    int on = 1;

    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* Binds to an address that the namespace need not have, ip(7). */
static bool bind_transparent(int fd, const RnEndpoint *local)
{
    struct sockaddr_storage address;
    socklen_t length = rn_endpoint_to_sockaddr(local, &address);
    bool is_v6 = local->family == AF_INET6;

    if (!set_option(fd, is_v6 ? SOL_IPV6 : SOL_IP,
                    is_v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT))
        return false;
    /* one client port may have many connections, to different guest ports */
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR))
        return false;
    /* leaves the choice to connect(), which knows the whole quadruple */
    if (local->port == 0 && !set_option(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT))
        return false;
    return bind(fd, (const struct sockaddr *)&address, length) == 0;
}

static bool begin_connect(int fd, const RnEndpoint *remote)
{
    struct sockaddr_storage address;
    socklen_t length = rn_endpoint_to_sockaddr(remote, &address);

    return connect(fd, (const struct sockaddr *)&address, length) == 0 ||
           errno == EINPROGRESS;
}

int rn_agent_open_socket(const RnSocketRequest *request, int *out_errno)
{
    rn_autofd int fd = -1;

    if (!is_valid(request)) {
        *out_errno = EINVAL;
        return -1;
    }
    fd = socket(request->remote.family,
                socket_types[request->transport] | SOCK_NONBLOCK | SOCK_CLOEXEC,
                0);
    if (fd < 0 ||
        (request->local.family != AF_UNSPEC &&
         !bind_transparent(fd, &request->local)) ||
        !begin_connect(fd, &request->remote)) {
        *out_errno = errno;
        return -1;
    }
    return g_steal_fd(&fd);
}
