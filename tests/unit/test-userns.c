/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userns: each cause of a refused user namespace is told apart, and none is
 * named that the facts do not show
 */
#include "config.h"

#include <errno.h>

#include <linux/sched.h>

#include <unit.h>

#include <rnet/sys/caps.h>
#include <rnet/sys/confine.h>
#include <rnet/sys/process.h>
#include <rnet/sys/userns.h>

#include "in-child.h"

static const int zero = 0;
static const int one = 1;

/* How a case differs from a system that has nothing against user namespaces. */
typedef struct Difference {
    bool unsupported, privileged, chrooted, unmapped, filtered;
    const char *exhausted;
    const int *userns_clone, *apparmor; /* NULL: no such sysctl */
} Difference;

static RnUsernsFacts make_facts(const Difference *difference)
{
    return (RnUsernsFacts){
        .supported = !difference->unsupported,
        .privileged = difference->privileged,
        .chrooted = difference->chrooted,
        .ids_mapped = !difference->unmapped,
        .filtered = difference->filtered,
        .exhausted = difference->exhausted,
        .max_user_namespaces = 1000,
        .unprivileged_userns_clone =
            difference->userns_clone == NULL ? -1 : *difference->userns_clone,
        .apparmor_restriction =
            difference->apparmor == NULL ? -1 : *difference->apparmor,
    };
}

typedef struct JudgeCase {
    const char *name;
    int errno_value;
    Difference difference;
    const char *text;
    const char *hint; /* "": none */
} JudgeCase;

static const JudgeCase cases[] = {
    { "open", EPERM, { 0 }, "create a user namespace: Oper", "" },
    { "limit 0",
      ENOSPC,
      { .exhausted = "user.max_user_namespaces" },
      "user.max_user_namespaces is 0",
      "sysctl -w user.max_user_namespaces=" },
    { "another kind's limit 0",
      ENOSPC,
      { .exhausted = "user.max_net_namespaces" },
      "user.max_net_namespaces is 0",
      "sysctl -w user.max_net_namespaces=" },
    { "limit reached", ENOSPC, { 0 }, "limit of 1000", "raise" },
    { "not built in",
      EINVAL,
      { .unsupported = true },
      "without user namespaces",
      "CONFIG_USER_NS" },
    { "EINVAL for another reason",
      EINVAL,
      { 0 },
      "create a user namespace: Inv",
      "" },
    { "Debian's sysctl",
      EPERM,
      { .userns_clone = &zero },
      "kernel.unprivileged_userns_clone is 0",
      "sysctl -w kernel.unprivileged_userns_clone=1" },
    { "Debian's sysctl is open",
      EPERM,
      { .userns_clone = &one },
      "create a user namespace: Oper",
      "" },
    { "sysctls do not bind root",
      EPERM,
      { .userns_clone = &zero, .apparmor = &one, .privileged = true },
      "create a user namespace: Oper",
      "" },
    { "AppArmor, EPERM",
      EPERM,
      { .apparmor = &one },
      "kernel.apparmor_restrict_unprivileged_userns",
      "AppArmor profile" },
    { "AppArmor, EACCES",
      EACCES,
      { .apparmor = &one },
      "kernel.apparmor_restrict_unprivileged_userns",
      "AppArmor profile" },
    { "chroot", EPERM, { .chrooted = true }, "in a chroot", "outside" },
    { "ids not mapped",
      EPERM,
      { .unmapped = true },
      "not mapped in its own user namespace",
      "outer container" },
    { "filter, EPERM",
      EPERM,
      { .filtered = true },
      "seccomp filter",
      "--security-opt seccomp=unconfined" },
    { "filter, as it answers clone3",
      ENOSYS,
      { .filtered = true },
      "seccomp filter",
      "--security-opt seccomp=unconfined" },
    { "old kernel", ENOSYS, { 0 }, "no clone3", "5.3" },
    { "certain before guess",
      EPERM,
      { .userns_clone = &zero, .chrooted = true, .filtered = true },
      "kernel.unprivileged_userns_clone is 0",
      "sysctl" },
    { "errno of no known cause",
      EAGAIN,
      { .filtered = true },
      "create a user namespace: Res",
      "" },
};

static void judge_each_cause_named(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const RnUsernsFacts facts = make_facts(&cases[i].difference);
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        g_autofree char *hint = NULL;

        if (rn_userns_judge(cases[i].errno_value, &facts, &error))
            fail_msg("%s: no error", cases[i].name);
        assert_error(error, RN_ERRNO, cases[i].errno_value, cases[i].text);
        text = rn_error_split(error, &hint);
        if ((cases[i].hint[0] == '\0') != (hint == NULL))
            fail_msg("%s: hint \"%s\"", cases[i].name,
                     hint == NULL ? "" : hint);
        if (hint != NULL && strstr(hint, cases[i].hint) == NULL)
            fail_msg("%s: hint \"%s\"", cases[i].name, hint);
    }
}

static void explain_on_this_system_keeps_errno(void **state)
{
    static const int errno_values[] = { EPERM, ENOSPC, EINVAL, ENOSYS };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(errno_values); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(rn_userns_explain(errno_values[i], &error));
        assert_error(error, RN_ERRNO, errno_values[i],
                     "create a user namespace: ");
        /* the tests run on a real root, and on a kernel that has them */
        assert_null(strstr(error->message, "chroot"));
        assert_null(strstr(error->message, "without user namespaces"));
    }
}

/* As inside a container engine whose filter has no clone3 for us. */
static const char *clone_under_filter(void *data)
{
    static const char *const calls[] = {
        "access", "brk",     "capget",  "close", "faccessat", "faccessat2",
        "fstat",  "getegid", "geteuid", "mmap",  "munmap",    "newfstatat",
        "openat", "prctl",   "read",    "write", NULL,
    };
    g_autoptr(GError) setup = NULL;
    g_autoptr(GError) cloning = NULL;
    g_autoptr(GError) error = NULL;
    pid_t pid = -1;
    int pidfd = -1;

    (void)data;
    if (!rn_caps_confine(0, &setup) || !rn_seccomp_allow_only(calls, &setup))
        return g_strdup(setup->message);
    if (rn_clone(CLONE_NEWUSER, &pid, &pidfd, &cloning))
        return "cloned";
    (void)rn_userns_explain(cloning->code, &error);
    return strstr(error->message, "a seccomp filter refuses it") != NULL
               ? NULL
               : g_strdup(error->message);
}

static void explain_under_a_filter_names_it(void **state)
{
    (void)state;
    run_in_child(clone_under_filter, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge_each_cause_named),
        cmocka_unit_test(explain_on_this_system_keeps_errno),
        cmocka_unit_test(explain_under_a_filter_names_it),
    };

    return cmocka_run_group_tests_name("userns", tests, NULL, NULL);
}
