/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-handshake-kills - the death of any process at any step of the handshake
 *
 * Role:     runs rnet-killpoints (doom.h) once for every process, every
 *           message that it sends, and both moments, before and after
 * Runs in:  see world.h
 * Data:     doom.h tells whether the moment came; a role is through when a
 *           number is never reached
 * Failure:  a run that hangs, a process, mount or state entry that is left, or
 *           a message of protocol.h at which nobody died
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

#include "box.h"
#include "check.h"
#include "doom.h"
#include "leftovers.h"
#include "peer.h"
#include "run.h"

static const char *const roles[] = { "rnet", "init", "rnet-nsagent",
                                     "rnet-relay", "rnet-guard" };
static const char *const moments[] = { "before", "after" };

/* Every message that a start without terminal and connections sends. */
static const RnMsgType start_messages[] = {
    RN_MSG_MAPPED,      RN_MSG_SOURCES,     RN_MSG_READY_FOR_NETWORK,
    RN_MSG_NETWORK_UP,  RN_MSG_PREPARED,    RN_MSG_START,
    RN_MSG_EXECING,     RN_MSG_AGENT_SETUP, RN_MSG_AGENT_READY,
    RN_MSG_AGENT_SERVE, RN_MSG_RELAY_SETUP, RN_MSG_RELAY_LISTENER,
    RN_MSG_RELAY_START, RN_MSG_RELAY_READY, RN_MSG_GUARD_WATCH,
    RN_MSG_GUARD_DONE,
};

/* One run; the type of the message that was its last, 0 if none was. */
static unsigned check_one(Doom *doom, const char *bundle,
                          const DoomPoint *point)
{
    g_autoptr(Run) run = doom_start(
        doom, WORDS("run", "--publish", "8080:80", bundle), point, 0);

    rn_fd_close(&run->in);
    int status = run_wait(run);
    unsigned type = doom_take(doom);
    g_autofree char *where = g_strdup_printf(
        "%s:%u:%s (message %u): status %d, \"%s\"", point->role, point->number,
        point->action, type, status, run->err_text->str);
    check(type != 0 || status == 0, "%s", where);
    check(type == 0 || strcmp(point->role, "rnet") != 0 ||
              status == 128 + SIGKILL,
          "%s", where);
    check(status <= 1 || strcmp(point->role, "init") == 0 ||
              status == 128 + SIGKILL,
          "%s", where);
    check(status != 1 || strstr(run->err_text->str, "rnet: run ") != NULL, "%s",
          where);
    check_nothing_left(doom->world);
    return type;
}

static void check_role(Doom *doom, const char *bundle, const char *role,
                       const char *moment, bool reached[RN_MSG_N_])
{
    DoomPoint point = { .role = role, .number = 1, .action = moment };

    for (; point.number <= DOOM_MESSAGES_MAX; point.number++) {
        unsigned type = check_one(doom, bundle, &point);
        if (type == 0)
            return;
        reached[type] = true;
    }
    check(false, "%s sends more than %d messages", role, DOOM_MESSAGES_MAX);
}

/*
 * Only a terminal's fd makes init send TERMINAL, its second message then. The
 * other steps use a bundle without one, so that stderr stays a pipe.
 */
static void check_terminal_step(Doom *doom, const char *moment)
{
    const BundleOptions options = { .terminal = true };
    const DoomPoint point = { .role = "init", .number = 2, .action = moment };
    g_autofree char *bundle = bundle_new(doom->world, "terminal", &options);

    check_number(check_one(doom, bundle, &point), RN_MSG_TERMINAL, "message");
}

static void check_all_steps(World *world, const char *moment)
{
    bool reached[RN_MSG_N_] = { false };
    g_autofree char *bundle = bundle_new(world, "doomed", NULL);
    g_auto(Doom) doom;

    doom_init(&doom, world);
    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++)
        check_role(&doom, bundle, roles[i], moment, reached);
    for (size_t i = 0; i < G_N_ELEMENTS(start_messages); i++)
        check(reached[start_messages[i]], "nobody died at message %d",
              start_messages[i]);
    check_terminal_step(&doom, moment);
}

static void test_death_before_any_message_leaves_nothing(World *world)
{
    check_all_steps(world, moments[0]);
}

static void test_death_after_any_message_leaves_nothing(World *world)
{
    check_all_steps(world, moments[1]);
}

typedef struct RequestCase {
    const char *role;
    unsigned type;
} RequestCase;

/*
 * Their first message is READY. With so few fds no spare sockets are kept, so
 * the second is the one about a connection.
 */
enum {
    FEW_FDS = 128
};

static const RequestCase request_cases[] = {
    { "rnet-relay", RN_MSG_SOCKET_REQUEST },
    { "rnet-nsagent", RN_MSG_SOCKET_REPLY },
};

/* A connection whose making kills a helper ends; the container does not. */
static void check_request(Doom *doom, const char *bundle,
                          const RequestCase *request, const char *moment)
{
    const DoomPoint point = { request->role, 2, moment };
    g_autoptr(Run) run = doom_start(
        doom, WORDS("run", "--publish", "8080:80", bundle), &point, FEW_FDS);

    run_await(run, "ready");
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
    int failure = peer_await_end(fd);
    check(failure == 0 || failure == ECONNRESET, "the connection: %s",
          g_strerror(failure));
    run_signal(run, SIGTERM);
    run_expect_exit(run, 0);
    check_number(doom_take(doom), request->type, "killed at message");
    check_nothing_left(doom->world);
}

static void test_death_at_a_connection_spares_the_container(World *world)
{
    g_autofree char *bundle = bundle_new_payload(
        world, "service", (const char *const[]){ "serve-tcp", "80", NULL });
    g_auto(Doom) doom;

    doom_init(&doom, world);
    for (size_t i = 0; i < G_N_ELEMENTS(request_cases); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(moments); j++)
            check_request(&doom, bundle, &request_cases[i], moments[j]);
    }
}

/* Does what `start` does, but for the record. */
static void start_unrecorded(const World *world)
{
    g_autofree char *path =
        g_build_filename(world->state_dir, "box/start", NULL);
    g_auto(RnMsg) executing = { 0 };
    g_auto(RnMsg) nothing = { 0 };
    rn_autofd int socket = -1;
    GError *error = NULL;

    if (!rn_unix_connect(AT_FDCWD, path, SOCK_SEQPACKET, &socket, &error) ||
        !rn_msg_send(socket, RN_MSG_START, NULL, 0, NULL, 0, &error) ||
        !rn_msg_expect(socket, RN_MSG_EXECING, 0, 0, &executing, &error))
        check_no_error(error);
    check(!rn_msg_recv(socket, &nothing, &error), "a message after the exec");
    g_clear_error(&error);
}

static void test_death_of_start_before_its_record_is_found_out(World *world)
{
    g_autofree char *bundle =
        bundle_new_shell(world, "box", "exec tail -f /dev/null");
    g_autoptr(Run) create =
        run_command(world, WORDS("create", "--bundle", bundle, "box"), 0);
    g_autofree char *state = NULL;

    start_unrecorded(world);
    state = box_rnet(world, 0, WORDS("state", "box"));
    check_contains(state, "\"status\": \"running\"");
    box_do(world, 1, WORDS("start", "box"));
    box_do(world, 1, WORDS("delete", "box"));
    box_delete(world, create);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "death_before_any_message_leaves_nothing",
          test_death_before_any_message_leaves_nothing, WORLD_NEEDS_LINK },
        { "death_after_any_message_leaves_nothing",
          test_death_after_any_message_leaves_nothing, WORLD_NEEDS_LINK },
        { "death_at_a_connection_spares_the_container",
          test_death_at_a_connection_spares_the_container, WORLD_NEEDS_LINK },
        { "death_of_start_before_its_record_is_found_out",
          test_death_of_start_before_its_record_is_found_out, 0 },
    };

    return world_run_tests("handshake-kills", tests, G_N_ELEMENTS(tests));
}
