/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer - see peer.h
 *
 * Role:     the other end of the container's traffic
 * Runs in:  the world's pid 1, in the world's network namespace
 * Failure:  ends the body
 */
#include "config.h"

#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <rnet/util/inet.h>

#include "check.h"

socklen_t peer_make_address(const char *text, unsigned port,
                            struct sockaddr_storage *out_address)
{
    RnEndpoint endpoint;
    GError *error = NULL;

    if (!rn_endpoint_parse_address(text, &endpoint, &error))
        check_no_error(error);
    endpoint.port = (uint16_t)port;
    return rn_endpoint_to_sockaddr(&endpoint, out_address);
}

void peer_set_timeouts(int fd)
{
    const struct timeval timeout = { .tv_sec = PEER_TIMEOUT_S };

    check_call(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
                          sizeof(timeout)) == 0 &&
                   setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
                              sizeof(timeout)) == 0,
               "set time-outs");
}

int peer_serve(int type, const char *address, unsigned port)
{
    struct sockaddr_storage storage;
    socklen_t length = peer_make_address(address, port, &storage);
    int fd = socket(storage.ss_family, type | SOCK_CLOEXEC, 0);

    check_call(fd >= 0, "socket");
    peer_set_timeouts(fd);
    check_call(bind(fd, (struct sockaddr *)&storage, length) == 0, address);
    if (type == SOCK_STREAM)
        check_call(listen(fd, SOMAXCONN) == 0, "listen");
    return fd;
}

unsigned peer_port(int fd)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof(storage);
    RnEndpoint endpoint;

    check_call(getsockname(fd, (struct sockaddr *)&storage, &length) == 0,
               "getsockname");
    rn_endpoint_from_sockaddr(&storage, &endpoint);
    return endpoint.port;
}

int peer_connect(int type, const char *address, unsigned port)
{
    struct sockaddr_storage storage;
    socklen_t length = peer_make_address(address, port, &storage);
    int fd = socket(storage.ss_family, type | SOCK_CLOEXEC, 0);

    check_call(fd >= 0, "socket");
    peer_set_timeouts(fd);
    check(connect(fd, (struct sockaddr *)&storage, length) == 0,
          "connect to %s port %u: %s", address, port, g_strerror(errno));
    return fd;
}

int peer_try_connect(const char *address, unsigned port)
{
    struct sockaddr_storage storage;
    socklen_t length = peer_make_address(address, port, &storage);
    int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    check_call(fd >= 0, "socket");
    peer_set_timeouts(fd);
    int failure =
        connect(fd, (struct sockaddr *)&storage, length) < 0 ? errno : 0;
    (void)close(fd);
    return failure;
}

void peer_await_connect(int fd)
{
    struct pollfd polled = { .fd = fd, .events = POLLOUT };
    int failure = 0;
    socklen_t length = sizeof(failure);

    check_number(poll(&polled, 1, PEER_TIMEOUT_S * 1000), 1, "connected");
    check_call(getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &length) == 0,
               "SO_ERROR");
    check(failure == 0, "connect: %s", g_strerror(failure));
}

int peer_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    check_call(fd >= 0, "accept");
    peer_set_timeouts(fd);
    return fd;
}

void peer_send(int fd, const char *text)
{
    ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);

    check_call(n == (ssize_t)strlen(text), "send");
}

void peer_expect(int fd, const char *text)
{
    size_t wanted = strlen(text);
    g_autofree char *got = g_malloc0(wanted + 1);
    ssize_t n = recv(fd, got, wanted, MSG_WAITALL);

    check_call(n >= 0, "receive");
    check_text(got, text);
}

void peer_echo(int fd, const char *text)
{
    peer_send(fd, text);
    peer_expect(fd, text);
}

void peer_finish(int fd, const char *text)
{
    char byte;

    check_call(shutdown(fd, SHUT_WR) == 0, "shutdown");
    peer_expect(fd, text);
    check_number(recv(fd, &byte, 1, 0), 0, "bytes after the end");
}

int peer_await_end(int fd)
{
    char buffer[4096];
    ssize_t n = 0;

    do {
        n = recv(fd, buffer, sizeof(buffer), 0);
    } while (n > 0);
    return n < 0 ? errno : 0;
}

void peer_reflect(int fd, const char *text)
{
    char buffer[2048] = "";
    struct sockaddr_storage from;
    socklen_t length = sizeof(from);
    ssize_t n = recvfrom(fd, buffer, sizeof(buffer) - 1, 0,
                         (struct sockaddr *)&from, &length);

    check_call(n >= 0, "receive a datagram");
    check_text(buffer, text);
    check_call(
        sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, length) == n,
        "send a datagram");
}

void peer_reflect_many(int fd, int count, size_t size)
{
    static char buffer[65536], wanted[65536];
    struct sockaddr_storage client;
    socklen_t length = sizeof(client);

    for (int i = 0; i < count; i++) {
        memset(wanted, i, size);
        length = sizeof(client);
        ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0,
                             (struct sockaddr *)&client, &length);
        check_call(n >= 0, "receive a datagram");
        check((size_t)n == size && memcmp(buffer, wanted, size) == 0,
              "datagram %d: %zd bytes of %d", i, n, buffer[0]);
    }
    for (int i = 0; i < count; i++) {
        memset(buffer, i, size);
        check_call(sendto(fd, buffer, size, 0, (struct sockaddr *)&client,
                          length) == (ssize_t)size,
                   "send a datagram");
    }
}

void peer_answer_query(int fd)
{
    /* a pointer to the question's name, A, IN, TTL 60, RFC 1035, 4.1.3 */
    static const uint8_t answer[] = { 0xc0, 12, 0, 1, 0,   1, 0,   0,
                                      0,    60, 0, 4, 203, 0, 113, 7 };
    uint8_t message[512 + sizeof(answer)];
    struct sockaddr_storage from;
    socklen_t length = sizeof(from);
    ssize_t n =
        recvfrom(fd, message, 512, 0, (struct sockaddr *)&from, &length);

    check_call(n > 12, "receive a query");
    message[2] = 0x81; /* a response, recursion desired */
    message[3] = 0x80; /* recursion available, no error */
    message[7] = 1;    /* one answer */
    memcpy(message + n, answer, sizeof(answer));
    n += (ssize_t)sizeof(answer);
    check_call(sendto(fd, message, (size_t)n, 0, (struct sockaddr *)&from,
                      length) == n,
               "send an answer");
}

void peer_reset(int fd)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };

    check_call(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0,
               "linger");
    (void)close(fd);
}
