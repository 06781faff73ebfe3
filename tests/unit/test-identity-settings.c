/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-identity-settings - filters, schedules, labels and keyrings of a
 * payload, as it sees them: real namespaces, busybox
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <unistd.h>

#include <linux/ioprio.h>
#include <sys/personality.h>

#include <rnet/runtime/identity.h>

#include "fake-launcher.h"

typedef struct Case {
    const char *name;
    Container container;
    const char *output;
} Case;

/* `names`: denied with EPERM. */
static void add_filter(RnConfig *config, const char *names)
{
    RnSeccompRule *rule = g_new0(RnSeccompRule, 1);

    rule->names = g_strsplit(names, " ", -1);
    rule->action = SCMP_ACT_ERRNO(EPERM);
    config->seccomp = rn_seccomp_new();
    config->seccomp->default_action = SCMP_ACT_ALLOW;
    g_ptr_array_add(config->seccomp->rules, rule);
}

static void forbid_chdir(RnConfig *config)
{
    add_filter(config, "chdir");
}

static void forbid_execve(RnConfig *config)
{
    add_filter(config, "execve");
}

/* All that init itself does on its way to exec. */
static void forbid_what_init_does(RnConfig *config)
{
    add_filter(config,
               "sendmsg recvmsg close close_range prctl capset setresuid "
               "setresgid setgroups setrlimit prlimit64 umask sched_yield "
               "futex seccomp");
}

static void set_personality(RnConfig *config)
{
    config->has_personality = true;
    config->personality = PER_LINUX32;
}

static void set_schedule(RnConfig *config)
{
    RnProcess *process = &config->process;

    process->has_scheduler = true;
    process->scheduler = (RnScheduler){ .policy = SCHED_BATCH, .nice = 7 };
    process->has_io_priority = true;
    process->io_priority = (RnIoPriority){ IOPRIO_CLASS_BE, 6 };
}

static void set_final_cpus(RnConfig *config)
{
    config->process.affinity_final = g_strdup("8191");
}

static void set_time(RnConfig *config)
{
    const RnTimeOffset offset = { .clock = "boottime", .seconds = 360000000 };

    config->namespaces |= CLONE_NEWTIME;
    if (config->time_offsets == NULL)
        config->time_offsets = g_array_new(FALSE, FALSE, sizeof offset);
    g_array_append_val(config->time_offsets, offset);
}

static void set_profile(RnConfig *config)
{
    config->process.apparmor_profile = g_strdup("box");
}

static void add_new_capabilities(RnConfig *config)
{
    RnProcess *process = &config->process;

    process->has_capabilities = true;
    process->capabilities = (RnCapSets){
        .bounding = ~UINT64_C(0) & ~(rn_caps_all() & ~RN_CAP_BIT(5)),
        .permitted = ~rn_caps_all() | RN_CAP_BIT(5),
        .effective = ~rn_caps_all() | RN_CAP_BIT(5),
    };
}

#define STATUS(names) "grep -E '^(" names "):' /proc/self/status"
#define NOTHING_LEFT                                                           \
    "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"                   \
    "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"                   \
    "CapAmb:\t0000000000000000\n"

static const Case cases[] = {
    { "a filter, no new privileges",
      { .script = "cd /bin; " STATUS("NoNewPrivs|Seccomp|Seccomp_filters"),
        .process = ",\"noNewPrivileges\":true",
        .amend = forbid_chdir },
      "sh: cd: line 0: can't cd to /bin: Operation not permitted\n"
      "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n" },
    { "a filter, and privileges that an exec may give",
      { .script = STATUS("Cap...|NoNewPrivs|Seccomp"), .amend = forbid_chdir },
      NOTHING_LEFT "NoNewPrivs:\t0\nSeccomp:\t2\n" },
    { "the same for an ordinary id",
      { .script = STATUS("Cap...|NoNewPrivs|Seccomp"),
        .uid = 1000,
        .amend = forbid_chdir },
      NOTHING_LEFT "NoNewPrivs:\t0\nSeccomp:\t2\n" },
    { "a filter that forbids what init has to do",
      { .script = STATUS("CapPrm|Seccomp"), .amend = forbid_what_init_does },
      "CapPrm:\t0000000000000000\nSeccomp:\t2\n" },
    { "no trace of the thread that watched the exec",
      { .args = "[\"/bin/grep\",\"-E\",\"^(Threads|SigBlk|SigIgn|SigCgt)\","
                "\"/proc/1/status\"]",
        .amend = forbid_chdir },
      "Threads:\t1\nSigBlk:\t0000000000000000\n"
      "SigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n" },
    { "no child that it did not make",
      { .args = "[\"/bin/wc\",\"-c\",\"/proc/1/task/1/children\"]",
        .amend = forbid_chdir },
      "0 /proc/1/task/1/children\n" },
    { "personality",
      { .script = "busybox uname -m | grep -c '^i.86$'",
        .amend = set_personality },
      "1\n" },
    { "scheduler and I/O priority",
      { .script = "set -- $(cat /proc/self/stat); echo ${19} ${41}; "
                  "busybox ionice -p $$",
        .amend = set_schedule },
      "7 3\nbest-effort: prio 6\n" },
    { "CPUs of an exec are not the first process's",
      { .script = "echo fine", .amend = set_final_cpus },
      "fine\n" },
    /* test-keyring.c shows that the caller's keys are out of reach */
    { "a session keyring of its own",
      { .script = "grep -q ' _ses.test: ' /proc/keys && echo there" },
      "there\n" },
    { "time offsets",
      { .script = "read up rest </proc/uptime; "
                  "test ${up%.*} -ge 360000000 && echo moved",
        .amend = set_time },
      "moved\n" },
};

static void setting_has_its_effect(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Outcome) outcome = { 0 };

        print_message("# %s\n", cases[i].name);
        container_run(&cases[i].container, &outcome);
        assert_no_error(outcome.failure);
        if (strcmp(outcome.output, cases[i].output) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].name, outcome.output,
                     cases[i].output);
        assert_int_equal(outcome.exit_code, 0);
    }
}

static void capabilities_that_the_kernel_lacks_are_left_out(void **state)
{
    const Container container = { .script = STATUS("CapPrm|CapBnd"),
                                  .amend = add_new_capabilities };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    assert_non_null(strstr(outcome.output, "the kernel does not know all"));
    assert_true(g_str_has_suffix(outcome.output,
                                 "CapPrm:\t0000000000000020\n"
                                 "CapBnd:\t0000000000000020\n"));
}

static void filter_that_forbids_exec_is_told(void **state)
{
    const Container container = { .script = "", .amend = forbid_execve };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERROR, RN_ERROR_PROGRAM_UNRUNNABLE,
                 "exec: \"/bin/busybox\": Operation not permitted");
    assert_string_equal(outcome.output, "");
}

static void profile_without_apparmor_is_refused(void **state)
{
    const Container container = { .script = "", .amend = set_profile };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    if (access("/sys/module/apparmor", F_OK) == 0)
        skip();
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERROR, RN_ERROR_UNSUPPORTED,
                 "process.apparmorProfile: \"box\" cannot be applied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_has_its_effect),
        cmocka_unit_test(capabilities_that_the_kernel_lacks_are_left_out),
        cmocka_unit_test(filter_that_forbids_exec_is_told),
        cmocka_unit_test(profile_without_apparmor_is_refused),
    };

    return cmocka_run_group_tests_name("identity-settings", tests, NULL, NULL);
}
