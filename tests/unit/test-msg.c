/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-msg - messages, their fds, and what a hostile or dead peer leads to
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

typedef struct Pair {
    int ends[2];
} Pair;

static int make_pair(void **state)
{
    Pair *pair = g_new0(Pair, 1);

    *state = pair;
    return rn_msg_pair(pair->ends, NULL) ? 0 : -1;
}

static int free_pair(void **state)
{
    Pair *pair = *state;

    rn_fd_close(&pair->ends[0]);
    rn_fd_close(&pair->ends[1]);
    g_free(pair);
    return 0;
}

static void payload_and_fds_arrive(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    rn_autofd int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fds[] = { null_fd, STDERR_FILENO };
    g_autoptr(GError) error = NULL;

    assert_true(
        rn_msg_send(pair->ends[0], RN_MSG_START, "abc", 3, fds, 2, &error));
    assert_true(rn_msg_expect(pair->ends[1], RN_MSG_START, 3, 2, &msg, &error));
    assert_memory_equal(msg.payload, "abc", 3);
    assert_true((fcntl(msg.fds[0], F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(msg.fds[1], F_GETFD) & FD_CLOEXEC) != 0);
}

static void largest_message_arrives_whole(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    g_autofree uint8_t *payload = g_malloc(RN_MSG_MAX_PAYLOAD);
    g_autoptr(GError) error = NULL;

    memset(payload, 0x5a, RN_MSG_MAX_PAYLOAD);
    assert_true(rn_msg_send(pair->ends[0], RN_MSG_START, payload,
                            RN_MSG_MAX_PAYLOAD, NULL, 0, &error));
    assert_true(rn_msg_recv(pair->ends[1], &msg, &error));
    assert_int_equal(msg.length, RN_MSG_MAX_PAYLOAD);
    assert_memory_equal(msg.payload, payload, RN_MSG_MAX_PAYLOAD);
}

static void end_of_the_peer_is_an_error(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) send_error = NULL;

    rn_fd_close(&pair->ends[0]);
    assert_false(rn_msg_recv(pair->ends[1], &msg, &error));
    assert_error(error, RN_ERROR, RN_ERROR_PEER_DIED, "ended");
    assert_false(rn_msg_send(pair->ends[1], RN_MSG_START, NULL, 0, NULL, 0,
                             &send_error));
    assert_error(send_error, RN_ERROR, RN_ERROR_PEER_DIED, "ended");
}

static void nothing_to_read_is_told_apart(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) error = NULL;

    assert_true(rn_fd_set_nonblocking(pair->ends[1], true, &error));
    assert_int_equal(rn_msg_try_recv(pair->ends[1], &msg), 0);
    assert_false(rn_msg_recv(pair->ends[1], &msg, &error));
    assert_true(rn_error_is_errno(error, EAGAIN));
}

static void too_short_datagram_is_malformed(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) error = NULL;

    assert_int_equal(send(pair->ends[0], "ab", 2, 0), 2);
    assert_false(rn_msg_recv(pair->ends[1], &msg, &error));
    assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "malformed");
}

static void too_long_datagram_is_malformed(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    g_autofree uint8_t *data = g_malloc0(RN_MSG_MAX_PAYLOAD + 5);
    g_autoptr(GError) error = NULL;

    assert_int_equal(send(pair->ends[0], data, RN_MSG_MAX_PAYLOAD + 5, 0),
                     RN_MSG_MAX_PAYLOAD + 5);
    assert_false(rn_msg_recv(pair->ends[1], &msg, &error));
    assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "malformed");
}

/* Sends `n` duplicates of stderr past rn_msg_send()'s own bound. */
static void send_many_fds(int socket, unsigned n)
{
    uint32_t type = RN_MSG_START;
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * 16)];
    } control = { 0 };
    struct iovec part = { .iov_base = &type, .iov_len = sizeof type };
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = CMSG_SPACE(sizeof(int) * n),
    };
    int fd = STDERR_FILENO;

    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int) * n);
    for (unsigned i = 0; i < n; i++)
        memcpy(CMSG_DATA(&control.header) + i * sizeof fd, &fd, sizeof fd);
    assert_true(sendmsg(socket, &header, 0) >= 0);
}

static void too_many_fds_are_malformed_and_closed(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) error = NULL;
    int before = dup(STDERR_FILENO);
    int after = -1;

    (void)close(before);
    send_many_fds(pair->ends[0], 12);
    assert_false(rn_msg_recv(pair->ends[1], &msg, &error));
    assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "malformed");
    after = dup(STDERR_FILENO);
    (void)close(after);
    assert_int_equal(before, after); /* the lowest free fd is the same */
}

static void unexpected_message_is_refused(void **state)
{
    Pair *pair = *state;
    static const struct {
        uint32_t type;
        const char *payload;
    } cases[] = {
        { RN_MSG_EXECING, "" },   /* another type */
        { RN_MSG_START, "more" }, /* another length */
        { 0, "" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnMsg) msg = { 0 };
        g_autoptr(GError) error = NULL;

        assert_true(rn_msg_send(pair->ends[0], cases[i].type, cases[i].payload,
                                strlen(cases[i].payload), NULL, 0, &error));
        assert_false(
            rn_msg_expect(pair->ends[1], RN_MSG_START, 0, 0, &msg, &error));
        assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "due");
    }
}

static void failure_crosses_with_code_and_hint(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) sent = NULL;
    g_autoptr(GError) error = NULL;

    rn_set_errno(&sent, EPERM, "mount \"/proc\"");
    rn_error_add_hint(&sent, "ask root");
    assert_true(rn_msg_send_error(pair->ends[0], sent, &error));
    assert_false(
        rn_msg_expect(pair->ends[1], RN_MSG_START, 0, 0, &msg, &error));
    assert_error(error, RN_ERRNO, EPERM, sent->message);
}

static void overlong_failure_is_cut(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    g_autofree char *text = g_strnfill(3 * RN_MSG_MAX_PAYLOAD, 'x');
    g_autoptr(GError) sent = NULL;
    g_autoptr(GError) error = NULL;

    rn_set_error(&sent, RN_ERROR_LIMIT, "%s", text);
    assert_true(rn_msg_send_error(pair->ends[0], sent, &error));
    assert_true(rn_msg_recv(pair->ends[1], &msg, &error));
    assert_false(rn_msg_take_error(&msg, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "xxxx");
}

static void forged_failure_is_refused(void **state)
{
    Pair *pair = *state;
    g_auto(RnMsg) msg = { 0 };
    struct {
        uint32_t is_errno;
        int32_t code;
        char text[4];
    } forged = { 0, 4711, "abc" };
    g_autoptr(GError) error = NULL;

    assert_true(rn_msg_send(pair->ends[0], RN_MSG_FAILED, &forged,
                            sizeof forged, NULL, 0, &error));
    assert_true(rn_msg_recv(pair->ends[1], &msg, &error));
    assert_false(rn_msg_take_error(&msg, &error));
    assert_error(error, RN_ERROR, RN_ERROR_PROTOCOL, "4711");
}

/* The far end of a stream: everything that comes, with the fd of the start. */
static gsize drain_stream(int socket, int *out_fd)
{
    static char buffer[65536];
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = { .iov_base = buffer, .iov_len = 1 };
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    gsize total = 1;
    ssize_t got = 0;

    assert_int_equal(recvmsg(socket, &header, MSG_CMSG_CLOEXEC), 1);
    assert_non_null(CMSG_FIRSTHDR(&header));
    memcpy(out_fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof *out_fd);
    while ((got = read(socket, buffer, sizeof buffer)) > 0)
        total += (gsize)got;
    return total;
}

static void foreign_stream_takes_all_bytes_and_the_fd(void **state)
{
    enum {
        LENGTH = 4 * 1024 * 1024
    }; /* more than a socket's queue holds */
    g_autofree char *data = g_malloc0(LENGTH);
    int ends[2] = { -1, -1 };
    rn_autofd int fd = -1;
    gsize total = 0;
    pid_t sender = -1;
    int status = -1;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    sender = fork();
    assert_true(sender >= 0);
    if (sender == 0) {
        rn_fd_close(&ends[1]);
        _exit(rn_fd_send(ends[0], STDERR_FILENO, data, LENGTH, NULL) ? 0 : 1);
    }
    rn_fd_close(&ends[0]);
    total = drain_stream(ends[1], &fd);
    assert_int_equal(waitpid(sender, &status, 0), sender);
    assert_int_equal(status, 0);
    assert_int_equal(total, LENGTH);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    rn_fd_close(&ends[1]);
}

static void foreign_peer_that_is_gone_is_an_error(void **state)
{
    g_autoptr(GError) error = NULL;
    int ends[2] = { -1, -1 };

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    rn_fd_close(&ends[1]);
    assert_false(rn_fd_send(ends[0], STDERR_FILENO, "x", 1, &error));
    assert_error(error, RN_ERRNO, EPIPE, "send a file descriptor");
    rn_fd_close(&ends[0]);
}

#define with_pair(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_pair, free_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pair(payload_and_fds_arrive),
        with_pair(largest_message_arrives_whole),
        with_pair(end_of_the_peer_is_an_error),
        with_pair(nothing_to_read_is_told_apart),
        with_pair(too_short_datagram_is_malformed),
        with_pair(too_long_datagram_is_malformed),
        with_pair(too_many_fds_are_malformed_and_closed),
        with_pair(unexpected_message_is_refused),
        with_pair(failure_crosses_with_code_and_hint),
        with_pair(overlong_failure_is_cut),
        with_pair(forged_failure_is_refused),
        cmocka_unit_test(foreign_stream_takes_all_bytes_and_the_fd),
        cmocka_unit_test(foreign_peer_that_is_gone_is_an_error),
    };

    return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
