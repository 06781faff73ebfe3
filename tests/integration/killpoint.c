/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * killpoint - dies or waits at a chosen message, see doom.h
 *
 * Role:     stands in front of rn_msg_send (ld --wrap) in rnet-killpoints
 * Runs in:  every process of rnet
 * Data:     RNET_TEST_KILL="ROLE:NUMBER:ACTION" says which process is meant,
 *           at its NUMBERth message, counted from 1; RNET_TEST_KILL_SOCKET is
 *           the test's datagram socket, which first gets the message's type.
 *           ACTION is "before" or "after" it (SIGKILL to itself), or "hold": a
 *           datagram of the test's is waited for, before the message
 * Failure:  exit status 99
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <rnet/util/msg.h>

bool __real_rn_msg_send(int fd, uint32_t type, const void *payload,
                        gsize length, const int *fds, unsigned n_fds,
                        GError **error);
bool __wrap_rn_msg_send(int fd, uint32_t type, const void *payload,
                        gsize length, const int *fds, unsigned n_fds,
                        GError **error);

/* init is a fork of the launcher, so it has another pid than at the start. */
static pid_t start_pid;
static pid_t counting_pid;
static unsigned n_sent;
static int test_socket = -1; /* made before the process is confined */
static ino_t test_inode;     /* of it */

/* Named by the kernel, so that the test can answer. */
static void connect_test(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat status = { 0 };

    test_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (test_socket < 0 || strlen(path) >= sizeof(address.sun_path) ||
        bind(test_socket, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0)
        _exit(99);
    (void)strcpy(address.sun_path, path);
    if (connect(test_socket, (struct sockaddr *)&address, sizeof(address)) <
            0 ||
        fstat(test_socket, &status) < 0)
        _exit(99);
    test_inode = status.st_ino;
}

/* Some forks close what they do not know. Before their first message: later the
 * path may lead nowhere. */
static void reconnect_test(void)
{
    struct stat status = { 0 };

    if (test_socket >= 0 && getpid() != start_pid &&
        (fstat(test_socket, &status) < 0 || status.st_ino != test_inode))
        connect_test(getenv("RNET_TEST_KILL_SOCKET"));
}

__attribute__((constructor)) static void note_start(void)
{
    const char *path = getenv("RNET_TEST_KILL_SOCKET");

    start_pid = getpid();
    if (path != NULL)
        connect_test(path);
}

static bool is_role(const char *role, size_t length)
{
    const char *own = program_invocation_short_name;

    if (getpid() != start_pid)
        own = "init";
    else if (strncmp(own, "rnet-", 5) != 0)
        own = "rnet";
    return strlen(own) == length && strncmp(own, role, length) == 0;
}

/* What is to happen at the message about to be sent; NULL: nothing. */
static const char *choose_action(void)
{
    const char *chosen = getenv("RNET_TEST_KILL");
    const char *colon = chosen != NULL ? strchr(chosen, ':') : NULL;
    char *rest = NULL;

    if (colon == NULL || !is_role(chosen, (size_t)(colon - chosen)) ||
        strtoul(colon + 1, &rest, 10) != n_sent || *rest != ':')
        return NULL;
    return rest + 1;
}

/*
 * Before the message is sent in any case: once it is, this process may be ended
 * from outside before it gets to its own end. Without waiting: the test reads
 * the first one, and a helper that is started again and again sends more. By
 * the calls that the helpers' seccomp filters have.
 */
static void announce(uint32_t type)
{
    struct iovec part = { .iov_base = &type, .iov_len = sizeof(type) };
    const struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    if (sendmsg(test_socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
        errno != EAGAIN)
        _exit(99);
}

static void await_test(void)
{
    char byte = 0;
    struct iovec part = { .iov_base = &byte, .iov_len = 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    if (recvmsg(test_socket, &message, 0) < 0)
        _exit(99);
}

static G_NORETURN void die(void)
{
    (void)kill(getpid(), SIGKILL);
    /* the pid 1 of a namespace cannot kill itself */
    _exit(99);
}

bool __wrap_rn_msg_send(int fd, uint32_t type, const void *payload,
                        gsize length, const int *fds, unsigned n_fds,
                        GError **error)
{
    if (counting_pid != getpid()) {
        counting_pid = getpid();
        n_sent = 0;
        reconnect_test();
    }
    n_sent++;
    const char *action = choose_action();
    if (action != NULL)
        announce(type);
    if (g_strcmp0(action, "before") == 0)
        die();
    if (g_strcmp0(action, "hold") == 0)
        await_test();
    bool ok = __real_rn_msg_send(fd, type, payload, length, fds, n_fds, error);
    if (g_strcmp0(action, "after") == 0)
        die();
    return ok;
}
