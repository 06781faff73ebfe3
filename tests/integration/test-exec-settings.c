/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-exec-settings - what an added process is: ids, limits, confinement
 *
 * Role:     runs commands in a container and has them tell about themselves
 * Runs in:  see world.h
 * Data:     stdout of `rnet exec`
 */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box.h"
#include "check.h"

static const BundleOptions standard = { 0 };

static void test_keyring_is_the_containers(World *world)
{
    static const char *const script[] = {
        "/bin/sh", "-c",
        "/bin/payload keyring; echo ready; exec tail -f /dev/null", NULL
    };
    g_autoptr(Run) box = NULL;
    g_autofree char *text = NULL;

    box = box_start(world, &(BundleOptions){ .args = script });
    text = box_rnet(world, 0, WORDS("exec", "box", "/bin/payload", "keyring"));
    check_contains(text, "session keyring ");
    check_contains(box->out_text->str, text);
    box_delete(world, box);
}

static void test_process_is_what_the_bundle_says(World *world)
{
    static const char script[] =
        "pwd; echo $A; umask; ulimit -n; id -u;"
        "grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|SigBlk|SigIgn)'"
        " /proc/self/status | tr -d '\\t'";
    g_autoptr(Run) run = box_start(
        world, &(BundleOptions){
                   .user = "{\"uid\": 0, \"gid\": 0, \"umask\": 63}",
                   .env = "\"A=one\"",
                   .cwd = "/tmp",
                   .capabilities = "\"CAP_KILL\"",
                   .process = "\"noNewPrivileges\": true, \"rlimits\": "
                              "[{\"type\": \"RLIMIT_NOFILE\", \"soft\": 77, "
                              "\"hard\": 78}]",
               });
    g_autofree char *text = box_shell(world, script);

    check_text(text, "/tmp\none\n0077\n77\n0\n"
                     "SigBlk:0000000000000000\nSigIgn:0000000000000000\n"
                     "CapInh:0000000000000000\nCapPrm:0000000000000020\n"
                     "CapEff:0000000000000020\nCapBnd:0000000000000020\n"
                     "CapAmb:0000000000000000\nNoNewPrivs:1\n");
    box_delete(world, run);
}

static void test_options_change_the_process(World *world)
{
    g_autoptr(Run) run =
        box_start(world, &(BundleOptions){ .env = "\"A=one\"",
                                           .capabilities = "\"CAP_KILL\"" });
    g_autofree char *text = box_rnet(
        world, 0,
        WORDS("exec", "--cwd", "/tmp", "--env", "A=two", "-e", "B=three",
              "--cap", "CAP_CHOWN", "--no-new-privs", "box", "/bin/sh", "-c",
              "pwd; echo $A $B; grep -E '^(CapEff|NoNewPrivs)'"
              " /proc/self/status | tr -d '\\t'"));

    check_text(text, "/tmp\ntwo three\nCapEff:0000000000000021\n"
                     "NoNewPrivs:1\n");
    box_delete(world, run);
}

static void test_user_and_groups_are_numbers(World *world)
{
    g_autoptr(Run) run = NULL;
    g_autofree char *text = NULL;

    if (world->kind == WORLD_USER)
        world_give_sub_ids(world, 100000, 65536);
    run = box_start(
        world, &(BundleOptions){
                   .linux_more = world->kind == WORLD_ROOT
                                     ? "\"uidMappings\": [{\"containerID\": 0, "
                                       "\"hostID\": 200000, \"size\": 65536}], "
                                       "\"gidMappings\": [{\"containerID\": 0, "
                                       "\"hostID\": 200000, \"size\": 65536}]"
                                     : NULL });
    text =
        box_rnet(world, 0,
                 WORDS("exec", "--user", "1000:1001", "-g", "7", "box",
                       "/bin/sh", "-c", "id; grep CapEff /proc/self/status"));
    check_text(text, "uid=1000 gid=1001 groups=7\n"
                     "CapEff:\t0000000000000000\n");
    box_delete(world, run);
}

static void test_filter_of_the_container_holds(World *world)
{
    g_autoptr(Run) box = box_start(
        world,
        &(BundleOptions){ .linux_more =
                              "\"seccomp\": {\"defaultAction\": "
                              "\"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": "
                              "[\"mkdir\", \"mkdirat\"], \"action\": "
                              "\"SCMP_ACT_ERRNO\"}]}" });
    g_autofree char *text =
        box_shell(world, "mkdir /tmp/made 2>/dev/null || echo refused;"
                         "grep Seccomp: /proc/self/status");

    check_text(text, "refused\nSeccomp:\t2\n");
    box_delete(world, box);
}

static void test_cpus_are_those_for_an_exec(World *world)
{
    static const char script[] = "grep Cpus_allowed_list: /proc/self/status";
    g_autoptr(Run) box = box_start(
        world, &(BundleOptions){ .process = "\"execCPUAffinity\": {\"initial\""
                                            ": \"0\", \"final\": \"0\"}" });
    g_autofree char *text = box_shell(world, script);

    check_text(text, "Cpus_allowed_list:\t0\n");
    box_delete(world, box);
}

static void test_cgroup_elsewhere_is_refused(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);
    g_autofree char *outside = box_refusal(
        world, 255, WORDS("exec", "--cgroup", "a/../..", "box", "/bin/true"));
    g_autofree char *missing = box_refusal(
        world, 255, WORDS("exec", "--cgroup", "no", "box", "/bin/true"));

    check_contains(outside, "is not below the container's cgroup");
    check_contains(missing, "the container has no cgroup \"no\"");
    box_do(world, 0, WORDS("exec", "--cgroup", "/", "box", "/bin/true"));
    box_delete(world, box);
}

/* The line of one v1 controller or of v2, its path with "/sub" made. */
static char *make_sub_cgroup(pid_t pid)
{
    static const char key[] = ":pids:";
    g_autofree char *file = g_strdup_printf("/proc/%d/cgroup", (int)pid);
    g_autofree char *text = NULL;
    char *line = NULL;
    char *path = NULL;

    check(g_file_get_contents(file, &text, NULL, NULL), "read %s", file);
    line = strstr(text, key);
    if (line == NULL)
        world_skip("no v1 controller pids");
    line += strlen(key);
    line[strcspn(line, "\n")] = '\0';
    path = g_build_filename(line, "sub", NULL);
    g_autofree char *directory =
        g_build_filename("/sys/fs/cgroup/pids", path, NULL);
    if (mkdir(directory, 0755) < 0)
        world_skip("mkdir \"%s\": %s", directory, g_strerror(errno));
    return path;
}

static void test_cgroup_below_is_entered(World *world)
{
    g_autoptr(Run) box = box_start(world, &standard);
    g_autofree char *path = make_sub_cgroup(box_pid(world));
    g_autofree char *line = g_strdup_printf(":pids:%s\n", path);
    g_autofree char *text = box_rnet(world, 0,
                                     WORDS("exec", "--cgroup", "sub", "box",
                                           "/bin/cat", "/proc/self/cgroup"));

    check_contains(text, line);
    box_delete(world, box);
}

static void test_paused_container_is_for_who_waits(World *world)
{
    static const char *const pause[] = { "pause", "box", NULL };
    g_autoptr(Run) box = box_start(world, &standard);
    g_autoptr(Run) paused = run_start(world, pause, NULL);
    g_autoptr(Run) run = NULL;
    g_autofree char *text = NULL;

    if (run_wait(paused) != 0)
        world_skip("no freezer: %s", paused->err_text->str);
    text = box_refusal(world, 255, WORDS("exec", "box", "/bin/true"));
    check_contains(text, "cannot exec in a paused container");
    run = run_start(
        world,
        WORDS("--debug", "exec", "--ignore-paused", "box", "/bin/echo", "late"),
        NULL);
    /* its process is there; whether it was stopped before or after its first
     * steps, it does not run the program */
    run_await_error(run, "debug: exec: joined");
    run_check_out(run, "");
    box_do(world, 0, WORDS("resume", "box"));
    run_expect_exit(run, 0);
    run_check_out(run, "late\n");
    box_delete(world, box);
}

#define TEST(name) #name, test_##name

int main(void)
{
    static const WorldTest tests[] = {
        { TEST(keyring_is_the_containers), 0 },
        { TEST(process_is_what_the_bundle_says), 0 },
        { TEST(options_change_the_process), 0 },
        { TEST(user_and_groups_are_numbers), WORLD_NEEDS_IDS },
        { TEST(filter_of_the_container_holds), 0 },
        { TEST(cpus_are_those_for_an_exec), 0 },
        { TEST(cgroup_elsewhere_is_refused), 0 },
        { TEST(cgroup_below_is_entered), WORLD_ONLY_AS_ROOT },
        { TEST(paused_container_is_for_who_waits), WORLD_ONLY_AS_ROOT },
    };

    return world_run_tests("exec-settings", tests, G_N_ELEMENTS(tests));
}
