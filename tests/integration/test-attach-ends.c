/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-attach-ends - every way in which the network of a guest ends
 *
 * Role:     attaches to guests and brings the end about
 * Runs in:  see world.h
 * Data:     rnet's processes, its exit status, what is left in the guest
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "guest.h"
#include "leftovers.h"

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

/* A monitor has nothing of its caller's that somebody could wait for. */
static void check_lets_go(pid_t monitor)
{
    static const char *const files[] = { "fd/0", "fd/1", "fd/2", "cwd" };

    check(monitor > 0, "no monitor");
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path =
            g_strdup_printf("/proc/%d/%s", monitor, files[i]);
        g_autofree char *target = g_file_read_link(path, NULL);

        check(target != NULL, "read \"%s\"", path);
        check_text(target, i < 3 ? "/dev/null" : "/");
    }
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
    check_lets_go(find_process(MONITOR));
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

static void test_path_ends(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *folder = guest_bind(&guest);
    g_autofree char *path = g_build_filename(folder, "web", NULL);
    guest_attach(&guest, PUBLISHED, path);
    int netns_fd = fcntl(guest.inside.netns_fd, F_DUPFD_CLOEXEC, 3);
    guest_kill(&guest);
    guest.inside.netns_fd = netns_fd;
    /* nobody is in it, but somebody can come */
    guest_check_published(&guest, 8080);
    rn_fd_close(&guest.inside.netns_fd);
    /* without MNT_DETACH: rnet has no file there open */
    check_call(umount(path) == 0, "umount");
    guest_stop(&guest);
}

static void test_moved_path_and_last_user_end(World *world)
{
    Guest guest;

    guest_start(&guest, world);
    g_autofree char *folder = guest_bind(&guest);
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

static const WorldTest tests[] = {
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
    { "attach_killed_keeper_leaves_nothing",
      test_killed_keeper_leaves_nothing },
};

int main(void)
{
    return world_run_tests("attach-ends", tests, G_N_ELEMENTS(tests));
}
