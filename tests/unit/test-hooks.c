/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks as real processes: shell scripts of this test. */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rnet/runtime/hooks.h>
#include <rnet/util/fd.h>

#include "scratch.h"

enum {
    LONG_STATE = 300000, /* bytes: more than a pipe holds */
    TEXT_MAX = 1 << 20
};

static const char state_text[] = "{\"id\":\"box\"}";

typedef struct Bench {
    char *folder; /* where the hooks start */
    GPtrArray *hooks;
} Bench;

static int setup(void **state)
{
    Bench *bench = g_new0(Bench, 1);

    (void)alarm(60);
    bench->folder = scratch_make();
    bench->hooks = g_ptr_array_new();
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    Bench *bench = *state;

    for (unsigned i = 0; i < bench->hooks->len; i++) {
        RnHook *hook = g_ptr_array_index(bench->hooks, i);

        g_strfreev(hook->args);
        g_strfreev(hook->env);
        g_free(hook->path);
        g_free(hook);
    }
    g_ptr_array_unref(bench->hooks);
    scratch_remove(bench->folder);
    g_free(bench->folder);
    g_free(bench);
    (void)alarm(0);
    return 0;
}

static RnHook *add_hook(Bench *bench, const char *path)
{
    RnHook *hook = g_new0(RnHook, 1);

    hook->path = g_strdup(path);
    g_ptr_array_add(bench->hooks, hook);
    return hook;
}

static RnHook *add_script(Bench *bench, const char *script)
{
    const char *const args[] = { "hook-name", "-c", script, "$0", "a b", NULL };
    RnHook *hook = add_hook(bench, "/bin/sh");

    hook->args = g_strdupv((char **)args);
    return hook;
}

static bool run_hooks(Bench *bench, const char *text, GError **error)
{
    char *env[] = { (char *)"FROM=caller", (char *)"PATH=/usr/bin:/bin", NULL };

    return rn_hooks_run(bench->hooks, RN_HOOK_CREATE_RUNTIME, text,
                        bench->folder, env, error);
}

static void assert_hooks_pass(Bench *bench, const char *text)
{
    g_autoptr(GError) error = NULL;
    bool passed = run_hooks(bench, text, &error);

    assert_no_error(error);
    assert_true(passed);
}

static char *read_made(const Bench *bench, const char *name)
{
    g_autofree char *path = g_build_filename(bench->folder, name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    if (!rn_file_read(AT_FDCWD, path, TEXT_MAX, &text, NULL, &error))
        assert_no_error(error);
    return text;
}

static void hooks_all_run_in_order_with_the_state(void **state)
{
    Bench *bench = *state;
    g_autofree char *order = NULL;
    g_autofree char *said = NULL;

    (void)add_script(bench, "echo first >>order; cat >state");
    (void)add_script(bench, "echo second >>order; cat >>state");
    assert_hooks_pass(bench, state_text);
    order = read_made(bench, "order");
    said = read_made(bench, "state");
    assert_string_equal(order, "first\nsecond\n");
    assert_string_equal(said, "{\"id\":\"box\"}{\"id\":\"box\"}");
}

static void hook_gets_its_arguments_and_environment(void **state)
{
    Bench *bench = *state;
    const char *const env[] = { "OF=hook", NULL };
    g_autofree char *with = NULL;
    g_autofree char *without = NULL;
    RnHook *hook = add_script(
        bench, "tr '\\0' '\\n' </proc/$$/cmdline | sed -n '1p;$p' >with;"
               "echo $FROM $OF >>with");

    hook->env = g_strdupv((char **)env);
    (void)add_script(bench, "echo $FROM $OF >without");
    assert_hooks_pass(bench, state_text);
    with = read_made(bench, "with");
    without = read_made(bench, "without");
    assert_string_equal(with, "hook-name\na b\nhook\n");
    assert_string_equal(without, "caller\n");
}

static void hook_without_args_is_called_by_its_path(void **state)
{
    Bench *bench = *state;
    g_autofree char *path = g_build_filename(bench->folder, "hook", NULL);
    g_autofree char *said = NULL;

    assert_true(g_file_set_contents(path, "#!/bin/sh\necho \"$# $0\" >said\n",
                                    -1, NULL));
    assert_int_equal(chmod(path, 0755), 0);
    (void)add_hook(bench, path);
    assert_hooks_pass(bench, state_text);
    said = read_made(bench, "said");
    assert_true(g_str_has_prefix(said, "0 /"));
    assert_true(g_str_has_suffix(said, "/hook\n"));
}

static void hook_has_clean_fds_signals_and_session(void **state)
{
    Bench *bench = *state;
    g_autofree char *said = NULL;
    sigset_t blocked;
    sigset_t before;
    int open_fd = open("/dev/null", O_RDWR);

    assert_true(open_fd >= 0);
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &blocked, &before);
    /* read by the shell itself: it blocks signals while it forks */
    (void)add_script(bench, "ls /proc/self/fd >fds;"
                            "while read -r line; do case $line in"
                            " SigBlk:*|SigIgn:*) echo \"$line\";; esac;"
                            "done </proc/$$/status >said;"
                            "set -- $(cat /proc/$$/stat);"
                            "test $6 = $$ && echo leader >>said;"
                            "test -e /proc/$$/fd/9 || echo closed >>said");
    assert_int_equal(dup3(open_fd, 9, 0), 9);
    assert_hooks_pass(bench, state_text);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    (void)close(open_fd);
    (void)close(9);
    said = read_made(bench, "said");
    assert_string_equal(said, "SigBlk:\t0000000000000000\n"
                              "SigIgn:\t0000000000000000\nleader\nclosed\n");
}

static void hook_that_reads_no_state_passes(void **state)
{
    static const char *const scripts[] = { "true", "exec <&-; true",
                                           "head -c 1 >/dev/null" };
    Bench *bench = *state;
    g_autofree char *text = g_strnfill(LONG_STATE, 'x');
    struct sigaction action = { 0 };

    for (unsigned i = 0; i < G_N_ELEMENTS(scripts); i++)
        (void)add_script(bench, scripts[i]);
    assert_hooks_pass(bench, text);
    /* left as it was */
    assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_DFL);
}

static void hook_that_talks_while_it_reads_gets_all(void **state)
{
    Bench *bench = *state;
    g_autofree char *text = g_strnfill(LONG_STATE, 'x');
    g_autofree char *said = NULL;

    (void)add_script(bench, "tee /dev/stderr | tee /dev/stdout >said");
    assert_hooks_pass(bench, text);
    said = read_made(bench, "said");
    assert_int_equal(strlen(said), LONG_STATE);
}

typedef struct Failure {
    const char *script;
    uint32_t timeout_s;
    RnErrorCode code;
    const char *text;
} Failure;

static const Failure failures[] = {
    { "echo all is lost; echo on both >&2; exit 3", 0, RN_ERROR_HELPER_LOST,
      "createRuntime hook \"/bin/sh\": exit status 3; it said: all is lost "
      "on both" },
    { "exit 1", 0, RN_ERROR_HELPER_LOST, "exit status 1" },
    { "kill -KILL $$", 0, RN_ERROR_HELPER_LOST, "ended by signal 9" },
    { "echo so far; exec sleep 1000", 1, RN_ERROR_LIMIT,
      "killed after its time-out of 1 s; it said: so far" },
    /* no forged hint */
    { "printf 'bad\\nhint: rm -rf /\\n'; exit 1", 0, RN_ERROR_HELPER_LOST,
      "bad hint: rm" },
};

static void hook_that_fails_ends_the_stage_with_its_words(void **state)
{
    Bench *bench = *state;
    g_autofree char *made = g_build_filename(bench->folder, "after", NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(failures); i++) {
        const Failure *item = &failures[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) hooks = g_ptr_array_new();

        print_message("# %s\n", item->script);
        add_script(bench, item->script)->timeout_s = item->timeout_s;
        g_ptr_array_add(hooks, g_ptr_array_index(bench->hooks, i * 2));
        (void)add_script(bench, ">after");
        g_ptr_array_add(hooks, g_ptr_array_index(bench->hooks, i * 2 + 1));
        assert_false(rn_hooks_run(hooks, RN_HOOK_CREATE_RUNTIME, state_text,
                                  bench->folder, environ, &error));
        assert_error(error, RN_ERROR, item->code, item->text);
        assert_null(strchr(error->message, '\n'));
        assert_int_not_equal(access(made, F_OK), 0);
    }
}

static void hook_that_cannot_start_is_named(void **state)
{
    Bench *bench = *state;
    g_autoptr(GError) error = NULL;

    (void)add_hook(bench, "/no/such/hook");
    assert_false(run_hooks(bench, state_text, &error));
    assert_error(error, RN_ERRNO, ENOENT,
                 "createRuntime hook \"/no/such/hook\": exec: ");
    g_clear_error(&error);
    assert_false(rn_hooks_run(bench->hooks, RN_HOOK_POSTSTOP, state_text,
                              "/no/such/folder", environ, &error));
    assert_error(error, RN_ERRNO, ENOENT,
                 "poststop hook \"/no/such/hook\": enter its working");
}

static void output_that_is_long_is_cut_at_its_start(void **state)
{
    Bench *bench = *state;
    g_autoptr(GError) error = NULL;

    (void)add_script(bench, "yes 0123456789 | head -c 1000000; echo; echo end;"
                            "exit 1");
    assert_false(run_hooks(bench, state_text, &error));
    assert_error(error, RN_ERROR, RN_ERROR_HELPER_LOST, " end");
    assert_true(strlen(error->message) < 4096);
}

/* The other end is held by what the hook left behind: EOF once that is gone. */
static int open_life_line(Bench *bench)
{
    g_autofree char *path = g_build_filename(bench->folder, "life", NULL);
    int fd = -1;

    assert_int_equal(mkfifo(path, 0600), 0);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void time_out_kills_the_children_of_the_hook_too(void **state)
{
    Bench *bench = *state;
    g_autoptr(GError) error = NULL;
    rn_autofd int life = open_life_line(bench);
    char text[8] = "";

    add_script(bench, "exec 3>life; sleep 1000 & sleep 1000; wait")->timeout_s =
        1;
    assert_false(run_hooks(bench, state_text, &error));
    assert_error(error, RN_ERROR, RN_ERROR_LIMIT, "time-out");
    assert_true(rn_fd_set_nonblocking(life, false, NULL));
    assert_int_equal(read(life, text, sizeof text), 0);
}

static void daemon_that_keeps_the_output_is_not_waited_for(void **state)
{
    Bench *bench = *state;
    g_autofree char *pid = NULL;

    (void)add_script(bench, "sleep 1000 & echo $! >pid; echo bye");
    (void)add_script(bench, "yes & echo $! >>pid; true");
    assert_hooks_pass(bench, state_text);
    pid = read_made(bench, "pid");
    /* still there, so that the test shows something */
    assert_int_equal(kill(atoi(pid), SIGKILL), 0);
    /* the pipe that `yes` writes to is closed: it has ended by SIGPIPE, or
     * will */
}

static void stages_have_the_names_of_the_specification(void **state)
{
    (void)state;
    assert_string_equal(rn_hook_stage_name(RN_HOOK_PRESTART), "prestart");
    assert_string_equal(rn_hook_stage_name(RN_HOOK_START_CONTAINER),
                        "startContainer");
    assert_string_equal(rn_hook_stage_name(RN_HOOK_POSTSTOP), "poststop");
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(hooks_all_run_in_order_with_the_state),
        WITH_BENCH(hook_gets_its_arguments_and_environment),
        WITH_BENCH(hook_without_args_is_called_by_its_path),
        WITH_BENCH(hook_has_clean_fds_signals_and_session),
        WITH_BENCH(hook_that_reads_no_state_passes),
        WITH_BENCH(hook_that_talks_while_it_reads_gets_all),
        WITH_BENCH(hook_that_fails_ends_the_stage_with_its_words),
        WITH_BENCH(hook_that_cannot_start_is_named),
        WITH_BENCH(output_that_is_long_is_cut_at_its_start),
        WITH_BENCH(time_out_kills_the_children_of_the_hook_too),
        WITH_BENCH(daemon_that_keeps_the_output_is_not_waited_for),
        cmocka_unit_test(stages_have_the_names_of_the_specification),
    };

    return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
