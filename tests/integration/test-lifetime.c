/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-lifetime - rnet's processes: what they are, what their end does
 *
 * Role:     kills each of them while a published service runs
 * Runs in:  see world.h; test-handshake-kills does the same while it starts
 * Data:     a helper that died is noticed by its pid; that its successor works
 *           by a connection, which waits in the listener's queue until then
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "peer.h"
#include "run.h"

static Run *start_service(const World *world)
{
    static unsigned number;
    g_autofree char *name = g_strdup_printf("service%u", number++);
    g_autofree char *bundle = bundle_new_payload(
        world, name, (const char *const[]){ "serve-tcp", "80", NULL });
    const char *const args[] = { "run",       "--publish",   "8080:80",
                                 "--publish", "5353:53/udp", bundle,
                                 NULL };
    Run *run = run_start(world, args, NULL);

    run_await(run, "ready");
    return run;
}

static void check_serves(void)
{
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);

    peer_echo(fd, "are you there");
}

static void check_ends_well(const World *world, Run *run)
{
    run_signal(run, SIGTERM);
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

static pid_t must_find(const char *name)
{
    pid_t pid = find_process(name);

    check(pid > 0, "no process \"%s\"", name);
    return pid;
}

/*
 * A relay ends when its nsagent does; until it has, it may still take a
 * connection, only to reset it.
 */
static void kill_helper(const char *name)
{
    rn_autofd int relay =
        (int)syscall(SYS_pidfd_open, must_find("rnet-relay"), 0);
    GError *error = NULL;

    check_call(relay >= 0, "pidfd_open");
    kill_process(must_find(name));
    if (!rn_pidfd_wait_exit(relay, &error))
        check_no_error(error);
}

static void check_helper_restarted(World *world, const char *name)
{
    g_autoptr(Run) run = start_service(world);

    check_serves();
    for (int i = 0; i < 3; i++) {
        pid_t before = must_find(name);
        kill_helper(name);
        check_serves();
        check(must_find(name) != before, "%s is the old one", name);
    }
    run_await_error(run, "warning");
    check_contains(run->err_text->str, name);
    check_ends_well(world, run);
}

static void test_relay_killed_is_restarted_with_its_ports(World *world)
{
    check_helper_restarted(world, "rnet-relay");
}

static void test_nsagent_killed_is_restarted_with_its_ports(World *world)
{
    check_helper_restarted(world, "rnet-nsagent");
}

static void test_guard_killed_container_goes_on(World *world)
{
    g_autoptr(Run) run = start_service(world);

    kill_process(must_find("rnet-guard"));
    check_serves();
    check_ends_well(world, run);
}

static void test_launcher_killed_leaves_nothing(World *world)
{
    g_autoptr(Run) run = start_service(world);

    check_serves();
    run_signal(run, SIGKILL);
    run_expect_exit(run, 128 + SIGKILL);
    check_nothing_left(world);
}

/* Both at once: nobody is told to clean up, the next run takes the name over */
static void test_launcher_and_guard_killed_leave_no_process(World *world)
{
    g_autofree char *bundle = bundle_new(world, "next", NULL);
    g_autofree char *serving = bundle_new_payload(
        world, "serving", (const char *const[]){ "serve-tcp", "80", NULL });
    const char *const args[] = { "run",     "--name", "same", "--publish",
                                 "8080:80", serving,  NULL };
    const char *const again[] = { "run",  "--name", "same", "--network",
                                  "none", bundle,   NULL };
    g_autoptr(Run) run = run_start(world, args, NULL);

    run_await(run, "ready");
    kill_process(must_find("rnet-guard"));
    run_signal(run, SIGKILL);
    run_expect_exit(run, 128 + SIGKILL);
    g_autoptr(Run) next = run_start(world, again, NULL);
    run_expect_exit(next, 0);
    check_nothing_left(world);
}

static void test_payload_killed_ends_the_network(World *world)
{
    g_autoptr(Run) run = start_service(world);

    check_serves();
    kill_process(must_find("/bin/payload"));
    run_expect_exit(run, 128 + SIGKILL);
    check_nothing_left(world);
}

static void test_signal_without_handler_ends_payload(World *world)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        g_autofree char *name = g_strdup_printf("plain%zu", i);
        g_autofree char *bundle = bundle_new_payload(
            world, name, (const char *const[]){ "unprepared", NULL });
        g_autoptr(Run) run = run_start_bundle(world, bundle, NULL);
        run_await(run, "ready");
        run_signal(run, signals[i]);
        run_expect_exit(run, 128 + signals[i]);
        check_nothing_left(world);
    }
}

/* At whatever step it arrives, the signal ends everything. */
static void test_signal_while_starting_leaves_nothing(World *world)
{
    enum {
        ATTEMPTS = 20
    };
    g_autofree char *bundle = bundle_new_payload(
        world, "slow", (const char *const[]){ "serve-tcp", "80", NULL });

    for (unsigned i = 0; i < ATTEMPTS; i++) {
        const char *const args[] = { "run", "--publish", "8080:80", bundle,
                                     NULL };
        g_autoptr(Run) run = run_start(world, args, NULL);
        /* no waiting: where it hits depends on the machine, on purpose */
        for (unsigned j = 0; j < i * 50; j++)
            (void)find_process("rnet-relay");
        run_signal(run, SIGTERM);
        (void)run_wait(run);
        check_nothing_left(world);
    }
}

static char *read_status(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    char *text = NULL;

    check(g_file_get_contents(path, &text, NULL, NULL), "read \"%s\"", path);
    return text;
}

typedef struct HelperCase {
    const char *name;
    const char *effective; /* capabilities(7), CapEff of /proc/PID/status */
    bool is_confined;      /* by seccomp */
} HelperCase;

/* design.md, 2: nsagent keeps CAP_NET_BIND_SERVICE and CAP_NET_ADMIN. */
static const HelperCase helper_cases[] = {
    { "rnet-relay", "0000000000000000", true },
    { "rnet-nsagent", "0000000000001400", true },
    { "rnet-guard", NULL, false },
    { "rnet", NULL, false },
};

static void test_helpers_running_are_confined(World *world)
{
    g_autoptr(Run) run = start_service(world);

    check_serves();
    for (size_t i = 0; i < G_N_ELEMENTS(helper_cases); i++) {
        const HelperCase *helper = &helper_cases[i];
        g_autofree char *status = read_status(must_find(helper->name));
        check(strstr(status, "\nThreads:\t1\n") != NULL, "%s has threads",
              helper->name);
        if (helper->effective != NULL) {
            g_autofree char *line =
                g_strdup_printf("\nCapEff:\t%s\n", helper->effective);
            check(strstr(status, line) != NULL, "%s: capabilities in %s",
                  helper->name, status);
        }
        check(!helper->is_confined ||
                  (strstr(status, "\nNoNewPrivs:\t1\n") != NULL &&
                   strstr(status, "\nSeccomp:\t2\n") != NULL),
              "%s is not confined: %s", helper->name, status);
    }
    check_ends_well(world, run);
}

/* Each library costs each process some pages, used or not. nsagent's maps are
 * closed to other processes; it is the same program. */
static void test_processes_waiting_have_no_library_of_the_start(World *world)
{
    static const char *const foreign[] = { "/libsubid", "/libpam",
                                           "/libsemanage", "/libgobject",
                                           "/libgio" };
    g_autoptr(Run) run = start_service(world);
    const pid_t pids[] = { run->pid, must_find("rnet-guard"),
                           must_find("rnet-relay") };

    for (unsigned i = 0; i < G_N_ELEMENTS(pids); i++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/maps", pids[i]);
        g_autofree char *maps = NULL;

        check(g_file_get_contents(path, &maps, NULL, NULL), "read %s", path);
        check_contains(maps, "/libc.so");
        for (unsigned j = 0; j < G_N_ELEMENTS(foreign); j++)
            check_lacks(maps, foreign[j]);
    }
    check_ends_well(world, run);
}

/* An idle or overloaded relay must not grow: fds before and after are equal. */
static void test_connections_over_leave_no_fds(World *world)
{
    enum {
        CONNECTIONS = 300
    };
    g_autoptr(Run) run = start_service(world);
    guint before = 0, after = 0;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CONNECTIONS; i++) {
            rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
            peer_echo(fd, "short");
            peer_finish(fd, "end 5\n");
        }
        g_autofree char *path =
            g_strdup_printf("/proc/%d/fd", must_find("rnet-relay"));
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
        check(dir != NULL, "open \"%s\"", path);
        guint *count = round == 0 ? &before : &after;
        while (g_dir_read_name(dir) != NULL)
            (*count)++;
    }
    /* the relay keeps some sockets in stock */
    check(after <= before + 40, "fds of the relay: %u, then %u", before, after);
    check_ends_well(world, run);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "relay_killed_is_restarted_with_its_ports",
          test_relay_killed_is_restarted_with_its_ports, WORLD_NEEDS_LINK },
        { "nsagent_killed_is_restarted_with_its_ports",
          test_nsagent_killed_is_restarted_with_its_ports, WORLD_NEEDS_LINK },
        { "guard_killed_container_goes_on", test_guard_killed_container_goes_on,
          WORLD_NEEDS_LINK },
        { "launcher_killed_leaves_nothing", test_launcher_killed_leaves_nothing,
          WORLD_NEEDS_LINK },
        { "launcher_and_guard_killed_leave_no_process",
          test_launcher_and_guard_killed_leave_no_process, WORLD_NEEDS_LINK },
        { "payload_killed_ends_the_network",
          test_payload_killed_ends_the_network, WORLD_NEEDS_LINK },
        { "signal_without_handler_ends_payload",
          test_signal_without_handler_ends_payload, 0 },
        { "signal_while_starting_leaves_nothing",
          test_signal_while_starting_leaves_nothing, WORLD_NEEDS_LINK },
        { "helpers_running_are_confined", test_helpers_running_are_confined,
          WORLD_NEEDS_LINK },
        { "processes_waiting_have_no_library_of_the_start",
          test_processes_waiting_have_no_library_of_the_start,
          WORLD_NEEDS_LINK },
        { "connections_over_leave_no_fds", test_connections_over_leave_no_fds,
          WORLD_NEEDS_LINK },
        { "relay_killed_gets_the_packet_link_again",
          test_relay_killed_is_restarted_with_its_ports, WORLD_WITHOUT_TUN },
        { "nsagent_killed_leaves_the_packet_link",
          test_nsagent_killed_is_restarted_with_its_ports, WORLD_WITHOUT_TUN },
        { "launcher_killed_leaves_no_packet_link",
          test_launcher_killed_leaves_nothing, WORLD_WITHOUT_TUN },
    };

    return world_run_tests("lifetime", tests, G_N_ELEMENTS(tests));
}
