/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-service - a helper process that is kept running
 *
 * The helper is this program again: main() knows it by its argv[0]. What it
 * shall do comes in its first message's payload.
 */
#include "config.h"

#include <rnet/net/service.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/capability.h>
#include <sys/resource.h>

#include <unit.h>

#include <rnet/util/fd.h>
#include <rnet/util/protocol.h>

#define HELPER_NAME "rnet-test-helper"

enum {
    MANY = 2000,  /* more messages than a socket's queue takes */
    FEW_FDS = 64, /* at a time, to an ordinary user */
};

/* What the helper shall do. */
typedef enum Part {
    PART_LIVE,
    PART_SAY_FAILED,
    PART_SAY_PEER_DIED,
    PART_EXIT_7,
    PART_KILL_ITSELF,
    PART_CHATTER,
    PART_COUNT,  /* ready only after MANY messages */
    PART_TALK,   /* other messages before and after readiness */
    PART_REPORT, /* a message for MANY that came after readiness */
} Part;

static void say_failed(Part part)
{
    g_autoptr(GError) failure = NULL;

    if (part == PART_SAY_PEER_DIED)
        (void)rn_set_error(&failure, RN_ERROR_PEER_DIED, "the other is gone");
    else
        (void)rn_set_errno(&failure, ENOSPC, "play the part");
    (void)rn_msg_send_error(RN_HELPER_FD, failure, NULL);
}

static void say(uint32_t type)
{
    (void)!rn_msg_send(RN_HELPER_FD, type, NULL, 0, NULL, 0, NULL);
}

static bool receive_many(int count, RnMsg *msg)
{
    for (int i = 0; i < count; i++) {
        if (!rn_msg_recv(RN_HELPER_FD, msg, NULL))
            return false;
    }
    return true;
}

static bool play(Part part, RnMsg *msg)
{
    bool fails = part == PART_SAY_FAILED || part == PART_SAY_PEER_DIED;

    if (fails)
        say_failed(part);
    if (fails || part == PART_EXIT_7)
        return false;
    if (part == PART_KILL_ITSELF)
        (void)raise(SIGTERM);
    if (part == PART_COUNT && !receive_many(MANY - 1, msg))
        return false;
    if (part == PART_TALK)
        say(RN_MSG_AGENT_EXPOSED);
    say(RN_MSG_RELAY_READY);
    if (part == PART_CHATTER)
        say(RN_MSG_RELAY_READY);
    if (part == PART_TALK || (part == PART_REPORT && receive_many(MANY, msg)))
        say(RN_MSG_AGENT_LISTENING);
    return true;
}

static int helper_main(void)
{
    g_auto(RnMsg) msg = { 0 };
    Part part = PART_LIVE;

    if (!rn_msg_expect(RN_HELPER_FD, RN_MSG_RELAY_SETUP, sizeof part, 0, &msg,
                       NULL))
        return 1;
    memcpy(&part, msg.payload, sizeof part);
    if (!play(part, &msg))
        return 7;
    /* until EOF */
    while (rn_msg_recv(RN_HELPER_FD, &msg, NULL))
        continue;
    return 0;
}

/* The owner. */
typedef struct World {
    RnLoop *loop;
    RnService service;
    Part part;
    int n_ready, n_ended, n_restarts, n_messages;
    bool restart_at_end;
    GError *why;
} World;

static void post(World *world, uint32_t type)
{
    rn_service_post(&world->service, &(RnOutMessage){
                                         .type = type,
                                         .payload = &world->part,
                                         .length = sizeof world->part,
                                     });
}

static void begin(RnService *service)
{
    World *world = service->owner;
    int n_wanted = world->part == PART_COUNT ? MANY : 1;

    for (int i = 0; i < n_wanted; i++)
        post(world, RN_MSG_RELAY_SETUP);
}

static bool ready(RnService *service, RnMsg *msg, GError **error)
{
    World *world = service->owner;

    (void)error;
    assert_int_equal(msg->type, RN_MSG_RELAY_READY);
    world->n_ready++;
    if (world->part == PART_TALK)
        assert_int_equal(world->n_messages, 1);
    for (int i = 0; world->part == PART_REPORT && i < MANY; i++)
        post(world, RN_MSG_RELAY_WITHDRAW);
    if (world->part <= PART_COUNT && world->part != PART_CHATTER)
        rn_loop_quit(world->loop);
    return true;
}

static bool take_message(RnService *service, RnMsg *msg, GError **error)
{
    World *world = service->owner;

    (void)error;
    world->n_messages++;
    if (msg->type == RN_MSG_AGENT_LISTENING)
        rn_loop_quit(world->loop);
    return true;
}

static void ended(RnService *service, const GError *why)
{
    World *world = service->owner;

    world->n_ended++;
    g_clear_error(&world->why);
    world->why = g_error_copy(why);
    if (world->restart_at_end)
        (void)rn_service_restart_later(service, world->loop);
    else
        rn_loop_quit(world->loop);
}

static void restart(RnService *service)
{
    World *world = service->owner;

    world->n_restarts++;
    world->part = PART_LIVE;
    assert_true(rn_service_start(service, world->loop, NULL));
}

static const RnServiceType type = {
    .name = HELPER_NAME,
    .ready_message = RN_MSG_RELAY_READY,
    .begin = begin,
    .ready = ready,
    .message = take_message,
    .ended = ended,
    .restart = restart,
};

static void open_world(World *world, Part part)
{
    *world = (World){ .part = part };
    world->loop = rn_loop_new(NULL);
    assert_non_null(world->loop);
    rn_service_init(&world->service, &type, world);
}

static void run(World *world)
{
    g_autoptr(GError) error = NULL;

    if (world->service.socket < 0)
        (void)!rn_service_start(&world->service, world->loop, &error);
    assert_no_error(error);
    assert_true(rn_loop_run(world->loop, &error));
}

static void close_world(World *world)
{
    rn_service_stop(&world->service);
    assert_int_equal(world->service.socket, -1);
    rn_loop_free(world->loop);
    g_clear_error(&world->why);
}

static void delay_doubles_up_to_its_limit(void **state)
{
    static const struct {
        int previous_ms;
        int64_t lived_ms;
        int wanted;
    } cases[] = {
        { -1, 0, 0 },          { 0, 0, 100 },          { 100, 5, 200 },
        { 200, 9999, 400 },    { 1600, 0, 3200 },      { 3200, 0, 5000 },
        { 5000, 0, 5000 },     { 5000, 10000, 0 },     { 0, 10000, 0 },
        { -1, G_MAXINT64, 0 }, { 400, G_MAXINT64, 0 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(
            rn_service_next_delay(cases[i].previous_ms, cases[i].lived_ms),
            cases[i].wanted);
}

static void end_of_helper_told_with_its_reason(void **state)
{
    static const struct {
        Part part;
        GQuark (*domain)(void);
        int code;
        const char *part_of_text;
    } cases[] = {
        { PART_SAY_FAILED, rn_errno_quark, ENOSPC, "play the part: " },
        /* its own peer, not itself */
        { PART_SAY_PEER_DIED, rn_error_quark, RN_ERROR_PEER_DIED, "is gone" },
        { PART_EXIT_7, rn_error_quark, RN_ERROR_PEER_DIED, "with status 7" },
        { PART_KILL_ITSELF, rn_error_quark, RN_ERROR_PEER_DIED,
          "killed by signal 15" },
        { PART_CHATTER, rn_error_quark, RN_ERROR_PROTOCOL, "unexpected" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        World world;

        open_world(&world, cases[i].part);
        run(&world);
        assert_int_equal(world.n_ended, 1);
        assert_error(world.why, cases[i].domain(), cases[i].code,
                     cases[i].part_of_text);
        close_world(&world);
    }
}

static void feeding_that_must_wait_goes_on_from_the_loop(void **state)
{
    World world;

    (void)state;
    open_world(&world, PART_COUNT);
    run(&world);
    assert_int_equal(world.n_ready, 1);
    assert_int_equal(world.n_ended, 0);
    assert_true(world.service.is_ready);
    close_world(&world);
}

static void other_messages_are_taken_before_and_after_readiness(void **state)
{
    World world;

    (void)state;
    open_world(&world, PART_TALK);
    run(&world);
    assert_int_equal(world.n_ready, 1);
    assert_int_equal(world.n_messages, 2);
    assert_int_equal(world.n_ended, 0);
    close_world(&world);
}

static void messages_after_readiness_all_arrive(void **state)
{
    World world;

    (void)state;
    open_world(&world, PART_REPORT);
    run(&world);
    assert_int_equal(world.n_messages, 1);
    assert_int_equal(world.n_ended, 0);
    close_world(&world);
}

/* Fds in flight count against RLIMIT_NOFILE of an ordinary user. */
static void play_ordinary_user(bool is_ordinary)
{
    static const cap_value_t above[] = { CAP_SYS_ADMIN, CAP_SYS_RESOURCE };
    struct rlimit limit;
    cap_t caps = cap_get_proc();

    for (size_t i = 0; i < G_N_ELEMENTS(above); i++) {
        cap_flag_value_t value = CAP_CLEAR;

        assert_int_equal(cap_get_flag(caps, above[i], CAP_PERMITTED, &value),
                         0);
        if (is_ordinary)
            value = CAP_CLEAR;
        assert_int_equal(cap_set_flag(caps, CAP_EFFECTIVE, 1, &above[i], value),
                         0);
    }
    assert_int_equal(cap_set_proc(caps), 0);
    (void)cap_free(caps);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = is_ordinary ? FEW_FDS : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void fds_in_flight_make_a_message_late_and_end_nobody(void **state)
{
    World world;
    int crowd[2] = { -1, -1 };

    (void)state;
    open_world(&world, PART_LIVE);
    run(&world);
    assert_true(rn_msg_pair(crowd, NULL));
    for (unsigned i = 0; i < FEW_FDS + 1; i++)
        assert_true(rn_msg_send(crowd[0], RN_MSG_START, NULL, 0,
                                (int[]){ STDERR_FILENO }, 1, NULL));
    play_ordinary_user(true);
    rn_service_post(&world.service, &(RnOutMessage){
                                        .type = RN_MSG_AGENT_SERVE,
                                        .fds = (int[]){ STDERR_FILENO },
                                        .n_fds = 1,
                                    });
    assert_int_equal(world.service.outbox.waiting.length, 1);
    assert_int_equal(world.service.socket_watch.events, EPOLLIN);
    rn_fd_close(&crowd[1]);
    rn_fd_close(&crowd[0]);
    while (world.service.outbox.waiting.length > 0)
        assert_true(rn_loop_turn(world.loop, -1, NULL));
    play_ordinary_user(false);
    assert_int_equal(world.n_ended, 0);
    close_world(&world);
}

/* Nobody will want it, so its end is told. */
static void fd_for_a_service_that_does_not_run_is_closed(void **state)
{
    World world;
    int pair[2] = { -1, -1 };
    g_auto(RnMsg) msg = { 0 };

    (void)state;
    open_world(&world, PART_LIVE);
    assert_true(rn_msg_pair(pair, NULL));
    rn_service_post(&world.service, &(RnOutMessage){
                                        .type = RN_MSG_AGENT_SERVE,
                                        .fds = &pair[1],
                                        .n_fds = 1,
                                        .takes_last_fd = true,
                                    });
    assert_int_equal(rn_msg_try_recv(pair[0], &msg), -1);
    (void)close(pair[0]);
    close_world(&world);
}

static void restart_asked_for_happens(void **state)
{
    World world;

    (void)state;
    open_world(&world, PART_EXIT_7);
    world.restart_at_end = true;
    run(&world);
    assert_int_equal(world.n_ended, 1);
    assert_int_equal(world.n_restarts, 1);
    assert_int_equal(world.n_ready, 1);
    close_world(&world);
}

static void service_moved_is_observed_by_its_new_loop(void **state)
{
    g_autoptr(RnLoop) first = NULL;
    World world;

    (void)state;
    open_world(&world, PART_LIVE);
    run(&world);
    first = world.loop;
    world.loop = rn_loop_new(NULL);
    assert_true(rn_service_move(&world.service, world.loop, NULL));
    /* EOF is what ends it */
    assert_int_equal(shutdown(world.service.socket, SHUT_RDWR), 0);
    run(&world);
    assert_int_equal(world.n_ended, 1);
    assert_error(world.why, RN_ERROR, RN_ERROR_PEER_DIED, "with status 0");
    close_world(&world);
}

static void stop_kills_without_a_word(void **state)
{
    World world;
    pid_t pid = 0;

    (void)state;
    open_world(&world, PART_LIVE);
    run(&world);
    pid = world.service.pid;
    assert_int_equal(kill(pid, 0), 0);
    rn_service_stop(&world.service);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(world.n_ended, 0);
    close_world(&world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delay_doubles_up_to_its_limit),
        cmocka_unit_test(end_of_helper_told_with_its_reason),
        cmocka_unit_test(feeding_that_must_wait_goes_on_from_the_loop),
        cmocka_unit_test(other_messages_are_taken_before_and_after_readiness),
        cmocka_unit_test(messages_after_readiness_all_arrive),
        cmocka_unit_test(fds_in_flight_make_a_message_late_and_end_nobody),
        cmocka_unit_test(fd_for_a_service_that_does_not_run_is_closed),
        cmocka_unit_test(restart_asked_for_happens),
        cmocka_unit_test(service_moved_is_observed_by_its_new_loop),
        cmocka_unit_test(stop_kills_without_a_word),
    };

    if (argc > 0 && strcmp(argv[0], HELPER_NAME) == 0)
        return helper_main();
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
