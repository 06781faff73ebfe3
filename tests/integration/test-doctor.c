/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-doctor - `rnet doctor` finds what the host lacks, and only that
 *
 * Role:     takes one thing away from the world's host, and reads the verdict
 *           on it before and after
 * Runs in:  see world.h
 * Failure:  a verdict that does not follow the host; anything that is left
 */
#include "config.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include <rnet/util/fd.h>

#include "check.h"
#include "leftovers.h"
#include "run.h"

enum {
    FIRST_SUB_ID = 200000
};

/* What the mounts of the test itself are not: left over by rnet. */
static void accept_mounts(World *world)
{
    g_free(world->mounts);
    check(
        g_file_get_contents("/proc/self/mountinfo", &world->mounts, NULL, NULL),
        "read mountinfo");
}

/* Runs `rnet doctor --json`; the report's checks, a new reference. */
static json_t *examine(World *world, int status, const char *const *env)
{
    static const char *const args[] = { "doctor", "--json", NULL };
    const RunOptions options = { .env = env };
    g_autoptr(Run) run = run_start(world, args, &options);
    json_t *report = NULL;
    json_t *checks = NULL;

    accept_mounts(world);
    if (status >= 0)
        run_expect_exit(run, status);
    else
        (void)run_wait(run);
    check_text(run->err_text->str, "");
    check_nothing_left(world);
    report = json_loads(run->out_text->str, 0, NULL);
    check(report != NULL, "not JSON: %s", run->out_text->str);
    checks = json_incref(json_object_get(report, "checks"));
    check_text(json_string_value(json_object_get(report, "state")),
               run->status == 1 ? "missing" : "degraded");
    json_decref(report);
    return checks;
}

static const char *get_text(const json_t *check_object, const char *member)
{
    const char *text = json_string_value(json_object_get(check_object, member));

    return text != NULL ? text : "";
}

/* The verdict `name` has this state, and its remedy this part ("": none). */
static void check_verdict(const json_t *checks, const char *name,
                          const char *state, const char *remedy)
{
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *found = json_array_get(checks, i);
        const char *detail = get_text(found, "detail");

        if (strcmp(get_text(found, "name"), name) != 0)
            continue;
        check(strcmp(get_text(found, "state"), state) == 0,
              "%s is %s, wanted %s: %s", name, get_text(found, "state"), state,
              detail);
        check((*remedy == '\0') == (*get_text(found, "remedy") == '\0'),
              "%s: remedy \"%s\"", name, get_text(found, "remedy"));
        check_contains(get_text(found, "remedy"), remedy);
        return;
    }
    check(false, "there is no check \"%s\"", name);
}

/* One examination, one verdict. */
static void expect(World *world, int status, const char *name,
                   const char *state, const char *remedy)
{
    json_t *checks = examine(world, status, NULL);

    check_verdict(checks, name, state, remedy);
    json_decref(checks);
}

static void write_file(const char *path, const char *text)
{
    GError *error = NULL;

    if (!rn_file_write(AT_FDCWD, path, text, &error))
        check_no_error(error);
}

/* What every world has, whoever asks; the exit status does not count what is
 * only degraded. */
static void test_world_is_found_able(World *world)
{
    static const char *const fine[] = {
        "kernel",           "system-calls", "user-namespaces",
        "apparmor",         "mounts",       "proc-mount",
        "sysfs-mount",      "overlay",      "packet-link",
        "nf-tables",        "seccomp",      "transparent-sockets",
        "namespace-limits", "ping",         "runtime-dir",
    };
    json_t *checks = examine(world, 0, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(fine); i++)
        check_verdict(checks, fine[i], "fine", "");
    json_decref(checks);
}

static void test_table_says_the_same(World *world)
{
    static const char *const args[] = { "doctor", NULL };
    g_autoptr(Run) run = run_start(world, args, NULL);

    run_expect_exit(run, 0);
    check_text(run->err_text->str, "");
    check_contains(run->out_text->str, "fine      user-namespaces      ");
    check_contains(run->out_text->str, " degraded, 0 missing\n");
    check_lacks(run->out_text->str, "\x1b");
    check_nothing_left(world);
}

static void test_wrong_usage_is_told(World *world)
{
    static const char *const wrong[][3] = {
        { "doctor", "--nonsense", NULL },
        { "doctor", "more", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(Run) run = run_start(world, wrong[i], NULL);

        run_expect_exit(run, 2);
        check(g_str_has_prefix(run->err_text->str, "rnet: doctor: "), "\"%s\"",
              run->err_text->str);
        run_check_out(run, "");
    }
}

/* A limit of the world's own user namespace; the clone is what fails. */
static void test_user_namespaces_forbidden_is_missing(World *world)
{
    bool root = world->kind == WORLD_ROOT;
    json_t *checks = NULL;

    write_file("/proc/sys/user/max_user_namespaces", "0");
    checks = examine(world, root ? 0 : 1, NULL);
    check_verdict(checks, "user-namespaces", root ? "degraded" : "missing",
                  "sysctl -w user.max_user_namespaces=");
    check_verdict(checks, "overlay", "untried", "");
    json_decref(checks);
}

static void test_net_namespaces_forbidden_is_missing(World *world)
{
    write_file("/proc/sys/user/max_net_namespaces", "0");
    expect(world, 1, "namespace-limits", "missing",
           "sysctl -w user.max_net_namespaces=");
}

static void test_tun_missing_is_degraded(World *world)
{
    expect(world, 0, "tun", "degraded", "--device /dev/net/tun");
}

/* A file that is closed to the user, as a node of mode 0600 is. */
static void test_tun_closed_is_degraded(World *world)
{
    g_autofree char *node = g_build_filename(world->dir, "closed", NULL);

    if (world->has_userns) {
        g_free(node);
        node = g_strdup("/etc/shadow");
    } else {
        expect(world, 0, "tun", "fine", "");
        check(g_file_set_contents(node, "", 0, NULL), "create \"%s\"", node);
        check_call(chmod(node, 0) == 0, "chmod");
    }
    check_call(mount(node, "/dev/net/tun", NULL, MS_BIND, NULL) == 0,
               "cover /dev/net/tun");
    expect(world, 0, "tun", "degraded", "chmod 0666 /dev/net/tun");
}

static void require_newuidmap(void)
{
    if (access("/usr/bin/newuidmap", F_OK) < 0)
        world_skip("newuidmap is not installed (package uidmap)");
}

static void test_sub_ids_follow_the_files(World *world)
{
    require_newuidmap();
    expect(world, 0, "sub-uids", "degraded", "usermod --add-subuids");
    world_give_sub_ids(world, FIRST_SUB_ID, 1000);
    expect(world, 0, "sub-gids", "degraded", "usermod --add-subgids");
    world_give_sub_ids(world, FIRST_SUB_ID, 65536);
    expect(world, 0, "sub-uids", "fine", "");
}

static void test_newuidmap_without_setuid_is_degraded(World *world)
{
    g_autofree char *plain = g_build_filename(world->dir, "newuidmap", NULL);
    json_t *checks = NULL;

    require_newuidmap();
    world_give_sub_ids(world, FIRST_SUB_ID, 65536);
    check(g_file_set_contents_full(plain, "#!/bin/false\n", -1,
                                   G_FILE_SET_CONTENTS_NONE, 0755, NULL),
          "write \"%s\"", plain);
    check_call(mount(plain, "/usr/bin/newuidmap", NULL, MS_BIND, NULL) == 0,
               "cover newuidmap");
    checks = examine(world, 0, NULL);
    check_verdict(checks, "sub-uids", "degraded",
                  "chmod u+s /usr/bin/newuidmap");
    check_verdict(checks, "sub-gids", "fine", "");
    json_decref(checks);
}

static void test_no_new_privs_is_degraded(World *world)
{
    expect(world, 0, "no-new-privs", "fine", "");
    /* the body's own, which all that it starts have, too */
    check_call(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "prctl");
    expect(world, 0, "no-new-privs", "degraded", "start rnet without it");
}

/* As the filter of an engine that knows no clone3 does it. */
static void test_filter_is_named_as_the_cause(World *world)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    json_t *checks = NULL;

    check(filter != NULL, "make a filter");
    check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
                           0) == 0,
          "forbid clone3");
    check(seccomp_load(filter) == 0, "load the filter");
    seccomp_release(filter);
    checks = examine(world, 1, NULL);
    check_verdict(checks, "system-calls", "missing", "seccomp=unconfined");
    check_verdict(checks, "user-namespaces",
                  world->kind == WORLD_ROOT ? "degraded" : "missing",
                  "seccomp=unconfined");
    check_verdict(checks, "overlay", "untried", "");
    json_decref(checks);
}

/* The directory is there, but not what the variable has to lead to. */
static void test_runtime_dir_follows_the_variable(World *world)
{
    static const char *const nowhere[] = { "XDG_RUNTIME_DIR=/nowhere", NULL };
    static const char *const foreign[] = { "XDG_RUNTIME_DIR=/etc", NULL };
    json_t *checks = examine(world, 0, nowhere);

    check_verdict(checks, "runtime-dir", "degraded", "XDG_RUNTIME_DIR=");
    json_decref(checks);
    if (!world->has_userns) { /* there root looks like nobody, who it runs as */
        checks = examine(world, 0, foreign);
        check_verdict(checks, "runtime-dir", "degraded", "XDG_RUNTIME_DIR=");
        json_decref(checks);
    }
    check_call(chmod(world->runtime_dir, 0755) == 0, "chmod");
    expect(world, 0, "runtime-dir", "degraded", "chmod 0700 ");
    check_call(chmod(world->runtime_dir, 0700) == 0, "chmod");
    expect(world, 0, "runtime-dir", "fine", "");
}

static void test_ping_range_decides_on_ping(World *world)
{
    write_file("/proc/sys/net/ipv4/ping_group_range", "1 0");
    expect(world, 0, "ping", "degraded", "net.ipv4.ping_group_range");
}

static void test_port_start_decides_on_low_ports(World *world)
{
    expect(world, 0, "low-ports", "degraded",
           "net.ipv4.ip_unprivileged_port_start=80");
    write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "80");
    expect(world, 0, "low-ports", "fine", "");
}

/* As an engine hides parts of /proc: what is covered cannot be mounted anew in
 * a user namespace below. */
static void test_proc_covered_is_found(World *world)
{
    bool root = world->kind == WORLD_ROOT;

    check_call(mount("tmpfs", "/proc/fs", "tmpfs", MS_RDONLY, NULL) == 0,
               "cover /proc/fs");
    expect(world, root ? 0 : 1, "proc-mount", root ? "degraded" : "missing",
           "unmask=ALL");
}

static void test_sysctls_read_only_ends_the_handoff(World *world)
{
    expect(world, 0, "tcp-handoff", "fine", "");
    check_call(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) == 0 &&
                   mount(NULL, "/proc/sys", NULL,
                         MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0,
               "make /proc/sys read-only");
    expect(world, -1, "tcp-handoff", "degraded", "unmask=ALL");
}

static void test_cgroups_gone_is_degraded(World *world)
{
    check_call(umount2("/sys/fs/cgroup", MNT_DETACH) == 0 ||
                   mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, NULL) == 0,
               "cover /sys/fs/cgroup");
    expect(world, 0, "cgroups", "degraded", "/sys/fs/cgroup");
}

int main(void)
{
    static const WorldTest tests[] = {
        { "world_is_found_able", test_world_is_found_able, 0 },
        { "table_says_the_same", test_table_says_the_same, 0 },
        { "wrong_usage_is_told", test_wrong_usage_is_told, 0 },
        { "user_namespaces_forbidden_is_missing",
          test_user_namespaces_forbidden_is_missing, WORLD_OWN_USERNS },
        { "net_namespaces_forbidden_is_missing",
          test_net_namespaces_forbidden_is_missing, WORLD_OWN_USERNS },
        { "tun_missing_is_degraded", test_tun_missing_is_degraded,
          WORLD_WITHOUT_TUN },
        { "tun_closed_is_degraded", test_tun_closed_is_degraded,
          WORLD_ONLY_AS_USER },
        { "sub_ids_follow_the_files", test_sub_ids_follow_the_files,
          WORLD_ONLY_AS_USER | WORLD_NEEDS_IDS },
        { "newuidmap_without_setuid_is_degraded",
          test_newuidmap_without_setuid_is_degraded,
          WORLD_ONLY_AS_USER | WORLD_NEEDS_IDS },
        { "no_new_privs_is_degraded", test_no_new_privs_is_degraded,
          WORLD_ONLY_AS_USER },
        { "filter_is_named_as_the_cause", test_filter_is_named_as_the_cause,
          0 },
        { "runtime_dir_follows_the_variable",
          test_runtime_dir_follows_the_variable, WORLD_ONLY_AS_USER },
        { "ping_range_decides_on_ping", test_ping_range_decides_on_ping,
          WORLD_NEEDS_IDS },
        { "port_start_decides_on_low_ports",
          test_port_start_decides_on_low_ports, WORLD_ONLY_AS_USER },
        { "proc_covered_is_found", test_proc_covered_is_found, 0 },
        { "sysctls_read_only_ends_the_handoff",
          test_sysctls_read_only_ends_the_handoff, 0 },
        { "cgroups_gone_is_degraded", test_cgroups_gone_is_degraded, 0 },
    };

    return world_run_tests("doctor", tests, G_N_ELEMENTS(tests));
}
