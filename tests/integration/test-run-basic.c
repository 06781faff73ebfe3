/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-run-basic - the container is what config.json says
 *
 * Role:     runs bundles without a network and looks at them from inside
 * Runs in:  see world.h
 * Data:     mostly a table: part of config.json, a script, what it prints
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "peer.h"
#include "run.h"

typedef struct ShellCase {
    const char *name;
    BundleOptions options; /* args is made from the script */
    const char *script;
    const char *output; /* all of stdout */
    int status;
} ShellCase;

static const ShellCase shell_cases[] = {
    { "exit status", { 0 }, "exit 7", "", 7 },
    { "output", { 0 }, "echo out; echo err >&2", "out\n", 0 },
    { "environment",
      { .env = "\"COLOUR=blue\"" },
      "echo $COLOUR $SECRET-",
      "blue -\n",
      0 },
    { "working directory", { .cwd = "/tmp" }, "pwd", "/tmp\n", 0 },
    { "hostname", { .top = "\"hostname\": \"box\"" }, "hostname", "box\n", 0 },
    { "ids", { 0 }, "id -u; id -g", "0\n0\n", 0 },
    { "umask",
      { .user = "{\"uid\": 0, \"gid\": 0, \"umask\": 63}" },
      "umask",
      "0077\n",
      0 },
    { "default umask", { 0 }, "umask", "0022\n", 0 },
    { "rlimit",
      { .process = "\"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", "
                   "\"soft\": 100, \"hard\": 200}]" },
      "ulimit -Sn; ulimit -Hn",
      "100\n200\n",
      0 },
    { "capabilities",
      { .capabilities = "\"CAP_CHOWN\"" },
      "grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | "
      "sort -u",
      "0000000000000001\n",
      0 },
    { "a capability that nobody knows",
      { .capabilities = "\"CAP_CHOWN\", \"CAP_NONSENSE\"" },
      "grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | "
      "sort -u",
      "0000000000000001\n",
      0 },
    { "no capabilities",
      { .capabilities = "" },
      "grep -E 'Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | "
      "sort -u",
      "0000000000000000\n",
      0 },
    { "no new privileges",
      { .process = "\"noNewPrivileges\": true" },
      "grep NoNewPrivs /proc/self/status | cut -f2",
      "1\n",
      0 },
    { "oom score",
      { .process = "\"oomScoreAdj\": 500" },
      "cat /proc/self/oom_score_adj",
      "500\n",
      0 },
    { "writable root", { 0 }, "touch /new && ls -d /new", "/new\n", 0 },
    { "read-only root",
      { .readonly_root = true },
      "touch /new 2>/dev/null || echo refused",
      "refused\n",
      0 },
    { "tmpfs mount",
      { .mounts = "{\"destination\": \"/mnt\", \"type\": \"tmpfs\", "
                  "\"source\": \"tmpfs\", "
                  "\"options\": [\"noexec\", \"nodev\", \"size=64k\"]}" },
      "grep ' /mnt ' /proc/mounts | cut -d' ' -f3; "
      "grep ' /mnt ' /proc/mounts | grep -o -E 'noexec|nodev|size=64k'",
      "tmpfs\nnodev\nnoexec\nsize=64k\n",
      0 },
    { "read-only bind mount",
      { .mounts = "{\"destination\": \"/mnt\", \"type\": \"none\", "
                  "\"source\": \"/run/world/base\", "
                  "\"options\": [\"rbind\", \"ro\"]}" },
      "test -x /mnt/payload && (touch /mnt/new 2>/dev/null || echo refused)",
      "refused\n",
      0 },
    { "mount on a missing directory",
      { .mounts = "{\"destination\": \"/a/b\", \"type\": \"tmpfs\", "
                  "\"source\": \"tmpfs\"}" },
      "touch /a/b/c && ls /a/b",
      "c\n",
      0 },
    { "masked paths",
      { .linux_more = "\"maskedPaths\": [\"/hidden\", \"/bin/payload\", "
                      "\"/no/such\"]" },
      "ls /hidden; wc -c < /bin/payload",
      "0\n",
      0 },
    { "read-only paths",
      { .linux_more = "\"readonlyPaths\": [\"/tmp\", \"/no/such\"]" },
      "touch /tmp/new 2>/dev/null || echo refused",
      "refused\n",
      0 },
    { "devices",
      { 0 },
      "for d in null zero full random urandom tty; do "
      "test -c /dev/$d || echo no $d; done; echo gone > /dev/null; "
      "head -c 3 /dev/zero | wc -c; head -c 5 /dev/urandom | wc -c; "
      "test -c /dev/ptmx && test -e /dev/fd/0 && echo links",
      "3\n5\nlinks\n",
      0 },
    { "pid namespace", { 0 }, "echo $$", "1\n", 0 },
    { "network without a network",
      { 0 },
      "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '",
      "lo\n",
      0 },
    { "cgroup namespace",
      { .namespaces = "user network mount pid ipc uts cgroup" },
      "cut -d: -f3 /proc/self/cgroup | sort -u",
      "/\n",
      0 },
};

static void check_shell_case(World *world, const ShellCase *shell_case)
{
    static unsigned number;
    const char *const args[] = { "/bin/sh", "-c", shell_case->script, NULL };
    BundleOptions options = shell_case->options;
    g_autofree char *name = g_strdup_printf("case%u", number++);

    options.args = args;
    g_autofree char *bundle = bundle_new(world, name, &options);
    g_autoptr(Run) run = run_start_bundle(world, bundle, NULL);
    (void)run_wait(run);
    check(run->status == shell_case->status &&
              strcmp(run->out_text->str, shell_case->output) == 0,
          "%s: status %d, stdout \"%s\", stderr \"%s\"", shell_case->name,
          run->status, run->out_text->str, run->err_text->str);
}

static void test_config_each_part_holds_inside(World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(shell_cases); i++)
        check_shell_case(world, &shell_cases[i]);
    check_nothing_left(world);
}

static void test_payload_faulting_exits_128_plus_signal(World *world)
{
    g_autofree char *bundle = bundle_new_payload(
        world, "fault", (const char *const[]){ "fault", NULL });

    run_end(run_bundle(world, bundle, 128 + SIGILL));
}

static void test_payload_killed_outside_exits_137(World *world)
{
    g_autofree char *bundle = bundle_new_payload(
        world, "killed", (const char *const[]){ "signals", NULL });
    g_autoptr(Run) run = run_start_bundle(world, bundle, NULL);

    run_await(run, "ready");
    kill_process(find_process("/bin/payload"));
    run_expect_exit(run, 128 + SIGKILL);
    check_nothing_left(world);
}

static void test_fds_leaked_by_caller_do_not_reach_payload(World *world)
{
    g_autofree char *bundle =
        bundle_new_payload(world, "fds", (const char *const[]){ "fds", NULL });
    const char *const args[] = { "run", "--network", "none", bundle, NULL };
    g_autoptr(Run) run =
        run_start(world, args, &(RunOptions){ .leak_fds = true });

    run_expect_exit(run, 0);
    run_check_out(run, "fds 0 1 2\n");
}

static void test_stdin_given_reaches_payload(World *world)
{
    g_autofree char *bundle = bundle_new_shell(world, "stdin", "cat");
    g_autoptr(Run) run = run_start_bundle(world, bundle, NULL);

    run_write(run, "one\ntwo\n");
    run_expect_exit(run, 0);
    run_check_out(run, "one\ntwo\n");
    check_text(run->err_text->str, "");
}

static void test_signals_sent_to_rnet_reach_payload(World *world)
{
    static const int signals[] = { SIGHUP,  SIGUSR1, SIGUSR2,
                                   SIGALRM, SIGQUIT, SIGTERM };
    g_autofree char *bundle = bundle_new_payload(
        world, "signals", (const char *const[]){ "signals", NULL });
    g_autoptr(Run) run = run_start_bundle(world, bundle, NULL);

    run_await(run, "ready");
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        g_autofree char *wanted = g_strdup_printf("signal %d", signals[i]);
        run_signal(run, signals[i]);
        g_autofree char *line = run_read_line(run);
        check_text(line, wanted);
    }
    run_expect_exit(run, 128 + SIGTERM);
    check_nothing_left(world);
}

static void test_bundle_option_with_id_runs_it(World *world)
{
    g_autofree char *bundle = bundle_new_shell(world, "form", "exit 3");
    const char *const args[] = { "run",  "--network", "none", "--bundle",
                                 bundle, "web",       NULL };
    g_autoptr(Run) run = run_start(world, args, NULL);

    run_expect_exit(run, 3);
    check_nothing_left(world);
}

static void test_name_in_use_is_refused(World *world)
{
    g_autofree char *bundle = bundle_new_payload(
        world, "named", (const char *const[]){ "signals", NULL });
    const char *const args[] = { "run",  "--network", "none", "--name",
                                 "same", bundle,      NULL };
    g_autoptr(Run) first = run_start(world, args, NULL);

    run_await(first, "ready");
    g_autoptr(Run) second = run_start(world, args, NULL);
    run_expect_exit(second, 1);
    check_contains(second->err_text->str, "rnet: run \"same\": ");
    run_signal(first, SIGTERM);
    run_expect_exit(first, 128 + SIGTERM);
    g_autoptr(Run) third = run_start(world, args, NULL);
    run_await(third, "ready");
    run_signal(third, SIGTERM);
    run_expect_exit(third, 128 + SIGTERM);
    check_nothing_left(world);
}

static void test_network_host_shares_the_hosts(World *world)
{
    rn_autofd int listener = peer_serve(SOCK_STREAM, "127.0.0.1", 0);
    g_autofree char *port = g_strdup_printf("%u", peer_port(listener));
    const char *const client[] = { "/bin/payload", "connect", "127.0.0.1",
                                   port,           "hello",   NULL };
    g_autofree char *bundle =
        bundle_new(world, "host",
                   &(BundleOptions){ .args = client,
                                     .namespaces = "user mount pid ipc uts" });
    const char *const args[] = { "run", "--network", "host", bundle, NULL };
    g_autoptr(Run) run = run_start(world, args, NULL);
    rn_autofd int fd = peer_accept(listener);

    peer_expect(fd, "hello");
    rn_fd_close(&fd);
    run_expect_exit(run, 0);
    run_check_out(run, "reply \n");
}

/* Many ids: root has them, an ordinary user through newuidmap. */
static void test_user_other_than_root_has_its_ids(World *world)
{
    const char *const args[] = {
        "/bin/sh", "-c",
        "id -u; id -g; id -G; grep -E 'Cap(Prm|Eff)' /proc/self/status | "
        "cut -f2 | sort -u",
        NULL
    };
    const BundleOptions options = {
        .args = args,
        .user = "{\"uid\": 1000, \"gid\": 100, \"additionalGids\": [5, 7]}",
    };
    g_autofree char *bundle = bundle_new(world, "user", &options);

    if (world->kind != WORLD_ROOT)
        world_give_sub_ids(world, 200000, 65536);
    g_autoptr(Run) run = run_bundle(world, bundle, 0);
    run_check_out(run, "1000\n100\n100 5 7\n0000000000000000\n");
    check_nothing_left(world);
}

/* HOME is the image's to say, unless the bundle says it. */
static void test_home_is_that_of_passwd(World *world)
{
    static const struct {
        const char *passwd, *home;
    } cases[] = {
        { "root:x:0:0:root:/root:/bin/sh\n", "/root\n" },
        { "a:x:1:1::/a:/b\nb:x:0:0:::/b\nno\nc:x:0:0::/c:\nd:x:0:0::/d:\n",
          "/c\n" },
        { "root:x:00:0::relative:/bin/sh\nroot:x:+0:0::/x:/bin/sh\n", "/\n" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("home-%u", i);
        g_autofree char *bundle = bundle_new_shell(world, name, "echo $HOME");
        g_autoptr(Run) run = NULL;

        bundle_write(world, bundle, "rootfs/etc/passwd", cases[i].passwd, 0644);
        run = run_bundle(world, bundle, 0);
        run_check_out(run, cases[i].home);
    }
    check_nothing_left(world);
}

static void test_root_without_userns_runs(World *world)
{
    const char *const args[] = { "/bin/sh", "-c",
                                 "cat /proc/self/uid_map | tr -s ' '; "
                                 "test -c /dev/null && echo null",
                                 NULL };
    g_autofree char *bundle = bundle_new(
        world, "plain",
        &(BundleOptions){ .args = args,
                          .namespaces = "network mount pid ipc uts" });
    g_autoptr(Run) run = run_bundle(world, bundle, 0);

    run_check_out(run, " 0 0 4294967295\nnull\n");
    check_nothing_left(world);
}

/* The host's root as the container's: the tree that it was taken from must be
 * gone all the same, with what rnet had mounted on it. */
static void test_root_of_the_host_is_taken_once(World *world)
{
    const char *const args[] = {
        "/bin/sh", "-c",
        "for i in / /etc/hosts; do "
        "awk -v i=$i '$5 == i' /proc/self/mountinfo | wc -l; done",
        NULL
    };
    g_autofree char *bundle = bundle_new(
        world, "hosts-root",
        &(BundleOptions){ .args = args,
                          .namespaces = "network mount pid ipc uts" });
    g_autofree char *path = g_build_filename(bundle, "config.json", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GString) config = NULL;
    g_autoptr(Run) run = NULL;

    check(g_file_get_contents(path, &text, NULL, NULL), "read %s", path);
    config = g_string_new(text);
    check(g_string_replace(config, "\"path\": \"rootfs\"", "\"path\": \"/\"",
                           1) == 1,
          "no root in %s", path);
    bundle_write(world, bundle, "config.json", config->str, 0644);
    run = run_bundle(world, bundle, 0);
    run_check_out(run, "1\n1\n");
    check_nothing_left(world);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "config_each_part_holds_inside", test_config_each_part_holds_inside,
          0 },
        { "payload_faulting_exits_128_plus_signal",
          test_payload_faulting_exits_128_plus_signal, 0 },
        { "payload_killed_outside_exits_137",
          test_payload_killed_outside_exits_137, 0 },
        { "fds_leaked_by_caller_do_not_reach_payload",
          test_fds_leaked_by_caller_do_not_reach_payload, 0 },
        { "stdin_given_reaches_payload", test_stdin_given_reaches_payload, 0 },
        { "signals_sent_to_rnet_reach_payload",
          test_signals_sent_to_rnet_reach_payload, 0 },
        { "bundle_option_with_id_runs_it", test_bundle_option_with_id_runs_it,
          0 },
        { "name_in_use_is_refused", test_name_in_use_is_refused, 0 },
        { "network_host_shares_the_hosts", test_network_host_shares_the_hosts,
          0 },
        { "user_other_than_root_has_its_ids",
          test_user_other_than_root_has_its_ids, WORLD_NEEDS_IDS },
        { "home_is_that_of_passwd", test_home_is_that_of_passwd, 0 },
        { "root_of_the_host_is_taken_once", test_root_of_the_host_is_taken_once,
          WORLD_ONLY_AS_ROOT },
        { "root_without_userns_runs", test_root_without_userns_runs,
          WORLD_ONLY_AS_ROOT },
    };

    return world_run_tests("run-basic", tests, G_N_ELEMENTS(tests));
}
