/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-terminal - `rnet run` of a bundle with process.terminal, under a pty
 *
 * Role:     the test holds the master of a pty whose slave rnet is run on, as
 *           a shell's user would
 * Runs in:  see world.h
 * Data:     what is typed goes into the master, what is shown comes out of it
 */
#include "config.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "run.h"
#include "screen.h"

static Run *start_on(const World *world, const Screen *screen,
                     const char *const *payload)
{
    const BundleOptions options = { .args = payload, .terminal = true };
    g_autofree char *bundle = bundle_new(world, "terminal", &options);
    const char *const args[] = { "run", "--network", "none", bundle, NULL };

    return run_start(world, args, &(RunOptions){ .terminal = screen->slave });
}

static const char *const terminal_payload[] = { "/bin/payload", "terminal",
                                                NULL };

static void test_terminal_of_payload_is_its_own(World *world)
{
    Screen screen;
    struct termios raw;

    screen_open(world, &screen);
    g_autoptr(Run) run = start_on(world, &screen, terminal_payload);
    screen_await(&screen, "ready");
    check_contains(screen.shown->str, "tty 1 1 1\r\n");
    check_contains(screen.shown->str, "leader 1\r\n");
    check_contains(screen.shown->str, "size 33 101\r\n");
    check_call(tcgetattr(screen.slave, &raw) == 0, "tcgetattr");
    check((raw.c_lflag & (ICANON | ECHO | ISIG)) == 0, "not in raw mode");
    check_call(write(screen.master, "\003", 1) == 1, "type Ctrl-C");
    screen_await(&screen, "signal 2");
    run_expect_exit(run, 128 + SIGINT);
    screen_check_restored(&screen);
    check_nothing_left(world);
}

static void test_window_resized_payload_is_told(World *world)
{
    const struct winsize size = { .ws_row = 40, .ws_col = 120 };
    Screen screen;

    screen_open(world, &screen);
    g_autoptr(Run) run = start_on(world, &screen, terminal_payload);
    screen_await(&screen, "ready");
    check_call(ioctl(screen.master, TIOCSWINSZ, &size) == 0, "resize");
    screen_await(&screen, "size 40 120");
    check_call(write(screen.master, "\003", 1) == 1, "type Ctrl-C");
    run_expect_exit(run, 128 + SIGINT);
}

static void test_terminal_output_at_the_end_is_complete(World *world)
{
    const char *const shell[] = {
        "/bin/sh", "-c",
        "i=0; while test $i -lt 2000; do echo line $i; "
        "i=$((i+1)); done; exit 5",
        NULL
    };
    Screen screen;

    screen_open(world, &screen);
    g_autoptr(Run) run = start_on(world, &screen, shell);
    screen_await(&screen, "line 1999\r\n");
    run_expect_exit(run, 5);
    screen_check_restored(&screen);
}

static void test_typed_text_reaches_payload(World *world)
{
    const char *const shell[] = { "/bin/sh", "-c",
                                  "echo go; read a; echo got $a; tty", NULL };
    Screen screen;

    screen_open(world, &screen);
    g_autoptr(Run) run = start_on(world, &screen, shell);
    screen_await(&screen, "go\r\n");
    check_call(write(screen.master, "word\r", 5) == 5, "type");
    screen_await(&screen, "got word\r\n");
    screen_await(&screen, "/dev/");
    run_expect_exit(run, 0);
}

static void test_hangup_sent_to_rnet_ends_payload(World *world)
{
    Screen screen;

    screen_open(world, &screen);
    g_autoptr(Run) run = start_on(world, &screen, terminal_payload);
    screen_await(&screen, "ready");
    run_signal(run, SIGHUP);
    screen_await(&screen, "signal 1");
    run_expect_exit(run, 128 + SIGHUP);
    screen_check_restored(&screen);
    check_nothing_left(world);
}

static void test_terminal_wanted_without_one_runs(World *world)
{
    const char *const shell[] = { "/bin/sh", "-c", "tty", NULL };
    const BundleOptions options = { .args = shell, .terminal = true };
    g_autofree char *bundle = bundle_new(world, "noterm", &options);
    g_autoptr(Run) run = run_start_bundle(world, bundle, NULL);

    run_write(run, "");
    run_expect_exit(run, 0);
    check_contains(run->out_text->str, "/dev/");
    check_nothing_left(world);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "terminal_of_payload_is_its_own", test_terminal_of_payload_is_its_own,
          0 },
        { "window_resized_payload_is_told", test_window_resized_payload_is_told,
          0 },
        { "terminal_output_at_the_end_is_complete",
          test_terminal_output_at_the_end_is_complete, 0 },
        { "typed_text_reaches_payload", test_typed_text_reaches_payload, 0 },
        { "hangup_sent_to_rnet_ends_payload",
          test_hangup_sent_to_rnet_ends_payload, 0 },
        { "terminal_wanted_without_one_runs",
          test_terminal_wanted_without_one_runs, 0 },
    };

    return world_run_tests("terminal", tests, G_N_ELEMENTS(tests));
}
