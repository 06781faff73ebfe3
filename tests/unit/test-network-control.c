/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network-control - what the keeper of a network is asked, and by whom
 */
#include "config.h"

#include <unit.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/network-control.h>
#include <rnet/runtime/network-entry.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

#include "entries.h"

typedef enum Manner {
    PLAIN,
    DIES, /* when it is asked */
    WAITS,
} Manner;

/* A keeper in a process of its own. */
typedef struct Keeper {
    RnLoop *loop;
    Manner manner;
} Keeper;

static json_t *describe(void *data)
{
    const Keeper *keeper = data;

    if (keeper->manner == DIES)
        _exit(EXIT_FAILURE);
    return json_pack("{s:b, s:i}", "up", 1, "monitor", (int)getpid());
}

static void detach(void *data)
{
    Keeper *keeper = data;

    rn_loop_quit(keeper->loop);
}

static bool is_waiting(void *data)
{
    const Keeper *keeper = data;

    return keeper->manner == WAITS;
}

/* Only this process's own will do. */
static bool attach(void *data, int netns_fd, GError **error)
{
    Keeper *keeper = data;
    struct stat own = { 0 }, given = { 0 };

    keeper->manner = PLAIN;
    if (stat("/proc/self/ns/net", &own) == 0 && fstat(netns_fd, &given) == 0 &&
        own.st_ino == given.st_ino)
        return true;
    rn_loop_quit(keeper->loop);
    return rn_set_error(error, RN_ERROR_INVALID, "not that one");
}

static int keep(RnNetworkEntry *entry, Manner manner)
{
    static const RnNetworkControlCalls calls = {
        .describe = describe,
        .detach = detach,
        .is_waiting = is_waiting,
        .attach = attach,
    };
    Keeper keeper = { .loop = rn_loop_new(NULL), .manner = manner };
    RnNetworkControl *control = rn_network_control_new(
        rn_network_entry_control(entry), keeper.loop, &calls, &keeper, NULL);

    if (control == NULL || !rn_loop_run(keeper.loop, NULL))
        return EXIT_FAILURE;
    rn_network_entry_remove(entry);
    rn_network_control_free(control);
    rn_loop_free(keeper.loop);
    return EXIT_SUCCESS;
}

static pid_t start_keeper(const char *state_dir, Manner manner)
{
    RnNetworkEntry *entry = make_entry(state_dir, "hook@web");
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(keep(entry, manner));
    rn_network_entry_release(entry);
    return pid;
}

static void expect_exit(pid_t pid, int wanted)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    assert_true(rn_process_reap(pid, &status, &error));
    assert_int_equal(rn_process_exit_code(status), wanted);
}

static void assert_answers(const char *state_dir, pid_t keeper)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer = rn_network_ask(state_dir, "hook@web", &error);

    assert_no_error(error);
    assert_true(json_is_true(json_object_get(answer, "up")));
    assert_int_equal(json_integer_value(json_object_get(answer, "monitor")),
                     keeper);
}

static void end_keeper(const char *state_dir, pid_t pid)
{
    g_autoptr(GError) error = NULL;

    assert_true(rn_network_detach(state_dir, "hook@web", &error));
    assert_nothing_left(state_dir);
    expect_exit(pid, EXIT_SUCCESS);
}

static void keeper_is_asked_and_ended(void **state)
{
    pid_t pid = start_keeper(*state, PLAIN);

    assert_answers(*state, pid);
    assert_answers(*state, pid);
    end_keeper(*state, pid);
    assert_missing(*state, "hook@web");
}

static void keeper_that_dies_over_a_question_is_forgotten(void **state)
{
    pid_t pid = start_keeper(*state, DIES);
    g_autoptr(GError) error = NULL;

    assert_null(rn_network_ask(*state, "hook@web", &error));
    assert_error(error, RN_ERROR, RN_ERROR_PEER_DIED, "hook@web");
    expect_exit(pid, EXIT_FAILURE);
    assert_missing(*state, "hook@web");
    assert_nothing_left(*state);
}

static void waiting_keeper_is_given_its_namespace_once(void **state)
{
    pid_t pid = start_keeper(*state, WAITS);
    rn_autofd int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;

    assert_true(rn_network_hand_over(*state, "hook@web", fd, &error));
    assert_no_error(error);
    assert_false(rn_network_hand_over(*state, "hook@web", fd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_STATE, "hook@web");
    assert_answers(*state, pid);
    end_keeper(*state, pid);
}

static void namespace_that_is_refused_is_the_keepers_end(void **state)
{
    pid_t pid = start_keeper(*state, WAITS);
    rn_autofd int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;

    assert_false(rn_network_hand_over(*state, "hook@web", fd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "not that one");
    assert_nothing_left(*state);
    expect_exit(pid, EXIT_SUCCESS);
}

static void namespace_that_nobody_waits_for_is_refused(void **state)
{
    rn_autofd int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;

    assert_false(rn_network_hand_over(*state, "hook@web", fd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_NOT_FOUND, "hook@web");
    assert_nothing_left(*state);
}

static int connect_client(const char *state_dir)
{
    g_autoptr(GError) error = NULL;
    int fd = -1;

    assert_true(
        rn_network_entry_connect(state_dir, "hook@web", &fd, NULL, &error));
    return fd;
}

static void clients_that_break_the_protocol_are_left(void **state)
{
    static const uint32_t types[] = {
        RN_MSG_CONTROL_STATE, RN_MSG_CONTROL_NAMESPACE,
        RN_MSG_AGENT_SETUP,   RN_MSG_N_,
        UINT32_MAX,
    };
    pid_t pid = start_keeper(*state, PLAIN);

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        rn_autofd int fd = connect_client(*state);
        g_auto(RnMsg) msg = { 0 };

        assert_true(rn_msg_send(fd, types[i], NULL, 0, NULL, 0, NULL));
        assert_int_equal(rn_msg_try_recv(fd, &msg), -1);
    }
    rn_autofd int fd = connect_client(*state);
    g_auto(RnMsg) msg = { 0 };
    assert_true(
        rn_msg_send(fd, RN_MSG_CONTROL_DETACH, "now", 3, NULL, 0, NULL));
    assert_int_equal(rn_msg_try_recv(fd, &msg), -1);
    assert_answers(*state, pid);
    end_keeper(*state, pid);
}

static void silent_clients_keep_nobody_out(void **state)
{
    enum {
        N = RN_NETWORK_CONTROL_MAX + 4
    };
    pid_t pid = start_keeper(*state, PLAIN);
    g_auto(RnMsg) msg = { 0 };
    int fds[N];

    for (unsigned i = 0; i < N; i++)
        fds[i] = connect_client(*state);
    assert_answers(*state, pid);
    /* the oldest had to go */
    assert_int_equal(rn_msg_try_recv(fds[0], &msg), -1);
    end_keeper(*state, pid);
    /* for the others the end is the end */
    assert_int_equal(rn_msg_try_recv(fds[N - 1], &msg), -1);
    for (unsigned i = 0; i < N; i++)
        rn_fd_close(&fds[i]);
}

static void answer_that_nobody_reads_stops_nothing(void **state)
{
    pid_t pid = start_keeper(*state, PLAIN);
    rn_autofd int fd = connect_client(*state);
    g_autoptr(GError) error = NULL;

    assert_true(rn_fd_set_nonblocking(fd, true, &error));
    while (rn_msg_send(fd, RN_MSG_CONTROL_STATUS, NULL, 0, NULL, 0, NULL))
        ;
    assert_answers(*state, pid);
    end_keeper(*state, pid);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, make_state_dir, remove_state_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeper_is_asked_and_ended),
        TEST(keeper_that_dies_over_a_question_is_forgotten),
        TEST(waiting_keeper_is_given_its_namespace_once),
        TEST(namespace_that_is_refused_is_the_keepers_end),
        TEST(namespace_that_nobody_waits_for_is_refused),
        TEST(clients_that_break_the_protocol_are_left),
        TEST(silent_clients_keep_nobody_out),
        TEST(answer_that_nobody_reads_stops_nothing),
    };

    return cmocka_run_group_tests_name("network-control", tests, NULL, NULL);
}
