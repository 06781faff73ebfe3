/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-attach-kills - deaths at any step of a network of others
 *
 * Role:     runs rnet-killpoints (doom.h) for `attach`, in the foreground and
 *           detached, and for `up`: once for every process, every message that
 *           it sends and what can happen there: the process dies before it or
 *           after it, or the container does
 * Runs in:  see world.h
 * Data:     each run is the next attach to the namespace in which the run
 *           before came to grief; the last of a role comes through, and is used
 * Failure:  a run that hangs, a process, mount or state entry that is left, a
 *           container that is touched, or a message at which nobody died
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "doom.h"
#include "guest.h"
#include "keeper-ask.h"
#include "leftovers.h"
#include "peer.h"

#define MONITOR   "rnet-monitor"
#define PUBLISHED "127.0.0.1:8080:80"

/* A way to have a network. */
typedef struct Way {
    const char *name; /* of the command */
    bool is_detached; /* the network is left to a monitor */
    bool is_up;       /* the container is rnet's child */
    const char *roles[5];
    RnMsgType messages[16]; /* at which each thing has to happen once */
} Way;

static const Way foreground = {
    .name = "attach",
    .roles = { "rnet", "rnet-nsagent", "rnet-relay" },
    .messages = { RN_MSG_AGENT_SETUP, RN_MSG_AGENT_READY, RN_MSG_AGENT_SERVE,
                  RN_MSG_RELAY_SETUP, RN_MSG_RELAY_LISTENER, RN_MSG_RELAY_START,
                  RN_MSG_RELAY_READY },
};

static const Way detached = {
    .name = "attach",
    .is_detached = true,
    .roles = { "rnet", MONITOR, "rnet-nsagent", "rnet-relay" },
    .messages = { RN_MSG_MONITOR_SETUP, RN_MSG_MONITOR_PATH,
                  RN_MSG_MONITOR_LISTENER, RN_MSG_MONITOR_START,
                  RN_MSG_MONITOR_READY, RN_MSG_AGENT_SETUP, RN_MSG_AGENT_READY,
                  RN_MSG_AGENT_SERVE, RN_MSG_RELAY_SETUP, RN_MSG_RELAY_LISTENER,
                  RN_MSG_RELAY_START, RN_MSG_RELAY_READY },
};

static const Way up = {
    .name = "up",
    .is_up = true,
    .roles = { "rnet", "init", "rnet-nsagent", "rnet-relay" },
    .messages = { RN_MSG_GUARD_WATCH, RN_MSG_MAPPED, RN_MSG_READY_FOR_NETWORK,
                  RN_MSG_AGENT_SETUP, RN_MSG_AGENT_READY, RN_MSG_AGENT_SERVE,
                  RN_MSG_RELAY_SETUP, RN_MSG_RELAY_LISTENER, RN_MSG_RELAY_START,
                  RN_MSG_RELAY_READY, RN_MSG_NETWORK_UP, RN_MSG_PREPARED,
                  RN_MSG_START, RN_MSG_EXECING, RN_MSG_GUARD_DONE },
};

/* One run of one way, with one killpoint. */
typedef struct Trial {
    World *world;
    Doom doom;
    Guest guest; /* none for `up` */
    const Way *way;
    DoomPoint point;
} Trial;

/* Does the point mean the end of that process, rather than the container's? */
static bool is_killed(const Trial *trial, const char *role)
{
    return strcmp(trial->point.action, "hold") != 0 &&
           strcmp(trial->point.role, role) == 0;
}

static void check_end(const Trial *trial, const Run *run, unsigned type)
{
    const DoomPoint *point = &trial->point;
    g_autofree char *prefix = g_strdup_printf("rnet: %s: ", trial->way->name);
    g_autofree char *what = g_strdup_printf(
        "%s:%u:%s (message %u): status %d, \"%s\"", point->role, point->number,
        point->action, type, run->status, run->err_text->str);
    int status = run->status;

    if (type == 0)
        check(status == 0, "%s", what);
    else if (is_killed(trial, "rnet"))
        check(status == 128 + SIGKILL, "%s", what);
    else
        check(status <= 1 || (trial->way->is_up && status == 128 + SIGKILL),
              "%s", what);
    check(status != 1 || strstr(run->err_text->str, prefix) != NULL, "%s",
          what);
}

static Run *start(Trial *trial)
{
    const Way *way = trial->way;
    const char *operand = trial->guest.pid;
    g_autofree char *path = g_strdup_printf("/proc/%s/ns/net", operand);
    g_autofree char *payload =
        g_build_filename(trial->world->dir, "base/payload", NULL);
    const char *const attach[] = { "attach",
                                   "--ready-fd",
                                   "1",
                                   "--publish",
                                   PUBLISHED,
                                   way->is_detached ? path : operand,
                                   way->is_detached ? "--detach" : NULL,
                                   NULL };
    const char *const run_up[] = { "up",   "--publish", "127.0.0.1:8080:8080",
                                   "--",   payload,     "serve-tcp",
                                   "8080", NULL };

    /* what a process said that was not waited for any more */
    (void)doom_take(&trial->doom);
    return doom_start(&trial->doom, way->is_up ? run_up : attach, &trial->point,
                      0);
}

/* `up`: the process that is in another network namespace, or was. */
static pid_t find_command(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    pid_t nsagent = find_process("rnet-nsagent");
    const char *name = NULL;
    struct stat own = { 0 };

    check_call(stat("/proc/self/ns/net", &own) == 0, "stat");
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename("/proc", name, "ns/net", NULL);
        struct stat status = { 0 };

        if (g_ascii_isdigit(name[0]) && stat(path, &status) == 0 &&
            status.st_ino != own.st_ino && strtol(name, NULL, 10) != nsagent)
            return (pid_t)strtol(name, NULL, 10);
    }
    world_fail(__FILE__, __LINE__, "there is no command");
}

/* Which of the sockets has something to say, in a mask; not 0. */
static unsigned await_any(const int *fds, unsigned n)
{
    struct pollfd polled[3] = { 0 };
    unsigned mask = 0;

    for (unsigned i = 0; i < n; i++)
        polled[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
    check(poll(polled, n, PEER_TIMEOUT_S * 1000) > 0,
          "nothing happens to a connection");
    for (unsigned i = 0; i < n; i++)
        mask |= polled[i].revents != 0 ? 1U << i : 0;
    return mask;
}

/* One byte through the published port and back, unless somebody dies over it:
 * then false. */
static bool send_byte(const Trial *trial, int client)
{
    const int server[] = { client, trial->doom.socket };
    char byte = 0;

    return send(client, "x", 1, MSG_NOSIGNAL) == 1 &&
           await_any(server, 2) == 1 && recv(client, &byte, 1, 0) == 1;
}

static bool use_guest(const Trial *trial, int client, int listener)
{
    const int fds[] = { client, trial->doom.socket, listener };
    char byte = 0;

    if (await_any(fds, 3) != 1U << 2)
        return false;
    rn_autofd int service = peer_accept(listener);
    return send(client, "x", 1, MSG_NOSIGNAL) == 1 &&
           recv(service, &byte, 1, 0) == 1 &&
           send(service, "x", 1, MSG_NOSIGNAL) == 1 &&
           recv(client, &byte, 1, 0) == 1;
}

static int connect_port(void)
{
    return peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
}

/* A connection through the published port; false: somebody died over it. */
static bool use(const Trial *trial)
{
    rn_autofd int client = -1;
    rn_autofd int listener = -1;

    if (trial->way->is_up) {
        client = connect_port();
        return send_byte(trial, client);
    }
    listener = inside_bind(&trial->guest.inside, "0.0.0.0", 80);
    check_call(listen(listener, 8) == 0, "listen");
    client = connect_port();
    return use_guest(trial, client, listener);
}

/* While it is up, if it gets there; the type of the message that was met. */
static unsigned use_and_ask(Trial *trial, Run *run)
{
    unsigned type = 0;
    bool used = false;

    if (!run_await_output(run))
        return doom_take(&trial->doom);
    type = doom_take(&trial->doom);
    if (type == 0) {
        used = use(trial);
        type = doom_take(&trial->doom);
    }
    check(used || type != 0, "%s:%u:%s: the port is of no use",
          trial->point.role, trial->point.number, trial->point.action);
    if (!trial->way->is_up)
        g_free(keeper_ask(trial->world, NULL));
    return type != 0 ? type : doom_take(&trial->doom);
}

/* Ends what is still there, unless nobody is left who could: then all goes by
 * itself, and the entry is found stale by the next attach. */
static void end(const Trial *trial, Run *run, unsigned type)
{
    const char *keeper = trial->way->is_detached ? MONITOR : "rnet";

    if (type != 0 && (is_killed(trial, "rnet") || is_killed(trial, keeper))) {
        (void)run_wait(run);
    } else if (trial->way->is_up) {
        if (!run->ended)
            run_signal(run, SIGTERM);
        (void)run_wait(run);
    } else {
        g_autoptr(Run) detach =
            run_start(trial->world, WORDS("detach", trial->guest.pid), NULL);
        int status = run_wait(detach);

        check(status == 0 || (type != 0 && status == 1), "detach: %d, \"%s\"",
              status, detach->err_text->str);
        (void)run_wait(run);
        check_no_state(trial->world);
    }
}

static void check_untouched(const Trial *trial)
{
    g_autofree char *path =
        g_strdup_printf("/proc/%s/net/dev", trial->guest.pid);
    g_autofree char *text = NULL;

    check(g_file_get_contents(path, &text, NULL, NULL), "read \"%s\"", path);
    check_contains(text, "lo:");
    check_lacks(text, "tap0");
}

/* A process dies. */
static unsigned try_death(Trial *trial)
{
    g_autoptr(Run) run = start(trial);
    unsigned type = use_and_ask(trial, run);

    end(trial, run, type);
    /* the announcement may have come after the last look */
    type = type != 0 ? type : doom_take(&trial->doom);
    check_end(trial, run, type);
    if (trial->way->is_up) {
        check_nothing_left(trial->world);
        return type;
    }
    await_no_processes_but(&trial->guest.inside.pid, 1);
    check_untouched(trial);
    return type;
}

/* The container ends. */
static unsigned try_end_of_container(Trial *trial)
{
    g_autoptr(Run) run = start(trial);
    unsigned type = doom_await_hold(&trial->doom, run, true);

    if (trial->way->is_up)
        kill_process(find_command());
    else
        guest_kill(&trial->guest);
    /* there are messages about that, too */
    if (type == 0)
        type = doom_await_hold(&trial->doom, run, false);
    if (type != 0)
        doom_let_go(&trial->doom);
    (void)run_wait(run);
    check(type != 0 || !trial->way->is_up || run->status == 128 + SIGKILL,
          "status %d", run->status);
    if (type != 0)
        check_end(trial, run, type);
    check_nothing_left(trial->world);
    return type;
}

static unsigned try_point(Trial *trial)
{
    unsigned type = 0;

    if (strcmp(trial->point.action, "hold") != 0)
        return try_death(trial);
    if (!trial->way->is_up)
        guest_start(&trial->guest, trial->world);
    type = try_end_of_container(trial);
    if (!trial->way->is_up)
        guest_stop(&trial->guest);
    return type;
}

static void check_role(Trial *trial, bool reached[RN_MSG_N_])
{
    trial->point.number = 1;
    for (; trial->point.number <= DOOM_MESSAGES_MAX; trial->point.number++) {
        unsigned type = try_point(trial);
        if (type == 0)
            return;
        reached[type] = true;
    }
    check(false, "%s sends more than %d messages", trial->point.role,
          DOOM_MESSAGES_MAX);
}

static void check_all_points(World *world, const Way *way, const char *action)
{
    bool is_shared = !way->is_up && strcmp(action, "hold") != 0;
    bool reached[RN_MSG_N_] = { false };
    Trial trial = { .world = world, .way = way, .point.action = action };

    doom_init(&trial.doom, world);
    if (is_shared)
        guest_start(&trial.guest, world);
    for (unsigned i = 0; way->roles[i] != NULL; i++) {
        trial.point.role = way->roles[i];
        check_role(&trial, reached);
    }
    for (unsigned i = 0; way->messages[i] != 0; i++)
        check(reached[way->messages[i]], "nothing happened at message %d",
              way->messages[i]);
    check(!is_shared || reached[RN_MSG_CONTROL_STATE],
          "nobody died over an answer");
    if (is_shared)
        guest_stop(&trial.guest);
    doom_clear(&trial.doom);
}

static void test_any_death_leaves_nothing(World *world)
{
    check_all_points(world, world->data, "before");
    check_all_points(world, world->data, "after");
}

static void test_end_of_container_leaves_nothing(World *world)
{
    check_all_points(world, world->data, "hold");
}

int main(void)
{
    static const WorldTest tests[] = {
        { "attach_any_death_leaves_nothing", test_any_death_leaves_nothing,
          WORLD_NEEDS_LINK, &foreground },
        { "attach_any_end_of_container_leaves_nothing",
          test_end_of_container_leaves_nothing, WORLD_NEEDS_LINK, &foreground },
        { "attach_detached_any_death_leaves_nothing",
          test_any_death_leaves_nothing, WORLD_NEEDS_LINK, &detached },
        { "attach_detached_any_end_of_container_leaves_nothing",
          test_end_of_container_leaves_nothing, WORLD_NEEDS_LINK, &detached },
        { "up_any_death_leaves_nothing", test_any_death_leaves_nothing,
          WORLD_NEEDS_LINK, &up },
        { "up_any_end_of_command_leaves_nothing",
          test_end_of_container_leaves_nothing, WORLD_NEEDS_LINK, &up },
    };

    return world_run_tests("attach-kills", tests, G_N_ELEMENTS(tests));
}
