/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns-watch - see netns-watch.h
 *
 * Role:     numbers namespaces, reads what the kernel says of the numbers
 * Runs in:  the world's pid 1, which has CAP_NET_ADMIN there
 * Failure:  ends the body; a namespace that lives on is one
 */
#include "config.h"

#include "netns-watch.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <rnet/util/fd.h>

#include "check.h"

enum {
    FIRST_NUMBER = 1000, /* far from those that the kernel picks */
    TIMEOUT_S = 20,      /* the kernel frees them in the background */
};

/* RTM_NEWNSID with two attributes of four bytes. */
typedef struct Request {
    struct nlmsghdr header;
    struct rtgenmsg general;
    uint8_t padding[3];
    struct rtattr fd_header;
    int32_t fd;
    struct rtattr number_header;
    int32_t number;
} Request;

G_STATIC_ASSERT(sizeof(Request) == NLMSG_SPACE(sizeof(struct rtgenmsg)) +
                                       2 * RTA_SPACE(sizeof(int32_t)));

void netns_watch_init(NetnsWatch *watch)
{
    const struct timeval timeout = { .tv_sec = TIMEOUT_S };
    const int group = RTNLGRP_NSID;

    *watch = (NetnsWatch){
        .netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
        .awaited = g_array_new(FALSE, FALSE, sizeof(int32_t)),
        .next = FIRST_NUMBER,
    };
    check_call(watch->netlink >= 0 &&
                   setsockopt(watch->netlink, SOL_NETLINK,
                              NETLINK_ADD_MEMBERSHIP, &group,
                              sizeof(group)) == 0 &&
                   setsockopt(watch->netlink, SOL_SOCKET, SO_RCVTIMEO, &timeout,
                              sizeof(timeout)) == 0,
               "open a netlink socket");
}

void netns_watch_clear(NetnsWatch *watch)
{
    rn_fd_close(&watch->netlink);
    g_clear_pointer(&watch->awaited, g_array_unref);
}

/* The number in a message about one; -1: there is none. */
static int32_t read_number(const struct nlmsghdr *header)
{
    const struct rtattr *attribute =
        (const void *)((const char *)NLMSG_DATA(header) +
                       NLMSG_ALIGN(sizeof(struct rtgenmsg)));
    unsigned length = (unsigned)NLMSG_PAYLOAD(header, sizeof(struct rtgenmsg));

    for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length)) {
        if (attribute->rta_type == NETNSA_NSID)
            return *(const int32_t *)RTA_DATA(attribute);
    }
    return -1;
}

static void forget(NetnsWatch *watch, int32_t number)
{
    for (unsigned i = 0; i < watch->awaited->len; i++) {
        if (g_array_index(watch->awaited, int32_t, i) != number)
            continue;
        (void)g_array_remove_index_fast(watch->awaited, i);
        return;
    }
}

/* Takes in one datagram; true if it had the answer to a request. */
static bool receive(NetnsWatch *watch, int *out_errno)
{
    _Alignas(struct nlmsghdr) char buffer[8192];
    ssize_t n = recv(watch->netlink, buffer, sizeof(buffer), 0);
    const struct nlmsghdr *header = (const void *)buffer;
    unsigned length = (unsigned)n;
    bool answered = false;

    check(n >= 0, "%u network namespaces live on: %s", watch->awaited->len,
          g_strerror(errno));
    for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
        if (header->nlmsg_type == RTM_DELNSID)
            forget(watch, read_number(header));
        if (header->nlmsg_type != NLMSG_ERROR)
            continue;
        *out_errno = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
        answered = true;
    }
    return answered;
}

/* Those that have a number already are noted, or the kernel's business. */
static void add(NetnsWatch *watch, int netns_fd)
{
    const Request request = {
        .header = { .nlmsg_len = sizeof(request),
                    .nlmsg_type = RTM_NEWNSID,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
        .general.rtgen_family = AF_UNSPEC,
        .fd_header = { RTA_LENGTH(sizeof(int32_t)), NETNSA_FD },
        .fd = netns_fd,
        .number_header = { RTA_LENGTH(sizeof(int32_t)), NETNSA_NSID },
        .number = watch->next,
    };
    int result = 0;

    check_call(send(watch->netlink, &request, sizeof(request), 0) ==
                   sizeof(request),
               "ask for a namespace's number");
    while (!receive(watch, &result))
        ;
    check(result == 0 || result == EEXIST, "number a namespace: %s",
          g_strerror(result));
    if (result == 0)
        g_array_append_val(watch->awaited, watch->next);
    watch->next++;
}

unsigned netns_watch_add_all(NetnsWatch *watch)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name = NULL;
    struct stat own = { 0 };

    check_call(stat("/proc/self/ns/net", &own) == 0, "stat");
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename("/proc", name, "ns/net", NULL);
        struct stat status = { 0 };

        if (!g_ascii_isdigit(name[0]))
            continue;
        rn_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &status) == 0 && status.st_ino != own.st_ino)
            add(watch, fd);
    }
    return watch->awaited->len;
}

void netns_watch_await_end(NetnsWatch *watch)
{
    int unused = 0;

    while (watch->awaited->len > 0)
        (void)receive(watch, &unused);
}
