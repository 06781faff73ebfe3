/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The handshake of init with a launcher that this test plays. */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/wait.h>

#include <rnet/util/fd.h>

#include "fake-launcher.h"
#include "scratch.h"

static void handshake_with_a_network_runs_the_payload(void **state)
{
    const Container container = {
        .script = "hostname; exit 7",
        .has_network = true,
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    assert_string_equal(outcome.output, "box\n");
    assert_int_equal(outcome.exit_code, 7);
    assert_false(outcome.got_terminal);
}

static void launcher_that_goes_ends_init_at_each_step(void **state)
{
    static const LauncherEnd ends[] = {
        LAUNCHER_GOES_BEFORE_MAPPED,
        LAUNCHER_GOES_BEFORE_NETWORK_UP,
        LAUNCHER_GOES_BEFORE_START,
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        const Container container = {
            .script = "echo never",
            .has_network = true,
            .end = ends[i],
        };
        g_auto(Outcome) outcome = { 0 };

        print_message("# step %u\n", i);
        container_run(&container, &outcome);
        assert_no_error(outcome.failure);
        assert_string_equal(outcome.output, "");
        assert_int_equal(outcome.exit_code, EXIT_FAILURE);
    }
}

static void terminal_of_the_container_is_its_stdio(void **state)
{
    const Container container = {
        .script = "tty; stat -c '%t %u' /dev/console; "
                  "test -t 0 && test -t 1 && test -t 2 && echo all; "
                  "stty size; test -c /dev/tty && echo here >/dev/tty",
        .process = ",\"terminal\":true,\"consoleSize\":{\"height\":33,"
                   "\"width\":99}",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    assert_true(outcome.got_terminal);
    /* 0x88: the major number of pts devices */
    assert_string_equal(outcome.output,
                        "/dev/pts/0\r\n88 0\r\nall\r\n33 99\r\nhere\r\n");
    assert_int_equal(outcome.exit_code, 0);
}

static void terminal_without_a_devpts_is_refused(void **state)
{
    const Container container = {
        .script = "",
        .process = ",\"terminal\":true",
        .bare_dev = true,
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERRNO, ENOENT, "terminal: ");
    assert_non_null(strstr(outcome.failure->message, "hint: "));
    assert_int_equal(outcome.exit_code, EXIT_FAILURE);
}

static void names_without_a_uts_namespace_are_refused(void **state)
{
    const Container container = { .script = "", .without = CLONE_NEWUTS };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERROR, RN_ERROR_INVALID, "hostname: ");
}

static void program_that_is_missing_is_refused_before_prepared(void **state)
{
    const Container container = { .args = "[\"/bin/no-such-program\"]" };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERROR, RN_ERROR_PROGRAM_MISSING,
                 "process: ");
    assert_non_null(strstr(outcome.failure->message, "/bin/no-such-program"));
    assert_int_equal(outcome.exit_code, EXIT_FAILURE);
}

G_NORETURN static void launch_until_killed(const char *folder, int life)
{
    const Container container = {
        .script = "echo up >&0; cat /run/never",
        .kernel = ",\"devices\":[{\"path\":\"/run/never\",\"type\":"
                  "\"p\"}]",
        .stdin_fd = life,
        .folder = folder,
    };
    g_auto(Outcome) outcome = { 0 };

    container_run(&container, &outcome);
    _exit(EXIT_FAILURE);
}

/* The payload holds a pipe; it is at its end when the payload is. */
static void payload_ends_with_the_launcher(void **state)
{
    g_autofree char *scratch = scratch_make();
    char text[8] = "";
    int life[2] = { -1, -1 };
    pid_t pid = -1;

    (void)state;
    container_require(&(const Container){ 0 });
    assert_int_equal(pipe2(life, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        launch_until_killed(scratch, life[1]);
    rn_fd_close(&life[1]);
    (void)alarm(60);
    assert_int_equal(read(life[0], text, sizeof text), 3);
    assert_string_equal(text, "up\n");
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(read(life[0], text, sizeof text), 0);
    (void)alarm(0);
    rn_fd_close(&life[0]);
    scratch_remove(scratch);
}

static void image_that_is_missing_is_refused_with_a_hint(void **state)
{
    const Container container = { .script = "", .no_image = true };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERRNO, ENOENT, "rootfs: open \"/");
    assert_non_null(strstr(outcome.failure->message, "hint: "));
}

/* Found by root, who may; not for the user that the process becomes. */
static void program_that_the_user_may_not_execute_fails_at_exec(void **state)
{
    const Container container = {
        .args = "[\"/hidden/busybox\",\"true\"]",
        .many_ids = true,
        .user = "{\"uid\":1000,\"gid\":1000}",
        .mounts = ",{\"destination\":\"/hidden\",\"type\":\"tmpfs\","
                  "\"options\":[\"mode=0700\"]},"
                  "{\"destination\":\"/hidden/busybox\",\"source\":"
                  "\"/bin/busybox\",\"options\":[\"bind\"]}",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERROR, RN_ERROR_PROGRAM_UNRUNNABLE,
                 "exec: \"/hidden/busybox\": permission denied");
    assert_int_equal(outcome.exit_code, EXIT_FAILURE);
}

static void output_of_another_user_can_be_opened_again(void **state)
{
    const Container container = {
        .script = "echo out >/dev/stdout; echo err >/dev/stderr; id -u",
        .many_ids = true,
        .user = "{\"uid\":1000,\"gid\":1000}",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    assert_string_equal(outcome.output, "out\nerr\n1000\n");
}

static void oom_score_that_is_lower_is_refused_with_a_hint(void **state)
{
    const Container container = {
        .script = "",
        .process = ",\"oomScoreAdj\":-1000",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    if (outcome.failure == NULL) {
        print_message("skipped: this process may lower its oom score\n");
        skip();
    }
    assert_error(outcome.failure, RN_ERRNO, EACCES,
                 "oom score: process.oomScoreAdj: set -1000");
    assert_non_null(strstr(outcome.failure->message, "hint: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_with_a_network_runs_the_payload),
        cmocka_unit_test(launcher_that_goes_ends_init_at_each_step),
        cmocka_unit_test(terminal_of_the_container_is_its_stdio),
        cmocka_unit_test(terminal_without_a_devpts_is_refused),
        cmocka_unit_test(names_without_a_uts_namespace_are_refused),
        cmocka_unit_test(payload_ends_with_the_launcher),
        cmocka_unit_test(image_that_is_missing_is_refused_with_a_hint),
        cmocka_unit_test(program_that_is_missing_is_refused_before_prepared),
        cmocka_unit_test(program_that_the_user_may_not_execute_fails_at_exec),
        cmocka_unit_test(output_of_another_user_can_be_opened_again),
        cmocka_unit_test(oom_score_that_is_lower_is_refused_with_a_hint),
    };

    return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
