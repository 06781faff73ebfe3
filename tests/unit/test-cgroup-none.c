/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup: where there is none, and records that are none
 */
#include "config.h"

#include "cgroup-made.h"
#include "cgroup-world.h"

#include <rnet/runtime/cgroup.h>

#include "in-child.h"

static const char *ask_as_user(void *data)
{
    g_auto(RnResources) resources = { 0 };
    RnCgroupRequest request = { .id = "x",
                                .resources = &resources,
                                .has_userns = true };
    const RnDeviceRule deny = { .type = 'a', .major = -1, .minor = -1 };
    g_autoptr(GError) error = NULL;
    g_autoptr(RnCgroup) cgroup = NULL;
    g_autoptr(RnCgroup) limited = NULL;
    pid_t pid = cgroup_world_spawn();

    (void)data;
    rn_resources_init(&resources);
    add_rule(&resources, deny);
    cgroup = make_cgroup(&request, pid, &error);
    if (cgroup != NULL && !rn_cgroup_exists(cgroup)) {
        resources.memory.limit = give(64 << 20);
        limited = make_cgroup(&request, pid, &error);
    }
    (void)cgroup_world_end(pid);
    if (cgroup == NULL)
        return g_strdup(error->message);
    if (rn_cgroup_exists(cgroup))
        return rn_cgroup_remove(cgroup, NULL) ? NULL : "not removed";
    if (limited != NULL)
        return "a limit was dropped";
    return strstr(error->message, "linux.resources.memory.limit: ") != NULL &&
                   strstr(error->message, "\nhint: ") != NULL
               ? NULL
               : g_strdup(error->message);
}

static void user_goes_without_unless_a_limit_is_asked_for(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); /* the same program runs as an ordinary user, too */
    run_in_child(ask_as_user, NULL);
}

static void disabled_refuses_limits_and_nothing_else(void **state)
{
    g_auto(RnResources) resources = { 0 };
    const RnCgroupRequest request = { .manager = RN_CGROUP_MANAGER_DISABLED,
                                      .id = "x",
                                      .resources = &resources,
                                      .has_userns = true };
    const RnDeviceRule deny = { .type = 'a', .major = -1, .minor = -1 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) refusal = NULL;
    g_autoptr(GError) unfrozen = NULL;
    g_autoptr(RnCgroup) cgroup = NULL;

    (void)state;
    rn_resources_init(&resources);
    add_rule(&resources, deny);
    resources.memory.limit = give(-1);
    cgroup = make_cgroup(&request, getpid(), &error);
    assert_no_error(error);
    assert_false(rn_cgroup_exists(cgroup));
    assert_true(rn_cgroup_add(cgroup, getpid(), &error));
    assert_true(rn_cgroup_signal(cgroup, SIGTERM, &error));
    assert_true(rn_cgroup_remove(cgroup, &error));
    assert_false(rn_cgroup_is_frozen(cgroup));
    assert_false(rn_cgroup_set_frozen(cgroup, true, &unfrozen));
    assert_error(unfrozen, RN_ERROR, RN_ERROR_UNSUPPORTED, "no cgroup");
    resources.pids_limit = give(5);
    assert_null(make_cgroup(&request, getpid(), &refusal));
    assert_error(refusal, RN_ERROR, RN_ERROR_UNSUPPORTED,
                 "linux.resources.pids.limit");
}

static void from_json_malformed_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"parts\": 1}",
        "{\"parts\": [{}]}",
        "{\"parts\": [{\"version\": 3, \"controllers\": [], \"mount\": \"/c\","
        " \"path\": \"/a\"}]}",
        "{\"parts\": [{\"version\": 2, \"controllers\": [1], \"mount\":"
        " \"/c\", \"path\": \"/a\"}]}",
        "{\"parts\": [{\"version\": 2, \"controllers\": [], \"mount\": \"c\","
        " \"path\": \"/a\"}]}",
        "{\"parts\": [{\"version\": 2, \"controllers\": [], \"mount\": \"/c\","
        " \"path\": \"/a/../..\"}]}",
        "{\"parts\": [{\"version\": 2, \"controllers\": [], \"mount\": \"/c\","
        " \"path\": \"/\"}]}",
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        json_t *json = json_loads(texts[i], 0, NULL);

        assert_non_null(json);
        if (rn_cgroup_from_json(json, &error) != NULL)
            fail_msg("%s was taken", texts[i]);
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, "record of a cgroup");
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_goes_without_unless_a_limit_is_asked_for),
        cmocka_unit_test(disabled_refuses_limits_and_nothing_else),
        cmocka_unit_test(from_json_malformed_refused),
    };

    return cmocka_run_group_tests_name("cgroup-none", tests, NULL, NULL);
}
