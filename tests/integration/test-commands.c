/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-commands - list, ps, pause, resume, update, events, spec, features
 *
 * Role:     looks at containers as a person or an engine does, and changes
 *           them while they run
 * Runs in:  see world.h
 * Data:     the commands' stdout, parsed where it is JSON
 */
#include "config.h"

#include <poll.h>
#include <unistd.h>

#include <sys/syscall.h>

#include <jansson.h>

#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "run.h"

enum {
    MIB = 1024 * 1024,
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* stdout of a command that must end with `status`; the caller's. */
static char *rnet(const World *world, int status, const char *const *args)
{
    g_autoptr(Run) run = run_command(world, args, status);

    return g_strdup(run->out_text->str);
}

static void do_rnet(const World *world, int status, const char *const *args)
{
    g_free(rnet(world, status, args));
}

static json_t *rnet_json(const World *world, const char *const *args)
{
    g_autofree char *text = rnet(world, 0, args);
    json_t *tree = json_loads(text, JSON_DECODE_ANY, NULL);

    check(tree != NULL, "\"%s\" is no JSON", text);
    return tree;
}

/* A started container "box" that runs SCRIPT, which has said "ready". */
static Run *start_box(const World *world, const char *script)
{
    g_autofree char *bundle = bundle_new_shell(world, "box", script);
    Run *run =
        run_command(world, WORDS("create", "--bundle", bundle, "box"), 0);

    do_rnet(world, 0, WORDS("start", "box"));
    run_await(run, "ready");
    return run;
}

/* Kills the container's first process and waits until it is dead. */
static void kill_box(const World *world)
{
    g_autoptr(json_t) state = rnet_json(world, WORDS("state", "box"));
    json_int_t pid = json_integer_value(json_object_get(state, "pid"));
    rn_autofd int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    struct pollfd one = { .fd = pidfd, .events = POLLIN };

    check_call(pidfd >= 0, "pidfd_open");
    do_rnet(world, 0, WORDS("kill", "box", "KILL"));
    check_number(poll(&one, 1, RUN_TIMEOUT_S * 1000), 1, "poll of a pidfd");
}

/* `run` is the command that created it, which had no reason to complain. */
static void delete_box(const World *world, const Run *run)
{
    check_text(run->err_text->str, "");
    do_rnet(world, 0, WORDS("delete", "--force", "box"));
    check_nothing_left(world);
}

static void test_pattern_is_for_all_that_match(World *world)
{
    g_autofree char *bundle = bundle_new_shell(world, "box", "true");
    g_autofree char *ids = NULL;

    for (const char *const *id = WORDS("web-1", "web-2", "db"); *id != NULL;
         id++)
        do_rnet(world, 0, WORDS("create", "--bundle", bundle, *id));
    do_rnet(world, 1, WORDS("delete", "--regex", "("));
    do_rnet(world, 0, WORDS("kill", "-r", "^web-[0-9]$", "0"));
    do_rnet(world, 0, WORDS("delete", "--force", "--regex", "^web-"));
    ids = rnet(world, 0, WORDS("list", "-q"));
    check_text(ids, "db\n");
    do_rnet(world, 0, WORDS("delete", "-r", ".*"));
    check_nothing_left(world);
}

static void test_list_shows_what_there_is(World *world)
{
    g_autoptr(json_t) none = rnet_json(world, WORDS("list", "-f", "json"));
    g_autoptr(Run) run = start_box(world, "echo ready; exec sleep 1111");
    g_autofree char *ids = rnet(world, 0, WORDS("list", "-q"));
    g_autofree char *table = rnet(world, 0, WORDS("list"));
    g_autoptr(json_t) list = rnet_json(world, WORDS("list", "--format=json"));
    g_autoptr(json_t) state = rnet_json(world, WORDS("state", "box"));
    const json_t *one = json_array_get(list, 0);

    check(json_is_array(none) && json_array_size(none) == 0, "not empty");
    check_text(ids, "box\n");
    check_contains(table, "ID          PID         STATUS      BUNDLE");
    check_contains(table, "\nbox         ");
    check_contains(table, " running     ");
    check_number((long long)json_array_size(list), 1, "containers");
    check_text(json_string_value(json_object_get(one, "id")), "box");
    check_text(json_string_value(json_object_get(one, "status")), "running");
    check(json_equal(one, state), "another state");
    check(json_integer_value(json_object_get(one, "pid")) > 1, "no pid");
    check(json_is_string(json_object_get(one, "owner")), "no owner");
    check(json_is_string(json_object_get(one, "created")), "no time");
    do_rnet(world, 2, WORDS("list", "--format", "xml"));
    do_rnet(world, 2, WORDS("list", "box"));
    delete_box(world, run);
}

static void test_ended_container_is_listed_without_pid(World *world)
{
    g_autoptr(Run) run = start_box(world, "echo ready; exec sleep 1111");
    g_autoptr(json_t) list = NULL;
    g_autofree char *table = NULL;
    const json_t *one = NULL;

    kill_box(world);
    list = rnet_json(world, WORDS("list", "-f", "json"));
    one = json_array_get(list, 0);
    check_text(json_string_value(json_object_get(one, "status")), "stopped");
    check_number(json_integer_value(json_object_get(one, "pid")), 0, "pid");
    table = rnet(world, 0, WORDS("list"));
    check_contains(table, "\nbox         0           stopped ");
    delete_box(world, run);
}

static void test_ps_shows_all_processes_and_no_other(World *world)
{
    g_autoptr(Run) run = start_box(world, "sleep 1111 & echo ready; wait");
    g_autoptr(json_t) pids = rnet_json(world, WORDS("ps", "-f", "json", "box"));
    g_autofree char *table = NULL;
    g_autofree char *columns = NULL;

    check(json_is_array(pids), "no array");
    check_number((long long)json_array_size(pids), 2, "processes");
    if (access("/usr/bin/ps", X_OK) == 0 || access("/bin/ps", X_OK) == 0) {
        table = rnet(world, 0, WORDS("ps", "box"));
        check_contains(table, "sleep 1111");
        /* it starts the ps that it reads from */
        check_lacks(table, "rnet");
        columns = rnet(world, 0, WORDS("ps", "box", "-e", "-o", "pid,args"));
        check_contains(columns, "PID");
        check_contains(columns, "sleep 1111");
        do_rnet(world, 1, WORDS("ps", "box", "-e", "-o", "args"));
        do_rnet(world, 1, WORDS("ps", "box", "--no-such-option"));
    }
    delete_box(world, run);
}

static void test_missing_container_is_named(World *world)
{
    static const char *const commands[] = { "ps",     "pause",  "resume",
                                            "update", "events", "state" };

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autoptr(Run) run =
            run_command(world, WORDS(commands[i], "nosuch"), 1);

        check_contains(run->err_text->str,
                       "container \"nosuch\" does not exist");
        do_rnet(world, 2, WORDS(commands[i]));
    }
}

/* As an engine reads it: one JSON document with the error's text. */
static void test_log_file_has_the_error(World *world)
{
    g_autofree char *path = g_build_filename(world->dir, "log", NULL);
    g_autofree char *text = NULL;
    g_autoptr(Run) run = NULL;
    g_autoptr(json_t) tree = NULL;

    check_call(chown(world->dir, world->uid, world->gid) == 0, "chown");
    run = run_command(
        world, WORDS("--log-format=json", "--log", path, "state", "nosuch"), 1);
    check_contains(run->err_text->str,
                   "rnet: container \"nosuch\" does not exist\n");
    check(g_file_get_contents(path, &text, NULL, NULL), "read %s", path);
    tree = json_loads(text, 0, NULL);
    check(tree != NULL, "\"%s\" is no JSON", text);
    check_text(json_string_value(json_object_get(tree, "level")), "error");
    check_text(json_string_value(json_object_get(tree, "msg")),
               "container \"nosuch\" does not exist");
    check_number(unlink(path), 0, "unlink");
}

/* To the last of init's steps, each line a record. */
static void test_log_file_has_what_init_says(World *world)
{
    g_autofree char *path = g_build_filename(world->dir, "log", NULL);
    g_autofree char *bundle = bundle_new(world, "said", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    g_autoptr(Run) run = NULL;

    check_call(chown(world->dir, world->uid, world->gid) == 0, "chown");
    run = run_command(world,
                      WORDS("--debug", "--log-format=json", "--log", path,
                            "run", "--network", "none", bundle),
                      0);
    check(g_file_get_contents(path, &text, NULL, NULL), "read %s", path);
    check_contains(text, "\"init: exec\"");
    lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        g_autoptr(json_t) tree = json_loads(lines[i], 0, NULL);

        check(tree != NULL, "\"%s\" is no JSON", lines[i]);
    }
    check_number(unlink(path), 0, "unlink");
    check_nothing_left(world);
}

static void test_log_format_without_a_file_is_for_stderr(World *world)
{
    g_autoptr(Run) run =
        run_command(world, WORDS("--log-format", "json", "state", "x"), 1);
    g_autoptr(json_t) tree = json_loads(run->err_text->str, 0, NULL);

    check(tree != NULL, "\"%s\" is no JSON", run->err_text->str);
    check_text(json_string_value(json_object_get(tree, "msg")),
               "container \"x\" does not exist");
    do_rnet(world, 2, WORDS("--log-format", "xml", "state", "x"));
}

/* The document as it is written, and a shell that reads its script. */
static void run_spec(World *world, const char *option)
{
    g_autofree char *bundle = bundle_new(world, "box", NULL);
    g_autofree char *path = g_build_filename(bundle, "config.json", NULL);
    const char *const spec[] = { "spec", "--bundle", bundle, option, NULL };
    const char *const args[] = { "run", bundle, NULL };
    g_autoptr(Run) run = NULL;

    do_rnet(world, 1, spec); /* never over one that is there */
    check_call(unlink(path) == 0, path);
    do_rnet(world, 0, spec);
    run = run_start(world, args, NULL);
    run_write(run, "echo id $(id -u) on $(hostname); touch /x; exit 7\n");
    run_expect_exit(run, 7);
    check_contains(run->out_text->str, "id 0 on rnet");
    /* stderr is the terminal's */
    check_contains(run->out_text->str, "Read-only file system");
    check_nothing_left(world);
}

static void test_spec_gives_a_bundle_that_runs(World *world)
{
    run_spec(world, NULL);
}

static void test_spec_rootless_gives_a_bundle_that_runs(World *world)
{
    run_spec(world, "--rootless");
}

static void test_spec_rootless_has_the_sub_ids(World *world)
{
    g_autofree char *bundle = bundle_new(world, "box", NULL);
    g_autofree char *path = g_build_filename(bundle, "config.json", NULL);
    g_autofree char *text = NULL;
    g_autofree char *own = NULL;

    world_give_sub_ids(world, 300000, 65536);
    check_call(unlink(path) == 0, path);
    do_rnet(world, 0, WORDS("spec", "--rootless", "--bundle", bundle));
    check(g_file_get_contents(path, &text, NULL, NULL), "read %s", path);
    own = g_strdup_printf("\"hostID\": %u,", world->uid);
    check_contains(text, own);
    check_contains(text, "\"hostID\": 300000,");
    check_contains(text, "\"gid=5\"");
}

static void test_features_are_a_document(World *world)
{
    g_autoptr(json_t) features = rnet_json(world, WORDS("features"));

    check_text(json_string_value(json_object_get(features, "ociVersionMin")),
               "1.0.0");
    check(json_is_object(json_object_get(features, "linux")), "no linux");
    do_rnet(world, 2, WORDS("features", "all"));
}

/* Ends the test where there are no cgroups for rnet. */
static void need_cgroup(const World *world)
{
    g_autoptr(Run) run =
        run_start(world, WORDS("events", "--stats", "box"), NULL);

    if (run_wait(run) != 0 && strstr(run->err_text->str, "has no cgroup"))
        world_skip("no cgroup for this user");
    check_number(run->status, 0, "status of events --stats");
}

static void check_status(const World *world, const char *status)
{
    g_autoptr(json_t) state = rnet_json(world, WORDS("state", "box"));

    check_text(json_string_value(json_object_get(state, "status")), status);
}

static void test_paused_container_stands_still(World *world)
{
    g_autoptr(Run) run = start_box(world, "echo ready; exec sleep 1111");

    need_cgroup(world);
    do_rnet(world, 1, WORDS("resume", "box"));
    do_rnet(world, 0, WORDS("pause", "box"));
    check_status(world, "paused");
    do_rnet(world, 1, WORDS("pause", "box"));
    do_rnet(world, 0, WORDS("resume", "box"));
    check_status(world, "running");
    /* a frozen one goes too */
    do_rnet(world, 0, WORDS("pause", "box"));
    delete_box(world, run);
}

/* On cgroup v1 a frozen process does not even die. */
static void test_paused_container_ends_with_its_launcher(World *world)
{
    g_autofree char *bundle =
        bundle_new_shell(world, "box", "echo ready; exec sleep 1111");
    g_autoptr(Run) run = run_start(
        world, WORDS("run", "--network", "none", "--name", "box", bundle),
        NULL);

    run_await(run, "ready");
    need_cgroup(world);
    do_rnet(world, 0, WORDS("pause", "box"));
    run_signal(run, SIGKILL);
    (void)run_wait(run);
    check_nothing_left(world);
}

static long long memory_limit(const World *world)
{
    g_autoptr(json_t) event =
        rnet_json(world, WORDS("events", "--stats", "box"));
    json_t *node = event;

    check_text(json_string_value(json_object_get(event, "type")), "stats");
    check_text(json_string_value(json_object_get(event, "id")), "box");
    for (const char *const *name = WORDS("data", "memory", "usage", "limit");
         *name != NULL; name++)
        node = json_object_get(node, *name);
    check(json_is_integer(node), "no limit of memory");
    return json_integer_value(node);
}

static void check_update_refused(const World *world, const char *resources,
                                 const char *why)
{
    g_autoptr(Run) run =
        run_start(world, WORDS("update", "--resources", "-", "box"), NULL);

    run_write(run, resources);
    run_expect_exit(run, 1);
    check_contains(run->err_text->str, why);
}

static void test_update_changes_limits(World *world)
{
    g_autoptr(Run) run = start_box(world, "echo ready; exec sleep 1111");
    g_autoptr(Run) from_stdin = NULL;

    need_cgroup(world);
    do_rnet(world, 0, WORDS("update", "--memory", "64m", "box"));
    check_number(memory_limit(world), 64 * MIB, "memory");
    /* what Docker sends to change the number of processes */
    from_stdin =
        run_start(world, WORDS("update", "--resources", "-", "box"), NULL);
    run_write(from_stdin, "{\"memory\":{\"limit\":0,\"reservation\":0},"
                          "\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0},"
                          "\"blockIO\":{\"weight\":0},\"pids\":{\"limit\":9}}");
    run_expect_exit(from_stdin, 0);
    check_number(memory_limit(world), 64 * MIB, "memory");
    check_update_refused(world,
                         "{\"memory\":{\"limit\":4096,"
                         "\"checkBeforeUpdate\":true}}",
                         "in use already");
    check_number(memory_limit(world), 64 * MIB, "memory");
    do_rnet(world, 1, WORDS("update", "--memory", "much", "box"));
    delete_box(world, run);
}

static void test_events_go_on_until_the_end(World *world)
{
    g_autoptr(Run) run = start_box(world, "echo ready; exec sleep 1111");
    g_autoptr(Run) events = NULL;

    need_cgroup(world);
    events =
        run_start(world, WORDS("events", "--interval", "10ms", "box"), NULL);
    for (int i = 0; i < 3; i++)
        run_await(events, "{\"type\":\"stats\",\"id\":\"box\",\"data\":{");
    do_rnet(world, 0, WORDS("kill", "box", "KILL"));
    run_expect_exit(events, 0);
    do_rnet(world, 1, WORDS("events", "box"));
    delete_box(world, run);
}

static void test_events_tell_of_a_kill_for_memory(World *world)
{
    g_autoptr(Run) run =
        start_box(world, "trap : USR1; sleep 1111 & echo ready; wait; "
                         "dd if=/dev/zero of=/dev/null bs=200M");
    g_autoptr(Run) events = NULL;

    need_cgroup(world);
    do_rnet(world, 0,
            WORDS("update", "--memory", "16m", "--memory-swap", "16m", "box"));
    events =
        run_start(world, WORDS("events", "--interval", "50ms", "box"), NULL);
    run_await(events, "{\"type\":\"stats\",");
    do_rnet(world, 0, WORDS("kill", "box", "USR1"));
    run_await(events, "{\"type\":\"oom\",\"id\":\"box\"}");
    run_expect_exit(events, 0);
    delete_box(world, run);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "pattern_is_for_all_that_match", test_pattern_is_for_all_that_match,
          0 },
        { "list_shows_what_there_is", test_list_shows_what_there_is, 0 },
        { "ended_container_is_listed_without_pid",
          test_ended_container_is_listed_without_pid, 0 },
        { "ps_shows_all_processes_and_no_other",
          test_ps_shows_all_processes_and_no_other, 0 },
        { "missing_container_is_named", test_missing_container_is_named, 0 },
        { "log_file_has_the_error", test_log_file_has_the_error, 0 },
        { "log_file_has_what_init_says", test_log_file_has_what_init_says, 0 },
        { "log_format_without_a_file_is_for_stderr",
          test_log_format_without_a_file_is_for_stderr, 0 },
        { "spec_gives_a_bundle_that_runs", test_spec_gives_a_bundle_that_runs,
          WORLD_NEEDS_LINK },
        { "spec_rootless_gives_a_bundle_that_runs",
          test_spec_rootless_gives_a_bundle_that_runs, WORLD_NEEDS_LINK },
        { "spec_rootless_has_the_sub_ids", test_spec_rootless_has_the_sub_ids,
          WORLD_ONLY_AS_USER | WORLD_NEEDS_IDS },
        { "features_are_a_document", test_features_are_a_document, 0 },
        { "paused_container_stands_still", test_paused_container_stands_still,
          WORLD_ONLY_AS_ROOT },
        { "paused_container_ends_with_its_launcher",
          test_paused_container_ends_with_its_launcher, WORLD_ONLY_AS_ROOT },
        { "update_changes_limits", test_update_changes_limits,
          WORLD_ONLY_AS_ROOT },
        { "events_go_on_until_the_end", test_events_go_on_until_the_end,
          WORLD_ONLY_AS_ROOT },
        { "events_tell_of_a_kill_for_memory",
          test_events_tell_of_a_kill_for_memory, WORLD_ONLY_AS_ROOT },
    };

    return world_run_tests("commands", tests, G_N_ELEMENTS(tests));
}
