/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-up-terminal - `rnet up` on a terminal, which it shares with its command
 *
 * Role:     the test types, as a person at a shell
 * Runs in:  see world.h
 * Data:     keys into the pty's master, what is shown comes out of it
 */
#include "config.h"

#include <signal.h>
#include <string.h>

#include "box.h"
#include "check.h"
#include "leftovers.h"
#include "run.h"
#include "screen.h"

#define PAYLOAD "/run/world/base/payload"

/* The last line is shown after whatever rnet had to say about Ctrl-C. */
static void test_interrupt_key_reaches_command_once(World *world)
{
    const char *first = NULL;
    Screen screen;

    screen_open(world, &screen);
    g_autoptr(Run) run = run_start(world, WORDS("up", PAYLOAD, "signals", "on"),
                                   &(RunOptions){ .terminal = screen.slave });
    screen_await(&screen, "ready");
    screen_type(&screen, "\003");
    screen_await(&screen, "signal 2\r\n");
    run_signal(run, SIGUSR1);
    screen_await(&screen, "signal 10\r\n");
    first = strstr(screen.shown->str, "signal 2\r\n");
    check(strstr(first + 1, "signal 2\r\n") == NULL, "interrupted twice");
    run_signal(run, SIGTERM);
    run_expect_exit(run, 128 + SIGTERM);
    screen_check_restored(&screen);
    check_nothing_left(world);
}

/* In a session of its own it is out of the terminal's reach; rnet is not. */
static void test_interrupt_key_reaches_command_elsewhere(World *world)
{
    Screen screen;

    screen_open(world, &screen);
    g_autoptr(Run) run = run_start(
        world, WORDS("up", "sh", "-c", "exec setsid " PAYLOAD " signals on"),
        &(RunOptions){ .terminal = screen.slave });
    screen_await(&screen, "ready");
    screen_type(&screen, "\003");
    screen_await(&screen, "signal 2\r\n");
    run_signal(run, SIGTERM);
    run_expect_exit(run, 128 + SIGTERM);
    check_nothing_left(world);
}

/* By a shell with jobs, as a person has it. */
static void test_stop_key_stops_both_and_fg_goes_on(World *world)
{
    g_autofree char *script = g_strdup_printf(
        "set -m; %s up sh -c 'echo ready; read a; echo got $a'; "
        "echo stopped $?; fg; echo end $?",
        world->rnet);
    Screen screen;

    screen_open(world, &screen);
    g_autoptr(Run) run = run_start(
        world, WORDS("-c", script),
        &(RunOptions){ .terminal = screen.slave, .binary = "/bin/bash" });
    screen_await(&screen, "ready\r\n");
    screen_type(&screen, "\032");
    screen_await(&screen, "stopped 148\r\n"); /* 128 + SIGTSTP */
    screen_type(&screen, "word\r");
    screen_await(&screen, "got word\r\n");
    screen_await(&screen, "end 0\r\n");
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

static void test_shell_has_jobs(World *world)
{
    Screen screen;

    screen_open(world, &screen);
    g_autoptr(Run) run = run_start(
        world, WORDS("up", "--network", "none", "bash", "--norc", "-i"),
        &(RunOptions){ .terminal = screen.slave });
    screen_type(&screen, PAYLOAD " signals\r");
    screen_await(&screen, "ready\r\n");
    screen_type(&screen, "\003");
    screen_await(&screen, "signal 2\r\n");
    screen_type(&screen, "echo status $?\r");
    screen_await(&screen, "status 130\r\n");
    check_lacks(screen.shown->str, "no job control");
    screen_type(&screen, "exit 4\r");
    run_expect_exit(run, 4);
    screen_check_restored(&screen);
    check_nothing_left(world);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "interrupt_key_reaches_command_once",
          test_interrupt_key_reaches_command_once, 0 },
        { "interrupt_key_reaches_command_elsewhere",
          test_interrupt_key_reaches_command_elsewhere, 0 },
        { "stop_key_stops_both_and_fg_goes_on",
          test_stop_key_stops_both_and_fg_goes_on, 0 },
        { "shell_has_jobs", test_shell_has_jobs, 0 },
    };

    return world_run_tests("up-terminal", tests, G_N_ELEMENTS(tests));
}
