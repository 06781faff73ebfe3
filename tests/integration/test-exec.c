/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-exec - one more process in a container that runs
 *
 * Role:     runs commands in a container as engines and persons do, and looks
 *           at what they are there
 * Runs in:  see world.h
 * Data:     exit status, stdout and stderr of `rnet exec`
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "console.h"
#include "leftovers.h"

static const BundleOptions standard = { 0 };

static void test_exit_status_is_the_programs(World *world)
{
    static const struct {
        const char *script;
        int status;
    } cases[] = {
        { "true", 0 },
        { "exit 7", 7 },
        { "kill -KILL $$", 137 },
    };
    g_autoptr(Run) run = box_start(world, &standard);

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        box_do(world, cases[i].status,
               WORDS("exec", "box", "/bin/sh", "-c", cases[i].script));
    box_delete(world, run);
}

static void test_stdio_is_the_callers(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);
    g_autoptr(Run) run = run_start(
        world, WORDS("exec", "box", "/bin/sh", "-c", "cat; echo bad >&2"),
        NULL);

    run_write(run, "one\ntwo\n");
    run_expect_exit(run, 0);
    run_check_out(run, "one\ntwo\n");
    check_text(run->err_text->str, "bad\n");
    box_delete(world, box);
}

/* The words are those that podman and dockerd look for. */
static void test_program_that_cannot_run_has_a_status_of_its_own(World *world)
{
    static const struct {
        const char *program;
        int status;
        const char *text;
    } cases[] = {
        { "/no/such", 127, "no such file or directory" },
        { "no-such", 127, "executable file not found in" },
        { "/etc", 126, "permission denied" },
        { "/proc/self/status", 126, "permission denied" },
        { "/bin/text", 126, "is of no format" },
    };
    g_autoptr(Run) run = box_start(world, &standard);
    g_autofree char *bundle = g_build_filename(world->dir, "box", NULL);

    bundle_write(world, bundle, "rootfs/bin/text", "neither nor\n", 0755);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = box_refusal(
            world, cases[i].status, WORDS("exec", "box", cases[i].program));

        check_contains(text, cases[i].text);
        check_contains(text, cases[i].program);
    }
    box_delete(world, run);
}

static void test_process_is_in_all_of_the_namespaces(World *world)
{
    static const char script[] =
        "for n in user pid net ipc uts mnt cgroup time; do"
        " a=$(stat -L -c %i /proc/1/ns/$n) b=$(stat -L -c %i /proc/self/ns/$n);"
        " test $a = $b || echo $n: $a $b; done;"
        "test /proc/1/root/bin/busybox -ef /bin/busybox || echo root;"
        "test $(stat -c %i /proc/1/root/) = $(stat -c %i /) && echo same";
    g_autoptr(Run) run = box_start(
        world, &(BundleOptions){ .namespaces = "user network mount pid ipc uts "
                                               "cgroup" });
    g_autofree char *text = box_shell(world, script);

    check_text(text, "same\n");
    box_delete(world, run);
}

/*
 * Ends the process in a pid file, which is this one's child by now. Until it is
 * reaped its pid namespace is in use, and `delete` waits for the end of that.
 */
static void end_detached(const char *pid_file)
{
    g_autofree char *text = NULL;
    pid_t pid = 0;

    check(g_file_get_contents(pid_file, &text, NULL, NULL), "read %s",
          pid_file);
    pid = (pid_t)strtol(text, NULL, 10);
    check_call(kill(pid, SIGKILL) == 0, "kill the process of the pid file");
    check_call(waitpid(pid, NULL, 0) == pid, "reap it");
}

static void test_process_of_a_file_can_be_left_alone(World *world)
{
    static const char process[] =
        "{\"args\": [\"/bin/sh\", \"-c\", \"echo up $C; exec tail -f "
        "/dev/null\"], \"cwd\": \"/\", \"env\": [\"PATH=/bin\", \"C=three\"]}";
    g_autoptr(Run) box = box_start(world, &standard);
    g_autofree char *file = g_build_filename(world->dir, "process", NULL);
    g_autofree char *pid_file = g_build_filename(world->dir, "pid", NULL);
    g_autoptr(Run) run = NULL;

    check(g_file_set_contents(file, process, -1, NULL), "write %s", file);
    check_call(chmod(file, 0644) == 0, "chmod");
    check_call(chown(world->dir, world->uid, world->gid) == 0, "chown");
    run = run_command(world,
                      WORDS("exec", "--process", file, "--detach", "--pid-file",
                            pid_file, "box"),
                      0);
    run_await(run, "up three");
    end_detached(pid_file);
    box_delete(world, box);
}

static void test_terminal_is_the_controlling_one(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);
    g_autoptr(Run) run = run_start(
        world, WORDS("exec", "--tty", "box", "/bin/payload", "terminal"), NULL);

    run_await(run, "tty 1 1 1");
    run_await(run, "leader 1");
    run_await(run, "ready");
    run_write(run, "\003");
    run_expect_exit(run, 130);
    box_delete(world, box);
}

static void test_console_socket_gets_the_terminal(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);
    g_autofree char *path = NULL;
    rn_autofd int listener = console_listen(world, &path);
    g_autofree char *pid_file = g_build_filename(world->dir, "pid", NULL);
    rn_autofd int master = -1;
    char line[64] = { 0 };

    check_call(chown(world->dir, world->uid, world->gid) == 0, "chown");
    box_do(world, 0,
           WORDS("exec", "--tty", "--detach", "--console-socket", path,
                 "--pid-file", pid_file, "box", "/bin/sh", "-c",
                 "tty; read line"));
    master = console_receive(listener);
    check_call(read(master, line, sizeof line - 1) > 0, "read the terminal");
    check_contains(line, "/dev/pts/");
    end_detached(pid_file);
    box_delete(world, box);
}

static void test_terminal_without_a_taker_is_refused(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);

    box_do(world, 255, WORDS("exec", "--tty", "--detach", "box", "/bin/true"));
    box_do(world, 255,
           WORDS("exec", "--detach", "--console-socket", "/no", "box",
                 "/bin/true"));
    box_do(world, 255,
           WORDS("exec", "--tty", "--detach", "--console-socket", "/no", "box",
                 "/bin/true"));
    box_delete(world, box);
}

static void test_caller_has_no_terminal_to_give(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);
    g_autofree char *text = box_shell(
        world, "set -- $(cat /proc/$$/stat); test $6 = $$ && echo leader $7");

    /* tty_nr 0: no controlling terminal, proc(5) */
    check_text(text, "leader 0\n");
    box_delete(world, box);
}

static void test_signals_are_passed_on(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);
    g_autoptr(Run) run =
        run_start(world, WORDS("exec", "box", "/bin/payload", "signals"), NULL);

    run_await(run, "ready");
    run_signal(run, SIGUSR1);
    run_await(run, "signal 10");
    run_signal(run, SIGTERM);
    run_await(run, "signal 15");
    run_expect_exit(run, 128 + SIGTERM);
    box_delete(world, box);
}

static void test_fds_are_stdio_and_what_was_asked_for(World *world)
{
    const RunOptions leaky = { .leak_fds = true };
    const RunOptions with_fds = { .listen_fds = 2 };
    const RunOptions listening = { .listen_fds = 2,
                                   .env = WORDS("LISTEN_FDS=2") };
    g_autoptr(Run) box = box_start(world, &standard);
    g_autoptr(Run) plain =
        run_start(world, WORDS("exec", "box", "/bin/payload", "fds"), &leaky);
    g_autoptr(Run) preserving = run_start(
        world,
        WORDS("exec", "--preserve-fds", "1", "box", "/bin/payload", "fds"),
        &with_fds);
    g_autoptr(Run) listen = run_start(
        world,
        WORDS("exec", "box", "/bin/sh", "-c",
              "test $LISTEN_PID = $$ && echo $LISTEN_FDS; /bin/payload fds"),
        &listening);

    run_expect_exit(plain, 0);
    check_text(plain->out_text->str, "fds 0 1 2\n");
    run_expect_exit(preserving, 0);
    check_text(preserving->out_text->str, "fds 0 1 2 3\n");
    run_expect_exit(listen, 0);
    check_text(listen->out_text->str, "2\nfds 0 1 2 3 4\n");
    box_do(world, 255,
           WORDS("exec", "--preserve-fds", "9", "box", "/bin/true"));
    box_delete(world, box);
}

static void test_container_that_does_not_run_is_refused(World *world)
{
    g_autoptr(Run) box = NULL;
    g_autofree char *missing =
        box_refusal(world, 255, WORDS("exec", "box", "/bin/true"));
    g_autofree char *stopped = NULL;

    check_contains(missing, "does not exist");
    box = box_start(world, &standard);
    kill_process(box_pid(world));
    stopped = box_refusal(world, 255, WORDS("exec", "box", "/bin/true"));
    check_contains(stopped, "cannot exec in a stopped container");
    box_delete(world, box);
}

static void test_container_that_is_only_created_can_be_entered(World *world)
{
    g_autofree char *bundle = bundle_new_shell(world, "box", "echo never");
    g_autoptr(Run) box =
        run_command(world, WORDS("create", "--bundle", bundle, "box"), 0);
    g_autofree char *text = box_shell(world, "echo $$ > /tmp/made; ls /tmp");

    check_text(text, "made\n");
    check_text(box->out_text->str, "");
    box_delete(world, box);
}

static void test_command_line_that_is_wrong_is_told(World *world)
{
    box_do(world, 2, WORDS("exec"));
    box_do(world, 2, WORDS("exec", "box"));
    box_do(world, 2, WORDS("exec", "--preserve-fds", "-1", "box", "true"));
    box_do(world, 2, WORDS("exec", "--no-such-option", "box", "true"));
}

/* Options of the program are not rnet's. */
static void test_options_after_the_id_are_the_programs(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);
    g_autofree char *text = box_rnet(
        world, 0, WORDS("exec", "box", "/bin/echo", "--tty", "-e", "a"));

    check_text(text, "--tty -e a\n");
    box_delete(world, box);
}

/* All of the container ends with its first process, also what was added. */
static void test_process_ends_with_the_container(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);
    g_autoptr(Run) run = run_start(world,
                                   WORDS("exec", "box", "/bin/sh", "-c",
                                         "echo up; exec tail -f /dev/null"),
                                   NULL);

    run_await(run, "up");
    kill_process(box_pid(world));
    run_expect_exit(run, 137);
    box_delete(world, box);
}

#define TEST(name) #name, test_##name

int main(void)
{
    static const WorldTest tests[] = {
        { TEST(exit_status_is_the_programs), 0 },
        { TEST(stdio_is_the_callers), 0 },
        { TEST(program_that_cannot_run_has_a_status_of_its_own), 0 },
        { TEST(process_is_in_all_of_the_namespaces), 0 },
        { TEST(process_of_a_file_can_be_left_alone), 0 },
        { TEST(terminal_is_the_controlling_one), 0 },
        { TEST(console_socket_gets_the_terminal), 0 },
        { TEST(terminal_without_a_taker_is_refused), 0 },
        { TEST(caller_has_no_terminal_to_give), 0 },
        { TEST(signals_are_passed_on), 0 },
        { TEST(fds_are_stdio_and_what_was_asked_for), 0 },
        { TEST(container_that_does_not_run_is_refused), 0 },
        { TEST(container_that_is_only_created_can_be_entered), 0 },
        { TEST(command_line_that_is_wrong_is_told), 0 },
        { TEST(options_after_the_id_are_the_programs), 0 },
        { TEST(process_ends_with_the_container), 0 },
    };

    return world_run_tests("exec", tests, G_N_ELEMENTS(tests));
}
