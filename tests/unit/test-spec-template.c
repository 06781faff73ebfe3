/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-spec-template - the document that `rnet spec` writes
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <sched.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/spec-template.h>

#include "scratch.h"

static void init_facts(RnHostFacts *facts, uint32_t extra)
{
    const RnIdMapping range = { .host_id = 100000, .size = extra };

    *facts = (RnHostFacts){
        .uid = 1000,
        .gid = 1001,
        .extra_uids = g_array_new(FALSE, FALSE, sizeof(RnIdMapping)),
        .extra_gids = g_array_new(FALSE, FALSE, sizeof(RnIdMapping)),
    };
    if (extra == 0)
        return;
    g_array_append_val(facts->extra_uids, range);
    g_array_append_val(facts->extra_gids, range);
}

static RnConfig *read_back(const json_t *spec)
{
    g_autofree char *text = json_dumps(spec, 0);
    g_autoptr(GError) error = NULL;
    RnConfig *config =
        rn_config_parse(text, strlen(text), "config.json", &error);

    assert_no_error(error);
    return config;
}

static bool has_option(const RnConfig *config, const char *option)
{
    for (unsigned i = 0; i < config->mounts->len; i++) {
        const RnMount *mount = g_ptr_array_index(config->mounts, i);

        if (g_strv_contains((const char *const *)mount->options, option))
            return true;
    }
    return false;
}

static void template_is_a_valid_configuration(void **state)
{
    g_autoptr(json_t) spec = rn_spec_template(false);
    g_autoptr(RnConfig) config = read_back(spec);

    (void)state;
    assert_string_equal(config->root_path, "rootfs");
    assert_true(config->root_readonly);
    assert_true(config->process.terminal);
    assert_string_equal(config->process.args[0], "sh");
    assert_int_equal(config->namespaces, CLONE_NEWPID | CLONE_NEWNET |
                                             CLONE_NEWIPC | CLONE_NEWUTS |
                                             CLONE_NEWNS);
    assert_true(has_option(config, "gid=5"));
}

static void unified_host_gives_a_cgroup_namespace(void **state)
{
    g_autoptr(json_t) spec = rn_spec_template(true);
    g_autoptr(RnConfig) config = read_back(spec);

    (void)state;
    assert_true((config->namespaces & CLONE_NEWCGROUP) != 0);
}

static void assert_mapping(const GArray *maps, unsigned i,
                           const RnIdMapping *wanted)
{
    const RnIdMapping *map = &g_array_index(maps, RnIdMapping, i);

    assert_int_equal(map->container_id, wanted->container_id);
    assert_int_equal(map->host_id, wanted->host_id);
    assert_int_equal(map->size, wanted->size);
}

static void rootless_maps_caller_and_ranges(void **state)
{
    g_autoptr(json_t) spec = rn_spec_template(false);
    g_auto(RnHostFacts) facts = { 0 };
    g_autoptr(RnConfig) config = NULL;

    (void)state;
    init_facts(&facts, 65536);
    rn_spec_make_rootless(spec, &facts);
    config = read_back(spec);
    /* the network namespace is what published ports need */
    assert_int_equal(config->namespaces, CLONE_NEWPID | CLONE_NEWNET |
                                             CLONE_NEWIPC | CLONE_NEWUTS |
                                             CLONE_NEWNS | CLONE_NEWUSER);
    assert_int_equal(config->uid_mappings->len, 2);
    assert_mapping(config->uid_mappings, 0, &(RnIdMapping){ 0, 1000, 1 });
    assert_mapping(config->uid_mappings, 1, &(RnIdMapping){ 1, 100000, 65536 });
    assert_mapping(config->gid_mappings, 0, &(RnIdMapping){ 0, 1001, 1 });
    assert_mapping(config->gid_mappings, 1, &(RnIdMapping){ 1, 100000, 65536 });
    assert_true(has_option(config, "gid=5"));
    assert_null(json_object_get(json_object_get(spec, "linux"), "resources"));
}

static void rootless_without_ranges_drops_the_tty_group(void **state)
{
    g_autoptr(json_t) spec = rn_spec_template(false);
    g_auto(RnHostFacts) facts = { 0 };
    g_autoptr(RnConfig) config = NULL;

    (void)state;
    init_facts(&facts, 0);
    rn_spec_make_rootless(spec, &facts);
    config = read_back(spec);
    assert_int_equal(config->uid_mappings->len, 1);
    assert_mapping(config->uid_mappings, 0, &(RnIdMapping){ 0, 1000, 1 });
    assert_false(has_option(config, "gid=5"));
    assert_true(has_option(config, "mode=0620"));
}

static void existing_file_is_left_alone(void **state)
{
    g_autofree char *directory = scratch_make();
    g_autofree char *path = g_build_filename(directory, "config.json", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(rn_spec_write(directory, false, &error));
    assert_no_error(error);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_true(g_str_has_suffix(text, "}\n"));
    assert_true(g_file_set_contents(path, "mine", -1, NULL));
    assert_false(rn_spec_write(directory, true, &error));
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS, "config.json\" exists");
    g_clear_pointer(&text, g_free);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, "mine");
    scratch_remove(directory);
}

static void missing_bundle_is_named(void **state)
{
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(rn_spec_write("/nonexistent/bundle", false, &error));
    assert_error(error, RN_ERRNO, ENOENT, "\"/nonexistent/bundle\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(template_is_a_valid_configuration),
        cmocka_unit_test(unified_host_gives_a_cgroup_namespace),
        cmocka_unit_test(rootless_maps_caller_and_ranges),
        cmocka_unit_test(rootless_without_ranges_drops_the_tty_group),
        cmocka_unit_test(existing_file_is_left_alone),
        cmocka_unit_test(missing_bundle_is_named),
    };

    return cmocka_run_group_tests_name("spec-template", tests, NULL, NULL);
}
