/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console - see console.h
 *
 * Role:     plays the engine that takes a container's terminal
 * Runs in:  the world's pid 1
 * Failure:  ends the body
 */
#include "config.h"

#include "console.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <rnet/util/fd.h>

#include "check.h"
#include "peer.h"

int console_listen(const World *world, char **out_path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)g_snprintf(address.sun_path, sizeof address.sun_path, "%s/console",
                     world->dir);
    check_call(bind(listener, (struct sockaddr *)&address, sizeof address) == 0,
               "bind");
    check_call(chmod(address.sun_path, 0666) == 0, "chmod");
    check_call(listen(listener, 1) == 0, "listen");
    *out_path = g_strdup(address.sun_path);
    return listener;
}

int console_receive(int listener)
{
    rn_autofd int fd = peer_accept(listener);
    char name[64] = { 0 };
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec part = { .iov_base = name, .iov_len = sizeof name - 1 };
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    const struct cmsghdr *header = NULL;
    int master = -1;

    check_call(recvmsg(fd, &message, MSG_CMSG_CLOEXEC) > 0, "recvmsg");
    header = CMSG_FIRSTHDR(&message);
    check(header != NULL && header->cmsg_len == CMSG_LEN(sizeof(int)),
          "no fd with \"%s\"", name);
    memcpy(&master, CMSG_DATA(header), sizeof master);
    return master;
}
