/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload-tcp - clients that a container's own process has to be
 *
 * Role:     what a process sees of its connection, and a crowd of them
 * Runs in:  the container; see payload.h
 * Data:     lines on stdout, see each verb
 * Failure:  as in payload-client.c
 */
#include "config.h"

#include "payload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MESSAGE = 24 /* bytes of one in a crowd */
};

/* names ADDRESS PORT: connects, says "local ADDRESS PORT" and "peer ..." */
int payload_names(char **arguments)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof(name);
    int fd = payload_dial(SOCK_STREAM, 0, arguments[0], arguments[1]);

    if (getsockname(fd, (struct sockaddr *)&name, &length) < 0)
        payload_fail("getsockname");
    payload_say_address("local", &name);
    length = sizeof(name);
    if (getpeername(fd, (struct sockaddr *)&name, &length) < 0)
        payload_fail("getpeername");
    payload_say_address("peer", &name);
    return 0;
}

static void write_message(char message[MESSAGE], int number)
{
    memset(message, 0, MESSAGE);
    (void)snprintf(message, MESSAGE, "member %d", number);
}

static void await_echo(int fd, int number)
{
    char wanted[MESSAGE], got[MESSAGE];
    size_t length = 0;

    write_message(wanted, number);
    while (length < sizeof(got)) {
        payload_await_readable(fd, "echo");
        ssize_t n = read(fd, got + length, sizeof(got) - length);
        if (n <= 0)
            payload_fail("echo");
        length += (size_t)n;
    }
    if (memcmp(got, wanted, sizeof(got)) == 0)
        return;
    errno = EBADMSG;
    payload_fail("echo");
}

/*
 * crowd ADDRESS PORT COUNT: opens COUNT connections, says "connected", sends
 * one message through each, awaits their echoes, says "echoed", closes them.
 */
int payload_crowd(char **arguments)
{
    int count = payload_parse_number(arguments[2]);
    int *fds = calloc((size_t)count, sizeof(*fds));
    char message[MESSAGE];

    if (fds == NULL)
        payload_fail("memory");
    payload_raise_nofile();
    for (int i = 0; i < count; i++)
        fds[i] = payload_dial(SOCK_STREAM, 0, arguments[0], arguments[1]);
    payload_say("connected");
    for (int i = 0; i < count; i++) {
        write_message(message, i);
        if (send(fds[i], message, sizeof(message), MSG_NOSIGNAL) < 0)
            payload_fail("send");
    }
    for (int i = 0; i < count; i++)
        await_echo(fds[i], i);
    payload_say("echoed");
    for (int i = 0; i < count; i++)
        (void)close(fds[i]);
    free(fds);
    return 0;
}
