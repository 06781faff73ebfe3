/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.sysctl: which names are taken, and what a container then has. */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <sched.h>

#include <rnet/runtime/sysctls.h>

#include "fake-launcher.h"

static void name_in_either_spelling_is_a_path(void **state)
{
    static const char *const cases[][2] = {
        { "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
        { "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
        { "net.ipv4.conf.eth0/1.forwarding",
          "net/ipv4/conf/eth0.1/forwarding" },
        { "net/ipv4/conf/eth0.1/forwarding",
          "net/ipv4/conf/eth0.1/forwarding" },
        { "kernel", "kernel" },
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = rn_sysctl_path(cases[i][0], &error);

        assert_no_error(error);
        assert_string_equal(path, cases[i][1]);
    }
}

static void name_that_leads_elsewhere_is_refused(void **state)
{
    static const char *const names[] = {
        "",       "/",         "/kernel/x",   "kernel//x",    "kernel/",
        "net...", "net/../vm", "net.//.vm.x", "net/./ipv4/x", ".net.x",
    };
    g_autofree char *too_long = g_strnfill(RN_SYSCTL_NAME_MAX + 1, 'x');

    (void)state;
    for (unsigned i = 0; i <= G_N_ELEMENTS(names); i++) {
        const char *name = i < G_N_ELEMENTS(names) ? names[i] : too_long;
        g_autoptr(GError) error = NULL;

        if (rn_sysctl_path(name, &error) != NULL)
            fail_msg("took \"%s\"", name);
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, "is not a kernel");
    }
}

typedef struct CheckCase {
    const char *name;
    uint64_t namespaces; /* new ones */
    uint64_t join;       /* one of path */
    const char *path;
    const char *refusal; /* NULL: taken */
} CheckCase;

static const CheckCase check_cases[] = {
    { "net.core.somaxconn", CLONE_NEWNET, 0, NULL, NULL },
    { "net.core.somaxconn", CLONE_NEWIPC, 0, NULL, "no network namespace" },
    { "net.core.somaxconn", 0, CLONE_NEWNET, "/proc/self/ns/net",
      "no network namespace" },
    /* stands for another one */
    { "net.core.somaxconn", 0, CLONE_NEWNET, "/proc/self/ns/ipc", NULL },
    { "kernel.shmmax", CLONE_NEWIPC, 0, NULL, NULL },
    { "kernel/sem", CLONE_NEWIPC, 0, NULL, NULL },
    { "fs.mqueue.msg_max", CLONE_NEWIPC, 0, NULL, NULL },
    { "fs.mqueue.msg_max", CLONE_NEWNET, 0, NULL, "no ipc namespace" },
    { "kernel.domainname", CLONE_NEWUTS, 0, NULL, NULL },
    { "kernel.domainname", CLONE_NEWIPC, 0, NULL, "no uts namespace" },
    { "kernel.hostname", CLONE_NEWUTS, 0, NULL, "is what \"hostname\"" },
    { "kernel.shmmaxx", CLONE_NEWIPC, 0, NULL, "belongs to no namespace" },
    { "kernel.core_pattern", ~UINT64_C(0), 0, NULL, "belongs to no namespace" },
    { "vm.swappiness", ~UINT64_C(0), 0, NULL, "belongs to no namespace" },
    { "netx.y", CLONE_NEWNET, 0, NULL, "belongs to no namespace" },
};

static void check_case(const CheckCase *item)
{
    RnSysctl sysctl = { (char *)item->name, (char *)"1" };
    RnJoin join = { item->join, (char *)item->path };
    RnConfig config = { 0 };
    RnPlan plan = { .config = &config, .namespaces = item->namespaces };
    g_autoptr(GPtrArray) sysctls = g_ptr_array_new();
    g_autoptr(GPtrArray) joins = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(sysctls, &sysctl);
    if (item->join != 0)
        g_ptr_array_add(joins, &join);
    config.sysctls = sysctls;
    plan.joins = joins;
    if (item->refusal == NULL) {
        assert_true(rn_sysctls_check(&plan, &error));
        assert_no_error(error);
        return;
    }
    assert_false(rn_sysctls_check(&plan, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, item->refusal);
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, item->name);
}

static void only_parameters_of_own_namespaces_are_taken(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(check_cases); i++) {
        print_message("# %s %u\n", check_cases[i].name, i);
        check_case(&check_cases[i]);
    }
}

static void parameters_are_the_containers_alone(void **state)
{
    static const Container container = {
        .script = "cat /proc/sys/net/ipv4/ip_forward "
                  "/proc/sys/kernel/shm_rmid_forced "
                  "/proc/sys/net/core/somaxconn /proc/sys/kernel/domainname; "
                  "(echo 0 >/proc/sys/net/ipv4/ip_forward) 2>&1 | "
                  "grep -c Read-only",
        .kernel = ",\"readonlyPaths\":[\"/proc/sys\"],\"sysctl\":{"
                  "\"net.ipv4.ip_forward\":\"1\","
                  "\"kernel/shm_rmid_forced\":\"1\","
                  "\"net/core/somaxconn\":\"321\","
                  "\"kernel.domainname\":\"some.where\"}",
    };
    g_auto(Outcome) outcome = { 0 };
    g_autofree char *text = NULL;

    (void)state;
    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    assert_string_equal(outcome.output, "1\n1\n321\nsome.where\n1\n");
    assert_true(
        g_file_get_contents("/proc/sys/net/core/somaxconn", &text, NULL, NULL));
    assert_string_not_equal(text, "321\n");
}

static void parameter_that_cannot_be_set_is_named(void **state)
{
    static const Container missing = {
        .script = "",
        .kernel = ",\"sysctl\":{\"net.ipv4.no_such\":\"1\"}",
    };
    static const Container wrong = {
        .script = "",
        .kernel = ",\"sysctl\":{\"net.ipv4.ip_forward\":\"yes\"}",
    };
    g_auto(Outcome) outcome = { 0 };
    g_auto(Outcome) other = { 0 };

    (void)state;
    container_run(&missing, &outcome);
    assert_error(outcome.failure, RN_ERRNO, ENOENT,
                 "linux.sysctl: \"net.ipv4.no_such\": open");
    container_run(&wrong, &other);
    assert_error(other.failure, RN_ERRNO, EINVAL,
                 "linux.sysctl: \"net.ipv4.ip_forward\": write \"yes\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_in_either_spelling_is_a_path),
        cmocka_unit_test(name_that_leads_elsewhere_is_refused),
        cmocka_unit_test(only_parameters_of_own_namespaces_are_taken),
        cmocka_unit_test(parameters_are_the_containers_alone),
        cmocka_unit_test(parameter_that_cannot_be_set_is_named),
    };

    return cmocka_run_group_tests_name("sysctls", tests, NULL, NULL);
}
