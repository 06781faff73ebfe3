/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-attach - networks for namespaces that something else made
 *
 * Role:     attaches to guests; test-attach-ends.c has the ends
 * Runs in:  see world.h
 * Data:     what goes through the network, exit statuses and errors
 */
#include "config.h"

#include <signal.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/socket.h>

#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "guest.h"
#include "leftovers.h"
#include "peer.h"

enum {
    MANY = 10,
};

#define MONITOR   "rnet-monitor"
#define PUBLISHED "127.0.0.1:8080:80"

/* Bytes that the guest has sent and received through its interface. */
static guint64 count_frames(const Guest *guest)
{
    return inside_number(&guest->inside, "net/dev", "tap0:");
}

static void test_network_carries_both_ways(World *world)
{
    Guest guest;
    char text[4096] = "";

    guest_start(&guest, world);
    box_do(world, 0,
           WORDS("attach", "-d", "-p", PUBLISHED, "--network",
                 "slirp:handoff=on", guest.pid));
    guest_check_published(&guest, 8080);
    guest_check_outbound(&guest);
    guint64 before = count_frames(&guest);
    rn_autofd int listener = peer_serve(SOCK_STREAM, WORLD_ADDRESS4, 0);
    rn_autofd int client =
        inside_connect(&guest.inside, WORLD_ADDRESS4, peer_port(listener));
    rn_autofd int server = peer_accept(listener);
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 64; i++) {
        peer_send(server, text);
        peer_expect(client, text);
    }
    check(count_frames(&guest) - before < sizeof text,
          "TCP came through the interface");
    rn_fd_close(&listener);
    guest_stop(&guest);
}

/* In the foreground, as only there is somebody who is told. */
static void test_ports_come_and_go(World *world)
{
    rn_autofd int exposed = peer_serve(SOCK_STREAM, "127.0.0.1", 0);
    g_autofree char *port = g_strdup_printf("%u", peer_port(exposed));
    Guest guest;

    guest_start(&guest, world);
    g_autoptr(Run) run =
        run_start(world,
                  WORDS("attach", "--publish-all=3000-3010", "--expose-host",
                        port, "--ready-fd", "1", guest.pid),
                  NULL);
    rn_autofd int service = inside_bind(&guest.inside, "127.0.0.1", 3000);
    check_call(listen(service, 8) == 0, "listen");
    run_await_error(run, "published 127.0.0.1:3000 -> 3000/tcp");
    rn_autofd int client = peer_connect(SOCK_STREAM, "127.0.0.1", 3000);
    rn_autofd int accepted = peer_accept(service);
    peer_send(client, "ping");
    peer_expect(accepted, "ping");
    rn_fd_close(&service);
    run_await_error(run, "withdrawn 127.0.0.1:3000 -> 3000/tcp");

    rn_autofd int inside =
        inside_connect(&guest.inside, "127.0.0.1", peer_port(exposed));
    rn_autofd int outside = peer_accept(exposed);
    peer_send(inside, "ping");
    peer_expect(outside, "ping");
    rn_fd_close(&exposed);
    run_signal(run, SIGTERM);
    run_expect_exit(run, 128 + SIGTERM);
    run_check_out(run, "1");
    guest_stop(&guest);
}

static void test_second_attach_is_refused(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = g_strdup_printf("/proc/%s/ns/net", guest.pid);
    guest_attach(&guest, PUBLISHED, guest.pid);
    g_autofree char *refusal = box_refusal(world, 1, WORDS("attach", path));
    g_autofree char *kept =
        g_strdup_printf("which process %d keeps", find_process(MONITOR));
    g_autofree char *hint = g_strdup_printf("hint: `rnet detach %s`", path);
    check_contains(refusal, "the namespace has a network already, \"ns@");
    check_contains(refusal, kept);
    check_contains(refusal, hint);
    guest_check_published(&guest, 8080);
    guest_stop(&guest);
}

/* Whatever the order in which they come to it. */
static void test_one_of_many_wins(World *world)
{
    Guest guest;
    Run *runs[MANY];
    int won = 0;

    guest_start(&guest, world);
    for (unsigned i = 0; i < MANY; i++)
        runs[i] =
            run_start(world, WORDS("attach", "--detach", guest.pid), NULL);
    for (unsigned i = 0; i < MANY; i++) {
        if (run_wait(runs[i]) == 0)
            won++;
        else
            check_contains(runs[i]->err_text->str, "already");
        run_end(runs[i]);
    }
    check_number(won, 1, "attached");
    guest_check_outbound(&guest);
    guest_stop(&guest);
}

static void test_killed_relay_is_replaced(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    guest_attach(&guest, PUBLISHED, guest.pid);
    for (int i = 0; i < 3; i++) {
        pid_t relay = find_process("rnet-relay");
        if (relay > 0)
            kill_process(relay);
        guest_check_published(&guest, 8080);
        guest_check_outbound(&guest);
    }
    guest_stop(&guest);
}

/* The pid that bubblewrap tells, in its JSON. */
static char *read_child_pid(Run *run)
{
    char *number = run_read_until(run, "    \"child-pid\": ");

    number[strspn(number, "0123456789")] = '\0';
    return number;
}

/* Its program waits for a line, or it waits for a byte before it makes that. */
static void check_bubblewrap(World *world, const char *const *args)
{
    const RunOptions options = { .binary = "/usr/bin/bwrap" };
    const Guest guest = { .world = world };

    if (access(options.binary, X_OK) < 0)
        world_skip("no bubblewrap");
    g_autoptr(Run) run = run_start(world, args, &options);
    g_autofree char *pid = read_child_pid(run);
    run_await(run, "}");
    guest_attach(&guest, NULL, pid);
    run_write(run, "go\n");
    run_await_error(run, "  tap0");
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

/* With --dev the child is in another user namespace than the network's. The fd
 * of --info-fd is closed before the program starts. */
static void test_bubblewrap_child_gets_network(World *world)
{
    check_bubblewrap(world,
                     WORDS("--unshare-all", "--dev-bind", "/", "/", "--dev",
                           "/dev", "--info-fd", "1", "/bin/sh", "-c",
                           "read line; cut -d : -f 1 /proc/net/dev >&2"));
    check_bubblewrap(world,
                     WORDS("--unshare-all", "--dev-bind", "/", "/",
                           "--block-fd", "0", "--info-fd", "1", "/bin/sh", "-c",
                           "cut -d : -f 1 /proc/net/dev >&2"));
}

static void test_many_at_once(World *world)
{
    Guest guests[MANY];
    Run *runs[MANY];

    for (unsigned i = 0; i < MANY; i++)
        guest_start(&guests[i], world);
    for (unsigned i = 0; i < MANY; i++) {
        g_autofree char *spec = g_strdup_printf("127.0.0.1:%u:80", 8080 + i);

        runs[i] = run_start(
            world, WORDS("attach", "--detach", "-p", spec, guests[i].pid),
            NULL);
    }
    for (unsigned i = 0; i < MANY; i++) {
        run_expect_exit(runs[i], 0);
        run_end(runs[i]);
        guest_check_published(&guests[i], 8080 + i);
    }
    for (unsigned i = 1; i < MANY; i++)
        guest_kill(&guests[i]);
    guest_check_published(&guests[0], 8080);
    guest_stop(&guests[0]);
    for (unsigned i = 1; i < MANY; i++)
        g_free(guests[i].pid);
}

static void check_refusal(const World *world, int status, const char *operand,
                          const char *part)
{
    g_autofree char *refusal =
        box_refusal(world, status, WORDS("attach", operand));

    check_contains(refusal, part);
}

static void test_what_is_no_target_is_refused(World *world)
{
    Guest guest;

    check_refusal(world, 1, "web", "neither a process's number nor a path");
    check_refusal(world, 1, "4194304", "there is no process 4194304\nhint: ");
    check_refusal(world, 1, "/no/such", "No such file");
    check_refusal(world, 1, "/etc/passwd", "not a namespace\nhint: ");
    check_refusal(world, 1, "/proc/self/ns/mnt",
                  "a namespace, but none of networks\nhint: ");
    check_refusal(world, 1, "/proc/self/ns/net",
                  "that is the network namespace rnet itself is in\nhint: ");
    guest_start(&guest, world);
    g_autofree char *mode =
        box_refusal(world, 1, WORDS("attach", "--network", "none", guest.pid));
    check_contains(mode, "only slirp can be attached");
    box_do(world, 1, WORDS("attach", "--network", "bus", guest.pid));
    g_autofree char *fd =
        box_refusal(world, 2, WORDS("attach", "--ready-fd", "77", guest.pid));
    check_contains(fd, "--ready-fd: 77 is no open file descriptor");
    g_autoptr(Run) run = run_start(
        world,
        WORDS("-c", "exec \"$0\" attach --exit-fd 0 \"$1\" </dev/null",
              world->rnet, guest.pid),
        &(const RunOptions){ .binary = "/bin/sh" });
    run_expect_exit(run, 1);
    check_contains(run->err_text->str, "fd 0 has no end");
    guest_stop(&guest);
}

/* A caller that hears of a failure does not look for a network to end. */
static void test_ready_that_is_not_told_ends_it(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autoptr(Run) run =
        run_start(world,
                  WORDS("-c",
                        "exec \"$0\" attach --detach --ready-fd 5 \"$1\" "
                        "5</dev/null",
                        world->rnet, guest.pid),
                  &(const RunOptions){ .binary = "/bin/sh" });
    run_expect_exit(run, 1);
    check_contains(run->err_text->str, "--ready-fd: write: ");
    g_autofree char *none = box_refusal(world, 1, WORDS("detach", guest.pid));
    check_contains(none, "has no network");
    guest_stop(&guest);
}

static void test_namespace_of_others_is_refused(World *world)
{
    World roots = *world;
    Guest guest;

    /* root's, in a user namespace of its own and in the world's */
    roots.kind = WORLD_ROOT;
    roots.uid = roots.gid = 0;
    guest_start(&guest, &roots);
    g_autofree char *process =
        box_refusal(world, 1, WORDS("attach", guest.pid));
    check_contains(process, "open its network namespace: Permission");
    check_contains(process, "hint: it belongs to user 0 (root)");
    g_autofree char *folder = guest_bind(&guest);
    g_autofree char *path = g_build_filename(folder, "web", NULL);
    g_autofree char *bound = box_refusal(world, 1, WORDS("attach", path));
    check_contains(bound, "enter it: Operation not permitted");
    check_contains(bound, "CAP_SYS_ADMIN");
    check_call(umount2(path, MNT_DETACH) == 0, "umount");
    guest_stop(&guest);
}

static const WorldTest tests[] = {
    { "attach_published_and_outbound_pass", test_network_carries_both_ways,
      WORLD_NEEDS_LINK },
    { "attach_ports_of_either_side_come_and_go", test_ports_come_and_go },
    { "attach_second_is_refused", test_second_attach_is_refused },
    { "attach_twice_at_once_one_wins", test_one_of_many_wins },
    { "attach_killed_relay_is_replaced", test_killed_relay_is_replaced },
    { "attach_bubblewrap_child_gets_network",
      test_bubblewrap_child_gets_network },
    { "attach_many_at_once_all_work", test_many_at_once },
    { "attach_no_target_is_refused", test_what_is_no_target_is_refused },
    { "attach_detached_ready_not_told_is_undone",
      test_ready_that_is_not_told_ends_it },
    { "attach_target_of_others_is_refused", test_namespace_of_others_is_refused,
      WORLD_ONLY_AS_USER | WORLD_NEEDS_IDS },
};

int main(void)
{
    return world_run_tests("attach", tests, G_N_ELEMENTS(tests));
}
