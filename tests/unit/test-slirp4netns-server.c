/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-slirp4netns-server - the API socket: its file, clients that are slow,
 * silent, many, or mistaken
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/socket.h>

#include <glib/gstdio.h>

#include <rnet/dialect/slirp4netns-server.h>
#include <rnet/net/options.h>
#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>

#define LIST "{\"execute\":\"list_hostfwd\"}"
#define ADD                                                                    \
    "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"tcp\","           \
    "\"host_port\":8080,\"guest_port\":80}}"
#define EMPTY_LIST "{\"entries\":[],\"return\":{\"entries\":[]}}"

/* A served socket in a directory of its own. */
typedef struct Service {
    char *folder;
    char *path;
    RnLoop *loop;
    RnSlirpSocket socket;
    RnSlirpServer *server;
    bool refuses;  /* ports cannot be published, nor withdrawn */
    unsigned busy; /* that many times they are in use */
    uint32_t last_id;
} Service;

static bool add_port(const RnSlirpForward *forward, uint32_t *out_id,
                     void *data, GError **error)
{
    Service *service = data;

    assert_int_equal(forward->spec.host.port, 8080);
    if (!service->refuses && service->busy == 0) {
        *out_id = ++service->last_id;
        return true;
    }
    if (service->busy > 0)
        service->busy--;
    (void)rn_set_error(error, RN_ERROR_EXISTS, "in use");
    return rn_error_add_hint(error, "take another");
}

static bool remove_port(uint32_t id, void *data, GError **error)
{
    Service *service = data;

    assert_int_equal(id, service->last_id);
    return !service->refuses ||
           rn_set_error(error, RN_ERROR_NOT_FOUND, "no such");
}

static int set_up(void **state)
{
    Service *service = g_new0(Service, 1);
    g_auto(RnNetworkOptions) options = { 0 };
    RnNetworkPlan plan;
    const RnSlirpPorts ports = { add_port, remove_port, service };

    assert_true(rn_network_options_parse("slirp", &options, NULL));
    rn_network_options_plan(&options, &plan);
    service->folder = g_dir_make_tmp("rnet-slirp-XXXXXX", NULL);
    service->path = g_build_filename(service->folder, "api.sock", NULL);
    service->loop = rn_loop_new(NULL);
    assert_true(rn_slirp_socket_open(service->path, &service->socket, NULL));
    service->server = rn_slirp_server_new(g_steal_fd(&service->socket.listener),
                                          service->loop, &plan, &ports, NULL);
    assert_non_null(service->server);
    *state = service;
    return 0;
}

static int tear_down(void **state)
{
    Service *service = *state;

    rn_slirp_server_free(service->server);
    rn_slirp_socket_close(&service->socket);
    rn_loop_free(service->loop);
    g_rmdir(service->folder);
    g_free(service->folder);
    g_free(service->path);
    g_free(service);
    return 0;
}

static int connect_client(const Service *service)
{
    int fd = -1;

    assert_true(
        rn_unix_connect(AT_FDCWD, service->path, SOCK_STREAM, &fd, NULL));
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What the client is told, up to EOF. */
static void assert_told(const Service *service, int fd, const char *wanted)
{
    g_autoptr(GString) told = g_string_new(NULL);
    char chunk[512];
    ssize_t got = 0;

    for (;;) {
        assert_true(rn_loop_turn(service->loop, 0, NULL));
        got = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (got == 0)
            break;
        if (got > 0)
            g_string_append_len(told, chunk, got);
    }
    assert_string_equal(told->str, wanted);
}

static void ask(const Service *service, const char *request, const char *wanted)
{
    rn_autofd int fd = connect_client(service);

    say(fd, request);
    assert_told(service, fd, wanted);
}

static void client_that_gets_the_last_fd_is_answered(void **state)
{
    const Service *service = *state;
    rn_autofd int client = connect_client(service);
    int lowest = fcntl(client, F_DUPFD_CLOEXEC, 0);
    struct rlimit before, tight;

    assert_int_equal(close(lowest), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)lowest + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    say(client, LIST);
    assert_told(service, client, EMPTY_LIST);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void requests_are_answered_and_closed(void **state)
{
    const Service *service = *state;

    ask(service, LIST "\n", EMPTY_LIST);
    ask(service, ADD, "{\"return\":{\"id\":1}}");
    ask(service, ADD, "{\"return\":{\"id\":2}}");
#define REMOVE(id)                                                             \
    "{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":" id "}}"
    ask(service, REMOVE("2"), "{\"return\":{}}");
    ask(service, REMOVE("2"),
        "{\"error\":{\"desc\":\"" RN_SLIRP_DESC_BAD_ID "\"}}");
    ask(service, "{\"execute\":\"x\"}",
        "{\"error\":{\"desc\":\"bad request: unknown execute\"}}");
}

static void refusal_says_why_without_the_hint(void **state)
{
    Service *service = *state;

    ask(service, ADD, "{\"return\":{\"id\":1}}");
    service->refuses = true;
    ask(service, ADD,
        "{\"error\":{\"desc\":\"" RN_SLIRP_DESC_ADD_FAILED
        "\",\"reason\":\"in use\"}}");
    ask(service, REMOVE("1"),
        "{\"error\":{\"desc\":\"" RN_SLIRP_DESC_REMOVE_FAILED
        "\",\"reason\":\"no such\"}}");
    /* it is still there */
    service->refuses = false;
    ask(service, REMOVE("1"), "{\"return\":{}}");
}

/* The relay's copy of its socket goes a moment after the monitor's. */
static void withdrawn_port_can_be_had_again(void **state)
{
    Service *service = *state;
    rn_autofd int gone = -1;

    ask(service, ADD, "{\"return\":{\"id\":1}}");
    ask(service, REMOVE("1"), "{\"return\":{}}");
    service->busy = 3;
    gone = connect_client(service);
    say(gone, ADD);
    while (service->busy == 3)
        assert_true(rn_loop_turn(service->loop, -1, NULL));
    rn_fd_close(&gone); /* it does not wait for its reply */
    ask(service, ADD, "{\"return\":{\"id\":2}}");
    assert_int_equal(service->busy, 0);

    /* one that somebody else has cannot */
    ask(service, REMOVE("2"), "{\"return\":{}}");
    service->busy = 1000;
    ask(service, ADD,
        "{\"error\":{\"desc\":\"" RN_SLIRP_DESC_ADD_FAILED
        "\",\"reason\":\"in use\"}}");
}

static void request_may_come_byte_by_byte(void **state)
{
    const Service *service = *state;
    rn_autofd int fd = connect_client(service);

    for (gsize i = 0; i < strlen(LIST); i++) {
        char byte[] = { LIST[i], '\0' };

        say(fd, byte);
        assert_true(rn_loop_turn(service->loop, -1, NULL));
    }
    assert_told(service, fd, EMPTY_LIST);
}

static void request_that_ends_early_is_no_json(void **state)
{
    static const char *const parts[] = { "", "{\"execute\":\"list" };
    const Service *service = *state;

    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        rn_autofd int fd = connect_client(service);

        say(fd, parts[i]);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        assert_told(service, fd,
                    "{\"error\":{\"desc\":\"" RN_SLIRP_DESC_CANNOT_PARSE
                    "\"}}");
    }
}

static void request_of_4096_bytes_is_too_large(void **state)
{
    const Service *service = *state;
    g_autofree char *blanks = g_strnfill(RN_SLIRP_REQUEST_MAX, ' ');

    ask(service, blanks,
        "{\"error\":{\"desc\":\"" RN_SLIRP_DESC_TOO_LARGE "\"}}");
}

static void silent_clients_stop_nobody(void **state)
{
    const Service *service = *state;
    int silent[2 * RN_SLIRP_CLIENTS_MAX];

    for (unsigned i = 0; i < G_N_ELEMENTS(silent); i++) {
        silent[i] = connect_client(service);
        assert_true(rn_loop_turn(service->loop, -1, NULL));
    }
    ask(service, LIST, EMPTY_LIST);
    /* the first ones had to make room; the last one still has its turn */
    assert_told(service, silent[0], "");
    say(silent[G_N_ELEMENTS(silent) - 1], LIST);
    assert_told(service, silent[G_N_ELEMENTS(silent) - 1], EMPTY_LIST);
    for (unsigned i = 0; i < G_N_ELEMENTS(silent); i++)
        rn_fd_close(&silent[i]);
}

static void client_that_does_not_read_stops_nobody(void **state)
{
    const Service *service = *state;
    rn_autofd int deaf = connect_client(service);
    rn_autofd int gone = connect_client(service);
    g_autofree char *wanted = NULL;

    for (unsigned i = 1; i <= 2000; i++) {
        g_autofree char *reply = g_strdup_printf("{\"return\":{\"id\":%u}}", i);

        ask(service, ADD, reply);
    }
    /* larger than what a socket holds */
    say(deaf, LIST);
    say(gone, LIST);
    wanted = g_strdup_printf("{\"return\":{\"id\":2001}}");
    ask(service, ADD, wanted);
    rn_fd_close(&gone);
    ask(service, REMOVE("2001"), "{\"return\":{}}");
}

static void file_is_removed_and_a_stale_one_replaced(void **state)
{
    Service *service = *state;
    RnSlirpSocket second = { .listener = -1 };

    /* the one that is there is this test's own: nobody serves it any more */
    assert_true(rn_slirp_socket_open(service->path, &second, NULL));
    rn_slirp_socket_close(&second);
    assert_int_equal(access(service->path, F_OK), -1);
}

static void file_of_another_is_left_alone(void **state)
{
    Service *service = *state;

    assert_int_equal(unlink(service->path), 0);
    assert_true(g_file_set_contents(service->path, "mine", -1, NULL));
    rn_slirp_socket_close(&service->socket);
    assert_int_equal(unlink(service->path), 0);
}

static void impossible_paths_are_refused(void **state)
{
    Service *service = *state;
    g_autofree char *name = g_strnfill(120, 'A');
    g_autofree char *path = g_build_filename(service->folder, name, NULL);
    RnSlirpSocket socket = { .listener = -1 };
    g_autoptr(GError) error = NULL;

    assert_false(rn_slirp_socket_open(path, &socket, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID,
                 "the specified API socket path is too long (>= 108)");
    g_clear_error(&error);
    assert_false(rn_slirp_socket_open("/nonexistent/x", &socket, &error));
    assert_true(rn_error_is_errno(error, ENOENT));
    rn_slirp_socket_close(&socket);
}

#define WITH_SERVICE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVICE(requests_are_answered_and_closed),
        WITH_SERVICE(client_that_gets_the_last_fd_is_answered),
        WITH_SERVICE(refusal_says_why_without_the_hint),
        WITH_SERVICE(withdrawn_port_can_be_had_again),
        WITH_SERVICE(request_may_come_byte_by_byte),
        WITH_SERVICE(request_that_ends_early_is_no_json),
        WITH_SERVICE(request_of_4096_bytes_is_too_large),
        WITH_SERVICE(silent_clients_stop_nobody),
        WITH_SERVICE(client_that_does_not_read_stops_nobody),
        WITH_SERVICE(file_is_removed_and_a_stale_one_replaced),
        WITH_SERVICE(file_of_another_is_left_alone),
        WITH_SERVICE(impossible_paths_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
