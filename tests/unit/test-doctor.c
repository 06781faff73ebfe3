/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: the table and the JSON of made-up verdicts, the cgroup of made-up
 * texts; and that trials are bounded and leave nothing
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "doctor-host.h"

static void format_shows_state_loss_and_remedy(void **state)
{
    g_auto(RnDoctorFacts) facts = { 0 };
    g_autoptr(GPtrArray) checks = NULL;
    g_autofree char *table = NULL;

    (void)state;
    doctor_make_facts(&facts);
    doctor_fail_trial(&facts, RN_TRIAL_USER_NAMESPACE, EPERM,
                      "kernel.unprivileged_userns_clone is 0",
                      "as root: sysctl -w kernel.unprivileged_userns_clone=1");
    facts.trials[RN_TRIAL_OVERLAY].outcome = RN_TRIAL_UNTRIED;
    facts.trials[RN_TRIAL_TUN].outcome = RN_TRIAL_UNTRIED;
    doctor_fail_trial(&facts, RN_TRIAL_PING, EACCES, "open a socket", NULL);
    checks = rn_doctor_judge(&facts);
    table = rn_doctor_format(checks);
    assert_non_null(strstr(
        table, "\nmissing   user-namespaces      kernel.unprivileged_userns_"));
    assert_non_null(strstr(table, "\n          fails: no container"));
    assert_non_null(strstr(
        table, "\n          root: sysctl -w kernel.unprivileged_userns_clone"));
    assert_non_null(strstr(table, "\nuntried   overlay"));
    assert_non_null(strstr(table, "\ndegraded  ping"));
    assert_non_null(strstr(table, "\n          lost: ping from"));
    assert_true(g_str_has_suffix(table, " fine, 1 degraded, 1 missing, 2 not "
                                        "tried\n"));
}

static const char *get_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void json_has_every_check(void **state)
{
    g_auto(RnDoctorFacts) facts = { 0 };
    g_autoptr(GPtrArray) checks = NULL;
    json_t *report = NULL;
    const json_t *list = NULL;

    (void)state;
    doctor_make_facts(&facts);
    doctor_set_text(&facts.release, "5.11.22-amd64");
    checks = rn_doctor_judge(&facts);
    report = rn_doctor_to_json(checks);
    assert_string_equal(get_text(report, "state"), "missing");
    list = json_object_get(report, "checks");
    assert_int_equal(json_array_size(list), checks->len);
    assert_string_equal(get_text(json_array_get(list, 0), "name"), "kernel");
    assert_string_equal(get_text(json_array_get(list, 0), "state"), "missing");
    assert_string_equal(get_text(json_array_get(list, 0), "who"), "root");
    assert_string_equal(get_text(json_array_get(list, 0), "remedy"),
                        "boot Linux 5.12 or newer");
    assert_non_null(get_text(json_array_get(list, 0), "loss"));
    assert_true(json_is_null(json_object_get(json_array_get(list, 1), "who")));
    assert_int_equal(json_object_size(json_array_get(list, 1)), 6);
    json_decref(report);
}

/* An environment or a /proc that is not text. */
static void output_of_hostile_text_is_printable(void **state)
{
    g_auto(RnDoctorFacts) facts = { 0 };
    g_autoptr(GPtrArray) checks = NULL;
    g_autofree char *table = NULL;
    char *text = NULL;
    json_t *report = NULL;

    (void)state;
    doctor_make_facts(&facts);
    doctor_set_text(&facts.release, "6.1\x1b[2J\xff");
    doctor_set_text(&facts.runtime_dir.path, "/\x1b]\xff\nroot: rm");
    checks = rn_doctor_judge(&facts);
    table = rn_doctor_format(checks);
    assert_null(strchr(table, '\x1b'));
    assert_null(strstr(table, "\nroot: rm"));
    assert_true(g_utf8_validate(table, -1, NULL));
    report = rn_doctor_to_json(checks);
    text = json_dumps(report, 0);
    assert_non_null(text);
    free(text);
    json_decref(report);
}

typedef struct CgroupCase {
    const char *mountinfo, *membership;
    RnCgroupLayout layout;
    const char *own; /* NULL: none */
} CgroupCase;

#define V1(controller)                                                         \
    "31 25 0:27 / /sys/fs/cgroup/" controller                                  \
    " rw - cgroup cgroup rw," controller "\n"
#define V2(root, point)                                                        \
    "30 25 0:26 " root " " point " rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"

static const CgroupCase cgroup_cases[] = {
    { "", "", RN_LAYOUT_NONE, NULL },
    { "nonsense\n1 2 3 -\n- - -\n", "x\n0:\n", RN_LAYOUT_NONE, NULL },
    { V2("/", "/sys/fs/cgroup"), "0::/user.slice/a.scope\n", RN_LAYOUT_V2,
      "/sys/fs/cgroup/user.slice/a.scope" },
    { V2("/", "/sys/fs/cgroup"), "0::/\n", RN_LAYOUT_V2, "/sys/fs/cgroup/" },
    { V2("/docker/1", "/sys/fs/cgroup"), "0::/docker/1/x\n", RN_LAYOUT_V2,
      "/sys/fs/cgroup/x" },
    { V2("/docker/1", "/sys/fs/cgroup"), "0::/docker/10\n", RN_LAYOUT_V2,
      NULL },
    { V2("/", "/sys/fs/cgroup"), "0::/../other\n", RN_LAYOUT_V2,
      "/sys/fs/cgroup/../other" },
    { V2("/", "/a\\040b"), "0::/c\n", RN_LAYOUT_V2, "/a b/c" },
    { V2("/", "/old") V2("/", "/new"), "0::/c\n", RN_LAYOUT_V2, "/new/c" },
    { V1("memory") V2("/", "/sys/fs/cgroup/unified"),
      "4:memory:/a\n2:cpu,cpuacct:/b\n0::/c\n", RN_LAYOUT_V1,
      "/sys/fs/cgroup/memory/a" },
    { V1("cpu,cpuacct"), "2:cpu,cpuacct:/b\n", RN_LAYOUT_V1,
      "/sys/fs/cgroup/cpu,cpuacct/b" },
    /* a v1 mount without controllers (systemd's own) does not count */
    { V1("name=systemd") V2("/", "/sys/fs/cgroup/unified"),
      "1:name=systemd:/a\n0::/c\n", RN_LAYOUT_V2, "/sys/fs/cgroup/unified/c" },
    { V1("memory"), "0::/c\n", RN_LAYOUT_V1, NULL },
    /* covered by what was mounted above them later */
    { V1("memory") V2("/", "/sys/fs/cgroup"), "4:memory:/a\n0::/c\n",
      RN_LAYOUT_V2, "/sys/fs/cgroup/c" },
    { V1("memory") "40 25 0:44 / /sys/fs rw - tmpfs tmpfs rw\n",
      "4:memory:/a\n0::/c\n", RN_LAYOUT_NONE, NULL },
    { V1("memory") "40 25 0:44 / /sys/fs/cgroup/mem rw - tmpfs t rw\n",
      "4:memory:/a\n", RN_LAYOUT_V1, "/sys/fs/cgroup/memory/a" },
};

static void find_cgroup_in_each_layout(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cgroup_cases); i++) {
        RnDoctorCgroup found = { 0 };

        rn_doctor_find_cgroup(cgroup_cases[i].mountinfo,
                              cgroup_cases[i].membership, &found);
        if (found.layout != cgroup_cases[i].layout ||
            g_strcmp0(found.own, cgroup_cases[i].own) != 0)
            fail_msg("case %zu: layout %d, own %s", i, found.layout, found.own);
        g_free(found.own);
        g_free(found.mount);
    }
}

static bool succeed(const void *data, GError **error)
{
    (void)data;
    (void)error;
    return true;
}

static bool refuse(const void *data, GError **error)
{
    (void)rn_set_errno(error, EXDEV, "try \"%s\"", (const char *)data);
    return rn_error_add_hint(error, "as root: mend it");
}

static bool die(const void *data, GError **error)
{
    (void)data;
    (void)error;
    (void)raise(SIGSYS);
    return true;
}

/* The fds that a trial has beside its answer's. */
static bool count_fds(const void *data, GError **error)
{
    int open_fds = 0;

    (void)data;
    for (int fd = 0; fd < 1024; fd++)
        open_fds += fcntl(fd, F_GETFD) >= 0;
    return open_fds == 4 ||
           rn_set_error(error, RN_ERROR_STATE, "%d fds", open_fds);
}

static void trial_tells_what_came_of_it(void **state)
{
    static const struct {
        RnTrialFunc func;
        RnTrialOutcome outcome;
        int errno_value;
        const char *text; /* a part, or NULL */
        const char *hint;
    } trials[] = {
        { succeed, RN_TRIAL_WORKS, 0, NULL, NULL },
        { refuse, RN_TRIAL_FAILS, EXDEV, "try \"this\": ", "as root: mend it" },
        { die, RN_TRIAL_DIES, 0, "signal 31", NULL },
        { count_fds, RN_TRIAL_WORKS, 0, NULL, NULL },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(trials); i++) {
        const RnTrial trial = { .func = trials[i].func, .data = "this" };
        RnTrialResult result = { 0 };

        rn_trial_run(&trial, &result);
        if (result.outcome != trials[i].outcome ||
            result.errno_value != trials[i].errno_value ||
            (result.text == NULL) != (trials[i].text == NULL) ||
            g_strcmp0(result.hint, trials[i].hint) != 0)
            fail_msg("trial %zu: outcome %d, errno %d, \"%s\"", i,
                     result.outcome, result.errno_value, result.text);
        if (result.text != NULL)
            assert_non_null(strstr(result.text, trials[i].text));
        rn_trial_result_clear(&result);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* With a child of its own that hangs, too, and holds the answer's pipe. */
static G_NORETURN bool hang(const void *data, GError **error)
{
    (void)data;
    (void)error;
    (void)fork();
    for (;;)
        (void)pause();
}

static void trial_that_hangs_is_ended(void **state)
{
    const RnTrial trial = { .func = hang, .timeout_ms = 1 };
    RnTrialResult result = { 0 };

    (void)state;
    rn_trial_run(&trial, &result);
    assert_int_equal(result.outcome, RN_TRIAL_HANGS);
    assert_non_null(strstr(result.text, "no answer"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    rn_trial_result_clear(&result);
}

/* The whole, on whatever runs the tests: it ends, and leaves no child. */
static void look_on_this_host_judges_all(void **state)
{
    const RnDoctorEnvironment environment = { .runtime_dir = "/nowhere" };
    g_auto(RnDoctorFacts) facts = { 0 };
    g_autoptr(GPtrArray) checks = NULL;
    struct stat before = { 0 };
    struct stat after = { 0 };

    (void)state;
    assert_int_equal(stat("/proc/self/ns/mnt", &before), 0);
    rn_doctor_look(&environment, &facts);
    assert_int_equal(stat("/proc/self/ns/mnt", &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(facts.uid, geteuid());
    assert_int_equal(facts.runtime_dir.errno_value, ENOENT);
    assert_true(facts.own_ids[RN_ID_USER] > 0);
    assert_int_not_equal(facts.trials[RN_TRIAL_SYSTEM_CALLS].outcome,
                         RN_TRIAL_UNTRIED);
    checks = rn_doctor_judge(&facts);
    doctor_assert_whole(checks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_shows_state_loss_and_remedy),
        cmocka_unit_test(json_has_every_check),
        cmocka_unit_test(output_of_hostile_text_is_printable),
        cmocka_unit_test(find_cgroup_in_each_layout),
        cmocka_unit_test(trial_tells_what_came_of_it),
        cmocka_unit_test(trial_that_hangs_is_ended),
        cmocka_unit_test(look_on_this_host_judges_all),
    };

    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
