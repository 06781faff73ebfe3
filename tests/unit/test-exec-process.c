/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of `exec` over the process of a configuration. */
#include "config.h"

#include <unit.h>

#include <rnet/runtime/exec-process.h>

#include "scratch.h"

static const char bundle_text[] =
    "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":{"
    "\"terminal\":true,\"user\":{\"uid\":7,\"gid\":8,\"additionalGids\":[9]},"
    "\"args\":[\"/bin/old\"],\"env\":[\"PATH=/bin\",\"A=one\"],\"cwd\":\"/old\","
    "\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]},"
    "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":10,\"hard\":20}]}}";

static const char *const new_args[] = { "/bin/new", "-x", NULL };

static RnConfig *parse_bundle(void)
{
    g_autoptr(GError) error = NULL;
    RnConfig *config = rn_config_parse(bundle_text, strlen(bundle_text),
                                       "config.json", &error);

    assert_no_error(error);
    return config;
}

static void choose(RnConfig *config, const RnExecWishes *wishes)
{
    g_autoptr(GError) error = NULL;

    if (!rn_exec_process_choose(&config->process, wishes, &error))
        assert_no_error(error);
}

static void command_takes_the_place_of_the_bundles(void **state)
{
    g_autoptr(RnConfig) config = parse_bundle();
    const RnProcess *process = &config->process;
    const RnExecWishes wishes = { .args = new_args };

    (void)state;
    choose(config, &wishes);
    assert_int_equal(g_strv_length(process->args), 2);
    assert_string_equal(process->args[0], "/bin/new");
    /* a terminal is only for who asks; the rest is the container's */
    assert_false(process->terminal);
    assert_string_equal(process->cwd, "/old");
    assert_int_equal(process->uid, 7);
    assert_int_equal(process->gid, 8);
    assert_int_equal(process->additional_gids->len, 1);
    assert_string_equal(g_environ_getenv(process->env, "A"), "one");
    assert_int_equal(process->rlimits->len, 1);
    assert_true(process->capabilities.bounding == RN_CAP_BIT(5));
}

static void options_change_what_they_name(void **state)
{
    static const char *const env[] = { "A=two=three", "B=", NULL };
    static const char *const groups[] = { "11", "0", NULL };
    static const char *const caps[] = { "CAP_CHOWN", NULL };
    g_autoptr(RnConfig) config = parse_bundle();
    const RnProcess *process = &config->process;
    const RnExecWishes wishes = {
        .args = new_args,
        .cwd = "/new",
        .env = env,
        .user = "4294967294:5",
        .groups = groups,
        .caps = caps,
        .process_label = "label",
        .apparmor = "profile",
        .terminal = true,
        .no_new_privileges = true,
    };

    (void)state;
    choose(config, &wishes);
    assert_string_equal(process->cwd, "/new");
    assert_int_equal(g_strv_length(process->env), 3);
    assert_string_equal(g_environ_getenv(process->env, "A"), "two=three");
    assert_string_equal(g_environ_getenv(process->env, "B"), "");
    assert_true(process->uid == 4294967294);
    assert_int_equal(process->gid, 5);
    assert_int_equal(process->additional_gids->len, 3);
    assert_int_equal(g_array_index(process->additional_gids, uint32_t, 1), 11);
    assert_true(process->capabilities.bounding ==
                (RN_CAP_BIT(5) | RN_CAP_BIT(0)));
    assert_true(process->capabilities.effective == RN_CAP_BIT(0));
    assert_true(process->capabilities.permitted == RN_CAP_BIT(0));
    assert_true(process->capabilities.inheritable == 0);
    assert_string_equal(process->selinux_label, "label");
    assert_string_equal(process->apparmor_profile, "profile");
    assert_true(process->terminal);
    assert_true(process->no_new_privileges);
}

static void user_without_a_group_keeps_the_bundles(void **state)
{
    g_autoptr(RnConfig) config = parse_bundle();
    const RnExecWishes wishes = { .args = new_args, .user = "3" };

    (void)state;
    choose(config, &wishes);
    assert_int_equal(config->process.uid, 3);
    assert_int_equal(config->process.gid, 8);
}

/* The file's path, the caller's. */
static char *write_process(const char *folder, const char *text)
{
    char *path = g_build_filename(folder, "process.json", NULL);

    assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void process_of_a_file_has_nothing_of_the_bundles(void **state)
{
    g_autofree char *folder = scratch_make();
    g_autofree char *path = write_process(
        folder, "{\"args\":[\"/bin/filed\"],\"cwd\":\"/\",\"terminal\":true,"
                "\"env\":[\"C=three\"]}");
    g_autoptr(RnConfig) config = parse_bundle();
    const RnProcess *process = &config->process;
    const RnExecWishes wishes = { .process_file = path, .user = "1:2" };

    (void)state;
    choose(config, &wishes);
    assert_string_equal(process->args[0], "/bin/filed");
    assert_true(process->terminal);
    assert_null(g_environ_getenv(process->env, "A"));
    assert_string_equal(g_environ_getenv(process->env, "C"), "three");
    assert_int_equal(process->rlimits->len, 0);
    assert_false(process->has_capabilities);
    /* options count here, too */
    assert_int_equal(process->uid, 1);
    assert_int_equal(process->gid, 2);
    scratch_remove(folder);
}

static void process_of_a_bad_file_is_refused_by_its_path(void **state)
{
    g_autofree char *folder = scratch_make();
    g_autofree char *path =
        write_process(folder, "{\"args\":[],\"cwd\":\"/\"}");
    const struct {
        RnExecWishes wishes;
        const char *text;
    } cases[] = {
        { { .process_file = path }, "args: is empty" },
        { { .process_file = "/no/such/file" },
          "--process: open \"/no/such/file\"" },
        { { .process_file = path, .args = new_args },
          "\"/bin/new\" is one too many" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(RnConfig) config = parse_bundle();
        g_autoptr(GError) error = NULL;

        assert_false(
            rn_exec_process_choose(&config->process, &cases[i].wishes, &error));
        assert_non_null(strstr(error->message, cases[i].text));
    }
    scratch_remove(folder);
}

static void option_that_is_malformed_is_refused_by_its_name(void **state)
{
    static const char *const words[] = { "x", NULL };
    static const char *const nameless[] = { "=x", NULL };
    static const char *const empty[] = { "", NULL };
    const struct {
        RnExecWishes wishes;
        const char *text;
    } cases[] = {
        { { .args = NULL }, "which command?" },
        { { .args = empty }, "which command?" },
        { { .args = new_args, .cwd = "there" }, "--cwd \"there\"" },
        { { .args = new_args, .env = words }, "--env \"x\"" },
        { { .args = new_args, .env = nameless }, "--env \"=x\"" },
        { { .args = new_args, .user = "root" }, "--user \"root\"" },
        { { .args = new_args, .user = "" }, "--user \"\"" },
        { { .args = new_args, .user = "1:" }, "--user \"\"" },
        { { .args = new_args, .user = "1:2:3" }, "--user \"2:3\"" },
        { { .args = new_args, .user = "4294967295" }, "--user \"4294967295\"" },
        { { .args = new_args, .groups = words }, "--additional-gids \"x\"" },
        { { .args = new_args, .caps = words }, "--cap: " },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(RnConfig) config = parse_bundle();
        g_autoptr(GError) error = NULL;

        print_message("# %s\n", cases[i].text);
        assert_false(
            rn_exec_process_choose(&config->process, &cases[i].wishes, &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_takes_the_place_of_the_bundles),
        cmocka_unit_test(options_change_what_they_name),
        cmocka_unit_test(user_without_a_group_keeps_the_bundles),
        cmocka_unit_test(process_of_a_file_has_nothing_of_the_bundles),
        cmocka_unit_test(process_of_a_bad_file_is_refused_by_its_path),
        cmocka_unit_test(option_that_is_malformed_is_refused_by_its_name),
    };

    return cmocka_run_group_tests_name("exec-process", tests, NULL, NULL);
}
