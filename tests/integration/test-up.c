/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-up - `rnet up`: what its command is, and what becomes of it
 *
 * Role:     commands of the world's "host", which is their root file system
 * Runs in:  see world.h
 * Data:     what the command prints about itself
 */
#include "config.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "leftovers.h"
#include "peer.h"
#include "run.h"

#define PAYLOAD "/run/world/base/payload"

/* stdout of `rnet up --network none sh -c SCRIPT`, which must end with 0. */
static char *ask(const World *world, const char *script)
{
    return box_rnet(world, 0,
                    WORDS("up", "--network", "none", "sh", "-c", script));
}

static void test_ids_and_surroundings_are_the_callers(World *world)
{
    g_autofree char *cwd = g_get_current_dir();
    g_autofree char *wanted =
        g_strdup_printf("%u %u\n%s\nof-the-host\n", (unsigned)world->uid,
                        (unsigned)world->gid, cwd);
    g_autofree char *said =
        ask(world, "echo $(id -u) $(id -g); pwd; echo $SECRET");

    check_text(said, wanted);
    check_nothing_left(world);
}

static void test_files_are_the_users(World *world)
{
    g_autofree char *path = g_build_filename(world->dir, "shared", NULL);
    g_autofree char *script = NULL;
    g_autofree char *said = NULL;
    struct stat status;

    check_call(mkdir(path, 0777) == 0 && chmod(path, 0777) == 0, "mkdir");
    script = g_strdup_printf("echo text > %s/file; cat %s/file", path, path);
    said = ask(world, script);
    check_text(said, "text\n");
    g_free(script);
    script = g_build_filename(path, "file", NULL);
    check_call(stat(script, &status) == 0, "stat");
    check_number(status.st_uid, world->uid, "owner");
}

static void test_users_command_has_no_capability(World *world)
{
    g_autofree char *said =
        ask(world, "grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status;"
                   "cat /proc/self/setgroups");

    check_text(said, "CapInh:\t0000000000000000\n"
                     "CapPrm:\t0000000000000000\n"
                     "CapEff:\t0000000000000000\n"
                     "CapAmb:\t0000000000000000\ndeny\n");
}

/* fds, signals and umask as with env(1) */
static void test_what_is_inherited_is_passed_on(World *world)
{
    const RunOptions untidy = { .leak_fds = true, .is_untidy = true };
    g_autoptr(Run) fds = run_start(world, WORDS("up", PAYLOAD, "fds"), &untidy);
    /* who started the test may have left some open, too */
    g_autoptr(Run) without_rnet =
        run_start(world, WORDS("fds"),
                  &(RunOptions){ .leak_fds = true, .binary = PAYLOAD });
    g_autoptr(Run) rest = NULL;

    run_expect_exit(fds, 0);
    run_expect_exit(without_rnet, 0);
    check_text(fds->out_text->str, without_rnet->out_text->str);
    check_contains(fds->out_text->str, " 7 9");
    rest = run_start(world,
                     WORDS("up", "sh", "-c",
                           "umask; exec grep -E 'Sig(Blk|Ign)' "
                           "/proc/self/status"),
                     &untidy);
    run_expect_exit(rest, 0);
    /* SIGUSR1 is 10, SIGUSR2 is 12 */
    check_text(rest->out_text->str, "0077\n"
                                    "SigBlk:\t0000000000000200\n"
                                    "SigIgn:\t0000000000000800\n");
}

typedef struct StatusCase {
    const char *const args[8];
    int status;
    const char *error; /* part of stderr; NULL: it is empty */
} StatusCase;

static const StatusCase status_cases[] = {
    { { "up", "true" }, 0, NULL },
    { { "up", "--", "sh", "-c", "exit 7" }, 7, NULL },
    { { "up", "sh", "-c", "kill -TERM $$" }, 128 + SIGTERM, NULL },
    { { "up", "sh", "-c", "kill -KILL $$" }, 128 + SIGKILL, NULL },
    { { "up", "no-such-command" }, 127, "executable file not found in $PATH" },
    { { "up", "/no/such/command" }, 127, "no such file or directory" },
    { { "up", "" }, 127, "the command is empty" },
    { { "up", "/etc" }, 126, "is a directory" },
    { { "up", "/etc/passwd" }, 126, "is not executable" },
    { { "up", "--network", "host", "true" }, 1, "--network host" },
    { { "up", "--network", "none", "-p", "80", "true" }, 1, "--network slirp" },
    { { "up", "--publish-all=9-1", "true" }, 1, "runs backwards" },
    { { "up", "--expose-host", "x", "true" }, 1, "expose-host \"x\"" },
    { { "up", "--no-such-option" }, 2, "--no-such-option" },
    /* options end with the command */
    { { "up", "sh", "-c", "exit $#", "x", "--publish-all", "-P" }, 2, NULL },
};

static void test_status_is_the_commands(World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(status_cases); i++) {
        const StatusCase *status = &status_cases[i];
        g_autofree char *said =
            box_refusal(world, status->status, status->args);

        if (status->error != NULL)
            check_contains(said, status->error);
        else
            check_text(said, "");
    }
    check_nothing_left(world);
}

static char *write_script(const World *world, const char *name,
                          const char *text)
{
    char *path = g_build_filename(world->dir, name, NULL);

    check(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE,
                                   0755, NULL),
          "write \"%s\"", path);
    return path;
}

/* execvp(3) hands it to the shell */
static void test_script_without_interpreter_runs(World *world)
{
    g_autofree char *script = write_script(world, "bare", "echo $0 $1\n");
    g_autofree char *wanted = g_strdup_printf("%s word\n", script);
    g_autofree char *said = box_rnet(world, 0, WORDS("up", script, "word"));

    check_text(said, wanted);
}

static void test_arguments_that_look_like_options_are_kept(World *world)
{
    g_autofree char *said = box_rnet(
        world, 0,
        WORDS("up", "--network", "none", "echo", "--publish-all", "--", "-P"));

    check_text(said, "--publish-all -- -P\n");
}

static void test_without_command_the_shell_runs(World *world)
{
    g_autofree char *shell =
        write_script(world, "shell", "#!/bin/sh\necho shell $#\n");
    g_autofree char *variable = g_strconcat("SHELL=", shell, NULL);
    const char *const env[] = { variable, NULL };
    g_autoptr(Run) run = run_start(world, WORDS("up", "--network", "none"),
                                   &(RunOptions){ .env = env });

    run_expect_exit(run, 0);
    run_check_out(run, "shell 0\n");
}

static void test_signals_are_passed_on(World *world)
{
    g_autoptr(Run) run =
        run_start(world, WORDS("up", PAYLOAD, "signals", "on"), NULL);

    run_await(run, "ready");
    run_signal(run, SIGUSR1);
    run_await(run, "signal 10");
    run_signal(run, SIGINT);
    run_await(run, "signal 2");
    run_signal(run, SIGTERM);
    run_await(run, "signal 15");
    run_expect_exit(run, 128 + SIGTERM);
    check_nothing_left(world);
}

static void test_name_server_is_the_networks(World *world)
{
    g_autofree char *inside =
        box_rnet(world, 0, WORDS("up", "cat", "/etc/resolv.conf"));
    g_autofree char *outside = NULL;

    check_text(inside, "search example.test\nnameserver 10.0.2.3\n");
    check(g_file_get_contents("/etc/resolv.conf", &outside, NULL, NULL),
          "read resolv.conf");
    check_text(outside, "nameserver 127.0.0.1\nsearch example.test\n");
    g_free(inside);
    inside = box_rnet(
        world, 0,
        WORDS("up", "--network", "slirp:dns=none", "cat", "/etc/resolv.conf"));
    check_text(inside, outside);
    g_free(inside);
    inside = box_rnet(world, 0,
                      WORDS("up", "--network", "slirp:dns=192.0.2.9", "cat",
                            "/etc/resolv.conf"));
    check_contains(inside, "nameserver 192.0.2.9\n");
    check_nothing_left(world);
}

/* systemd-resolved's way */
static void test_name_server_behind_a_link_is_the_networks(World *world)
{
    g_autofree char *said = NULL;

    check_call(mount("etc", "/etc", "tmpfs", 0, "mode=755") == 0, "mount");
    check(g_file_set_contents("/run/stub.conf", "nameserver 127.0.0.53\n", -1,
                              NULL),
          "write stub.conf");
    check_call(symlink("../run/stub.conf", "/etc/resolv.conf") == 0, "link");
    said = box_rnet(world, 0,
                    WORDS("up", "sh", "-c",
                          "cat /etc/resolv.conf /run/stub.conf;"
                          "readlink /etc/resolv.conf"));
    check_text(said, "nameserver 10.0.2.3\nnameserver 10.0.2.3\n"
                     "../run/stub.conf\n");
    check_call(umount("/etc") == 0, "umount");
}

static void test_missing_resolv_conf_is_a_warning(World *world)
{
    g_autofree char *said = NULL;

    check_call(mount("etc", "/etc", "tmpfs", 0, "mode=755") == 0, "mount");
    said = box_refusal(world, 5, WORDS("up", "sh", "-c", "exit 5"));
    check_contains(said, "the command's name servers are the host's: "
                         "\"/etc/resolv.conf\": ");
    check_call(umount("/etc") == 0, "umount");
}

static void test_later_mounts_of_the_host_show(World *world)
{
    g_autofree char *place = g_build_filename(world->dir, "later", NULL);
    g_autofree char *command = g_strdup_printf(
        "echo ready; read go; cat %s/below/file; ls %s/below", place, place);
    g_autofree char *below = g_build_filename(place, "below", NULL);
    g_autofree char *file = g_build_filename(below, "file", NULL);

    check_call(mkdir(place, 0755) == 0, "mkdir");
    check_call(mount("place", place, "tmpfs", 0, "mode=755") == 0 &&
                   mount("", place, NULL, MS_SHARED, NULL) == 0,
               "mount");
    check_call(mkdir(below, 0755) == 0, "mkdir");
    g_autoptr(Run) run =
        run_start(world, WORDS("up", "sh", "-c", command), NULL);
    run_await(run, "ready");
    check_call(mount("below", below, "tmpfs", 0, "mode=755") == 0, "mount");
    check(g_file_set_contents(file, "later\n", -1, NULL), "write file");
    run_write(run, "go\n");
    run_expect_exit(run, 0);
    check_contains(run->out_text->str, "later\nfile\n");
    check_call(umount(below) == 0 && umount(place) == 0, "umount");
}

static void test_ports_are_published(World *world)
{
    g_autoptr(Run) run = run_start(world,
                                   WORDS("up", "-p", "8080:80", "-p", "90",
                                         PAYLOAD, "serve-tcp", "80", "90"),
                                   NULL);

    run_await(run, "ready");
    rn_autofd int fd = peer_connect(SOCK_STREAM, WORLD_ADDRESS4, 8080);
    peer_echo(fd, "hello");
    run_await_error(run, "published 127.0.0.1:");
    run_await_error(run, " -> 90/tcp\n");
    run_signal(run, SIGTERM);
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

static void test_outbound_works(World *world)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, WORLD_ADDRESS4, 0);
    g_autofree char *port = g_strdup_printf("%u", peer_port(listener));
    g_autoptr(Run) run = run_start(
        world, WORDS("up", PAYLOAD, "connect", WORLD_ADDRESS4, port, "text"),
        NULL);
    rn_autofd int fd = peer_accept(listener);

    peer_expect(fd, "text");
    peer_send(fd, "and back");
    check_number(peer_await_end(fd), 0, "half-close of the command");
    rn_fd_close(&fd);
    run_expect_exit(run, 0);
    run_check_out(run, "reply and back\n");
}

static void test_no_network_has_a_loopback(World *world)
{
    g_autofree char *said = ask(world, "cat /sys/class/net/lo/flags >/dev/null;"
                                       "grep -c : /proc/net/dev");

    check_text(said, "1\n");
    g_autoptr(Run) run = run_start(world,
                                   WORDS("up", "--network", "none", PAYLOAD,
                                         "connect", "127.0.0.1", "80", "x"),
                                   NULL);
    run_expect_exit(run, 1);
    check_contains(run->out_text->str, "ECONNREFUSED");
}

static void test_rnet_killed_command_ends_too(World *world)
{
    g_autoptr(Run) run =
        run_start(world, WORDS("up", PAYLOAD, "signals", "on"), NULL);

    run_await(run, "ready");
    run_signal(run, SIGKILL);
    run_expect_exit(run, 128 + SIGKILL);
    check_nothing_left(world);
}

/* The kernel forgets PR_SET_PDEATHSIG at the change of ids. */
static void test_rnet_killed_other_users_command_ends_too(World *world)
{
    g_autoptr(Run) run =
        run_start(world,
                  WORDS("up", "setpriv", "--reuid=65534", "--regid=65534",
                        "--clear-groups", PAYLOAD, "signals", "on"),
                  NULL);

    run_await(run, "ready");
    run_signal(run, SIGKILL);
    run_expect_exit(run, 128 + SIGKILL);
    check_nothing_left(world);
}

/* It lives on without a network. */
static void test_background_process_outlives_command(World *world)
{
    g_autofree char *said = box_rnet(
        world, 0,
        WORDS("up", "sh", "-c",
              PAYLOAD " unprepared >/dev/null 2>&1 </dev/null & echo done"));
    pid_t pid = find_process(PAYLOAD);

    check_text(said, "done\n");
    check(pid > 0, "it has ended");
    check(find_process("rnet-relay") == 0, "the relay has not");
    kill_process(pid);
    check_nothing_left(world);
}

static void test_relay_killed_comes_back(World *world)
{
    g_autoptr(Run) run = run_start(
        world, WORDS("up", "-p", "8080:80", PAYLOAD, "serve-tcp", "80"), NULL);

    run_await(run, "ready");
    kill_process(find_process("rnet-relay"));
    run_await_error(run, "rnet-relay");
    rn_autofd int fd = peer_connect(SOCK_STREAM, "127.0.0.1", 8080);
    peer_echo(fd, "hello");
    run_signal(run, SIGTERM);
    run_expect_exit(run, 0);
    check_nothing_left(world);
}

static void test_userns_forbidden_names_the_sysctl(World *world)
{
    GError *error = NULL;

    if (!rn_file_write(AT_FDCWD, "/proc/sys/user/max_user_namespaces", "0",
                       &error))
        check_no_error(error);
    g_autofree char *said = box_refusal(world, 1, WORDS("up", "true"));
    check_contains(said, "user.max_user_namespaces");
    check_contains(said, "\nhint: ");
    check_nothing_left(world);
}

static void test_taken_port_is_told_before_anything_runs(World *world)
{
    rn_autofd int taken = peer_serve(SOCK_STREAM, "127.0.0.1", 8080);
    g_autofree char *said =
        box_refusal(world, 1, WORDS("up", "-p", "8080:80", "true"));

    check_contains(said, "8080/tcp: in use");
    (void)taken;
}

int main(void)
{
    static const WorldTest tests[] = {
        { "ids_and_surroundings_are_the_callers",
          test_ids_and_surroundings_are_the_callers, 0 },
        { "files_are_the_users", test_files_are_the_users, 0 },
        { "users_command_has_no_capability",
          test_users_command_has_no_capability, WORLD_ONLY_AS_USER },
        { "what_is_inherited_is_passed_on", test_what_is_inherited_is_passed_on,
          0 },
        { "status_is_the_commands", test_status_is_the_commands, 0 },
        { "script_without_interpreter_runs",
          test_script_without_interpreter_runs, 0 },
        { "arguments_that_look_like_options_are_kept",
          test_arguments_that_look_like_options_are_kept, 0 },
        { "without_command_the_shell_runs", test_without_command_the_shell_runs,
          0 },
        { "signals_are_passed_on", test_signals_are_passed_on, 0 },
        { "name_server_is_the_networks", test_name_server_is_the_networks, 0 },
        { "name_server_behind_a_link_is_the_networks",
          test_name_server_behind_a_link_is_the_networks, 0 },
        { "missing_resolv_conf_is_a_warning",
          test_missing_resolv_conf_is_a_warning, 0 },
        { "later_mounts_of_the_host_show", test_later_mounts_of_the_host_show,
          0 },
        { "ports_are_published", test_ports_are_published, 0 },
        { "outbound_works", test_outbound_works, 0 },
        { "no_network_has_a_loopback", test_no_network_has_a_loopback, 0 },
        { "rnet_killed_command_ends_too", test_rnet_killed_command_ends_too,
          0 },
        { "rnet_killed_other_users_command_ends_too",
          test_rnet_killed_other_users_command_ends_too, WORLD_ONLY_AS_ROOT },
        { "background_process_outlives_command",
          test_background_process_outlives_command, 0 },
        { "relay_killed_comes_back", test_relay_killed_comes_back, 0 },
        { "userns_forbidden_names_the_sysctl",
          test_userns_forbidden_names_the_sysctl,
          WORLD_ONLY_AS_USER | WORLD_OWN_USERNS },
        { "taken_port_is_told_before_anything_runs",
          test_taken_port_is_told_before_anything_runs, 0 },
    };

    return world_run_tests("up", tests, G_N_ELEMENTS(tests));
}
