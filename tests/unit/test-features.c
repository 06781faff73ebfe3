/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-features - what is said to be understood is understood
 */
#include "config.h"

#include <unit.h>

#include <rnet/oci/config.h>
#include <rnet/oci/json.h>
#include <rnet/runtime/features.h>
#include <rnet/sys/caps.h>
#include <rnet/sys/mount-options.h>
#include <rnet/sys/seccomp-filter.h>

static json_t *features;

static int load(void **state)
{
    (void)state;
    features = rn_features();
    return features == NULL;
}

static int unload(void **state)
{
    (void)state;
    json_decref(features);
    return 0;
}

/* "linux.seccomp.actions" */
static json_t *look_up(const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    json_t *node = features;

    for (char **name = names; *name != NULL; name++)
        node = json_object_get(node, *name);
    if (node == NULL)
        fail_msg("no %s", path);
    return node;
}

static RnConfig *parse(const char *version, const char *namespaces)
{
    g_autofree char *text =
        g_strdup_printf("{\"ociVersion\":\"%s\",\"root\":{\"path\":\"rootfs\"},"
                        "\"process\":{\"args\":[\"x\"],\"cwd\":\"/\","
                        "\"user\":{\"uid\":0,\"gid\":0}},"
                        "\"linux\":{\"namespaces\":[%s]}}",
                        version, namespaces);
    g_autoptr(GError) error = NULL;
    RnConfig *config =
        rn_config_parse(text, strlen(text), "config.json", &error);

    assert_no_error(error);
    return config;
}

static void versions_are_accepted(void **state)
{
    static const char *const names[] = { "ociVersionMin", "ociVersionMax" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(RnConfig) config =
            parse(json_string_value(look_up(names[i])), "");

        assert_non_null(config);
    }
}

static void namespaces_are_accepted(void **state)
{
    json_t *words = look_up("linux.namespaces");

    (void)state;
    assert_true(json_array_size(words) >= 7);
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        g_autofree char *entry = g_strdup_printf("{\"type\":\"%s\"}", word);
        g_autoptr(RnConfig) config = parse("1.3.0", entry);

        if (config->namespaces == 0)
            fail_msg("%s is no namespace", word);
    }
}

static void capabilities_are_accepted(void **state)
{
    json_t *words = look_up("linux.capabilities");

    (void)state;
    assert_true(json_array_size(words) >= 41);
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        unsigned capability = 64;
        g_autoptr(GError) error = NULL;

        assert_true(rn_cap_parse(word, &capability, &error));
        assert_int_equal(capability, i);
    }
}

static void mount_options_are_no_data(void **state)
{
    json_t *words = look_up("mountOptions");

    (void)state;
    assert_true(json_array_size(words) > 50);
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        const char *const one[] = { word, NULL };
        g_auto(RnMountOptions) options = { 0 };
        g_autoptr(GError) error = NULL;

        if (!rn_mount_options_parse(one, &options, &error))
            fail_msg("%s: %s", word, error->message);
        if (options.data != NULL)
            fail_msg("%s is data", word);
    }
}

typedef bool (*ParseWord)(const char *word, uint32_t *out);

static void seccomp_words_are_accepted(void **state)
{
    static const struct {
        const char *path;
        ParseWord parse;
    } lists[] = {
        { "linux.seccomp.actions", rn_seccomp_parse_action },
        { "linux.seccomp.operators", rn_seccomp_parse_compare },
        { "linux.seccomp.archs", rn_seccomp_parse_architecture },
    };

    (void)state;
    for (unsigned l = 0; l < G_N_ELEMENTS(lists); l++) {
        json_t *words = look_up(lists[l].path);

        assert_true(json_array_size(words) > 5);
        for (size_t i = 0; i < json_array_size(words); i++) {
            uint32_t number = 0;

            assert_true(lists[l].parse(
                json_string_value(json_array_get(words, i)), &number));
        }
    }
}

static void what_rnet_has_not_is_not_claimed(void **state)
{
    (void)state;
    assert_true(json_is_false(look_up("linux.intelRdt.enabled")));
    assert_true(json_is_true(look_up("linux.seccomp.enabled")));
    assert_int_equal(json_array_size(look_up("hooks")), RN_HOOK_N_);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_accepted),
        cmocka_unit_test(namespaces_are_accepted),
        cmocka_unit_test(capabilities_are_accepted),
        cmocka_unit_test(mount_options_are_no_data),
        cmocka_unit_test(seccomp_words_are_accepted),
        cmocka_unit_test(what_rnet_has_not_is_not_claimed),
    };

    return cmocka_run_group_tests_name("features", tests, load, unload);
}
