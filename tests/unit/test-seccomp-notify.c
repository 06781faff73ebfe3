/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-seccomp-notify - what a seccomp agent gets, and agents that are not there
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <rnet/runtime/seccomp-notify.h>
#include <rnet/util/fd.h>

#include "scratch.h"

/* A listening socket at `name` in the working directory. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)g_strlcpy(address.sun_path, name, sizeof address.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* One message with one fd: how agents read. */
static char *read_notice(int connection, int *out_fd)
{
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    char *text = g_malloc0(4096);
    struct iovec part = { .iov_base = text, .iov_len = 4095 };
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };

    assert_true(recvmsg(connection, &header, MSG_CMSG_CLOEXEC) > 0);
    assert_non_null(CMSG_FIRSTHDR(&header));
    memcpy(out_fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof *out_fd);
    return text;
}

static void check_exchange(const char *path, int listening,
                           const char *metadata, const char *expected)
{
    json_t *state = json_pack("{s:s, s:s}", "ociVersion", "1.2.0", "id", "box");
    const RnSeccompNotice notice = {
        .pid = 4711,
        .metadata = metadata,
        .state = state,
    };
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    rn_autofd int connection = -1;
    rn_autofd int socket = -1;
    rn_autofd int received = -1;

    if (!rn_seccomp_notify_connect(path, &socket, &error) ||
        !rn_seccomp_notify_send(socket, STDERR_FILENO, &notice, &error))
        fail_msg("%s", error->message);
    connection = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(connection >= 0);
    text = read_notice(connection, &received);
    assert_string_equal(text, expected);
    assert_true(fcntl(received, F_GETFD) >= 0);
    json_decref(state);
}

static void agent_gets_state_and_listener(void **state)
{
    g_autofree char *folder = scratch_make();
    g_autofree char *path = g_build_filename(folder, "agent", NULL);
    rn_autofd int listening = -1;

    (void)state;
    assert_int_equal(chdir(folder), 0);
    listening = listen_at("agent");
    check_exchange(path, listening, "a\"b",
                   "{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],"
                   "\"pid\":4711,\"metadata\":\"a\\\"b\",\"state\":"
                   "{\"ociVersion\":\"1.2.0\",\"id\":\"box\"}}");
    check_exchange(path, listening, NULL,
                   "{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],"
                   "\"pid\":4711,\"state\":"
                   "{\"ociVersion\":\"1.2.0\",\"id\":\"box\"}}");
    assert_int_equal(chdir("/"), 0);
    scratch_remove(folder);
}

static void long_path_is_reached(void **state)
{
    g_autofree char *folder = scratch_make();
    g_autofree char *name = g_strnfill(200, 'x');
    g_autofree char *deep = g_build_filename(folder, name, NULL);
    g_autofree char *path = g_build_filename(deep, "agent", NULL);
    rn_autofd int listening = -1;

    (void)state;
    assert_int_equal(mkdir(deep, 0700), 0);
    assert_int_equal(chdir(deep), 0);
    listening = listen_at("agent");
    check_exchange(path, listening, NULL,
                   "{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],"
                   "\"pid\":4711,\"state\":"
                   "{\"ociVersion\":\"1.2.0\",\"id\":\"box\"}}");
    assert_int_equal(chdir("/"), 0);
    scratch_remove(folder);
}

static void missing_agent_is_named(void **state)
{
    g_autofree char *name = g_strnfill(200, 'x');
    g_autofree char *long_path = g_strconcat("/", name, NULL);
    g_autoptr(GError) missing = NULL;
    g_autoptr(GError) missing_long = NULL;
    int fd = -1;

    (void)state;
    assert_false(rn_seccomp_notify_connect("/nowhere", &fd, &missing));
    assert_error(missing, RN_ERRNO, ENOENT,
                 "linux.seccomp.listenerPath: \"/nowhere\": connect: ");
    assert_false(rn_seccomp_notify_connect(long_path, &fd, &missing_long));
    assert_error(missing_long, RN_ERRNO, ENOENT, ": open: ");
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agent_gets_state_and_listener),
        cmocka_unit_test(long_path_is_reached),
        cmocka_unit_test(missing_agent_is_named),
    };

    return cmocka_run_group_tests_name("seccomp-notify", tests, NULL, NULL);
}
