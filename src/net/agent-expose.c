/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-expose - the container's end of ports of the host that are exposed
 *
 * Runs in nsagent before it confines itself: a listening socket on the
 * namespace's 127.0.0.1 and [::1] for each, which the monitor keeps. Failure
 * names the port.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>

#include <netinet/in.h>

#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

static const RnEndpoint loopbacks[] = {
    { .family = AF_INET, .address = { [0] = 127, [3] = 1 } },
    { .family = AF_INET6, .address = { [15] = 1 } },
};

static bool set_flag(int fd, int level, int option)
{
    static const int on = 1;

    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* Also while `lo` is down and has no address: its owner may bring it up. */
static int listen_on(const RnEndpoint *endpoint, int *out_fd)
{
    bool is_v6 = endpoint->family == AF_INET6;
    rn_autofd int fd =
        socket(endpoint->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_storage address;
    socklen_t length = rn_endpoint_to_sockaddr(endpoint, &address);

    if (fd < 0 || !set_flag(fd, SOL_SOCKET, SO_REUSEADDR) ||
        !set_flag(fd, SOL_IP, IP_FREEBIND) ||
        (is_v6 && !set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY)) ||
        bind(fd, (const struct sockaddr *)&address, length) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return errno;
    *out_fd = g_steal_fd(&fd);
    return 0;
}

static bool explain(int errno_value, const RnExposedPort *port, GError **error)
{
    if (errno_value != EADDRINUSE)
        return rn_set_errno(error, errno_value,
                            "expose-host: listen on port %u of the "
                            "container's loopback",
                            port->guest_port);
    (void)rn_set_error(error, RN_ERROR_EXISTS,
                       "expose-host: port %u of the container's loopback is "
                       "in use",
                       port->guest_port);
    return rn_error_add_hint(error,
                             "take another one there: --expose-host %u:PORT",
                             port->host_port);
}

static bool expose(const RnExposedPort *port, const RnEndpoint *loopback,
                   int monitor, GError **error)
{
    RnEndpoint endpoint = *loopback;
    rn_autofd int fd = -1;
    int failure = 0;

    endpoint.port = port->guest_port;
    failure = listen_on(&endpoint, &fd);
    /* no IPv6 here, and nobody who could connect to it */
    if (endpoint.family == AF_INET6 &&
        (failure == EAFNOSUPPORT || failure == EADDRNOTAVAIL))
        return true;
    if (failure != 0)
        return explain(failure, port, error);
    return rn_msg_send(monitor, RN_MSG_AGENT_EXPOSED, port, sizeof *port, &fd,
                       1, error);
}

bool rn_agent_expose(const RnNetworkPlan *plan, int monitor, GError **error)
{
    for (unsigned i = 0; i < plan->n_exposed; i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(loopbacks); j++) {
            if (!expose(&plan->exposed[i], &loopbacks[j], monitor, error))
                return false;
        }
    }
    return true;
}
