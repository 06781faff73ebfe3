/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-attach - networks for namespaces that something else made
 *
 * Role:     attaches to guests, and ends the network in every way there is
 * Runs in:  see world.h
 * Data:     what goes through the network, rnet's processes and exit statuses
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/sys/process.h>
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

/* A foreground `rnet attach` that has said that it is ready. */
static Run *attach_in_foreground(const Guest *guest, const char *operand)
{
    Run *run = run_start(guest->world,
                         WORDS("attach", "--ready-fd", "2", "--exit-fd", "0",
                               "--publish", PUBLISHED, operand),
                         NULL);

    run_await_error(run, "1");
    return run;
}

static void await_exit(int pidfd, const char *name)
{
    struct pollfd one = { .fd = pidfd, .events = POLLIN };

    check_number(poll(&one, 1, RUN_TIMEOUT_S * 1000), 1, name);
}

static int open_process(const char *name)
{
    int pidfd = (int)syscall(SYS_pidfd_open, find_process(name), 0);

    check_call(pidfd >= 0, name);
    return pidfd;
}

/* It ends by itself. */
static void await_end(const char *name)
{
    rn_autofd int pidfd = -1;

    if (find_process(name) > 0)
        pidfd = open_process(name);
    if (pidfd >= 0)
        await_exit(pidfd, name);
}

/* The keeper dies, and its helpers with it. */
static void kill_keeper(void)
{
    rn_autofd int relay = open_process("rnet-relay");
    rn_autofd int nsagent = open_process("rnet-nsagent");

    kill_process(find_process(MONITOR));
    await_exit(relay, "relay");
    await_exit(nsagent, "nsagent");
}

static void check_no_interface(const Guest *guest)
{
    g_autofree char *path =
        g_strdup_printf("/proc/%d/net/dev", guest->inside.pid);
    g_autofree char *text = NULL;

    check(g_file_get_contents(path, &text, NULL, NULL), "read \"%s\"", path);
    check_lacks(text, "tap0");
}

/* Bytes that the guest has sent and received through its interface. */
static guint64 count_frames(const Guest *guest)
{
    return inside_number(&guest->inside, "net/dev", "tap0:");
}

static void test_signal_ends(World *world, int number)
{
    Guest guest;

    guest_start(&guest, world);
    g_autoptr(Run) run = attach_in_foreground(&guest, guest.pid);
    guest_check_published(&guest, 8080);
    run_signal(run, number);
    run_expect_exit(run, 128 + number);
    check_text(run->err_text->str, "1");
    check_no_interface(&guest);
    guest_stop(&guest);
}

static void test_foreground_signal_ends(World *world)
{
    test_signal_ends(world, SIGTERM);
    test_signal_ends(world, SIGINT);
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

static void test_process_ends(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autoptr(Run) run = attach_in_foreground(&guest, guest.pid);
    pid_t other = guest_join(&guest);
    /* it was about that process, whoever else is there */
    guest_kill(&guest);
    run_expect_exit(run, 0);
    kill_process(other);
    guest_stop(&guest);

    guest_start(&guest, world);
    guest_attach(&guest, NULL, guest.pid);
    check(find_process(MONITOR) > 0, "no monitor");
    guest_stop(&guest);
}

static void test_last_user_ends(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *path = g_strdup_printf("/proc/%s/ns/net", guest.pid);
    pid_t second = guest_join(&guest);
    pid_t third = guest_join(&guest);
    guest_attach(&guest, PUBLISHED, path);
    /* the namespace is still to be entered when its first process has gone */
    int netns_fd = fcntl(guest.inside.netns_fd, F_DUPFD_CLOEXEC, 3);
    guest_kill(&guest);
    guest.inside.netns_fd = netns_fd;
    guest_check_published(&guest, 8080);
    kill_process(second);
    guest_check_published(&guest, 8080);
    rn_fd_close(&guest.inside.netns_fd);
    kill_process(third);
    guest_stop(&guest);
}

/* A namespace as `ip netns` has it: a file that it is bound to. */
static char *bind_guest(const Guest *guest)
{
    g_autofree char *from = g_strdup_printf("/proc/%s/ns/net", guest->pid);
    char *folder = g_build_filename(guest->world->dir, "netns", NULL);
    g_autofree char *path = g_build_filename(folder, "web", NULL);

    check_call(mkdir(folder, 0755) == 0, "mkdir");
    check(g_file_set_contents(path, "", 0, NULL), "make \"%s\"", path);
    check_call(mount(from, path, NULL, MS_BIND, NULL) == 0, "bind");
    return folder;
}

static void test_path_ends(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *folder = bind_guest(&guest);
    g_autofree char *path = g_build_filename(folder, "web", NULL);
    guest_attach(&guest, PUBLISHED, path);
    int netns_fd = fcntl(guest.inside.netns_fd, F_DUPFD_CLOEXEC, 3);
    guest_kill(&guest);
    guest.inside.netns_fd = netns_fd;
    /* nobody is in it, but somebody can come */
    guest_check_published(&guest, 8080);
    rn_fd_close(&guest.inside.netns_fd);
    check_call(umount2(path, MNT_DETACH) == 0, "umount");
    guest_stop(&guest);
}

static void test_moved_path_and_last_user_end(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *folder = bind_guest(&guest);
    g_autofree char *path = g_build_filename(folder, "web", NULL);
    g_autofree char *elsewhere = g_strconcat(folder, "-old", NULL);
    g_autofree char *moved = g_build_filename(elsewhere, "web", NULL);
    guest_attach(&guest, PUBLISHED, path);
    check_call(rename(folder, elsewhere) == 0, "rename");
    guest_check_published(&guest, 8080);
    guest_kill(&guest);
    await_end(MONITOR);
    check_call(umount2(moved, MNT_DETACH) == 0, "umount");
    guest_stop(&guest);
}

static void test_link_to_process_ends_with_it(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *target = g_strdup_printf("/proc/%s/ns/net", guest.pid);
    g_autofree char *link = g_build_filename(world->dir, "link", NULL);
    check_call(symlink(target, link) == 0, "symlink");
    guest_attach(&guest, NULL, link);
    guest_stop(&guest);
}

static void test_exit_fd_ends(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autoptr(Run) run = attach_in_foreground(&guest, guest.pid);
    run_write(run, "");
    run_expect_exit(run, 0);

    g_autoptr(Run) detached = run_start(
        world, WORDS("attach", "--detach", "--exit-fd", "0", guest.pid), NULL);
    run_expect_exit(detached, 0);
    check(find_process(MONITOR) > 0, "no monitor");
    run_write(detached, "");
    await_end(MONITOR);
    check_no_interface(&guest);
    guest_stop(&guest);
}

static void test_detach_ends(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    for (int i = 0; i < 2; i++) {
        guest_attach(&guest, PUBLISHED, guest.pid);
        box_do(world, 0, WORDS("detach", guest.pid));
        /* it has ended, and does not just begin to */
        check_number(find_process("rnet-relay"), 0, "relay");
        check_no_interface(&guest);
    }
    g_autoptr(Run) run = attach_in_foreground(&guest, guest.pid);
    box_do(world, 0, WORDS("detach", guest.pid));
    run_expect_exit(run, 0);
    g_autofree char *refusal =
        box_refusal(world, 1, WORDS("detach", guest.pid));
    check_contains(refusal, "the namespace has no network of rnet's");
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

static void test_killed_keeper_leaves_nothing(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    guest_attach(&guest, PUBLISHED, guest.pid);
    kill_keeper();
    check_no_interface(&guest);
    /* the stale entry is not in the way */
    guest_attach(&guest, PUBLISHED, guest.pid);
    guest_check_published(&guest, 8080);
    kill_keeper();

    /* another's attach removes it */
    Guest other;
    guest_start(&other, world);
    guest_attach(&other, NULL, other.pid);
    guest_kill(&guest);
    guest_stop(&other);
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

static void test_bubblewrap_child_gets_network(World *world)
{
    const RunOptions options = { .binary = "/usr/bin/bwrap" };
    const Guest guest = { .world = world };

    if (access(options.binary, X_OK) < 0)
        world_skip("no bubblewrap");
    g_autoptr(Run) run =
        run_start(world,
                  WORDS("--unshare-all", "--dev-bind", "/", "/", "--dev",
                        "/dev", "--info-fd", "1", "/bin/sh", "-c",
                        /* bubblewrap closes its fd */
                        "read line; cut -d : -f 1 /proc/net/dev >&2"),
                  &options);
    g_autofree char *pid = read_child_pid(run);
    run_await(run, "}");
    guest_attach(&guest, NULL, pid);
    run_write(run, "go\n");
    run_await_error(run, "  tap0");
    run_expect_exit(run, 0);
    check_nothing_left(world);
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
    check_refusal(world, 1, "4194304", "there is no process 4194304");
    check_refusal(world, 1, "/no/such", "No such file");
    check_refusal(world, 1, "/etc/passwd", "not a namespace");
    check_refusal(world, 1, "/proc/self/ns/mnt",
                  "a namespace, but none of networks");
    check_refusal(world, 1, "/proc/self/ns/net",
                  "that is the network namespace rnet itself is in");
    guest_start(&guest, world);
    g_autofree char *mode =
        box_refusal(world, 1, WORDS("attach", "--network", "none", guest.pid));
    check_contains(mode, "only slirp can be attached");
    box_do(world, 1, WORDS("attach", "--network", "bus", guest.pid));
    g_autofree char *fd =
        box_refusal(world, 2, WORDS("attach", "--ready-fd", "77", guest.pid));
    check_contains(fd, "--ready-fd: 77 is no open file descriptor");
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
    check_contains(process, "open the network namespace of process");
    check_contains(process, "hint: it belongs to user 0 (root)");
    g_autofree char *folder = bind_guest(&guest);
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
    { "attach_signal_in_foreground_ends", test_foreground_signal_ends },
    { "attach_end_of_process_ends", test_process_ends },
    { "attach_end_of_last_user_ends", test_last_user_ends },
    { "attach_end_of_path_ends", test_path_ends },
    { "attach_moved_path_and_last_user_end",
      test_moved_path_and_last_user_end },
    { "attach_link_to_process_ends_with_it",
      test_link_to_process_ends_with_it },
    { "attach_exit_fd_ends", test_exit_fd_ends },
    { "detach_any_ends_at_once", test_detach_ends },
    { "attach_second_is_refused", test_second_attach_is_refused },
    { "attach_killed_keeper_leaves_nothing",
      test_killed_keeper_leaves_nothing },
    { "attach_killed_relay_is_replaced", test_killed_relay_is_replaced },
    { "attach_bubblewrap_child_gets_network",
      test_bubblewrap_child_gets_network },
    { "attach_many_at_once_all_work", test_many_at_once },
    { "attach_no_target_is_refused", test_what_is_no_target_is_refused },
    { "attach_target_of_others_is_refused", test_namespace_of_others_is_refused,
      WORLD_ONLY_AS_USER | WORLD_NEEDS_IDS },
};

int main(void)
{
    return world_run_tests("attach", tests, G_N_ELEMENTS(tests));
}
