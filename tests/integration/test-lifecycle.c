/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-lifecycle - create, start, state, kill, delete
 *
 * Role:     leads containers through their life by single commands, as an
 *           engine does
 * Runs in:  see world.h
 * Data:     status words of `state`; what the payload prints, which only a
 *           started one does
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "console.h"
#include "leftovers.h"
#include "peer.h"
#include "run.h"

/* One command with up to four words; its stdout, the caller's. */
static char *rnet(const World *world, int status, const char *a, const char *b,
                  const char *c, const char *d)
{
    const char *const args[] = { a, b, c, d, NULL };
    g_autoptr(Run) run = run_command(world, args, status);

    return g_strdup(run->out_text->str);
}

static void do_rnet(const World *world, int status, const char *a,
                    const char *b, const char *c, const char *d)
{
    g_free(rnet(world, status, a, b, c, d));
}

static void check_status(const World *world, const char *status)
{
    g_autofree char *text = rnet(world, 0, "state", "box", NULL, NULL);
    g_autofree char *part = g_strdup_printf("\"status\": \"%s\"", status);

    check_contains(text, part);
}

static Run *create_with(const World *world, const char *bundle,
                        const char *option, const char *value)
{
    const char *const args[] = { "create", "--bundle", bundle, "box",
                                 option,   value,      NULL };

    return run_command(world, args, 0);
}

static Run *create(const World *world, const char *script)
{
    g_autofree char *bundle = bundle_new_shell(world, "box", script);

    return create_with(world, bundle, NULL, NULL);
}

static void test_created_container_waits_for_start(World *world)
{
    g_autoptr(Run) run = create(world, "echo started; exec tail -f /dev/null");
    g_autofree char *line = NULL;

    check_status(world, "created");
    run_check_out(run, "");
    do_rnet(world, 0, "start", "box", NULL, NULL);
    line = run_read_line(run);
    check_text(line, "started");
    check_status(world, "running");
    do_rnet(world, 1, "start", "box", NULL, NULL);
    do_rnet(world, 1, "delete", "box", NULL, NULL);
    do_rnet(world, 0, "kill", "box", "KILL", NULL);
    do_rnet(world, 0, "delete", "--force", "box", NULL);
    do_rnet(world, 0, "delete", "--force", "box", NULL);
    do_rnet(world, 1, "delete", "box", NULL, NULL);
    do_rnet(world, 1, "state", "box", NULL, NULL);
    check_nothing_left(world);
}

static void test_created_container_is_deleted_without_force(World *world)
{
    g_autoptr(Run) run = create(world, "echo started");

    do_rnet(world, 0, "delete", "box", NULL, NULL);
    run_check_out(run, "");
    check_nothing_left(world);
}

/* A pidfd of the container's init, the caller's. */
static int open_init(const World *world)
{
    g_autofree char *text = rnet(world, 0, "state", "box", NULL, NULL);
    const char *pid = strstr(text, "\"pid\": ");
    int pidfd = -1;

    check(pid != NULL, "no pid in \"%s\"", text);
    pidfd = (int)syscall(SYS_pidfd_open, atol(pid + strlen("\"pid\": ")), 0);
    check_call(pidfd >= 0, "pidfd_open");
    return pidfd;
}

static void test_stopped_container_stays_until_deleted(World *world)
{
    g_autoptr(Run) run = create(world, "echo bye");
    rn_autofd int init = open_init(world);
    g_autoptr(Run) kill_run = NULL;
    GError *error = NULL;

    do_rnet(world, 0, "start", "box", NULL, NULL);
    run_await(run, "bye");
    if (!rn_pidfd_wait_exit(init, &error))
        check_no_error(error);
    check_status(world, "stopped");
    kill_run =
        run_command(world, (const char *const[]){ "kill", "box", NULL }, 1);
    check_contains(kill_run->err_text->str, "container not running");
    do_rnet(world, 1, "start", "box", NULL, NULL);
    do_rnet(world, 1, "create", "--bundle", world->dir, "box");
    do_rnet(world, 0, "delete", "box", NULL, NULL);
    check_nothing_left(world);
}

static void test_name_that_is_taken_is_refused(World *world)
{
    g_autoptr(Run) run G_GNUC_UNUSED = create(world, "true");
    g_autofree char *bundle = bundle_new_shell(world, "other", "true");
    const char *const args[] = { "create", "--bundle", bundle, "box", NULL };
    g_autoptr(Run) second = run_command(world, args, 1);

    check_contains(second->err_text->str, "exists");
    check_status(world, "created");
    do_rnet(world, 0, "delete", "box", NULL, NULL);
    check_nothing_left(world);
}

static void test_program_that_is_missing_leaves_nothing(World *world)
{
    g_autofree char *bundle = bundle_new(
        world, "box",
        &(BundleOptions){ .args = (const char *const[]){ "/no", NULL } });
    const char *const args[] = { "create", "--bundle", bundle, "box", NULL };
    g_autoptr(Run) run = run_command(world, args, 127);

    check_contains(run->err_text->str, "\"/no\"");
    check_nothing_left(world);
}

/* The record says that the process started at another time. */
static void test_pid_of_another_process_counts_as_stopped(World *world)
{
    g_autoptr(Run) run G_GNUC_UNUSED = create(world, "true");
    g_autofree char *path =
        g_build_filename(world->state_dir, "box", "state.json", NULL);
    g_autofree char *text = NULL;
    g_autofree char *saved = NULL;
    char *time = NULL;

    check(g_file_get_contents(path, &text, NULL, NULL), "read %s", path);
    saved = g_strdup(text);
    time = strstr(text, "\"startTime\": ");
    check(time != NULL, "no start time in \"%s\"", text);
    time += strlen("\"startTime\": ");
    *time = *time == '1' ? '2' : '1';
    check(g_file_set_contents(path, text, -1, NULL), "write %s", path);
    check_status(world, "stopped");
    do_rnet(world, 1, "kill", "box", NULL, NULL);
    check(g_file_set_contents(path, saved, -1, NULL), "write %s", path);
    check_status(world, "created");
    do_rnet(world, 0, "delete", "box", NULL, NULL);
    check_nothing_left(world);
}

/* Replaces `from` in the container's record, the same length or not. */
static void edit_record(const World *world, const char *from, const char *to)
{
    g_autofree char *path =
        g_build_filename(world->state_dir, "box", "state.json", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) parts = NULL;
    g_autofree char *edited = NULL;

    check(g_file_get_contents(path, &text, NULL, NULL), "read %s", path);
    parts = g_strsplit(text, from, 2);
    check_number(g_strv_length(parts), 2, from);
    edited = g_strjoin(to, parts[0], parts[1], NULL);
    check(g_file_set_contents(path, edited, -1, NULL), "write %s", path);
}

/* As if it had been of a `run` that was killed together with its guard. */
static void test_abandoned_container_makes_room(World *world)
{
    g_autoptr(Run) run = create(world, "echo started; exec tail -f /dev/null");
    g_autofree char *bundle = bundle_new_shell(world, "other", "true");
    g_autoptr(Run) next = NULL;
    rn_autofd int init = open_init(world);
    GError *error = NULL;

    do_rnet(world, 0, "start", "box", NULL, NULL);
    run_await(run, "started");
    edit_record(world, "\"foreground\": false", "\"foreground\": true");
    next = create_with(world, bundle, NULL, NULL);
    if (!rn_pidfd_wait_exit(init, &error))
        check_no_error(error);
    check_status(world, "created");
    do_rnet(world, 0, "delete", "box", NULL, NULL);
    check_nothing_left(world);
}

/* Without a cgroup, which would be left, too. */
static void test_record_of_another_version_goes_by_force(World *world)
{
    g_autofree char *bundle = bundle_new_shell(world, "box", "true");
    const char *const args[] = {
        "--cgroup-manager",
        "disabled",
        "create",
        "--bundle",
        bundle,
        "box",
        NULL,
    };
    g_autoptr(Run) run G_GNUC_UNUSED = run_command(world, args, 0);
    g_autoptr(Run) second = NULL;
    rn_autofd int init = open_init(world);

    edit_record(world, "\"startTime\"", "\"begunAt\"");
    do_rnet(world, 1, "state", "box", NULL, NULL);
    second = run_command(world, args, 1);
    check_contains(second->err_text->str, "startTime");
    do_rnet(world, 1, "delete", "box", NULL, NULL);
    do_rnet(world, 0, "delete", "--force", "box", NULL);
    check_call(syscall(SYS_pidfd_send_signal, init, SIGKILL, NULL, 0) == 0,
               "kill what nobody knows any more");
    check_nothing_left(world);
}

static void test_of_two_starts_one_succeeds(World *world)
{
    static const char *const args[] = { "start", "box", NULL };
    g_autoptr(Run) run = create(world, "echo started; exec tail -f /dev/null");
    g_autoptr(Run) first = run_start(world, args, NULL);
    g_autoptr(Run) second = run_start(world, args, NULL);

    check_number(run_wait(first) + run_wait(second), 1, "one failure");
    run_await(run, "started");
    do_rnet(world, 0, "delete", "-f", "box", NULL);
    check_nothing_left(world);
}

static void test_pid_file_has_the_pid(World *world)
{
    g_autofree char *path = g_build_filename(world->dir, "pid", NULL);
    g_autofree char *bundle = bundle_new_shell(world, "box", "true");
    g_autoptr(Run) run = NULL;
    g_autofree char *text = NULL;
    g_autofree char *state = NULL;
    g_autofree char *part = NULL;

    check_call(chown(world->dir, world->uid, world->gid) == 0, "chown");
    run = create_with(world, bundle, "--pid-file", path);
    check(g_file_get_contents(path, &text, NULL, NULL), "read %s", path);
    state = rnet(world, 0, "state", "box", NULL, NULL);
    part = g_strdup_printf("\"pid\": %s,", text);
    check_contains(state, part);
    do_rnet(world, 0, "delete", "box", NULL, NULL);
    check_nothing_left(world);
}

static void test_console_socket_gets_the_terminal(World *world)
{
    static const char *const script[] = { "/bin/sh", "-c", "tty; read line",
                                          NULL };
    g_autofree char *bundle = bundle_new(
        world, "box", &(BundleOptions){ .args = script, .terminal = true });
    g_autofree char *path = NULL;
    rn_autofd int listener = console_listen(world, &path);
    rn_autofd int master = -1;
    g_autoptr(Run) run = NULL;

    do_rnet(world, 1, "create", "--bundle", bundle, "box");
    run = create_with(world, bundle, "--console-socket", path);
    master = console_receive(listener);
    do_rnet(world, 0, "start", "box", NULL, NULL);
    char line[64] = { 0 };
    check_call(read(master, line, sizeof line - 1) > 0, "read the terminal");
    check_contains(line, "/dev/");
    do_rnet(world, 0, "delete", "--force", "box", NULL);
    check_nothing_left(world);
}

static void test_detached_run_publishes_until_its_end(World *world)
{
    g_autofree char *bundle = bundle_new_payload(
        world, "box", (const char *const[]){ "serve-tcp", "80", NULL });
    const char *const args[] = { "run",      "--detach", "--publish", "8080:80",
                                 "--bundle", bundle,     "box",       NULL };
    g_autoptr(Run) run = run_command(world, args, 0);
    rn_autofd int fd = -1;

    run_await(run, "ready");
    fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
    peer_echo(fd, "hello");
    check_status(world, "running");
    do_rnet(world, 0, "delete", "--force", "box", NULL);
    check_nothing_left(world);
}

/* `create` leaves the network alone: a new namespace has its loopback only. */
static void test_network_of_an_engine_is_left_alone(World *world)
{
    g_autoptr(Run) run =
        create(world, "sed 1,2d /proc/net/dev | cut -d : -f 1");
    g_autofree char *line = NULL;

    do_rnet(world, 0, "start", "box", NULL, NULL);
    line = run_read_line(run);
    check_text(g_strstrip(line), "lo");
    do_rnet(world, 0, "delete", "--force", "box", NULL);
    check_nothing_left(world);
}

static void test_preserved_fds_reach_the_payload(World *world)
{
    static const char script[] =
        "ls /proc/self/fd | tr '\\n' ' '; echo; echo $LISTEN_FDS $LISTEN_PID";
    g_autofree char *bundle = bundle_new_shell(world, "box", script);
    const char *const args[] = { "run", "--network", "none", bundle, NULL };
    const char *const env[] = { "LISTEN_FDS=2", NULL };
    const RunOptions options = { .env = env, .listen_fds = 2 };
    g_autoptr(Run) run = run_start(world, args, &options);
    g_autofree char *fds = run_read_line(run);
    g_autofree char *listen = run_read_line(run);

    /* the last one is ls's own, of the directory */
    check_text(fds, "0 1 2 3 4 5 ");
    check_text(listen, "2 1");
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

static void test_signals_have_names_and_numbers(World *world)
{
    static const char *const good[] = { "0",  "sigterm", "USR1",
                                        "10", "RTMIN+1", "SIGCLD" };
    static const char *const bad[] = { "", "SIGNOT", "65", "-1", "RTMIN+99" };
    g_autoptr(Run) run =
        create(world, "trap : TERM USR1 35; echo ready; "
                      "while :; do tail -f /dev/null & wait; done");

    do_rnet(world, 0, "start", "box", NULL, NULL);
    run_await(run, "ready");
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++)
        do_rnet(world, 0, "kill", "box", good[i], NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        do_rnet(world, 2, "kill", "box", bad[i], NULL);
    do_rnet(world, 0, "delete", "--force", "box", NULL);
    check_nothing_left(world);
}

/* By the cgroup, and without one by the pid namespace. */
static void test_kill_all_reaches_all_processes(World *world)
{
    const char *manager = world->data;
    static const char script[] = "try() { trap \"echo $1\" USR1; echo ready; "
                                 "while :; do sleep 1111 & wait; done; }; "
                                 "try child & try init";
    g_autofree char *bundle = bundle_new_shell(world, "box", script);
    const char *const args[] = {
        "--cgroup-manager", manager, "create", "--bundle", bundle, "box", NULL,
    };
    g_autoptr(Run) run = run_command(world, args, 0);

    do_rnet(world, 0, "start", "box", NULL, NULL);
    run_await(run, "ready");
    run_await(run, "ready");
    do_rnet(world, 0, "kill", "--all", "box", "USR1");
    while (strstr(run->out_text->str, "child\n") == NULL ||
           strstr(run->out_text->str, "init\n") == NULL)
        g_free(run_read_line(run));
    do_rnet(world, 0, "kill", "-a", "box", "KILL");
    do_rnet(world, 0, "delete", "--force", "box", NULL);
    check_nothing_left(world);
}

static void test_kept_container_stays_until_deleted(World *world)
{
    g_autofree char *bundle = bundle_new_shell(world, "box", "exit 3");
    const char *const args[] = { "run",       "--keep", "--no-subreaper",
                                 "--network", "none",   "--bundle",
                                 bundle,      "box",    NULL };
    g_autoptr(Run) run G_GNUC_UNUSED = run_command(world, args, 3);

    check_status(world, "stopped");
    do_rnet(world, 1, "create", "--bundle", bundle, "box");
    do_rnet(world, 0, "delete", "box", NULL, NULL);
    check_nothing_left(world);
}

static void test_name_alone_is_of_the_bundle_around(World *world)
{
    g_autofree char *bundle = bundle_new_shell(world, "box", "hostname");

    check_call(chdir(bundle) == 0, "enter the bundle");
    do_rnet(world, 0, "run", "-d", "--network=none", "box");
    do_rnet(world, 0, "delete", "--force", "box", NULL);
    /* a directory is a bundle */
    do_rnet(world, 1, "run", "rootfs", NULL, NULL);
    check_call(chdir("/") == 0, "leave the bundle");
    check_nothing_left(world);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "created_container_waits_for_start",
          test_created_container_waits_for_start, 0 },
        { "created_container_is_deleted_without_force",
          test_created_container_is_deleted_without_force, 0 },
        { "stopped_container_stays_until_deleted",
          test_stopped_container_stays_until_deleted, 0 },
        { "name_that_is_taken_is_refused", test_name_that_is_taken_is_refused,
          0 },
        { "program_that_is_missing_leaves_nothing",
          test_program_that_is_missing_leaves_nothing, 0 },
        { "pid_of_another_process_counts_as_stopped",
          test_pid_of_another_process_counts_as_stopped, 0 },
        { "abandoned_container_makes_room", test_abandoned_container_makes_room,
          0 },
        { "record_of_another_version_goes_by_force",
          test_record_of_another_version_goes_by_force, 0 },
        { "of_two_starts_one_succeeds", test_of_two_starts_one_succeeds, 0 },
        { "pid_file_has_the_pid", test_pid_file_has_the_pid, 0 },
        { "console_socket_gets_the_terminal",
          test_console_socket_gets_the_terminal, 0 },
        { "detached_run_publishes_until_its_end",
          test_detached_run_publishes_until_its_end, WORLD_NEEDS_LINK },
        { "network_of_an_engine_is_left_alone",
          test_network_of_an_engine_is_left_alone, 0 },
        { "preserved_fds_reach_the_payload",
          test_preserved_fds_reach_the_payload, 0 },
        { "signals_have_names_and_numbers", test_signals_have_names_and_numbers,
          0 },
        { "kept_container_stays_until_deleted",
          test_kept_container_stays_until_deleted, 0 },
        { "name_alone_is_of_the_bundle_around",
          test_name_alone_is_of_the_bundle_around, 0 },
        { "kill_all_reaches_all_processes", test_kill_all_reaches_all_processes,
          0, "cgroupfs" },
        { "kill_all_without_a_cgroup_reaches_all_processes",
          test_kill_all_reaches_all_processes, 0, "disabled" },
    };

    return world_run_tests("lifecycle", tests, G_N_ELEMENTS(tests));
}
