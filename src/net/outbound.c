/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outbound - bind(2) of the sockets that lead outside
 *
 * Role:     for handoff, udp-out and ping6; libslirp binds its own
 * Runs in:  the relay
 * Failure:  an errno, as if connecting had failed
 */
#include "config.h"

#include <rnet/net/outbound.h>

#include <errno.h>

#include <netinet/in.h>
#include <sys/socket.h>

int rn_outbound_bind(const RnNetworkPlan *plan, uint16_t family, int fd)
{
    const RnEndpoint *outbound =
        family == AF_INET6 ? &plan->outbound6 : &plan->outbound4;
    struct sockaddr_storage address;
    socklen_t length = 0;

    if (outbound->family != family)
        return 0;
    length = rn_endpoint_to_sockaddr(outbound, &address);
    return bind(fd, (const struct sockaddr *)&address, length) == 0 ? 0 : errno;
}

int rn_outbound_bind_tcp(const RnNetworkPlan *plan, const RnEndpoint *target,
                         int fd)
{
    const int on = 1;

    if (rn_endpoint_is_loopback(target))
        return 0;
    /* connect() knows more ports that are free: it has the whole quadruple */
    if (setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0)
        return errno;
    return rn_outbound_bind(plan, target->family, fd);
}
