/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload-serve - servers inside the container, for published ports
 *
 * Role:     echo servers that say which client they saw
 * Runs in:  the container; see payload.h
 * Data:     stdout gets "ready", then per connection or datagram
 *           "client ADDRESS PORT", and "reset" where a connection was reset
 * Failure:  exit status 1 and an "error" line
 */
#include "config.h"

#include "payload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <netinet/in.h>

enum {
    MAX_FD = 16384,   /* connections of serve-tcp */
    CHUNK = 16 << 10, /* bytes echoed at a time */
    BACKLOG = 4096,
};

/* Bytes that each connection of serve-tcp brought, by fd. */
static unsigned long received[MAX_FD];

/* A wildcard socket of both families, or of IPv4 where there is no IPv6. */
static int bind_any(int type, const char *port)
{
    struct sockaddr_storage any;
    int one = 1, zero = 0;
    int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
    socklen_t length =
        payload_parse_address(fd >= 0 ? "::" : "0.0.0.0", port, &any);

    if (fd < 0)
        fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        payload_fail("socket");
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&any, length) < 0)
        payload_fail("bind");
    if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
        payload_fail("listen");
    return fd;
}

static int accept_client(int listener)
{
    struct sockaddr_storage from;
    socklen_t length = sizeof(from);
    int fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_CLOEXEC);

    if (fd < 0)
        payload_fail("accept");
    payload_say_address("client", &from);
    return fd;
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
        if (n < 0)
            return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

/*
 * Echoes once; false when the connection is over. At the client's end it gets
 * "end BYTES\n", which only a connection with half-close can bring it.
 */
static int echo_some(int fd, unsigned long *count)
{
    char buffer[CHUNK];
    char end[32];
    ssize_t n = read(fd, buffer, sizeof(buffer));

    if (n > 0) {
        *count += (unsigned long)n;
        return write_all(fd, buffer, (size_t)n) == 0;
    }
    if (n < 0 && errno == ECONNRESET)
        payload_say("reset");
    if (n == 0) {
        int length = snprintf(end, sizeof(end), "end %lu\n", *count);
        (void)write_all(fd, end, (size_t)length);
    }
    return 0;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data = { .fd = fd } };

    if (fd >= MAX_FD || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        payload_fail("epoll_ctl");
    received[fd] = 0;
}

void payload_raise_nofile(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        payload_fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* serve-tcp PORT...: one process, any number of connections, until killed */
int payload_serve_tcp(char **arguments)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int last_listener = -1;
    struct epoll_event event;

    payload_raise_nofile();
    if (epoll < 0)
        payload_fail("epoll");
    for (; *arguments != NULL; arguments++) {
        last_listener = bind_any(SOCK_STREAM, *arguments);
        watch(epoll, last_listener);
    }
    payload_say("ready");
    while (epoll_wait(epoll, &event, 1, -1) == 1) {
        int fd = event.data.fd;
        if (fd <= last_listener)
            watch(epoll, accept_client(fd));
        else if (!echo_some(fd, &received[fd]))
            (void)close(fd);
    }
    return 1;
}

/* serve-fork PORT: a process for each connection, so few fds in each */
int payload_serve_fork(char **arguments)
{
    const struct sigaction reap_nobody = { .sa_handler = SIG_IGN };
    int listener = bind_any(SOCK_STREAM, arguments[0]);

    (void)sigaction(SIGCHLD, &reap_nobody, NULL);
    payload_say("ready");
    for (;;) {
        unsigned long count = 0;
        int fd = accept_client(listener);
        if (fork() == 0) {
            (void)close(listener);
            while (echo_some(fd, &count))
                ;
            _exit(0);
        }
        (void)close(fd);
    }
}

/* serve-reset PORT: reads one byte of each connection, then resets it */
int payload_serve_reset(char **arguments)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };
    int listener = bind_any(SOCK_STREAM, arguments[0]);

    payload_say("ready");
    for (;;) {
        char byte;
        int fd = accept_client(listener);
        if (read(fd, &byte, 1) != 1)
            payload_fail("read");
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        (void)close(fd);
    }
}

/* serve-udp PORT: echoes every datagram to where it came from */
int payload_serve_udp(char **arguments)
{
    static char buffer[65536];
    int fd = bind_any(SOCK_DGRAM, arguments[0]);

    payload_say("ready");
    for (;;) {
        struct sockaddr_storage from;
        socklen_t length = sizeof(from);
        ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0,
                             (struct sockaddr *)&from, &length);
        if (n < 0)
            payload_fail("recvfrom");
        payload_say_address("client", &from);
        if (sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, length) <
            0)
            payload_fail("sendto");
    }
}
