/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns - namespaces for tests, see the header
 *
 * Runs in test programs that have one thread. Children end with _exit(), so
 * that nothing of cmocka runs twice.
 */
#include "config.h"

#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <rnet/sys/netlink.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

enum {
    RESULT = 1000, /* message type; none of protocol.h */
};

static bool write_map(const char *path, unsigned id)
{
    char line[32];

    g_snprintf(line, sizeof line, "0 %u 1\n", id);
    return rn_file_write(AT_FDCWD, path, line, NULL);
}

/* The child of netns_open(): makes the namespaces and waits to be let go. */
static G_NORETURN void hold_main(int socket)
{
    unsigned uid = geteuid();
    unsigned gid = getegid();
    RnMsg msg = { 0 };
    int result = 0;

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        result = errno;
    else if (!rn_file_write(AT_FDCWD, "/proc/self/setgroups", "deny", NULL) ||
             !write_map("/proc/self/uid_map", uid) ||
             !write_map("/proc/self/gid_map", gid))
        result = EIO;
    if (rn_msg_send(socket, RESULT, &result, sizeof result, NULL, 0, NULL))
        (void)!rn_msg_recv(socket, &msg, NULL);
    _exit(0);
}

static int open_namespace(pid_t pid, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

void netns_open(Netns *netns)
{
    g_auto(RnMsg) msg = { 0 };
    int pair[2] = { -1, -1 };
    int result = -1;
    pid_t pid = 0;

    assert_true(rn_msg_pair(pair, NULL));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(pair[0]);
        hold_main(pair[1]);
    }
    (void)close(pair[1]);
    if (rn_msg_recv(pair[0], &msg, NULL))
        memcpy(&result, msg.payload, sizeof result);
    if (result == 0) {
        netns->userns_fd = open_namespace(pid, "user");
        netns->netns_fd = open_namespace(pid, "net");
    }
    (void)close(pair[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    if (result != 0)
        skip_without("no user and network namespace: %s", g_strerror(result));
}

void netns_close(Netns *netns)
{
    rn_fd_close(&netns->userns_fd);
    rn_fd_close(&netns->netns_fd);
}

static G_NORETURN void run_main(const Netns *netns, NetnsFunc func, void *data,
                                int socket)
{
    g_autofree char *failure = NULL;

    rn_signals_reset(); /* a crash here is the child's own, not cmocka's */
    if (setns(netns->userns_fd, CLONE_NEWUSER) < 0 ||
        setns(netns->netns_fd, CLONE_NEWNET) < 0)
        failure = g_strdup_printf("setns: %s", g_strerror(errno));
    else
        failure = func(data);
    if (failure == NULL)
        failure = g_strdup("");
    (void)!rn_msg_send(socket, RESULT, failure, strlen(failure), NULL, 0, NULL);
    _exit(0);
}

void netns_run(const Netns *netns, NetnsFunc func, void *data)
{
    g_auto(RnMsg) msg = { 0 };
    int pair[2] = { -1, -1 };
    bool answered = false;
    pid_t pid = 0;

    assert_true(rn_msg_pair(pair, NULL));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(pair[0]);
        run_main(netns, func, data, pair[1]);
    }
    (void)close(pair[1]);
    answered = rn_msg_recv(pair[0], &msg, NULL);
    (void)close(pair[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    if (!answered)
        fail_msg("the child in the namespace died");
    if (msg.length > 0)
        fail_msg("in the namespace: %.*s", (int)msg.length,
                 (const char *)msg.payload);
}

static char *bring_up_loopback(void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnNetlink) netlink = rn_netlink_open(&error);

    (void)data;
    if (netlink == NULL ||
        !rn_netlink_link_change(netlink, "lo", &(RnLinkChange){ .up = true },
                                &error))
        return g_strdup(error->message);
    return NULL;
}

void netns_bring_up_loopback(const Netns *netns)
{
    netns_run(netns, bring_up_loopback, NULL);
}

typedef struct SocketWork {
    int type;
    RnEndpoint endpoint, source; /* the latter AF_UNSPEC: any */
    int socket;
} SocketWork;

static char *listen_inside(void *data)
{
    const SocketWork *work = data;
    struct sockaddr_storage address;
    socklen_t length = rn_endpoint_to_sockaddr(&work->endpoint, &address);
    int fd = socket(work->endpoint.family, work->type | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&address, length) < 0 ||
        (work->type == SOCK_STREAM && listen(fd, 16) < 0) ||
        !rn_msg_send(work->socket, RESULT, NULL, 0, &fd, 1, NULL))
        return g_strdup_printf("listen: %s", g_strerror(errno));
    return NULL;
}

/* Runs func, which sends one socket, and returns that. */
static int make_socket(const Netns *netns, NetnsFunc func, SocketWork *work)
{
    g_auto(RnMsg) msg = { 0 };
    int pair[2] = { -1, -1 };

    assert_true(rn_msg_pair(pair, NULL));
    work->socket = pair[1];
    netns_run(netns, func, work);
    assert_true(rn_msg_recv(pair[0], &msg, NULL));
    (void)close(pair[0]);
    (void)close(pair[1]);
    return rn_msg_steal_fd(&msg, 0);
}

int netns_listen(const Netns *netns, int type, const char *address,
                 uint16_t port)
{
    SocketWork work = { .type = type };

    assert_true(rn_endpoint_parse_address(address, &work.endpoint, NULL));
    work.endpoint.port = port;
    return make_socket(netns, listen_inside, &work);
}

static char *connect_inside(void *data)
{
    const SocketWork *work = data;
    struct sockaddr_storage address;
    socklen_t length = rn_endpoint_to_sockaddr(&work->endpoint, &address);
    struct sockaddr_storage source;
    socklen_t source_length = 0;
    int fd = socket(work->endpoint.family,
                    work->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (work->source.family != AF_UNSPEC)
        source_length = rn_endpoint_to_sockaddr(&work->source, &source);
    if (fd < 0 ||
        (source_length > 0 &&
         bind(fd, (struct sockaddr *)&source, source_length) < 0) ||
        (connect(fd, (struct sockaddr *)&address, length) < 0 &&
         errno != EINPROGRESS) ||
        !rn_msg_send(work->socket, RESULT, NULL, 0, &fd, 1, NULL))
        return g_strdup_printf("connect: %s", g_strerror(errno));
    return NULL;
}

int netns_connect(const Netns *netns, int type, const RnEndpoint *to,
                  const RnEndpoint *source)
{
    SocketWork work = { .type = type, .endpoint = *to };

    if (source != NULL)
        work.source = *source;
    return make_socket(netns, connect_inside, &work);
}

typedef struct SysctlWork {
    const char *name;
    int socket;
} SysctlWork;

static char *read_sysctl(void *data)
{
    const SysctlWork *work = data;
    g_autofree char *path = g_build_filename("/proc/sys", work->name, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    if (!rn_file_read(AT_FDCWD, path, 4096, &text, NULL, &error) ||
        !rn_msg_send(work->socket, RESULT, text, strlen(text), NULL, 0, &error))
        return g_strdup(error->message);
    return NULL;
}

char *netns_read_sysctl(const Netns *netns, const char *name)
{
    g_auto(RnMsg) msg = { 0 };
    SysctlWork work = { .name = name };
    int pair[2] = { -1, -1 };

    assert_true(rn_msg_pair(pair, NULL));
    work.socket = pair[1];
    netns_run(netns, read_sysctl, &work);
    assert_true(rn_msg_recv(pair[0], &msg, NULL));
    (void)close(pair[0]);
    (void)close(pair[1]);
    return g_strchomp(
        g_strndup((const char *)msg.payload, MIN(msg.length, 4096)));
}

void require_tun(void)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        skip_without("/dev/net/tun cannot be opened: %s", g_strerror(errno));
    (void)close(fd);
}
