/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-terminal - the copying between stdin, stdout and the container's pty
 *
 * Each test has its own stdin and stdout, so it runs in a child. The test is
 * the container: it holds the slave of the pty.
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <termios.h>

#include <unit.h>

#include <rnet/runtime/terminal.h>
#include <rnet/util/fd.h>

#include "in-child.h"

enum {
    DEADLINE_S = 20,
    QUIET_MS = 100,
    MUCH = 300000, /* bytes: more than the pipe and the pty hold */
};

typedef struct Setup {
    int to_stdin, from_stdout; /* the caller's ends */
    int master, slave;
    unsigned n_gone;
    RnLoop *loop;
    RnTerminal *terminal;
} Setup;

static void count_gone(void *data)
{
    Setup *setup = data;

    setup->n_gone++;
}

/* False where the test cannot go on. The child ends with it, so nothing is
 * freed. */
static bool set_up(Setup *setup, bool raw)
{
    int input[2] = { -1, -1 };
    int output[2] = { -1, -1 };
    struct termios modes = { 0 };
    const struct sigaction ignore = { .sa_handler = SIG_IGN };

    (void)alarm(DEADLINE_S);
    if (pipe(input) < 0 || pipe(output) < 0 ||
        dup2(input[0], STDIN_FILENO) < 0 ||
        dup2(output[1], STDOUT_FILENO) < 0 || close(input[0]) < 0 ||
        close(output[1]) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0 ||
        openpty(&setup->master, &setup->slave, NULL, NULL, NULL) < 0 ||
        tcgetattr(setup->slave, &modes) < 0)
        return false;
    modes.c_lflag &= ~(tcflag_t)ECHO;
    if (raw)
        cfmakeraw(&modes);
    if (tcsetattr(setup->slave, TCSANOW, &modes) < 0)
        return false;
    setup->to_stdin = input[1];
    setup->from_stdout = output[0];
    setup->loop = rn_loop_new(NULL);
    if (setup->loop == NULL)
        return false;
    setup->terminal =
        rn_terminal_new(setup->loop, setup->master, count_gone, setup, NULL);
    return setup->terminal != NULL;
}

/* Turns of the loop until one has nothing to do. */
static bool settle(Setup *setup)
{
    int64_t before = 0;

    do {
        before = rn_clock_ms();
        if (!rn_loop_turn(setup->loop, QUIET_MS, NULL))
            return false;
    } while (rn_clock_ms() - before < QUIET_MS);
    return true;
}

static const char *end_stdin_within_a_line(void *data)
{
    Setup setup = { 0 };
    char line[16] = "";

    (void)data;
    if (!set_up(&setup, false) || write(setup.to_stdin, "hi", 2) != 2)
        return "set up";
    (void)close(setup.to_stdin);
    if (!settle(&setup))
        return "turn the loop";
    if (read(setup.slave, line, sizeof line) != 2 || memcmp(line, "hi", 2) != 0)
        return "the line is not what was written";
    /* hangs, and dies by the alarm, if the end did not come through */
    return read(setup.slave, line, sizeof line) == 0 ? NULL : "no end of file";
}

static void stdin_that_ends_within_a_line_ends_the_readers_input(void **state)
{
    (void)state;
    run_in_child(end_stdin_within_a_line, NULL);
}

/* A spinning loop never settles, and dies by the alarm. */
static const char *hang_up_stdin_with_input_pending(void *data)
{
    static char much[32768];
    Setup setup = { 0 };

    (void)data;
    if (!set_up(&setup, true) ||
        write(setup.to_stdin, much, sizeof much) != sizeof much)
        return "set up";
    (void)close(setup.to_stdin);
    return settle(&setup) ? NULL : "turn the loop";
}

static void stdin_hung_up_with_input_pending_does_not_spin(void **state)
{
    (void)state;
    run_in_child(hang_up_stdin_with_input_pending, NULL);
}

/* Writes as much as the container's side takes. */
static size_t write_some(int slave, size_t wanted)
{
    static char zeros[4096];
    ssize_t written = write(slave, zeros, MIN(wanted, sizeof zeros));

    return written < 0 ? 0 : (size_t)written;
}

static size_t read_some(int from_stdout)
{
    char buffer[4096];
    ssize_t got = read(from_stdout, buffer, sizeof buffer);

    return got < 0 ? 0 : (size_t)got;
}

static const char *write_to_a_slow_reader(void *data)
{
    Setup setup = { 0 };
    size_t written = 0;
    size_t shown = 0;
    bool drained = false;

    (void)data;
    if (!set_up(&setup, true) ||
        !rn_fd_set_nonblocking(setup.slave, true, NULL) ||
        !rn_fd_set_nonblocking(setup.from_stdout, true, NULL))
        return "set up";
    /* nobody reads: the loop must come back all the same */
    for (unsigned i = 0; i < 100; i++) {
        written += write_some(setup.slave, MUCH - written);
        if (!rn_loop_turn(setup.loop, 1, NULL))
            return "turn the loop";
    }
    if (written == MUCH)
        return "nothing held the writer back";
    while (written < MUCH || !drained) {
        written += write_some(setup.slave, MUCH - written);
        shown += read_some(setup.from_stdout);
        drained = rn_terminal_drain(setup.terminal);
        if (!drained && !rn_loop_turn(setup.loop, 1, NULL))
            return "turn the loop";
    }
    while (shown < MUCH)
        shown += read_some(setup.from_stdout);
    return setup.n_gone == 0 ? NULL : "stdout counts as gone";
}

static void slow_reader_gets_all_and_holds_up_no_one(void **state)
{
    (void)state;
    run_in_child(write_to_a_slow_reader, NULL);
}

static const char *close_stdouts_reader(void *data)
{
    Setup setup = { 0 };

    (void)data;
    if (!set_up(&setup, true))
        return "set up";
    (void)close(setup.from_stdout);
    for (unsigned i = 0; i < 3; i++) {
        if (write_some(setup.slave, 4096) == 0)
            return "the container is held back";
        if (!settle(&setup))
            return "turn the loop";
    }
    return setup.n_gone == 1 ? NULL : "not told once that stdout is gone";
}

static void closed_stdout_is_told_once_and_holds_up_no_one(void **state)
{
    (void)state;
    run_in_child(close_stdouts_reader, NULL);
}

static const char *reopen_the_terminal(void *data)
{
    char name[64] = "";
    char shown[16] = "";
    Setup setup = { 0 };

    (void)data;
    if (!set_up(&setup, true) || ttyname_r(setup.slave, name, sizeof name) != 0)
        return "set up";
    (void)close(setup.slave);
    if (!settle(&setup)) /* spins where the hang-up is told again and again */
        return "turn the loop";
    setup.slave = open(name, O_RDWR | O_NOCTTY);
    if (setup.slave < 0 || write(setup.slave, "again", 5) != 5)
        return "open the terminal again";
    if (!settle(&setup))
        return "turn the loop";
    if (!rn_fd_set_nonblocking(setup.from_stdout, true, NULL))
        return "set up";
    return read(setup.from_stdout, shown, sizeof shown) == 5
               ? NULL
               : "what was written later is not shown";
}

static void terminal_that_is_opened_again_goes_on(void **state)
{
    (void)state;
    run_in_child(reopen_the_terminal, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stdin_that_ends_within_a_line_ends_the_readers_input),
        cmocka_unit_test(stdin_hung_up_with_input_pending_does_not_spin),
        cmocka_unit_test(slow_reader_gets_all_and_holds_up_no_one),
        cmocka_unit_test(closed_stdout_is_told_once_and_holds_up_no_one),
        cmocka_unit_test(terminal_that_is_opened_again_goes_on),
    };

    return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
