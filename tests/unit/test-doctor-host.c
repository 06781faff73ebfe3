/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: the verdicts on the kernel, ids, limits and mounts, on made-up facts
 */
#include "config.h"

#include <errno.h>

#include "doctor-host.h"

static void old_kernel(RnDoctorFacts *facts)
{
    doctor_set_text(&facts->release, "5.11.22-amd64");
}

static void boundary_kernel(RnDoctorFacts *facts)
{
    doctor_set_text(&facts->release, "5.12.0");
}

static void odd_kernel(RnDoctorFacts *facts)
{
    doctor_set_text(&facts->release, "unknown");
}

static void no_calls(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_SYSTEM_CALLS, ENOSYS,
                      "system call openat2 (Linux 5.6): not implemented", NULL);
}

static void filtered_calls(RnDoctorFacts *facts)
{
    no_calls(facts);
    facts->filtered = true;
}

static void filtered_hostname(RnDoctorFacts *facts)
{
    facts->filtered = true;
    doctor_fail_trial(facts, RN_TRIAL_HOSTNAME, EPERM, "set a host name", NULL);
}

static void no_userns(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_USER_NAMESPACE, EPERM,
                      "kernel.unprivileged_userns_clone is 0",
                      "as root: sysctl -w kernel.unprivileged_userns_clone=1");
    facts->trials[RN_TRIAL_OVERLAY].outcome = RN_TRIAL_UNTRIED;
    facts->trials[RN_TRIAL_TUN].outcome = RN_TRIAL_UNTRIED;
}

static void no_userns_as_root(RnDoctorFacts *facts)
{
    no_userns(facts);
    facts->uid = 0;
    facts->privileged = true;
}

static void filtered_userns(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_USER_NAMESPACE, EPERM,
                      "a filter refuses it",
                      "start the outer container with --security-opt x");
}

static void chrooted_userns(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_USER_NAMESPACE, EPERM, "in a chroot",
                      "run it outside of the chroot");
}

static void apparmor_closed(RnDoctorFacts *facts)
{
    facts->sysctls[RN_SYSCTL_APPARMOR_USERNS] = 1;
    doctor_set_text(&facts->executable, "/opt/a \"b\"/rnet");
    doctor_fail_trial(facts, RN_TRIAL_USER_NAMESPACE, EPERM, "AppArmor",
                      "give rnet an AppArmor profile, or as root: sysctl");
}

static void apparmor_profiled(RnDoctorFacts *facts)
{
    facts->sysctls[RN_SYSCTL_APPARMOR_USERNS] = 1;
}

static void few_namespaces(RnDoctorFacts *facts)
{
    facts->sysctls[RN_SYSCTL_MAX_NET] = 31;
}

static void enough_namespaces(RnDoctorFacts *facts)
{
    facts->sysctls[RN_SYSCTL_MAX_NET] = 32;
}

static void no_pid_namespaces(RnDoctorFacts *facts)
{
    facts->sysctls[RN_SYSCTL_MAX_NET] = 31;
    facts->sysctls[RN_SYSCTL_MAX_PID] = 0;
}

static void no_user_namespaces_as_root(RnDoctorFacts *facts)
{
    facts->privileged = true;
    facts->sysctls[RN_SYSCTL_MAX_USER] = 0;
}

static void unknown_namespaces(RnDoctorFacts *facts)
{
    for (RnDoctorSysctl i = 0; i < RN_SYSCTL_N_; i++)
        facts->sysctls[i] = -1;
}

static void no_ranges(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_SUB_UIDS, 0,
                      "user \"web\" has no subordinate",
                      "as root: usermod --add-subuids 1-2 web");
}

static void small_range(RnDoctorFacts *facts)
{
    facts->sub_ids[RN_ID_GROUP] = 1000;
}

static void no_mapper(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_SUB_GIDS, 0, "needs newgidmap",
                      "apt install x");
}

static void hanging_mapper(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_SUB_UIDS, 0, "no answer", NULL);
    facts->trials[RN_TRIAL_SUB_UIDS].outcome = RN_TRIAL_HANGS;
}

static void root(RnDoctorFacts *facts)
{
    facts->uid = 0;
    facts->privileged = true;
    facts->maps_any_ids = true;
    facts->writes_run = true;
    doctor_set_text(&facts->runtime_dir.path, NULL);
    facts->trials[RN_TRIAL_SUB_UIDS].outcome = RN_TRIAL_UNTRIED;
}

static void nested_root(RnDoctorFacts *facts)
{
    root(facts);
    facts->in_userns = true;
    facts->own_ids[RN_ID_USER] = 1;
    facts->own_ids[RN_ID_GROUP] = 65536;
    facts->setgroups_denied = true;
}

static void no_new_privs(RnDoctorFacts *facts)
{
    facts->no_new_privs = true;
}

static void no_new_privs_as_root(RnDoctorFacts *facts)
{
    root(facts);
    facts->no_new_privs = true;
}

static void no_runtime_dir(RnDoctorFacts *facts)
{
    doctor_set_text(&facts->runtime_dir.path, NULL);
}

static void relative_runtime_dir(RnDoctorFacts *facts)
{
    doctor_set_text(&facts->runtime_dir.path, "run");
}

static void gone_runtime_dir(RnDoctorFacts *facts)
{
    facts->runtime_dir.errno_value = ENOENT;
}

static void file_runtime_dir(RnDoctorFacts *facts)
{
    facts->runtime_dir.is_directory = false;
}

static void foreign_runtime_dir(RnDoctorFacts *facts)
{
    facts->runtime_dir.owner = 0;
}

static void open_runtime_dir(RnDoctorFacts *facts)
{
    facts->runtime_dir.mode = 0755;
}

static void few_files(RnDoctorFacts *facts)
{
    facts->nofile_hard = 1024;
}

static void few_mounts(RnDoctorFacts *facts)
{
    facts->sysctls[RN_SYSCTL_MOUNT_MAX] = 100;
}

static void hidden_proc(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_PROC, EPERM, "mount proc", NULL);
}

static void hidden_sysfs(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_SYSFS, EPERM, "mount sysfs", NULL);
}

static void no_overlay(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_OVERLAY, ENODEV, "mount an overlay",
                      NULL);
}

static void dying_seccomp(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_SECCOMP, 0, "ended by signal 31", NULL);
    facts->trials[RN_TRIAL_SECCOMP].outcome = RN_TRIAL_DIES;
}

static void no_notify(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_SECCOMP_NOTIFY, EBUSY, "load", NULL);
}

static void no_landlock(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_LANDLOCK, 0, "not built into", NULL);
}

static void no_idmaps(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_IDMAPPED_MOUNT, EINVAL, "map the ids",
                      NULL);
}

static void no_mounts(RnDoctorFacts *facts)
{
    doctor_fail_trial(facts, RN_TRIAL_MOUNTS, EPERM, "bind mount: no", NULL);
    facts->trials[RN_TRIAL_OVERLAY].outcome = RN_TRIAL_UNTRIED;
}

static void in_container(RnDoctorFacts *facts)
{
    facts->container = g_strdup("podman");
    facts->in_userns = true;
    facts->filtered = true;
}

static const DoctorCase cases[] = {
    { old_kernel, "kernel", RN_DOCTOR_MISSING, RN_WHO_ROOT, "too old",
      "Linux 5.12" },
    { boundary_kernel, "kernel", RN_DOCTOR_FINE, RN_WHO_NOBODY, "Linux 5.12.0",
      NULL },
    { odd_kernel, "kernel", RN_DOCTOR_DEGRADED, RN_WHO_NOBODY, "unknown",
      NULL },
    { in_container, "container-around", RN_DOCTOR_FINE, RN_WHO_NOBODY,
      "(podman); in a user namespace (uids: 4294967295); under a seccomp "
      "filter",
      NULL },
    { no_calls, "system-calls", RN_DOCTOR_MISSING, RN_WHO_ROOT, "openat2",
      "boot Linux" },
    { filtered_calls, "system-calls", RN_DOCTOR_MISSING, RN_WHO_OUTSIDE,
      "openat2", "seccomp=unconfined" },
    { no_userns, "user-namespaces", RN_DOCTOR_MISSING, RN_WHO_ROOT,
      "clone is 0", "sysctl -w kernel.unprivileged_userns_clone=1" },
    { no_userns, "overlay", RN_DOCTOR_UNTRIED, RN_WHO_NOBODY,
      "without user-namespaces", NULL },
    { no_userns, "tun", RN_DOCTOR_UNTRIED, RN_WHO_NOBODY,
      "without user-namespaces", NULL },
    { no_userns_as_root, "user-namespaces", RN_DOCTOR_DEGRADED, RN_WHO_ROOT,
      "clone is 0", "sysctl" },
    { filtered_userns, "user-namespaces", RN_DOCTOR_MISSING, RN_WHO_OUTSIDE,
      "filter", "outer container" },
    { chrooted_userns, "user-namespaces", RN_DOCTOR_MISSING, RN_WHO_YOU,
      "chroot", "outside of the chroot" },
    { apparmor_closed, "apparmor", RN_DOCTOR_MISSING, RN_WHO_ROOT, "is on",
      "profile rnet \"/opt/a \\\"b\\\"/rnet\" flags=(unconfined)" },
    { apparmor_closed, "user-namespaces", RN_DOCTOR_MISSING, RN_WHO_ROOT,
      "AppArmor", "profile" },
    { apparmor_profiled, "apparmor", RN_DOCTOR_FINE, RN_WHO_NOBODY, "does not",
      NULL },
    { few_namespaces, "namespace-limits", RN_DOCTOR_DEGRADED, RN_WHO_ROOT,
      "user.max_net_namespaces is 31", "sysctl -w user.max_net_namespaces=" },
    { enough_namespaces, "namespace-limits", RN_DOCTOR_FINE, RN_WHO_NOBODY,
      "at least 32", NULL },
    { no_pid_namespaces, "namespace-limits", RN_DOCTOR_MISSING, RN_WHO_ROOT,
      "user.max_pid_namespaces is 0", "sysctl -w user.max_pid_namespaces=" },
    { no_user_namespaces_as_root, "namespace-limits", RN_DOCTOR_DEGRADED,
      RN_WHO_ROOT, "user.max_user_namespaces is 0", "sysctl -w" },
    { unknown_namespaces, "namespace-limits", RN_DOCTOR_FINE, RN_WHO_NOBODY,
      "none are known", NULL },
    { no_ranges, "sub-uids", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "no subordinate",
      "usermod --add-subuids" },
    { small_range, "sub-gids", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "1000",
      "usermod --add-subgids 400000-465535 web" },
    { small_range, "sub-uids", RN_DOCTOR_FINE, RN_WHO_NOBODY, "65536", NULL },
    { no_mapper, "sub-gids", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "newgidmap",
      "apt install" },
    { hanging_mapper, "sub-uids", RN_DOCTOR_DEGRADED, RN_WHO_NOBODY,
      "no answer", NULL },
    { root, "sub-uids", RN_DOCTOR_FINE, RN_WHO_NOBODY, "root needs none",
      NULL },
    { nested_root, "sub-uids", RN_DOCTOR_DEGRADED, RN_WHO_OUTSIDE,
      "this user namespace has 1", "outer container" },
    { nested_root, "sub-gids", RN_DOCTOR_FINE, RN_WHO_NOBODY, "own 65536",
      NULL },
    { nested_root, "setgroups", RN_DOCTOR_DEGRADED, RN_WHO_OUTSIDE, "denied",
      "newgidmap" },
    { no_new_privs, "no-new-privs", RN_DOCTOR_DEGRADED, RN_WHO_YOU,
      "set:", "NoNewPrivileges=no" },
    { no_new_privs_as_root, "no-new-privs", RN_DOCTOR_FINE, RN_WHO_NOBODY,
      "root can", NULL },
    { root, "runtime-dir", RN_DOCTOR_FINE, RN_WHO_NOBODY, "/run/rnet", NULL },
    { no_runtime_dir, "runtime-dir", RN_DOCTOR_DEGRADED, RN_WHO_YOU, "not set",
      "XDG_RUNTIME_DIR=/run/user/1000" },
    { relative_runtime_dir, "runtime-dir", RN_DOCTOR_DEGRADED, RN_WHO_YOU,
      "not absolute", "XDG_RUNTIME_DIR=" },
    { gone_runtime_dir, "runtime-dir", RN_DOCTOR_DEGRADED, RN_WHO_YOU,
      "\"/run/user/1000\": No such", "enable-linger" },
    { file_runtime_dir, "runtime-dir", RN_DOCTOR_DEGRADED, RN_WHO_YOU,
      "not a directory", "XDG_RUNTIME_DIR=" },
    { foreign_runtime_dir, "runtime-dir", RN_DOCTOR_DEGRADED, RN_WHO_YOU,
      "belongs to uid 0, not to 1000", "su or sudo" },
    { open_runtime_dir, "runtime-dir", RN_DOCTOR_DEGRADED, RN_WHO_YOU,
      "mode 0755", "chmod 0700 /run/user/1000" },
    { few_files, "open-files", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "1024",
      "web hard nofile" },
    { no_mounts, "mounts", RN_DOCTOR_MISSING, RN_WHO_OUTSIDE, "bind mount",
      "pivot_root" },
    { no_mounts, "overlay", RN_DOCTOR_UNTRIED, RN_WHO_NOBODY,
      "not tried without mounts", NULL },
    { filtered_hostname, "hostname", RN_DOCTOR_MISSING, RN_WHO_OUTSIDE,
      "host name", "seccomp=unconfined" },
    { few_mounts, "mount-limit", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "is 100",
      "sysctl -w fs.mount-max=100000" },
    { unknown_namespaces, "mount-limit", RN_DOCTOR_FINE, RN_WHO_NOBODY,
      "not known", NULL },
    { hidden_proc, "proc-mount", RN_DOCTOR_MISSING, RN_WHO_OUTSIDE, "proc",
      "unmask=ALL" },
    { hidden_sysfs, "sysfs-mount", RN_DOCTOR_DEGRADED, RN_WHO_OUTSIDE, "sysfs",
      "--privileged" },
    { no_overlay, "overlay", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "overlay",
      "modprobe overlay" },
    { no_idmaps, "idmapped-mounts", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "map the",
      "6.3" },
    { dying_seccomp, "seccomp", RN_DOCTOR_MISSING, RN_WHO_ROOT, "signal 31",
      "CONFIG_SECCOMP_FILTER" },
    { no_notify, "seccomp-notify", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "load",
      "Linux 5.0" },
    { no_landlock, "landlock", RN_DOCTOR_DEGRADED, RN_WHO_ROOT, "not built",
      "lsm=" },
};

static void judge_a_good_host_is_fine(void **state)
{
    g_auto(RnDoctorFacts) facts = { 0 };
    g_autoptr(GPtrArray) checks = NULL;

    (void)state;
    doctor_make_facts(&facts);
    checks = rn_doctor_judge(&facts);
    assert_true(checks->len > 25);
    doctor_assert_whole(checks);
    for (guint i = 0; i < checks->len; i++) {
        const RnDoctorCheck *check = g_ptr_array_index(checks, i);

        if (check->state != RN_DOCTOR_FINE)
            fail_msg("%s: %s", check->name, check->detail);
    }
    assert_int_equal(rn_doctor_state(checks), RN_DOCTOR_FINE);
}
static void judge_each_fact_its_verdict(void **state)
{
    (void)state;
    doctor_assert_cases(cases, G_N_ELEMENTS(cases));
}

/* Nothing was found out at all: verdicts, but no crash. */
static void judge_without_facts_has_verdicts(void **state)
{
    const RnDoctorFacts facts = { 0 };
    g_autoptr(GPtrArray) checks = rn_doctor_judge(&facts);

    (void)state;
    doctor_assert_whole(checks);
    assert_int_equal(doctor_find_check(checks, "overlay")->state,
                     RN_DOCTOR_UNTRIED);
    assert_int_equal(doctor_find_check(checks, "low-ports")->state,
                     RN_DOCTOR_UNTRIED);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge_a_good_host_is_fine),
        cmocka_unit_test(judge_each_fact_its_verdict),
        cmocka_unit_test(judge_without_facts_has_verdicts),
    };

    return cmocka_run_group_tests_name("doctor-host", tests, NULL, NULL);
}
