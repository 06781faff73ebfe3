/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-dir: real cgroups, of v2 in a mount namespace of its own and of v1's
 * freezer where this host has it; root only
 */
#include "config.h"

#include "cgroup-world.h"

#include <rnet/sys/cgroup-dir.h>
#include <rnet/sys/cgroup-layout.h>

#include "in-child.h"

enum {
    DEPTH = 40, /* of cgroups below each other */
};

static void require_root(void)
{
    if (geteuid() != 0)
        skip(); /* root runs it, too */
}

/* v1's freezer on this host, the caller's, or NULL. */
static char *find_freezer(void)
{
    g_autoptr(GPtrArray) layout = rn_cgroup_layout_load(NULL);

    for (unsigned i = 0; layout != NULL && i < layout->len; i++) {
        const RnCgroupHierarchy *hierarchy = g_ptr_array_index(layout, i);

        if (hierarchy->version == 1 &&
            g_strv_contains((const char *const *)hierarchy->controllers,
                            "freezer"))
            return g_strdup(hierarchy->mount_point);
    }
    return NULL;
}

static bool has_pid(const char *path, pid_t pid)
{
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));

    if (!rn_cgroup_dir_processes(path, pids, NULL))
        return false;
    for (unsigned i = 0; i < pids->len; i++) {
        if (g_array_index(pids, pid_t, i) == pid)
            return true;
    }
    return false;
}

typedef struct Host {
    unsigned version;
    char *path; /* of the cgroup to work with */
} Host;

static const char *freeze_and_kill(const Host *host, pid_t pid)
{
    g_autoptr(GError) error = NULL;
    int status = 0;

    if (!rn_cgroup_dir_make(host->path, NULL, &error) ||
        !rn_cgroup_dir_attach(host->path, pid, &error))
        return g_strdup(error->message);
    if (!has_pid(host->path, pid))
        return "the process is not listed";
    if (rn_cgroup_dir_is_frozen(host->path, host->version))
        return "frozen at the start";
    if (!rn_cgroup_dir_set_frozen(host->path, host->version, true, &error))
        return g_strdup(error->message);
    if (!rn_cgroup_dir_is_frozen(host->path, host->version))
        return "not frozen";
    if (!rn_cgroup_dir_set_frozen(host->path, host->version, false, &error))
        return g_strdup(error->message);
    if (rn_cgroup_dir_is_frozen(host->path, host->version))
        return "still frozen";
    if (!rn_cgroup_dir_set_frozen(host->path, host->version, true, &error) ||
        !rn_cgroup_dir_kill(host->path, host->version, &error))
        return g_strdup(error->message);
    if (waitpid(pid, &status, WNOHANG) != pid)
        return "a frozen process was not killed";
    if (!rn_cgroup_dir_remove(host->path, &error) ||
        !rn_cgroup_dir_remove(host->path, &error))
        return g_strdup(error->message);
    return access(host->path, F_OK) == 0 ? "not removed" : NULL;
}

static const char *remove_deep(const Host *host)
{
    g_autoptr(GString) path = g_string_new(host->path);
    g_autoptr(GError) busy = NULL;
    g_autoptr(GError) error = NULL;
    pid_t pid = cgroup_world_spawn();
    const char *failure = NULL;

    for (int i = 0; i < DEPTH; i++) {
        if (!rn_cgroup_dir_make(path->str, NULL, &error))
            return g_strdup(error->message);
        g_string_append(path, "/a-name-that-makes-the-path-rather-long");
    }
    g_string_truncate(path, path->len - strlen("/a-name-that-makes-the-path-"
                                               "rather-long"));
    if (!rn_cgroup_dir_attach(path->str, pid, &error))
        return g_strdup(error->message);
    if (!has_pid(host->path, pid))
        failure = "the process at the bottom is not listed";
    if (rn_cgroup_dir_remove(host->path, &busy) ||
        !rn_error_is_errno(busy, EBUSY))
        failure = "one with a process was removed";
    if (!rn_cgroup_dir_kill(host->path, host->version, &error) ||
        !rn_cgroup_dir_remove(host->path, &error))
        failure = g_strdup(error->message);
    if (WTERMSIG(cgroup_world_end(pid)) != SIGKILL)
        failure = "the process was not killed";
    return access(host->path, F_OK) == 0 ? "not removed" : failure;
}

static const char *signal_all(const Host *host)
{
    g_autofree char *below = g_build_filename(host->path, "below", NULL);
    pid_t pids[2] = { cgroup_world_spawn(), cgroup_world_spawn() };
    g_autoptr(GError) error = NULL;
    const char *failure = NULL;

    if (!rn_cgroup_dir_make(host->path, NULL, &error) ||
        !rn_cgroup_dir_make(below, NULL, &error) ||
        !rn_cgroup_dir_attach(host->path, pids[0], &error) ||
        !rn_cgroup_dir_attach(below, pids[1], &error) ||
        !rn_cgroup_dir_signal(host->path, SIGUSR1, &error))
        return g_strdup(error->message);
    for (int i = 0; i < 2; i++) {
        int status = 0;

        if (waitpid(pids[i], &status, 0) != pids[i] || !WIFSIGNALED(status) ||
            WTERMSIG(status) != SIGUSR1)
            failure = "another signal";
    }
    if (!rn_cgroup_dir_remove(host->path, &error))
        failure = g_strdup(error->message);
    return failure;
}

static const char *use_host(const Host *host)
{
    const char *failure = freeze_and_kill(host, cgroup_world_spawn());

    if (failure == NULL)
        failure = remove_deep(host);
    return failure != NULL ? failure : signal_all(host);
}

static const char *use_v2(void *data)
{
    g_autofree char *name = cgroup_world_name();
    const Host host = { 2, g_build_filename("/sys/fs/cgroup", name, NULL) };
    const char *failure = cgroup_world_enter_v2();

    (void)data;
    return failure != NULL ? failure : use_host(&host);
}

static void v2_freezes_kills_lists_and_removes(void **state)
{
    (void)state;
    require_root();
    run_in_child(use_v2, NULL);
}

static const char *use_v1(void *data)
{
    g_autofree char *name = cgroup_world_name();
    const Host host = { 1, g_build_filename(data, name, NULL) };

    return use_host(&host);
}

static void v1_freezes_kills_lists_and_removes(void **state)
{
    g_autofree char *freezer = NULL;

    (void)state;
    require_root();
    freezer = find_freezer();
    if (freezer == NULL)
        skip_unless_required("cgroup v1's freezer");
    run_in_child(use_v1, freezer);
}

static void processes_of_a_missing_one_are_none(void **state)
{
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(rn_cgroup_dir_processes("/nowhere/at/all", pids, &error));
    assert_true(rn_cgroup_dir_signal("/nowhere/at/all", SIGTERM, &error));
    assert_true(rn_cgroup_dir_kill("/nowhere/at/all", 1, &error));
    assert_true(rn_cgroup_dir_kill("/nowhere/at/all", 2, &error));
    assert_true(rn_cgroup_dir_remove("/nowhere/at/all", &error));
    assert_false(rn_cgroup_dir_is_frozen("/nowhere/at/all", 1));
    assert_int_equal(pids->len, 0);
    assert_no_error(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v2_freezes_kills_lists_and_removes),
        cmocka_unit_test(v1_freezes_kills_lists_and_removes),
        cmocka_unit_test(processes_of_a_missing_one_are_none),
    };

    return cmocka_run_group_tests_name("cgroup-dir", tests, NULL, NULL);
}
