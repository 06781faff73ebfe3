/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping6-socket - what Linux' ICMPv6 ping sockets give, checked
 *
 * Role:     system calls and control messages of one socket
 * Runs in:  the relay
 * Failure:  a message that is cut off or of someone else is passed over
 */
#include "config.h"

#include <rnet/net/ping6-socket.h>

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <rnet/util/fd.h>

enum {
    HOP_LIMIT = 64, /* RFC 1700's default, where the kernel does not tell */
};

/* The control message of IPV6_RECVERR. */
typedef struct QueuedError {
    struct sock_extended_err error;
    struct sockaddr_in6 offender;
} QueuedError;

#define CONTROL_SPACE                                                          \
    (CMSG_SPACE(sizeof(QueuedError)) + CMSG_SPACE(sizeof(int)))

int rn_ping6_socket_open(void)
{
    const int on = 1;
    rn_autofd int fd = socket(
        AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6);

    if (fd < 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on) < 0)
        return -1;
    return g_steal_fd(&fd);
}

int rn_ping6_socket_set_hop_limit(int fd, uint8_t hop_limit)
{
    const int value = hop_limit;

    return setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value,
                      sizeof value) < 0
               ? errno
               : 0;
}

int rn_ping6_socket_send(int fd, const RnEndpoint *remote, const void *request,
                         gsize length)
{
    struct sockaddr_storage storage;
    socklen_t size = rn_endpoint_to_sockaddr(remote, &storage);

    /* the first may only tell of an error that an earlier request met */
    for (unsigned i = 0; i < 2; i++) {
        if (sendto(fd, request, length, MSG_DONTWAIT | MSG_NOSIGNAL,
                   (struct sockaddr *)&storage, size) >= 0)
            return 0;
    }
    return errno;
}

/* recvmsg(2) into the answer's bytes; the length, or -1. */
static ssize_t receive(int fd, const RnPing6Answer *answer,
                       struct msghdr *header, int flags)
{
    struct iovec part = { .iov_base = answer->bytes, .iov_len = answer->room };
    ssize_t n = 0;

    header->msg_iov = &part;
    header->msg_iovlen = 1;
    n = recvmsg(fd, header, flags | MSG_DONTWAIT);
    header->msg_iov = NULL;
    return n;
}

/* Copies the data of a control message, if it is there. */
static bool find_control(struct msghdr *header, int type, void *data,
                         gsize size)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control)) {
        if (control->cmsg_level != IPPROTO_IPV6 || control->cmsg_type != type ||
            control->cmsg_len < CMSG_LEN(size))
            continue;
        memcpy(data, CMSG_DATA(control), size);
        return true;
    }
    return false;
}

static bool is_icmp6(const RnPing6Answer *answer, ssize_t length, uint8_t type)
{
    return length >= (ssize_t)sizeof(struct icmp6_hdr) &&
           answer->bytes[0] == type;
}

bool rn_ping6_socket_read(int fd, const RnEndpoint *remote,
                          RnPing6Answer *answer)
{
    alignas(struct cmsghdr) uint8_t control[CONTROL_SPACE];
    struct sockaddr_storage storage = { 0 };
    struct msghdr header = {
        .msg_name = &storage,
        .msg_namelen = sizeof storage,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    ssize_t n = receive(fd, answer, &header, 0);
    int hop_limit = HOP_LIMIT;
    RnEndpoint from;

    answer->length = 0;
    if (n < 0)
        return false;
    rn_endpoint_from_sockaddr(&storage, &from);
    /* the kernel goes by the id alone */
    if (!is_icmp6(answer, n, ICMP6_ECHO_REPLY) ||
        (header.msg_flags & MSG_TRUNC) != 0 ||
        !rn_endpoint_same_address(&from, remote))
        return true;
    (void)find_control(&header, IPV6_HOPLIMIT, &hop_limit, sizeof hop_limit);
    answer->hop_limit = (uint8_t)hop_limit;
    answer->length = (gsize)n;
    return true;
}

bool rn_ping6_socket_read_error(int fd, RnPing6Answer *answer)
{
    alignas(struct cmsghdr) uint8_t control[CONTROL_SPACE];
    struct msghdr header = { .msg_control = control,
                             .msg_controllen = sizeof control };
    ssize_t n = receive(fd, answer, &header, MSG_ERRQUEUE);
    QueuedError queued;

    answer->length = 0;
    if (n < 0)
        return false;
    if (!is_icmp6(answer, n, ICMP6_ECHO_REQUEST) ||
        !find_control(&header, IPV6_RECVERR, &queued, sizeof queued) ||
        queued.error.ee_origin != SO_EE_ORIGIN_ICMP6 ||
        (queued.error.ee_type != ICMP6_DST_UNREACH &&
         queued.error.ee_type != ICMP6_TIME_EXCEEDED))
        return true;
    answer->type = queued.error.ee_type;
    answer->code = queued.error.ee_code;
    answer->offender = (RnEndpoint){ .family = AF_INET6 };
    memcpy(answer->offender.address, &queued.offender.sin6_addr, 16);
    answer->length = (gsize)n;
    return true;
}
