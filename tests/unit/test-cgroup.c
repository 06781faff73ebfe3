/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup: whole cgroups of containers, on this host's hierarchies and on v2
 * alone; as root
 */
#include "config.h"

#include "cgroup-made.h"
#include "cgroup-world.h"

#include <rnet/runtime/cgroup.h>
#include <rnet/sys/cgroup-dir.h>
#include <rnet/sys/cgroup-layout.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "in-child.h"

/* The mount point of a v1 controller of this host, the caller's, or NULL. */
static char *find_v1(const char *controller)
{
    g_autoptr(GPtrArray) layout = rn_cgroup_layout_load(NULL);

    for (unsigned i = 0; layout != NULL && i < layout->len; i++) {
        const RnCgroupHierarchy *hierarchy = g_ptr_array_index(layout, i);

        if (hierarchy->version == 1 &&
            g_strv_contains((const char *const *)hierarchy->controllers,
                            controller))
            return g_strdup(hierarchy->mount_point);
    }
    return NULL;
}

/* The value of a file of a container's cgroup in v1. */
static char *read_v1(const char *controller, const char *path, const char *file)
{
    g_autofree char *mount = find_v1(controller);
    g_autofree char *directory = g_build_filename(mount, path, NULL);
    char *text = NULL;

    if (!rn_cgroup_dir_read(directory, file, &text, NULL))
        return g_strdup("(missing)");
    return text;
}

static const char *expect_v1(const char *controller, const char *path,
                             const char *file, const char *expected)
{
    g_autofree char *text = read_v1(controller, path, file);

    if (strcmp(text, expected) == 0)
        return NULL;
    return g_strdup_printf("%s is \"%s\", not \"%s\"", file, text, expected);
}

typedef struct Expected {
    const char *controller, *file, *value;
} Expected;

static const char *expect_all_v1(const char *path, const Expected *expected,
                                 unsigned n_expected)
{
    for (unsigned i = 0; i < n_expected; i++) {
        const char *failure = expect_v1(expected[i].controller, path,
                                        expected[i].file, expected[i].value);

        if (failure != NULL)
            return failure;
    }
    return NULL;
}

static void fill_limits(RnResources *resources)
{
    rn_resources_init(resources);
    resources->memory.limit = give(64 << 20);
    resources->memory.swap = give(96 << 20);
    resources->cpu.shares = give(512);
    resources->cpu.quota = give(20000);
    resources->cpu.period = give(50000);
    resources->pids_limit = give(20);
}

static const char *update_v1(const RnCgroup *cgroup, const char *path,
                             GError **error)
{
    static const Expected raised[] = {
        { "memory", "memory.limit_in_bytes", "134217728" },
        { "memory", "memory.memsw.limit_in_bytes", "268435456" },
        { "cpu", "cpu.shares", "512" },
        { "cpu", "cpu.cfs_quota_us", "-1" },
        { "pids", "pids.max", "max" },
    };
    static const Expected lowered[] = {
        { "memory", "memory.limit_in_bytes", "33554432" },
        { "memory", "memory.memsw.limit_in_bytes", "50331648" },
    };
    g_auto(RnResources) resources = { 0 };
    const char *failure = NULL;

    rn_resources_init(&resources);
    resources.memory.limit = give(128 << 20);
    resources.memory.swap = give(256 << 20);
    resources.cpu.quota = give(-1);
    resources.pids_limit = give(-1);
    if (!rn_cgroup_update(cgroup, &resources, error))
        return (*error)->message;
    failure = expect_all_v1(path, raised, G_N_ELEMENTS(raised));
    if (failure != NULL)
        return failure;
    resources.memory.limit = give(32 << 20);
    resources.memory.swap = give(48 << 20);
    if (!rn_cgroup_update(cgroup, &resources, error))
        return (*error)->message;
    return expect_all_v1(path, lowered, G_N_ELEMENTS(lowered));
}

static const char *control(RnCgroup *cgroup, pid_t pid, GError **error)
{
    g_autoptr(GArray) pids = NULL;

    if (!rn_cgroup_processes(cgroup, &pids, error))
        return (*error)->message;
    if (pids->len != 1 || g_array_index(pids, pid_t, 0) != pid)
        return "other processes";
    if (!rn_cgroup_set_frozen(cgroup, true, error))
        return (*error)->message;
    if (!rn_cgroup_is_frozen(cgroup))
        return "not frozen";
    if (!rn_cgroup_signal(cgroup, SIGKILL, error))
        return (*error)->message;
    if (WTERMSIG(cgroup_world_end(pid)) != SIGKILL)
        return "not killed";
    return rn_cgroup_remove(cgroup, error) ? NULL : (*error)->message;
}

/* A number in the statistics, by its path ("memory.usage.limit"); -1: none. */
static json_int_t find_number(const json_t *stats, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);

    for (char **name = names; *name != NULL; name++)
        stats = json_object_get(stats, *name);
    return json_is_integer(stats) ? json_integer_value(stats) : -1;
}

static const char *check_stats(const RnCgroup *cgroup, GError **error)
{
    static const struct {
        const char *path;
        json_int_t value; /* -1: any */
    } numbers[] = {
        { "memory.usage.limit", 67108864 },
        { "memory.swap.limit", 100663296 },
        { "memory.usage.failcnt", 0 },
        { "memory.raw.cache", -1 },
        { "pids.limit", 20 },
        { "pids.current", 1 },
        { "cpu.usage.total", -1 },
        { "cpu.usage.kernel", -1 },
        { "cpu.throttling.periods", -1 },
    };
    json_t *stats = rn_cgroup_stats(cgroup, error);
    const char *failure = NULL;

    if (stats == NULL)
        return (*error)->message;
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        json_int_t value = find_number(stats, numbers[i].path);

        if (value < 0 || (numbers[i].value >= 0 && value != numbers[i].value))
            failure = numbers[i].path;
    }
    if (!json_is_array(json_object_get(json_object_get(stats, "blkio"),
                                       "ioServicedRecursive")) ||
        !json_is_null(json_object_get(stats, "network_interfaces")))
        failure = "blkio, network_interfaces";
    json_decref(stats);
    return failure;
}

static const char *live_on_v1(void *data)
{
    static const Expected first[] = {
        { "memory", "memory.limit_in_bytes", "67108864" },
        { "memory", "memory.memsw.limit_in_bytes", "100663296" },
        { "cpu", "cpu.shares", "512" },
        { "cpu", "cpu.cfs_quota_us", "20000" },
        { "cpu", "cpu.cfs_period_us", "50000" },
        { "pids", "pids.max", "20" },
    };
    g_auto(RnResources) resources = { 0 };
    g_autofree char *name = cgroup_world_name();
    g_autofree char *path = g_strdup_printf("/rnet-%s", name);
    const RnCgroupRequest request = { .id = "x",
                                      .path = path,
                                      .resources = &resources };
    g_autoptr(GError) error = NULL;
    g_autoptr(RnCgroup) cgroup = NULL;
    pid_t pid = cgroup_world_spawn();
    const char *failure = NULL;

    (void)data;
    fill_limits(&resources);
    cgroup = make_cgroup(&request, pid, &error);
    if (cgroup == NULL)
        return g_strdup(error->message);
    failure = expect_all_v1(path, first, G_N_ELEMENTS(first));
    cgroup = reload(g_steal_pointer(&cgroup), &error);
    if (failure == NULL)
        failure = check_stats(cgroup, &error);
    if (failure == NULL)
        failure = update_v1(cgroup, path, &error);
    if (failure == NULL)
        failure = control(cgroup, pid, &error);
    if (!rn_cgroup_remove(cgroup, NULL) && failure == NULL)
        failure = "not removed";
    if (failure == NULL)
        failure = expect_v1("memory", path, "cgroup.procs", "(missing)");
    return g_strdup(failure);
}

static void require_v1(void)
{
    bool is_here = false;
    char *memory = NULL;

    if (geteuid() != 0)
        skip(); /* root runs it, too */
    memory = find_v1("memory");
    is_here = memory != NULL;
    g_free(memory); /* skipping jumps past a clean-up */
    if (!is_here)
        skip_unless_required("cgroup v1's memory controller");
}

static void v1_life_with_limits_updates_and_pause(void **state)
{
    (void)state;
    require_v1();
    run_in_child(live_on_v1, NULL);
}

static bool can_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* Runs in a child in the cgroup: answers by its status what it can open. */
static int try_devices(const RnCgroup *cgroup)
{
    g_autoptr(GError) error = NULL;
    int ready[2] = { -1, -1 };
    char go = 0;
    int status = 0;
    pid_t pid = 0;

    if (pipe2(ready, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        if (read(ready[0], &go, 1) != 1)
            _exit(99);
        _exit((can_open("/dev/null") ? 1 : 0) |
              (can_open("/dev/kmsg") ? 2 : 0) |
              (can_open("/dev/full") ? 4 : 0));
    }
    if (!rn_cgroup_add(cgroup, pid, &error) || write(ready[1], "x", 1) != 1)
        (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *check_devices(const RnCgroup *cgroup, RnResources *resources,
                                 GError **error)
{
    const RnDeviceRule kmsg = {
        .allow = true, .type = 'c', .major = 1, .minor = 11
    };

    if (!can_open("/dev/kmsg"))
        return "/dev/kmsg is closed to this test";
    if (try_devices(cgroup) != 5)
        return "not the default devices alone";
    add_rule(resources, kmsg);
    if (!rn_cgroup_update(cgroup, resources, error))
        return (*error)->message;
    return try_devices(cgroup) == 7 ? NULL : "the update is not in force";
}

static const char *live_with_devices(void *data)
{
    const RnDeviceRule deny = { .type = 'a', .major = -1, .minor = -1 };
    g_auto(RnResources) resources = { 0 };
    g_autofree char *name = cgroup_world_name();
    const RnCgroupRequest request = { .id = name, .resources = &resources };
    g_autoptr(GError) error = NULL;
    g_autoptr(RnCgroup) cgroup = NULL;
    const char *failure = data != NULL ? cgroup_world_enter_v2() : NULL;
    pid_t pid = 0;

    if (failure != NULL)
        return failure;
    pid = cgroup_world_spawn();
    rn_resources_init(&resources);
    add_rule(&resources, deny);
    cgroup = make_cgroup(&request, pid, &error);
    if (cgroup == NULL)
        return g_strdup(error->message);
    if (!rn_cgroup_exists(cgroup))
        return "no cgroup";
    failure = check_devices(cgroup, &resources, &error);
    if (failure == NULL)
        failure = control(cgroup, pid, &error);
    failure = g_strdup(failure);
    (void)cgroup_world_end(pid);
    if (!rn_cgroup_remove(cgroup, NULL) && failure == NULL)
        failure = "not removed";
    return failure;
}

static void v2_life_with_device_rules_and_pause(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* root runs it, too */
    run_in_child(live_with_devices, (void *)"v2");
}

static void v1_life_with_device_rules_and_pause(void **state)
{
    (void)state;
    require_v1();
    run_in_child(live_with_devices, NULL);
}

static const char *fail_on_v2(void *data)
{
    g_auto(RnResources) resources = { 0 };
    g_autofree char *name = cgroup_world_name();
    g_autofree char *directory = g_strdup_printf("/sys/fs/cgroup/%s-up", name);
    g_autofree char *path = g_strdup_printf("/%s-up/%s", name, name);
    const RnCgroupRequest request = { .id = name,
                                      .path = path,
                                      .resources = &resources };
    g_autoptr(GError) error = NULL;
    g_autoptr(RnCgroup) cgroup = NULL;
    const char *failure = cgroup_world_enter_v2();
    pid_t pid = cgroup_world_spawn();

    (void)data;
    if (failure != NULL)
        return failure;
    rn_resources_init(&resources);
    resources.memory.swappiness = give(10);
    cgroup = make_cgroup(&request, pid, &error);
    if (WTERMSIG(cgroup_world_end(pid)) != SIGKILL)
        failure = "the process was hurt";
    if (cgroup != NULL)
        return "taken";
    if (!g_error_matches(error, RN_ERROR, RN_ERROR_UNSUPPORTED) ||
        strstr(error->message, "linux.resources.memory.swappiness: ") == NULL)
        return g_strdup(error->message);
    return access(directory, F_OK) == 0 ? "something is left" : failure;
}

static void v2_limit_that_is_not_there_fails_and_leaves_nothing(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* root runs it, too */
    run_in_child(fail_on_v2, NULL);
}

static const char *take_occupied(void *data)
{
    g_auto(RnResources) resources = { 0 };
    g_autofree char *name = cgroup_world_name();
    g_autofree char *path = g_strdup_printf("/%s", name);
    const RnCgroupRequest request = { .id = name,
                                      .path = path,
                                      .resources = &resources };
    g_autoptr(GError) error = NULL;
    g_autoptr(RnCgroup) cgroup = NULL;
    g_autoptr(RnCgroup) second = NULL;
    const char *failure = cgroup_world_enter_v2();
    pid_t pid = cgroup_world_spawn();

    (void)data;
    rn_resources_init(&resources);
    if (failure == NULL)
        cgroup = make_cgroup(&request, pid, &error);
    if (cgroup == NULL)
        return failure != NULL ? failure : g_strdup(error->message);
    second = make_cgroup(&request, pid, &error);
    if (second != NULL)
        failure = "taken twice";
    else if (!g_error_matches(error, RN_ERROR, RN_ERROR_EXISTS))
        failure = g_strdup(error->message);
    if (!rn_cgroup_remove(cgroup, NULL))
        failure = "not removed";
    (void)cgroup_world_end(pid);
    return failure;
}

static void v2_path_in_use_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* root runs it, too */
    run_in_child(take_occupied, NULL);
}

/* Clones a process into the cgroup, which has it then, and ends it. */
static const char *check_birth(RnCgroup *cgroup, const RnCgroupRequest *request,
                               GError **error)
{
    rn_autofd int cgroup_fd = rn_cgroup_open(cgroup);
    rn_autofd int pidfd = -1;
    g_autoptr(GArray) pids = NULL;
    const char *failure = NULL;
    pid_t pid = -1;

    if (cgroup_fd < 0)
        return "not opened";
    if (!rn_clone_into(0, cgroup_fd, &pid, &pidfd, error))
        return (*error)->message;
    if (pid == 0) {
        for (;;)
            (void)pause();
    }
    if (!rn_cgroup_processes(cgroup, &pids, error))
        failure = (*error)->message;
    else if (pids->len != 1 || g_array_index(pids, pid_t, 0) != pid)
        failure = "not born there";
    else if (!rn_cgroup_enter(cgroup, request, pid, true, error))
        failure = (*error)->message;
    (void)cgroup_world_end(pid);
    return failure;
}

static const char *be_born_inside(void *data)
{
    g_auto(RnResources) resources = { 0 };
    g_autofree char *name = cgroup_world_name();
    const RnCgroupRequest request = { .id = name, .resources = &resources };
    g_autoptr(GError) error = NULL;
    g_autoptr(RnCgroup) cgroup = NULL;
    const char *failure = cgroup_world_enter_v2();

    (void)data;
    rn_resources_init(&resources);
    if (failure != NULL)
        return failure;
    cgroup = rn_cgroup_plan(&request, &error);
    if (cgroup == NULL || !rn_cgroup_make(cgroup, &request, &error))
        return g_strdup(error->message);
    failure = g_strdup(check_birth(cgroup, &request, &error));
    return rn_cgroup_remove(cgroup, NULL) ? failure : "not removed";
}

static void v2_takes_a_process_at_its_birth(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* root runs it, too */
    run_in_child(be_born_inside, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v1_life_with_limits_updates_and_pause),
        cmocka_unit_test(v1_life_with_device_rules_and_pause),
        cmocka_unit_test(v2_life_with_device_rules_and_pause),
        cmocka_unit_test(v2_limit_that_is_not_there_fails_and_leaves_nothing),
        cmocka_unit_test(v2_path_in_use_refused),
        cmocka_unit_test(v2_takes_a_process_at_its_birth),
    };

    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
