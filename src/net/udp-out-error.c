/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-out-error - error queues to ICMP errors for the guest
 *
 * Role:     system calls and control messages of the sockets of udp-out
 * Runs in:  the relay
 * Failure:  an error that cannot be told to the guest is dropped
 */
#include "config.h"

#include <rnet/net/udp-out-error.h>

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <rnet/net/address-plan.h>
#include <rnet/net/frame-refusal.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

/* The control message of IP_RECVERR and IPV6_RECVERR. */
typedef struct QueuedError {
    struct sock_extended_err error;
    struct sockaddr_storage offender;
} QueuedError;

static const struct {
    int errno_value;
    RnRefusal refusal;
} refusals[] = {
    { ECONNREFUSED, RN_REFUSAL_RESET },
    { ENETUNREACH, RN_REFUSAL_NO_NETWORK },
    { ENETDOWN, RN_REFUSAL_NO_NETWORK },
    { EAFNOSUPPORT, RN_REFUSAL_NO_NETWORK },
    { EINVAL, RN_REFUSAL_NO_NETWORK },
    { EHOSTUNREACH, RN_REFUSAL_NO_HOST },
    { EHOSTDOWN, RN_REFUSAL_NO_HOST },
    { EACCES, RN_REFUSAL_PROHIBITED },
    { EPERM, RN_REFUSAL_PROHIBITED },
};

int rn_udp_out_socket(uint16_t family)
{
    const int on = 1;
    bool is_v6 = family == AF_INET6;
    rn_autofd int fd =
        socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 ||
        setsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                   is_v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on) < 0)
        return -1;
    if (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
        return -1;
    return g_steal_fd(&fd);
}

void rn_udp_out_set_hop_limit(int fd, uint16_t family, uint8_t hop_limit)
{
    const int value = hop_limit;
    bool is_v6 = family == AF_INET6;

    /* without it the host's default is used */
    if (setsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                   is_v6 ? IPV6_UNICAST_HOPS : IP_TTL, &value,
                   sizeof value) < 0)
        rn_log_debug("udp: hop limit %d: %s", value, g_strerror(errno));
}

static bool find_error(struct msghdr *header, QueuedError *out_queued)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control)) {
        if (!(control->cmsg_level == IPPROTO_IP &&
              control->cmsg_type == IP_RECVERR) &&
            !(control->cmsg_level == IPPROTO_IPV6 &&
              control->cmsg_type == IPV6_RECVERR))
            continue;
        *out_queued = (QueuedError){ 0 };
        memcpy(out_queued, CMSG_DATA(control),
               MIN(control->cmsg_len - CMSG_LEN(0), sizeof *out_queued));
        return true;
    }
    return false;
}

/* What routers and hosts say, and a guest's kernel does something with. */
static bool is_for_guest(const struct sock_extended_err *error)
{
    if (error->ee_origin == SO_EE_ORIGIN_ICMP)
        return error->ee_type == ICMP_TIME_EXCEEDED ||
               (error->ee_type == ICMP_DEST_UNREACH &&
                error->ee_code != ICMP_FRAG_NEEDED);
    return error->ee_origin == SO_EE_ORIGIN_ICMP6 &&
           (error->ee_type == ICMP6_DST_UNREACH ||
            error->ee_type == ICMP6_TIME_EXCEEDED);
}

/* One queued error; false when there is none. */
static bool pass_error(const RnNetworkPlan *plan, int fd,
                       const RnEndpoint *guest, RnFrameSink sink,
                       void *sink_data)
{
    alignas(struct cmsghdr) uint8_t control[512];
    struct sockaddr_storage storage = { 0 };
    struct msghdr header = {
        .msg_name = &storage,
        .msg_namelen = sizeof storage,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    RnUdpError told = { .source = *guest };
    QueuedError queued;
    RnEndpoint to, offender, unused;

    if (recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return false;
    rn_endpoint_from_sockaddr(&storage, &to);
    if (to.family != guest->family || !find_error(&header, &queued) ||
        !is_for_guest(&queued.error))
        return true;
    told.type = queued.error.ee_type;
    told.code = queued.error.ee_code;
    rn_plan_show_client(plan, &to, &told.destination, &unused);
    rn_endpoint_from_sockaddr(&queued.offender, &offender);
    told.from = told.destination;
    if (offender.family == guest->family)
        rn_plan_show_client(plan, &offender, &told.from, &unused);
    rn_frame_udp_error(plan, &told, sink, sink_data);
    return true;
}

void rn_udp_out_pass_errors(const RnNetworkPlan *plan, int fd,
                            const RnEndpoint *guest, unsigned max,
                            RnFrameSink sink, void *sink_data)
{
    int errno_value = 0;
    socklen_t length = sizeof errno_value;

    while (max-- > 0 && pass_error(plan, fd, guest, sink, sink_data))
        continue;
    /* it is the same one again, and would fail the next datagram */
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno_value, &length);
}

void rn_udp_out_refuse(const RnNetworkPlan *plan, const RnEndpoint *guest,
                       const RnEndpoint *destination, int errno_value,
                       RnFrameSink sink, void *sink_data)
{
    rn_log_debug("udp: not sent: %s", g_strerror(errno_value));
    for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
        RnUdpError told = { .source = *guest, .destination = *destination };

        if (refusals[i].errno_value != errno_value)
            continue;
        told.from = *rn_plan_gateway(plan, guest->family);
        rn_refusal_get_icmp(refusals[i].refusal, guest->family, &told.type,
                            &told.code);
        rn_frame_udp_error(plan, &told, sink, sink_data);
        return;
    }
}
