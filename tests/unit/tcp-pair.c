/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp-pair - a TCP connection on the loopback, both ends non-blocking
 */
#include "config.h"

#include "tcp-pair.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <rnet/util/fd.h>

bool tcp_pair_open(int out_fds[2])
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct sockaddr *at = (struct sockaddr *)&address;
    socklen_t length = sizeof address;
    rn_autofd int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(listener, at, length) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, at, &length) < 0)
        return false;
    out_fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(out_fds[0], at, sizeof address) < 0)
        return false;
    out_fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    return rn_fd_set_nonblocking(out_fds[0], true, NULL) &&
           rn_fd_set_nonblocking(out_fds[1], true, NULL);
}
