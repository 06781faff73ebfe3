/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-namespaces - containers in namespaces that exist
 *
 * Role:     containers that share namespaces as those of a pod do, and one in
 *           a network namespace that someone else made
 * Runs in:  see world.h
 * Data:     numbers of namespaces as the containers see them
 */
#include "config.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#include "box.h"
#include "check.h"
#include "leftovers.h"

/* "TYPE=/proc/PID/ns/FILE ..." of the box for these types, "mount" new. */
static char *joined_namespaces(const World *world, const char *const *types)
{
    g_autoptr(GString) text = g_string_new("mount");
    pid_t pid = box_pid(world);

    for (unsigned i = 0; types[i] != NULL; i++)
        g_string_append_printf(text, " %s=/proc/%d/ns/%s", types[i], (int)pid,
                               strcmp(types[i], "network") == 0 ? "net"
                                                                : types[i]);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static const char show_namespaces[] =
    "for n in user pid net ipc uts; do stat -L -c %i /proc/self/ns/$n; done";

static void test_pod_shares_what_it_joins(World *world)
{
    g_autoptr(Run) box = box_start(world, &(BundleOptions){ 0 });
    g_autofree char *namespaces =
        joined_namespaces(world, WORDS("user", "pid", "network", "ipc", "uts"));
    g_autofree char *bundle = bundle_new(
        world, "second",
        &(BundleOptions){ .args = WORDS("/bin/sh", "-c", show_namespaces),
                          .namespaces = namespaces });
    g_autoptr(Run) run = run_command(world, WORDS("run", bundle), 0);
    g_autofree char *expected = box_shell(world, show_namespaces);

    run_check_out(run, expected);
    box_delete(world, box);
}

/* It is a process of the box's pid namespace, and the box's sees it. */
static void test_process_in_a_joined_pid_namespace_is_seen(World *world)
{
    g_autoptr(Run) box = box_start(world, &(BundleOptions){ 0 });
    g_autofree char *namespaces =
        joined_namespaces(world, WORDS("user", "pid"));
    g_autofree char *bundle = bundle_new(
        world, "second",
        &(BundleOptions){ .args = WORDS("/bin/sh", "-c",
                                        "echo pid $$; exec tail -f /dev/null"),
                          .namespaces = namespaces });
    g_autoptr(Run) run =
        run_start(world, WORDS("run", "--network", "none", bundle), NULL);
    g_autofree char *pid = run_read_until(run, "pid ");
    g_autofree char *script =
        g_strdup_printf("test -d /proc/%s && kill -KILL %s", pid, pid);

    check(strcmp(pid, "1") != 0, "pid 1 in a joined namespace");
    g_free(box_shell(world, script));
    run_expect_exit(run, 137);
    box_delete(world, box);
}

/* The number after the last blank of a line that starts with `key`. */
static pid_t last_number(char *text, const char *key)
{
    char *line = strstr(text, key);

    check(line != NULL, "no \"%s\" in \"%s\"", key, text);
    line += strlen(key);
    line[strcspn(line, ",\n")] = '\0';
    while (strpbrk(line, " \t") != NULL)
        line = strpbrk(line, " \t") + 1;
    return (pid_t)strtol(line, NULL, 10);
}

/* The same process in its innermost pid namespace. */
static pid_t inner_pid(pid_t pid)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *status = NULL;

    check(g_file_get_contents(file, &status, NULL, NULL), "read %s", file);
    return last_number(status, "\nNSpid:");
}

/* It has the host's /proc and rnet's memory until its program runs, and a
 * process of the box has all rights over others in its user namespace. */
static void test_init_in_a_joined_user_namespace_is_out_of_reach(World *world)
{
    g_autoptr(Run) box = box_start(
        world, &(BundleOptions){ .capabilities = "\"CAP_SYS_PTRACE\"" });
    g_autofree char *namespaces =
        joined_namespaces(world, WORDS("user", "pid"));
    g_autofree char *bundle =
        bundle_new(world, "second",
                   &(BundleOptions){ .namespaces = namespaces,
                                     .process = "\"oomScoreAdj\": 777" });
    g_autoptr(Run) run =
        run_command(world, WORDS("create", "--bundle", bundle, "second"), 0);
    g_autofree char *state = box_rnet(world, 0, WORDS("state", "second"));
    pid_t pid = last_number(state, "\"pid\":");
    g_autofree char *script = g_strdup_printf(
        "p=/proc/%d; cat $p/oom_score_adj; test -e $p/fd/0 && echo fd;"
        "test -e $p/root/bin && echo root; test -e /proc/1/fd/0 && echo first",
        (int)inner_pid(pid));
    g_autofree char *text = box_shell(world, script);

    check_text(run->err_text->str, "");
    /* the last one shows that it could */
    check_text(text, "777\nfirst\n");
    box_do(world, 0, WORDS("delete", "--force", "second"));
    /* its namespace, the box's, is in use until then */
    check_call(waitpid(pid, NULL, 0) == pid, "reap it");
    box_delete(world, box);
}

/* A namespace of the world's own, bound to a file as `ip netns` does it. */
static char *bind_network(const World *world)
{
    char *path = g_build_filename(world->dir, "netns", NULL);
    rn_autofd int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    check(g_file_set_contents(path, "", 0, NULL), "write %s", path);
    check_call(own >= 0 && unshare(CLONE_NEWNET) == 0, "unshare");
    check_call(mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) == 0,
               "bind");
    check_call(setns(own, CLONE_NEWNET) == 0, "setns");
    return path;
}

static void test_network_of_a_file_is_joined_by_root(World *world)
{
    g_autofree char *path = bind_network(world);
    g_autofree char *namespaces =
        g_strdup_printf("user pid mount ipc uts network=%s", path);
    struct stat status = { 0 };
    g_autofree char *expected = NULL;
    g_autofree char *bundle =
        bundle_new(world, "second",
                   &(BundleOptions){ .args = WORDS("/bin/stat", "-L", "-c",
                                                   "%i", "/proc/self/ns/net"),
                                     .namespaces = namespaces });
    g_autoptr(Run) run = run_command(world, WORDS("run", bundle), 0);

    check_call(stat(path, &status) == 0, "stat");
    expected = g_strdup_printf("%lu\n", (unsigned long)status.st_ino);
    run_check_out(run, expected);
    check_call(umount2(path, MNT_DETACH) == 0, "umount");
    check_nothing_left(world);
}

static void test_network_of_someone_else_is_refused_by_path(World *world)
{
    g_autofree char *path = bind_network(world);
    g_autofree char *namespaces =
        g_strdup_printf("user pid mount ipc uts network=%s", path);
    g_autofree char *part =
        g_strdup_printf("join the net namespace \"%s\"", path);
    g_autofree char *bundle = bundle_new(
        world, "second", &(BundleOptions){ .namespaces = namespaces });
    g_autofree char *text = box_refusal(world, 1, WORDS("run", bundle));

    check_contains(text, part);
    check_contains(text, "Operation not permitted");
    check_contains(text, "hint: ");
    check_call(umount2(path, MNT_DETACH) == 0, "umount");
    check_nothing_left(world);
}

static void test_path_of_no_such_namespace_is_refused(World *world)
{
    static const struct {
        const char *path, *text;
    } cases[] = {
        { "/proc/self/ns/uts", "is a namespace of type uts, not net" },
        { "/proc/self/status", "\"/proc/self/status\" is not a namespace" },
        { "/no/such", "open the net namespace \"/no/such\"" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *namespaces =
            g_strdup_printf("user pid mount network=%s", cases[i].path);
        g_autofree char *name = g_strdup_printf("second-%u", i);
        g_autofree char *bundle = bundle_new(
            world, name, &(BundleOptions){ .namespaces = namespaces });
        g_autofree char *text = box_refusal(world, 1, WORDS("run", bundle));

        check_contains(text, cases[i].text);
    }
    check_nothing_left(world);
}

#define TEST(name) #name, test_##name

int main(void)
{
    static const WorldTest tests[] = {
        { TEST(pod_shares_what_it_joins), 0 },
        { TEST(process_in_a_joined_pid_namespace_is_seen), 0 },
        { TEST(init_in_a_joined_user_namespace_is_out_of_reach), 0 },
        { TEST(network_of_a_file_is_joined_by_root), WORLD_ONLY_AS_ROOT },
        { TEST(network_of_someone_else_is_refused_by_path),
          WORLD_ONLY_AS_USER },
        { TEST(path_of_no_such_namespace_is_refused), 0 },
    };

    return world_run_tests("namespaces", tests, G_N_ELEMENTS(tests));
}
