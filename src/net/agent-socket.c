/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-socket - sockets of the container's namespace for the relay
 *
 * Runs in nsagent. The request comes from the relay, which talks to the
 * hostile side: every field is checked here, and the worst that a valid
 * request can do is a connection inside the container's own network. A failure
 * is an errno for the reply, never more.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>

#include <sys/socket.h>

#include <rnet/net/inside-socket.h>
#include <rnet/util/fd.h>

static bool is_valid(const RnSocketRequest *request)
{
    const RnEndpoint *local = &request->local;
    const RnEndpoint *remote = &request->remote;

    if (request->reserved != 0 ||
        (remote->family != AF_INET && remote->family != AF_INET6))
        return false;
    if (request->n_spares > 0)
        return request->n_spares <= RN_SPARES_MAX;
    if (remote->port == 0 || rn_endpoint_is_any(remote))
        return false;
    if (local->family == AF_UNSPEC)
        return true;
    return local->family == remote->family && !rn_endpoint_is_any(local);
}

static int make_connection(const RnSocketRequest *request, int *out_errno)
{
    rn_autofd int fd = rn_inside_socket_new(request->remote.family, out_errno);

    if (fd < 0)
        return -1;
    *out_errno =
        rn_inside_socket_connect(fd, &request->local, &request->remote);
    if (*out_errno != 0 && *out_errno != EINPROGRESS)
        return -1;
    return g_steal_fd(&fd);
}

unsigned rn_agent_open_sockets(const RnSocketRequest *request, int *out_fds,
                               int *out_errno)
{
    unsigned n_fds = 0;

    if (!is_valid(request)) {
        *out_errno = EINVAL;
        return 0;
    }
    if (request->n_spares == 0) {
        out_fds[0] = make_connection(request, out_errno);
        return out_fds[0] >= 0 ? 1 : 0;
    }
    while (n_fds < request->n_spares) {
        out_fds[n_fds] =
            rn_inside_socket_new(request->remote.family, out_errno);
        if (out_fds[n_fds] < 0)
            break;
        n_fds++;
    }
    return n_fds;
}
