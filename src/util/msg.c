/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msg - one typed message per SOCK_SEQPACKET datagram, with fds
 *
 * Runs in every process. On the wire: a 32-bit type and the payload in one
 * iovec pair, fds as SCM_RIGHTS. A datagram that does not fit is a protocol
 * error: nothing of it is used and its fds are closed. An error travels as
 * RN_MSG_FAILED: domain and code, then the text.
 */
#include "config.h"

#include <rnet/util/msg.h>

#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/uio.h>

#include <rnet/util/fd.h>
#include <rnet/util/protocol.h>

/* one more than allowed, so that a surplus is noticed */
#define CONTROL_SPACE CMSG_SPACE(sizeof(int) * (RN_MSG_MAX_FDS + 1))

/* the payload of RN_MSG_FAILED; the text follows without a NUL */
typedef struct FailureHeader {
    uint32_t is_errno; /* 1: RN_ERRNO, 0: RN_ERROR */
    int32_t code;
} FailureHeader;

void rn_msg_clear(RnMsg *msg)
{
    for (unsigned i = 0; i < msg->n_fds; i++)
        rn_fd_close(&msg->fds[i]);
    msg->n_fds = 0;
    msg->length = 0;
    msg->type = 0;
}

int rn_msg_steal_fd(RnMsg *msg, unsigned index)
{
    g_return_val_if_fail(index < msg->n_fds, -1);
    return g_steal_fd(&msg->fds[index]);
}

bool rn_msg_pair(int out_fds[2], GError **error)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out_fds) < 0)
        return rn_set_errno(error, errno, "create a socket pair");
    return true;
}

static void attach_fds(struct msghdr *header, const int *fds, unsigned n_fds)
{
    struct cmsghdr *control = NULL;

    header->msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
    control = CMSG_FIRSTHDR(header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
    memcpy(CMSG_DATA(control), fds, sizeof(int) * n_fds);
}

bool rn_msg_send(int fd, uint32_t type, const void *payload, gsize length,
                 const int *fds, unsigned n_fds, GError **error)
{
    alignas(struct cmsghdr) char control[CONTROL_SPACE] = { 0 };
    struct iovec parts[] = {
        { .iov_base = &type, .iov_len = sizeof type },
        { .iov_base = (void *)payload, .iov_len = length },
    };
    struct msghdr header = {
        .msg_iov = parts,
        .msg_iovlen = G_N_ELEMENTS(parts),
    };

    g_return_val_if_fail(length <= RN_MSG_MAX_PAYLOAD, false);
    g_return_val_if_fail(n_fds <= RN_MSG_MAX_FDS, false);
    if (n_fds > 0) {
        header.msg_control = control;
        attach_fds(&header, fds, n_fds);
    }
    if (TEMP_FAILURE_RETRY(sendmsg(fd, &header, MSG_NOSIGNAL)) >= 0)
        return true;
    if (errno == EPIPE || errno == ECONNRESET)
        return rn_set_error(error, RN_ERROR_PEER_DIED,
                            "the other process has ended");
    return rn_set_errno(error, errno, "send a message");
}

bool rn_fd_send(int socket, int fd, const void *data, gsize length,
                GError **error)
{
    alignas(struct cmsghdr) char control[CONTROL_SPACE] = { 0 };
    struct iovec part = { .iov_base = (void *)data, .iov_len = length };
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
    };
    ssize_t sent = 0;

    g_return_val_if_fail(length > 0, false);
    attach_fds(&header, &fd, 1);
    sent = TEMP_FAILURE_RETRY(sendmsg(socket, &header, MSG_NOSIGNAL));
    if (sent < 0)
        return rn_set_errno(error, errno, "send a file descriptor");
    /* the fd went with the first byte; a stream may take the rest later */
    for (gsize done = (gsize)sent; done < length; done += (gsize)sent) {
        sent = TEMP_FAILURE_RETRY(send(socket, (const char *)data + done,
                                       length - done, MSG_NOSIGNAL));
        if (sent < 0)
            return rn_set_errno(error, errno, "send to a socket");
    }
    return true;
}

/* Moves received fds into *msg; false if there are more than it can hold. */
static bool collect_fds(struct msghdr *header, RnMsg *msg)
{
    bool fits = true;

    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control)) {
        size_t n = 0;

        if (control->cmsg_level != SOL_SOCKET ||
            control->cmsg_type != SCM_RIGHTS)
            continue;
        n = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd = -1;

            memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
            if (msg->n_fds < RN_MSG_MAX_FDS) {
                msg->fds[msg->n_fds++] = fd;
            } else {
                rn_fd_close(&fd);
                fits = false;
            }
        }
    }
    return fits;
}

/* As rn_msg_try_recv(), but for *out_is_cut, see rn_msg_recv_some(). */
static int receive(int fd, RnMsg *msg, bool *out_is_cut)
{
    alignas(struct cmsghdr) char control[CONTROL_SPACE];
    struct iovec parts[] = {
        { .iov_base = &msg->type, .iov_len = sizeof msg->type },
        { .iov_base = msg->payload, .iov_len = sizeof msg->payload },
    };
    struct msghdr header = {
        .msg_iov = parts,
        .msg_iovlen = G_N_ELEMENTS(parts),
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    ssize_t got = 0;

    rn_msg_clear(msg);
    got = TEMP_FAILURE_RETRY(recvmsg(fd, &header, MSG_CMSG_CLOEXEC));
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (got <= 0) {
        /* a peer that died with unread messages in its queue resets */
        if (got == 0 || errno == ECONNRESET)
            errno = 0;
        return -1;
    }
    if (!collect_fds(&header, msg) || got < (ssize_t)sizeof msg->type ||
        (header.msg_flags & MSG_TRUNC) != 0) {
        rn_msg_clear(msg);
        errno = EBADMSG;
        return -1;
    }
    msg->length = (gsize)got - sizeof msg->type;
    *out_is_cut = (header.msg_flags & MSG_CTRUNC) != 0;
    return 1;
}

/* A message whose fds did not all come is none. */
static int refuse_cut(RnMsg *msg)
{
    rn_msg_clear(msg);
    errno = EBADMSG;
    return -1;
}

int rn_msg_try_recv(int fd, RnMsg *msg)
{
    bool is_cut = false;
    int result = receive(fd, msg, &is_cut);

    return result > 0 && is_cut ? refuse_cut(msg) : result;
}

/* What a receive function's result and errno say. */
static bool report_result(int result, GError **error)
{
    if (result > 0)
        return true;
    if (result == 0)
        return rn_set_errno(error, EAGAIN, "receive a message");
    if (errno == 0)
        return rn_set_error(error, RN_ERROR_PEER_DIED,
                            "the other process has ended");
    if (errno == EBADMSG)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed message");
    return rn_set_errno(error, errno, "receive a message");
}

bool rn_msg_recv(int fd, RnMsg *msg, GError **error)
{
    return report_result(rn_msg_try_recv(fd, msg), error);
}

bool rn_msg_recv_some(int fd, RnMsg *msg, bool *out_is_cut, GError **error)
{
    int result = receive(fd, msg, out_is_cut);

    /* with all places filled the peer sent more than there are */
    if (result > 0 && *out_is_cut && msg->n_fds == RN_MSG_MAX_FDS)
        result = refuse_cut(msg);
    return report_result(result, error);
}

bool rn_msg_expect(int fd, uint32_t type, gsize length, unsigned n_fds,
                   RnMsg *msg, GError **error)
{
    if (!rn_msg_recv(fd, msg, error))
        return false;
    if (msg->type == RN_MSG_FAILED)
        return rn_msg_take_error(msg, error);
    if (msg->type == type && msg->length == length && msg->n_fds == n_fds)
        return true;
    (void)rn_set_error(error, RN_ERROR_PROTOCOL,
                       "message %u of %" G_GSIZE_FORMAT
                       " bytes and %u fds where %u was due",
                       msg->type, msg->length, msg->n_fds, type);
    rn_msg_clear(msg);
    return false;
}

bool rn_msg_send_error(int fd, const GError *failure, GError **error)
{
    uint8_t payload[RN_MSG_MAX_PAYLOAD];
    FailureHeader header = {
        .is_errno = failure->domain == RN_ERRNO,
        .code = failure->code,
    };
    size_t length =
        MIN(strlen(failure->message), sizeof payload - sizeof header);

    memcpy(payload, &header, sizeof header);
    memcpy(payload + sizeof header, failure->message, length);
    return rn_msg_send(fd, RN_MSG_FAILED, payload, sizeof header + length, NULL,
                       0, error);
}

bool rn_msg_take_error(const RnMsg *msg, GError **error)
{
    FailureHeader header = { 0 };
    g_autofree char *text = NULL;

    if (msg->type != RN_MSG_FAILED || msg->length <= sizeof header)
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "malformed failure message");
    memcpy(&header, msg->payload, sizeof header);
    text = g_utf8_make_valid((const char *)msg->payload + sizeof header,
                             (gssize)(msg->length - sizeof header));
    if (header.is_errno == 0 && (header.code < 0 || header.code >= RN_ERROR_N_))
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "failure message with unknown code %d",
                            header.code);
    g_set_error_literal(error, header.is_errno != 0 ? RN_ERRNO : RN_ERROR,
                        header.code, text);
    return false;
}
