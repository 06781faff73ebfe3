/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load-serve - the server: TCP and UDP on one port
 *
 * Role:     the far end of every measurement, in the container or outside
 * Data:     short exchanges in one epoll loop, so that the server is not what
 *           bounds a connection rate; a bulk transfer in a process of its own
 * Failure:  of one connection: it is closed
 */
#include "config.h"

#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FDS 65536
#define BATCH   64

typedef struct Server {
    int epoll;
    int listener;
    int udp;
    uint32_t session;
    uint64_t received;
    uint8_t have[MAX_FDS]; /* bytes of the current request */
    uint8_t mode[MAX_FDS];
} Server;

static void watch(const Server *server, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        load_die("epoll_ctl");
}

static int open_socket(int type, const struct sockaddr_in *address)
{
    int on = 1, buffer = 4 << 20;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        load_die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (type == SOCK_DGRAM)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        load_die("bind");
    if (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)
        load_die("listen");
    return fd;
}

static void accept_all(Server *server)
{
    int on = 1;

    for (;;) {
        int fd =
            accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (fd >= MAX_FDS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        server->have[fd] = 0;
        watch(server, fd);
    }
}

static void move_bulk(int fd, LoadMode mode)
{
    static char block[LOAD_BLOCK];
    uint64_t bytes = 0;
    ssize_t n;

    if (mode == LOAD_DOWN) {
        while (load_write(fd, block, sizeof(block)))
            ;
        return;
    }
    while ((n = read(fd, block, sizeof(block))) > 0)
        bytes += (uint64_t)n;
    (void)load_write(fd, &bytes, sizeof(bytes)); /* the client may be gone */
}

static void start_bulk(Server *server, int fd)
{
    pid_t pid = fork();

    if (pid == 0) {
        close(server->listener);
        close(server->epoll);
        fcntl(fd, F_SETFL, 0); /* blocking */
        move_bulk(fd, server->mode[fd]);
        _exit(0);
    }
    epoll_ctl(server->epoll, EPOLL_CTL_DEL, fd, NULL);
    close(fd);
}

static void answer(Server *server, int fd)
{
    static const char reply[LOAD_REPLY];

    server->have[fd] = 0;
    switch ((LoadMode)server->mode[fd]) {
    case LOAD_ECHO:
        if (!load_write(fd, reply, LOAD_REQUEST))
            close(fd);
        return;
    case LOAD_UP:
    case LOAD_DOWN:
        start_bulk(server, fd);
        return;
    case LOAD_CLOSE:
        (void)load_write(fd, reply, sizeof(reply)); /* closed anyway */
        break;
    }
    close(fd);
}

static void read_request(Server *server, int fd)
{
    char request[LOAD_REQUEST];
    size_t have = server->have[fd];
    ssize_t n = recv(fd, request, sizeof(request) - have, 0);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        close(fd);
        return;
    }
    if (have == 0)
        server->mode[fd] = (uint8_t)request[0];
    server->have[fd] = (uint8_t)(have + (size_t)n);
    if (server->have[fd] == LOAD_REQUEST)
        answer(server, fd);
}

static void take_datagram(Server *server, const void *data, size_t size,
                          const struct sockaddr_in *from)
{
    LoadDatagram head;

    if (size < sizeof(head))
        return;
    memcpy(&head, data, sizeof(head));
    if (head.kind == LOAD_UDP_DATA) {
        if (head.session != server->session)
            server->received = 0;
        server->session = head.session;
        server->received++;
        return;
    }
    if (head.kind == LOAD_UDP_SOURCE) {
        if (fork() == 0) {
            load_udp_send(server->udp, from, &head);
            _exit(0);
        }
        return;
    }
    if (head.kind == LOAD_UDP_QUERY)
        head.count = head.session == server->session ? server->received : 0;
    sendto(server->udp, &head,
           head.kind == LOAD_UDP_ECHO ? LOAD_REQUEST : sizeof(head), 0,
           (const struct sockaddr *)from, sizeof(*from));
}

static void read_datagrams(Server *server)
{
    static char data[BATCH][2048];
    struct sockaddr_in from[BATCH];
    struct mmsghdr messages[BATCH] = { 0 };
    struct iovec parts[BATCH];
    int n;

    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){ data[i], sizeof(data[i]) };
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &from[i];
        messages[i].msg_hdr.msg_namelen = sizeof(from[i]);
    }
    n = recvmmsg(server->udp, messages, BATCH, 0, NULL);
    for (int i = 0; i < n; i++)
        take_datagram(server, data[i], messages[i].msg_len, &from[i]);
}

static void raise_fd_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* fewer fds then */
    }
}

int load_serve(char **operands)
{
    static Server server;
    struct sockaddr_in address = load_parse_address("0.0.0.0", operands[0]);
    struct epoll_event events[BATCH];

    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* bulk processes need no wait() then */
    raise_fd_limit();
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    server.listener = open_socket(SOCK_STREAM, &address);
    server.udp = open_socket(SOCK_DGRAM, &address);
    watch(&server, server.listener);
    watch(&server, server.udp);
    for (;;) {
        int n = epoll_wait(server.epoll, events, BATCH, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == server.listener)
                accept_all(&server);
            else if (fd == server.udp)
                read_datagrams(&server);
            else
                read_request(&server, fd);
        }
    }
}
