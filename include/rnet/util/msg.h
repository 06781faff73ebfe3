/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msg - typed messages with file descriptors between rnet's processes
 *
 * One message is one SOCK_SEQPACKET datagram: a 32-bit type, a payload of at
 * most RN_MSG_MAX_PAYLOAD bytes, at most RN_MSG_MAX_FDS fds (SCM_RIGHTS). The
 * types and their payloads are in protocol.h. Nothing else uses SCM_RIGHTS; one
 * function here speaks to programs that are not rnet.
 *
 * Hostile peers: a datagram that is too long, too short, or carries too many
 * fds is an RN_ERROR_PROTOCOL and its fds are closed.
 */
#ifndef RNET_UTIL_MSG_H
#define RNET_UTIL_MSG_H

#include <stdint.h>

#include <rnet/util/error.h>

enum {
    RN_MSG_MAX_PAYLOAD = 8192, /* bytes */
    RN_MSG_MAX_FDS = 8,
};

/* A received message. Clear it with rn_msg_clear(); start it with { 0 }. */
typedef struct RnMsg {
    uint32_t type;
    gsize length;                        /* of payload, bytes */
    uint8_t payload[RN_MSG_MAX_PAYLOAD] __attribute__((aligned(8)));
    int fds[RN_MSG_MAX_FDS];             /* CLOEXEC; first n_fds are valid */
    unsigned n_fds;
} RnMsg;

/* Closes the fds that were not stolen. */
void rn_msg_clear(RnMsg *msg);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnMsg, rn_msg_clear)

/* Takes the fd at `index` out of the message: the caller's from now on. */
int rn_msg_steal_fd(RnMsg *msg, unsigned index);

/* Makes a connected, blocking, CLOEXEC pair. */
bool rn_msg_pair(int out_fds[2], GError **error) RN_CHECK;

/*
 * Sends one message; the fds stay the caller's. On a non-blocking socket whose
 * queue is full the error is RN_ERRNO EAGAIN; a peer that is gone is
 * RN_ERROR_PEER_DIED. Never raises SIGPIPE.
 */
bool rn_msg_send(int fd, uint32_t type, const void *payload, gsize length,
                 const int *fds, unsigned n_fds, GError **error) RN_CHECK;

/*
 * For protocols of others (--console-socket, listenerPath): sends `length`
 * bytes (at least 1) with one fd over a connected UNIX socket of any type.
 * Blocks until all of it is taken; never raises SIGPIPE. The fd stays the
 * caller's. A peer that is gone is RN_ERRNO EPIPE or ECONNRESET.
 */
bool rn_fd_send(int socket, int fd, const void *data, gsize length,
                GError **error) RN_CHECK;

/*
 * Receives one message into *msg, which is cleared first. EOF is
 * RN_ERROR_PEER_DIED. On a non-blocking socket with nothing to read the error
 * is RN_ERRNO EAGAIN. No error object is made when `error` is NULL; then tell
 * the cases apart with rn_msg_try_recv().
 */
bool rn_msg_recv(int fd, RnMsg *msg, GError **error) RN_CHECK;

/*
 * The same where fewer fds than were sent are of use, too. *out_is_cut, false
 * so far, becomes true if this process had no free number for all of them:
 * then those that had one are there (recvmsg(2), MSG_CTRUNC). For the other
 * functions such a message is malformed.
 */
bool rn_msg_recv_some(int fd, RnMsg *msg, bool *out_is_cut,
                      GError **error) RN_CHECK;

/*
 * rn_msg_recv() for a hot loop: returns 1 with a message, 0 where a non-blocking
 * socket has none, -1 at EOF (errno 0) or failure (errno).
 */
int rn_msg_try_recv(int fd, RnMsg *msg) RN_CHECK;

/*
 * Receives a message that must be of `type` with exactly `length` payload
 * bytes and `n_fds` fds. RN_MSG_FAILED instead becomes the error that the peer
 * sent; anything else is RN_ERROR_PROTOCOL.
 */
bool rn_msg_expect(int fd, uint32_t type, gsize length, unsigned n_fds,
                   RnMsg *msg, GError **error) RN_CHECK;

/* Sends RN_MSG_FAILED with the error's domain, code and text (cut to fit). */
bool rn_msg_send_error(int fd, const GError *failure, GError **error);

/*
 * Rebuilds the error of an RN_MSG_FAILED message into *error. Always false. A
 * malformed one becomes RN_ERROR_PROTOCOL.
 */
bool rn_msg_take_error(const RnMsg *msg, GError **error);

#endif
