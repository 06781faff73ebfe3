/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-hooks - hooks of all six stages, and what their failure does
 *
 * Role:     containers whose hooks write down what they see
 * Runs in:  see world.h
 * Data:     a log in the container's /tmp, which all stages can reach: those
 *           inside as /tmp/log, the others below the bundle, where they start
 */
#include "config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "box.h"
#include "check.h"
#include "leftovers.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

static const char *const stages[] = {
    "prestart",       "createRuntime", "createContainer",
    "startContainer", "poststart",     "poststop",
};

enum {
    N_STAGES = G_N_ELEMENTS(stages),
    START_CONTAINER = 3, /* the one in the container's own root */
    IN_CONTAINER = 2,    /* this one and the next are in its namespaces */
    POSTSTOP = 5,
};

/* What a stage writes: its name, the id of its uts namespace, the state. */
static char *log_script(unsigned stage)
{
    const char *log = stage == START_CONTAINER ? "/tmp/log" : "rootfs/tmp/log";

    return g_strdup_printf(
        "read state; echo %s $(stat -L -c %%i /proc/self/ns/uts) \\\"$state\\\" "
        ">> %s",
        stages[stage], log);
}

/* A "hooks" object with every stage, `failing` followed by a hook that fails
 * (N_STAGES: none); the text is the caller's. */
static char *hooks_with(unsigned failing, const char *failure)
{
    g_autoptr(GString) text = g_string_new("\"hooks\": {");

    for (unsigned i = 0; i < N_STAGES; i++) {
        g_autofree char *script = log_script(i);

        g_string_append_printf(text,
                               "%s\"%s\": [{\"path\": \"/bin/sh\", \"args\": "
                               "[\"sh\", \"-c\", \"%s\"]}",
                               i > 0 ? ", " : "", stages[i], script);
        if (i == failing)
            g_string_append_printf(text,
                                   ", {\"path\": \"/bin/sh\", \"args\": "
                                   "[\"sh\", \"-c\", \"%s\"], \"timeout\": 60}",
                                   failure);
        g_string_append_c(text, ']');
    }
    g_string_append_c(text, '}');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *make_bundle(const World *world, unsigned failing)
{
    static const char *const args[] = { "/bin/sh", "-c", "echo payload", NULL };
    g_autofree char *hooks =
        hooks_with(failing, "echo all is lost >&2; exit 9");
    g_autofree char *top =
        g_strconcat(hooks, ", \"annotations\": {\"key\": \"value\"}", NULL);

    return bundle_new(world, "box",
                      &(BundleOptions){ .args = args, .top = top });
}

/* One line of the log, taken apart. */
typedef struct Entry {
    char *stage, *namespace;
    json_t *state;
} Entry;

static void clear_entry(gpointer data)
{
    Entry *entry = data;

    g_free(entry->stage);
    g_free(entry->namespace);
    json_decref(entry->state);
}

/* The log as GArray of Entry, the caller's; empty if there is none. */
static GArray *read_log(const char *bundle)
{
    g_autofree char *path = g_build_filename(bundle, "rootfs/tmp/log", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    GArray *log = g_array_new(FALSE, FALSE, sizeof(Entry));

    g_array_set_clear_func(log, clear_entry);
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return log;
    lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", 3);
        Entry entry = { 0 };

        check_number(g_strv_length(words), 3, lines[i]);
        entry.stage = g_strdup(words[0]);
        entry.namespace = g_strdup(words[1]);
        entry.state = json_loads(words[2], 0, NULL);
        check(entry.state != NULL, "no JSON: \"%s\"", words[2]);
        g_array_append_val(log, entry);
    }
    return log;
}

/* "prestart createRuntime ..." of the first n, the caller's. */
static char *first_stages(unsigned n)
{
    g_auto(GStrv) some = g_new0(char *, n + 1);

    for (unsigned i = 0; i < n; i++)
        some[i] = g_strdup(stages[i]);
    return g_strjoinv(" ", some);
}

static void check_stages(const char *bundle, const char *expected)
{
    g_autoptr(GArray) log = read_log(bundle);
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < log->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                               g_array_index(log, Entry, i).stage);
    check_text(text->str, expected);
}

static void check_first_stages(const char *bundle, unsigned n)
{
    g_autofree char *expected = first_stages(n);

    check_stages(bundle, expected);
}

static const char *member(const Entry *entry, const char *name)
{
    const char *text = json_string_value(json_object_get(entry->state, name));

    return text != NULL ? text : "(none)";
}

static void check_state(const Entry *entry, const char *bundle)
{
    static const char *const words[N_STAGES] = {
        "creating", "creating", "creating", "created", "running", "stopped",
    };
    const json_t *annotations = json_object_get(entry->state, "annotations");
    bool has_pid = json_is_integer(json_object_get(entry->state, "pid"));
    unsigned stage = 0;

    while (strcmp(stages[stage], entry->stage) != 0)
        stage++;
    check_text(member(entry, "ociVersion"), "1.0.2");
    check_text(member(entry, "id"), "box");
    check_text(member(entry, "bundle"), bundle);
    check_text(member(entry, "status"), words[stage]);
    check_text(json_string_value(json_object_get(annotations, "key")), "value");
    check(has_pid == (stage != POSTSTOP), "%s: pid given: %d", entry->stage,
          has_pid);
}

static void check_namespaces(const GArray *log)
{
    struct stat own = { 0 };
    g_autofree char *host = NULL;

    check_call(stat("/proc/self/ns/uts", &own) == 0, "stat");
    host = g_strdup_printf("%lu", (unsigned long)own.st_ino);
    for (unsigned i = 0; i < log->len; i++) {
        const Entry *entry = &g_array_index(log, Entry, i);
        bool is_inside = i == IN_CONTAINER || i == START_CONTAINER;

        check((strcmp(entry->namespace, host) != 0) == is_inside,
              "%s: in namespace %s, the host's is %s", entry->stage,
              entry->namespace, host);
    }
    check_text(g_array_index(log, Entry, IN_CONTAINER).namespace,
               g_array_index(log, Entry, START_CONTAINER).namespace);
}

static void test_hooks_of_an_engine_run_at_their_stages(World *world)
{
    g_autofree char *bundle = make_bundle(world, N_STAGES);
    g_autoptr(Run) run =
        run_command(world, WORDS("create", "--bundle", bundle, "box"), 0);
    g_autoptr(GArray) log = NULL;

    check_first_stages(bundle, IN_CONTAINER + 1);
    box_do(world, 0, WORDS("start", "box"));
    run_await(run, "payload");
    check_first_stages(bundle, POSTSTOP);
    box_do(world, 0, WORDS("delete", "--force", "box"));
    check_first_stages(bundle, N_STAGES);
    log = read_log(bundle);
    for (unsigned i = 0; i < log->len; i++)
        check_state(&g_array_index(log, Entry, i), bundle);
    check_namespaces(log);
    check_nothing_left(world);
}

static void test_hooks_of_a_foreground_run_are_the_same(World *world)
{
    g_autofree char *bundle = make_bundle(world, N_STAGES);
    g_autoptr(GArray) log = NULL;

    box_do(world, 0,
           WORDS("run", "--network", "none", "--bundle", bundle, "box"));
    check_first_stages(bundle, N_STAGES);
    log = read_log(bundle);
    for (unsigned i = 0; i < log->len; i++)
        check_state(&g_array_index(log, Entry, i), bundle);
    check_namespaces(log);
    check_nothing_left(world);
}

/* runtime.md, Lifecycle: the container is destroyed, poststop told of it. */
static void test_failure_before_created_undoes_the_container(World *world)
{
    for (unsigned i = 0; i < START_CONTAINER; i++) {
        g_autofree char *bundle = make_bundle(world, i);
        g_autofree char *ran = first_stages(i + 1);
        g_autofree char *expected = g_strconcat(ran, " poststop", NULL);
        g_autofree char *name = g_strdup_printf("%s.%u", bundle, i);
        g_autofree char *part = g_strdup_printf(
            "%s hook \"/bin/sh\": exit status 9; it said: all is lost",
            stages[i]);
        g_autofree char *text =
            box_refusal(world, 1, WORDS("create", "--bundle", bundle, "box"));

        check_contains(text, part);
        check_stages(bundle, expected);
        check_call(rename(bundle, name) == 0, "rename the bundle");
        check_nothing_left(world);
    }
}

static void test_failure_at_start_leaves_a_stopped_container(World *world)
{
    for (unsigned i = START_CONTAINER; i < POSTSTOP; i++) {
        g_autofree char *bundle = make_bundle(world, i);
        g_autofree char *name = g_strdup_printf("%s.%u", bundle, i);
        g_autofree char *part = g_strdup_printf(
            "%s hook \"/bin/sh\": exit status 9; it said: all is lost",
            stages[i]);
        g_autoptr(Run) run =
            run_command(world, WORDS("create", "--bundle", bundle, "box"), 0);
        g_autofree char *text = box_refusal(world, 1, WORDS("start", "box"));

        check_contains(text, part);
        check_first_stages(bundle, i + 1);
        /* with force: the kill of a failed poststart takes a moment */
        box_do(world, 0, WORDS("delete", "--force", "box"));
        check((strstr(run->out_text->str, "payload") == NULL) ||
                  i > START_CONTAINER,
              "the payload ran");
        check_call(rename(bundle, name) == 0, "rename the bundle");
        check_nothing_left(world);
    }
}

static void test_failure_of_poststop_is_a_warning(World *world)
{
    g_autofree char *bundle = make_bundle(world, POSTSTOP);
    g_autoptr(Run) create =
        run_command(world, WORDS("create", "--bundle", bundle, "box"), 0);
    g_autoptr(Run) run =
        run_command(world, WORDS("delete", "--force", "box"), 0);

    check_text(create->err_text->str, "");
    check_contains(run->err_text->str,
                   "poststop hook \"/bin/sh\": exit status 9");
    check_contains(run->err_text->str, "warning");
    check_nothing_left(world);
}

/* What was mounted may be added to from outside; the container sees it. */
static void test_prestart_hook_can_fill_the_root(World *world)
{
    g_autofree char *bundle = bundle_new(
        world, "box",
        &(BundleOptions){
            .args = WORDS("/bin/cat", "/tmp/made"),
            .top = "\"hooks\": {\"prestart\": [{\"path\": \"/bin/sh\", "
                   "\"args\": [\"sh\", \"-c\", \"echo $HOW > "
                   "rootfs/tmp/made\"], \"env\": [\"HOW=outside\"]}]}" });
    g_autoptr(Run) run = run_bundle(world, bundle, 0);

    run_check_out(run, "outside\n");
    check_nothing_left(world);
}

static void test_hook_that_is_late_is_killed(World *world)
{
    g_autofree char *bundle = bundle_new(
        world, "box",
        &(BundleOptions){
            .top = "\"hooks\": {\"createContainer\": [{\"path\": \"/bin/sh\", "
                   "\"args\": [\"sh\", \"-c\", \"sleep 1000 & sleep 1000\"], "
                   "\"timeout\": 1}]}" });
    g_autofree char *text =
        box_refusal(world, 1, WORDS("create", "--bundle", bundle, "box"));

    check_contains(text, "createContainer hook \"/bin/sh\": killed after its "
                         "time-out of 1 s");
    check_nothing_left(world);
}

static void test_hook_that_is_missing_is_named(World *world)
{
    g_autofree char *bundle = bundle_new(
        world, "box",
        &(BundleOptions){ .top = "\"hooks\": {\"createRuntime\": [{\"path\": "
                                 "\"/no/such/hook\"}]}" });
    g_autofree char *text =
        box_refusal(world, 1, WORDS("create", "--bundle", bundle, "box"));

    check_contains(text, "createRuntime hook \"/no/such/hook\": exec: No such "
                         "file or directory");
    check_nothing_left(world);
}

/* Its path is the image's: it must be able to do no more than the payload. */
static void test_start_hook_has_the_rights_of_the_payload(World *world)
{
    static const char show[] =
        "id -u; id -g; grep -e ^Cap -e ^NoNewPrivs -e ^Umask /proc/self/status\n"
        "env | grep -v -e ^_= -e ^SHLVL= -e ^PWD= -e ^OLDPWD= | sort\n";
    g_autofree char *bundle = bundle_new(
        world, "box",
        &(BundleOptions){
            .args = WORDS("/bin/sh", "/show"),
            .env = "\"OF=process\", \"HOME=/tmp\"",
            .capabilities = "\"CAP_CHOWN\", \"CAP_KILL\"",
            .process = "\"noNewPrivileges\": true",
            .top = "\"hooks\": {\"startContainer\": [{\"path\": \"/bin/sh\", "
                   "\"args\": [\"sh\", \"-c\", \"sh /show > /tmp/log; "
                   "stat -L /proc/1/exe && exit 1; true\"]}]}" });
    g_autofree char *log = g_build_filename(bundle, "rootfs/tmp/log", NULL);
    g_autofree char *text = NULL;
    g_autoptr(Run) run = NULL;

    bundle_write(world, bundle, "rootfs/show", show, 0644);
    run = run_bundle(world, bundle, 0);
    check_contains(run->out_text->str, "OF=process\n");
    check(g_file_get_contents(log, &text, NULL, NULL), "read %s", log);
    check_text(text, run->out_text->str);
    check_nothing_left(world);
}

#define TEST(name) #name, test_##name

int main(void)
{
    static const WorldTest tests[] = {
        { TEST(hooks_of_an_engine_run_at_their_stages), 0 },
        { TEST(hooks_of_a_foreground_run_are_the_same), 0 },
        { TEST(failure_before_created_undoes_the_container), 0 },
        { TEST(failure_at_start_leaves_a_stopped_container), 0 },
        { TEST(failure_of_poststop_is_a_warning), 0 },
        { TEST(prestart_hook_can_fill_the_root), 0 },
        { TEST(hook_that_is_late_is_killed), 0 },
        { TEST(hook_that_is_missing_is_named), 0 },
        { TEST(start_hook_has_the_rights_of_the_payload), 0 },
    };

    return world_run_tests("hooks", tests, G_N_ELEMENTS(tests));
}
