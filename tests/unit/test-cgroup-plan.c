/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-plan: where a cgroup is to be, before it is made; on v2, as root
 */
#include "config.h"

#include "cgroup-made.h"
#include "cgroup-world.h"

#include <unistd.h>

#include <sys/stat.h>

#include "in-child.h"

static const char *remove_plans(const RnCgroupRequest *request,
                                const char *directory, pid_t pid)
{
    g_autoptr(RnCgroup) planned = rn_cgroup_plan(request, NULL);
    g_autoptr(RnCgroup) made = NULL;
    g_autoptr(GArray) pids = NULL;

    planned = reload(g_steal_pointer(&planned), NULL);
    if (rn_cgroup_exists(planned))
        return "there before it is made";
    if (mkdir(directory, 0755) < 0 || !rn_cgroup_remove(planned, NULL) ||
        access(directory, F_OK) == 0)
        return "half made, and not removed";
    made = make_cgroup(request, pid, NULL);
    if (made == NULL || !rn_cgroup_remove(planned, NULL) ||
        !rn_cgroup_processes(made, &pids, NULL) || pids->len != 1)
        return "another's, and removed";
    return rn_cgroup_remove(made, NULL) ? NULL : "not removed";
}

/* The launcher was killed while it made it, or before it was refused. */
static const char *abandon_plan(void *data)
{
    g_auto(RnResources) resources = { 0 };
    g_autofree char *name = cgroup_world_name();
    g_autofree char *path = g_strdup_printf("/%s", name);
    g_autofree char *directory = g_build_filename("/sys/fs/cgroup", name, NULL);
    const RnCgroupRequest request = { .id = name,
                                      .path = path,
                                      .resources = &resources };
    const char *failure = cgroup_world_enter_v2();
    pid_t pid = cgroup_world_spawn();

    (void)data;
    rn_resources_init(&resources);
    if (failure == NULL)
        failure = remove_plans(&request, directory, pid);
    (void)cgroup_world_end(pid);
    return failure;
}

static void v2_plan_abandoned_leaves_nothing_and_others_alone(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* root runs it, too */
    run_in_child(abandon_plan, NULL);
}

static const char *compare_two(RnCgroup *first, RnCgroup *second, pid_t pid)
{
    g_autoptr(GArray) pids = NULL;

    if (!rn_cgroup_remove(first, NULL))
        return "the first is not removed";
    if (!rn_cgroup_processes(second, &pids, NULL) || pids->len != 1 ||
        g_array_index(pids, pid_t, 0) != pid)
        return "the second lost its process";
    return rn_cgroup_remove(second, NULL) ? NULL : "the second is not removed";
}

/* Of two state directories, say. The longest name that one can have. */
static const char *make_two(void *data)
{
    g_auto(RnResources) resources = { 0 };
    g_autofree char *id = g_strnfill(255, 'a');
    const RnCgroupRequest request = { .id = id, .resources = &resources };
    g_autoptr(GError) error = NULL;
    g_autoptr(RnCgroup) first = NULL;
    g_autoptr(RnCgroup) second = NULL;
    const char *failure = cgroup_world_enter_v2();
    const pid_t pids[] = { cgroup_world_spawn(), cgroup_world_spawn() };

    (void)data;
    rn_resources_init(&resources);
    if (failure == NULL)
        first = make_cgroup(&request, pids[0], &error);
    if (first != NULL)
        second = make_cgroup(&request, pids[1], &error);
    if (second != NULL)
        failure = compare_two(first, second, pids[1]);
    else if (failure == NULL)
        failure = g_strdup(error->message);
    (void)cgroup_world_end(pids[0]);
    (void)cgroup_world_end(pids[1]);
    return failure;
}

static void v2_names_alike_make_two_cgroups(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* root runs it, too */
    run_in_child(make_two, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v2_plan_abandoned_leaves_nothing_and_others_alone),
        cmocka_unit_test(v2_names_alike_make_two_cgroups),
    };

    return cmocka_run_group_tests_name("cgroup-plan", tests, NULL, NULL);
}
