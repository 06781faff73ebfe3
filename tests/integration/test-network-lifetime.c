/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network-lifetime - ten networks of others start and end at once
 *
 * Role:     rounds of ten guests, whose networks come from different commands
 *           and come to different ends, all of them in use at that moment; and
 *           a container with the hook that is killed before its start
 * Runs in:  see world.h; RNET_TEST_ROUNDS says how many rounds (200 by
 *           hand, now and then)
 * Data:     a round's ends are triggered one after the other, none waited for
 * Failure:  a process, socket, mount, state entry or network namespace is left
 *           after a round
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "guest.h"
#include "keeper-ask.h"
#include "leftovers.h"
#include "netns-watch.h"
#include "peer.h"

enum {
    GUESTS = 10,
    FIRST_PORT = 8080,
    ROUNDS = 16,         /* of a run that does not say how many */
    ROUNDS_A_WORLD = 20, /* a world has a deadline */
};

/* Where a network comes from. */
typedef enum Origin {
    ORIGIN_FOREGROUND, /* rnet attach */
    ORIGIN_DETACHED,   /* rnet attach --detach */
    ORIGIN_HOOK,
    ORIGIN_SLIRP4NETNS,
} Origin;

/* What ends it. */
typedef enum End {
    END_PROCESS, /* of the guest, SIGKILL */
    END_DETACH,  /* rnet detach, or the hook's poststop */
    END_EXIT_FD,
    END_SIGNAL, /* SIGTERM to the keeper */
    END_KILL,   /* SIGKILL to the keeper */
} End;

typedef struct Fate {
    Origin origin;
    End end;
} Fate;

/* More than guests: each round gives each guest another. */
static const Fate fates[] = {
    { ORIGIN_FOREGROUND, END_PROCESS }, { ORIGIN_DETACHED, END_PROCESS },
    { ORIGIN_HOOK, END_PROCESS },       { ORIGIN_SLIRP4NETNS, END_EXIT_FD },
    { ORIGIN_FOREGROUND, END_DETACH },  { ORIGIN_DETACHED, END_DETACH },
    { ORIGIN_HOOK, END_DETACH },        { ORIGIN_SLIRP4NETNS, END_SIGNAL },
    { ORIGIN_FOREGROUND, END_EXIT_FD }, { ORIGIN_DETACHED, END_EXIT_FD },
    { ORIGIN_HOOK, END_KILL },          { ORIGIN_SLIRP4NETNS, END_KILL },
    { ORIGIN_FOREGROUND, END_SIGNAL },  { ORIGIN_DETACHED, END_SIGNAL },
    { ORIGIN_FOREGROUND, END_KILL },    { ORIGIN_DETACHED, END_KILL },
};

typedef struct Member {
    const Fate *fate;
    Guest guest;
    Run *run;    /* what gave it its network */
    Run *detach; /* what takes it away; NULL: nothing of rnet's */
    unsigned port;
    int client, service; /* an established connection */
} Member;

static char *hook_input(const Member *member, const char *status)
{
    bool is_over = strcmp(status, "stopped") == 0;

    return g_strdup_printf("{\"ociVersion\": \"1.0.2\", \"id\": \"box%u\", "
                           "\"status\": \"%s\", \"pid\": %s, "
                           "\"bundle\": \"/run\"}",
                           member->port, status,
                           is_over ? "0" : member->guest.pid);
}

static char *api_path(const Member *member)
{
    return g_strdup_printf("%s/api%u", member->guest.world->runtime_dir,
                           member->port);
}

/* Starts its network; what is not detached says when it is up. */
static void start_network(Member *member)
{
    const World *world = member->guest.world;
    const char *pid = member->guest.pid;
    g_autofree char *spec = g_strdup_printf("127.0.0.1:%u:80", member->port);
    g_autofree char *api = api_path(member);
    g_autofree char *input = hook_input(member, "creating");

    switch (member->fate->origin) {
    case ORIGIN_FOREGROUND:
        member->run = run_start(world,
                                WORDS("attach", "--ready-fd", "2", "--exit-fd",
                                      "0", "--publish", spec, pid),
                                NULL);
        break;
    case ORIGIN_DETACHED:
        member->run = run_start(world,
                                WORDS("attach", "--detach", "--ready-fd", "2",
                                      "--exit-fd", "0", "--publish", spec, pid),
                                NULL);
        break;
    case ORIGIN_HOOK:
        member->run = run_start(world, WORDS("hook", "--publish", spec), NULL);
        run_write(member->run, input);
        break;
    case ORIGIN_SLIRP4NETNS:
        member->run =
            run_start(world,
                      WORDS("slirp4netns", "--configure", "--ready-fd=2",
                            "--exit-fd=0", "--api-socket", api, pid, "tap0"),
                      NULL);
        break;
    }
}

/* As Podman does it. */
static void publish_by_api(const Member *member)
{
    g_autofree char *request = g_strdup_printf(
        "{\"execute\": \"add_hostfwd\", \"arguments\": {\"proto\": \"tcp\", "
        "\"host_addr\": \"127.0.0.1\", \"host_port\": %u, "
        "\"guest_port\": 80}}",
        member->port);
    g_autofree char *path = api_path(member);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char answer[512] = "";
    rn_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    check_call(fd >= 0, "socket");
    peer_set_timeouts(fd);
    (void)g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    check_call(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
               path);
    peer_send(fd, request);
    check_call(shutdown(fd, SHUT_WR) == 0, "shutdown");
    check_call(recv(fd, answer, sizeof(answer) - 1, 0) > 0, "the API's answer");
    check_contains(answer, "\"return\"");
}

static void await_network(Member *member)
{
    bool is_kept = member->fate->origin == ORIGIN_FOREGROUND ||
                   member->fate->origin == ORIGIN_SLIRP4NETNS;

    if (is_kept)
        run_await_error(member->run, "1");
    else
        run_expect_exit(member->run, 0);
    if (member->fate->origin == ORIGIN_SLIRP4NETNS)
        publish_by_api(member);
}

/* One byte there and back, over a connection that stays. */
static void use(Member *member)
{
    rn_autofd int listener = inside_bind(&member->guest.inside, "0.0.0.0", 80);

    check_call(listen(listener, 8) == 0, "listen");
    member->client = peer_connect(SOCK_STREAM, "127.0.0.1", member->port);
    member->service = peer_accept(listener);
    peer_send(member->client, "x");
    peer_expect(member->service, "x");
    peer_send(member->service, "y");
    peer_expect(member->client, "y");
}

/*
 * Of a keeper that is killed the relay dies with its sockets open. The kernel
 * goes on sending their last words, for minutes, to a network that is not there
 * any more, and keeps the namespace for that; so the connection ends before.
 */
static void end_connection(Member *member)
{
    peer_reset(member->client);
    member->client = -1;
    check_number(peer_await_end(member->service), ECONNRESET, "the end");
}

/* The process that keeps its network. */
static int open_keeper(const Member *member)
{
    bool is_hook = member->fate->origin == ORIGIN_HOOK;
    struct stat netns = { 0 };

    check_call(fstat(member->guest.inside.netns_fd, &netns) == 0, "fstat");
    g_autofree char *key =
        is_hook ? g_strdup_printf("hook@box%u", member->port)
                : g_strdup_printf("ns@%ju-%ju", (uintmax_t)netns.st_dev,
                                  (uintmax_t)netns.st_ino);
    pid_t pid = member->run->ended ? keeper_pid(member->guest.world, key)
                                   : member->run->pid;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    check_call(pidfd >= 0, "pidfd_open");
    return pidfd;
}

static void signal_keeper(const Member *member, int number)
{
    rn_autofd int keeper = open_keeper(member);
    GError *error = NULL;

    if (!rn_pidfd_signal(keeper, number, &error))
        check_no_error(error);
}

static void start_detach(Member *member)
{
    g_autofree char *input = hook_input(member, "stopped");
    bool is_hook = member->fate->origin == ORIGIN_HOOK;

    member->detach = run_start(
        member->guest.world,
        is_hook ? WORDS("hook") : WORDS("detach", member->guest.pid), NULL);
    run_write(member->detach, is_hook ? input : "");
}

static void begin_end(Member *member)
{
    switch (member->fate->end) {
    case END_PROCESS:
        /* as if it were the guest's */
        rn_fd_close(&member->service);
        check_call(kill(member->guest.inside.pid, SIGKILL) == 0, "kill");
        break;
    case END_DETACH:
        start_detach(member);
        break;
    case END_EXIT_FD:
        rn_fd_close(&member->run->in);
        break;
    case END_SIGNAL:
        signal_keeper(member, SIGTERM);
        break;
    case END_KILL:
        end_connection(member);
        signal_keeper(member, SIGKILL);
        break;
    }
}

/* The exit status of a command that stays. slirp4netns(1) ends by exit-fd with
 * 0, by a signal as any program does without a handler. */
static void check_status(const Member *member)
{
    static const int statuses[] = {
        [END_SIGNAL] = 128 + SIGTERM,
        [END_KILL] = 128 + SIGKILL,
    };
    bool is_kept = member->fate->origin == ORIGIN_FOREGROUND;

    if (is_kept)
        run_expect_exit(member->run, member->fate->end < END_SIGNAL
                                         ? 0
                                         : statuses[member->fate->end]);
    else
        (void)run_wait(member->run);
}

static void await_end(Member *member)
{
    g_autofree char *api = api_path(member);

    check_status(member);
    if (member->detach != NULL) {
        check(run_wait(member->detach) == 0,
              "origin %d: \"%s\"; the keeper: \"%s\"", member->fate->origin,
              run_said(member->detach), run_said(member->run));
        run_end(member->detach);
    }
    run_end(member->run);
    rn_fd_close(&member->client);
    if (member->service >= 0)
        peer_reset(member->service);
    (void)unlink(api);
    guest_kill(&member->guest);
    rn_fd_close(&member->guest.inside.world_netns_fd);
    g_clear_pointer(&member->guest.pid, g_free);
}

static void run_round(World *world, unsigned round)
{
    Member members[GUESTS] = { 0 };
    g_auto(NetnsWatch) watch;
    Guest last;

    netns_watch_init(&watch);
    for (unsigned i = 0; i < GUESTS; i++) {
        members[i].fate = &fates[(round * GUESTS + i) % G_N_ELEMENTS(fates)];
        members[i].port = FIRST_PORT + i;
        members[i].client = members[i].service = -1;
        guest_start(&members[i].guest, world);
    }
    for (unsigned i = 0; i < GUESTS; i++)
        start_network(&members[i]);
    for (unsigned i = 0; i < GUESTS; i++)
        await_network(&members[i]);
    for (unsigned i = 0; i < GUESTS; i++)
        use(&members[i]);
    check_number(netns_watch_add_all(&watch), GUESTS, "namespaces");
    for (unsigned i = 0; i < GUESTS; i++)
        begin_end(&members[i]);
    for (unsigned i = 0; i < GUESTS; i++)
        await_end(&members[i]);
    await_no_processes_but(NULL, 0);
    /* the entries of killed keepers go with the next attach */
    guest_start(&last, world);
    guest_attach(&last, "127.0.0.1:8080:80", last.pid);
    guest_check_published(&last, FIRST_PORT);
    guest_stop(&last);
    netns_watch_await_end(&watch);
}

/* The rounds that this world is to do. */
typedef struct Rounds {
    unsigned first, n;
} Rounds;

static void test_rounds(World *world)
{
    const Rounds *rounds = world->data;

    for (unsigned i = 0; i < rounds->n; i++)
        run_round(world, rounds->first + i);
}

/* One that has a network from the hook, as an engine's would. */
static char *make_hooked_bundle(const World *world)
{
    g_autofree char *hook = g_strdup_printf(
        "{\"path\": \"%s\", \"args\": [\"rnet\", \"hook\", \"--publish\", "
        "\"127.0.0.1:8080:80\"], \"env\": [\"XDG_RUNTIME_DIR=%s\"]}",
        world->rnet, world->runtime_dir);
    g_autofree char *top = g_strdup_printf(
        "\"hooks\": {\"createRuntime\": [%s], \"poststop\": [%s]}", hook, hook);
    const BundleOptions options = { .top = top };

    return bundle_new(world, "box", &options);
}

/* Nobody is left who would run poststop; when somebody does, it is late. */
static void test_container_killed_before_its_start(World *world)
{
    g_autofree char *bundle = make_hooked_bundle(world);
    g_autoptr(Run) create = run_command(
        world, WORDS("create", "--network", "none", "--bundle", bundle, "box"),
        0);
    rn_autofd int monitor =
        (int)syscall(SYS_pidfd_open, find_process("rnet-monitor"), 0);
    GError *error = NULL;

    check_call(monitor >= 0, "pidfd_open");
    kill_process(box_pid(world));
    if (!rn_pidfd_wait_exit(monitor, &error))
        check_no_error(error);
    box_delete(world, create);
}

int main(void)
{
    const char *wanted = g_getenv("RNET_TEST_ROUNDS");
    unsigned n = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : ROUNDS;
    Rounds rounds = { 0 };
    const WorldTest tests[] = {
        { "networks_of_others_started_and_ended_at_once_leave_nothing",
          test_rounds, WORLD_NEEDS_LINK, &rounds },
        { "network_of_a_container_killed_before_its_start_ends",
          test_container_killed_before_its_start, WORLD_NEEDS_LINK },
    };
    int failures = 0;

    for (; rounds.first < n && failures == 0; rounds.first += rounds.n) {
        rounds.n = MIN(n - rounds.first, (unsigned)ROUNDS_A_WORLD);
        failures =
            world_run_tests("network-lifetime", tests, G_N_ELEMENTS(tests));
    }
    return failures;
}
