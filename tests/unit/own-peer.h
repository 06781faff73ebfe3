/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own-peer - a TCP socket that is connected to itself
 *
 * To be included by tests, after unit.h.
 */
#ifndef RNET_TESTS_UNIT_OWN_PEER_H
#define RNET_TESTS_UNIT_OWN_PEER_H


#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static inline int make_own_peer(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
    return fd;
}

#endif
