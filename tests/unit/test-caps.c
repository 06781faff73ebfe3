/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caps: names, and the sets as the kernel then has them; what needs privileges
 * happens in a user namespace of the test's own
 */
#include "config.h"

#include <errno.h>
#include <sched.h>

#include <sys/capability.h>
#include <sys/prctl.h>

#include <unit.h>

#include <rnet/sys/caps.h>

#include "in-child.h"

static void parse_known_names_give_their_numbers(void **state)
{
    static const struct {
        const char *name;
        unsigned capability;
    } cases[] = {
        { "CAP_CHOWN", CAP_CHOWN },
        { "CAP_NET_ADMIN", CAP_NET_ADMIN },
        { "CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE },
        { "CAP_SETFCAP", CAP_SETFCAP },
        { "CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        unsigned capability = 99;

        if (!rn_cap_parse(cases[i].name, &capability, &error))
            fail_msg("%s: %s", cases[i].name, error->message);
        assert_int_equal(capability, cases[i].capability);
    }
}

static void parse_other_names_refused(void **state)
{
    static const char *const names[] = {
        "",          "CAP_",           "cap_chown",  "CHOWN", "Cap_Chown",
        "CAP_chown", "CAP_CHOWN ",     " CAP_CHOWN", "12",    "CAP_12",
        "CAP_NONE",  "CAP_CHOWN,CAP_", "CAP_ALL",    "ALL",   "CAP_CHOWN\n",
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        unsigned capability = 99;

        if (rn_cap_parse(names[i], &capability, &error))
            fail_msg("\"%s\" was taken as %u", names[i], capability);
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, "not a capability");
        assert_int_equal(capability, 99);
    }
}

static void all_has_every_capability_of_the_kernel(void **state)
{
    (void)state;
    assert_true((rn_caps_all() & RN_CAP_BIT(CAP_CHOWN)) != 0);
    assert_true((rn_caps_all() & RN_CAP_BIT(CAP_SETFCAP)) != 0);
    assert_true(cap_get_bound((cap_value_t)cap_max_bits() - 1) >= 0);
    assert_int_equal(rn_caps_all() >> cap_max_bits(), 0);
    assert_int_equal(rn_caps_effective() & ~rn_caps_all(), 0);
}

static RnCapMask read_set(cap_flag_t flag)
{
    cap_t state = cap_get_proc();
    RnCapMask mask = 0;

    for (int i = 0; i < cap_max_bits(); i++) {
        cap_flag_value_t value = CAP_CLEAR;

        if (cap_get_flag(state, i, flag, &value) == 0 && value == CAP_SET)
            mask |= RN_CAP_BIT(i);
    }
    (void)cap_free(state);
    return mask;
}

static RnCapMask read_bits(int (*get)(cap_value_t))
{
    RnCapMask mask = 0;

    for (int i = 0; i < cap_max_bits(); i++)
        mask |= get(i) == 1 ? RN_CAP_BIT(i) : 0;
    return mask;
}

static const char *check_sets(const RnCapSets *wanted)
{
    if (read_bits(cap_get_bound) != wanted->bounding)
        return "bounding set differs";
    if (read_set(CAP_EFFECTIVE) != wanted->effective)
        return "effective set differs";
    if (read_set(CAP_INHERITABLE) != wanted->inheritable)
        return "inheritable set differs";
    if (read_set(CAP_PERMITTED) != wanted->permitted)
        return "permitted set differs";
    return read_bits(cap_get_ambient) == wanted->ambient
               ? NULL
               : "ambient set differs";
}

static void require_user_namespace(const char *(*func)(void *), void *data)
{
    char text[512] = "";
    int status = in_child_status(func, data, text);

    if (strcmp(text, "unshare") == 0)
        skip_unless_required("user namespaces");
    if (text[0] != '\0')
        fail_msg("in the child: %s", text);
    assert_int_equal(status, 0);
}

static const char *apply_all_sets(void *data)
{
    static const RnCapSets sets = {
        .bounding = RN_CAP_BIT(CAP_CHOWN) | RN_CAP_BIT(CAP_KILL) |
                    RN_CAP_BIT(CAP_NET_RAW),
        .effective = RN_CAP_BIT(CAP_KILL),
        .inheritable = RN_CAP_BIT(CAP_KILL) | RN_CAP_BIT(CAP_NET_RAW),
        .permitted = RN_CAP_BIT(CAP_KILL) | RN_CAP_BIT(CAP_NET_RAW),
        .ambient = RN_CAP_BIT(CAP_NET_RAW),
    };
    g_autoptr(GError) error = NULL;

    (void)data;
    if (unshare(CLONE_NEWUSER) < 0)
        return "unshare";
    if (!rn_caps_limit_bounding(sets.bounding, &error) ||
        !rn_caps_apply(&sets, &error))
        return g_strdup(error->message);
    return check_sets(&sets);
}

static void apply_in_a_namespace_sets_all_five(void **state)
{
    (void)state;
    require_user_namespace(apply_all_sets, NULL);
}

static const char *expect_refusals(void *data)
{
    static const RnCapSets none = { 0 };
    static const struct {
        RnCapSets sets;
        const char *text;
    } cases[] = {
        { { .permitted = RN_CAP_BIT(CAP_KILL) }, "have CAP_KILL permitted" },
        { { .effective = RN_CAP_BIT(CAP_KILL) }, "have CAP_KILL effective" },
        { { .ambient = RN_CAP_BIT(CAP_KILL) }, "have CAP_KILL ambient" },
    };
    g_autoptr(GError) dropped = NULL;
    g_autoptr(GError) bounding = NULL;

    (void)data;
    if (!rn_caps_apply(&none, &dropped))
        return g_strdup(dropped->message);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        if (rn_caps_apply(&cases[i].sets, &error))
            return cases[i].text;
        if (!rn_error_is_errno(error, EPERM) ||
            strstr(error->message, cases[i].text) == NULL)
            return g_strdup(error->message);
    }
    if (read_bits(cap_get_bound) != 0 &&
        (rn_caps_limit_bounding(0, &bounding) ||
         !rn_error_is_errno(bounding, EPERM)))
        return "bounding set without CAP_SETPCAP";
    return NULL;
}

static void apply_without_the_right_names_the_capability(void **state)
{
    (void)state;
    run_in_child(expect_refusals, NULL);
}

static const char *confine_in_namespace(void *data)
{
    const RnCapMask keep = RN_CAP_BIT(CAP_NET_ADMIN);
    const RnCapSets wanted = { .bounding = keep,
                               .effective = keep,
                               .permitted = keep };
    g_autoptr(GError) error = NULL;

    (void)data;
    if (unshare(CLONE_NEWUSER) < 0)
        return "unshare";
    if (!rn_caps_confine(keep, &error))
        return g_strdup(error->message);
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return "no_new_privs is not set";
    return check_sets(&wanted);
}

static void confine_with_a_kept_one_leaves_only_that(void **state)
{
    (void)state;
    require_user_namespace(confine_in_namespace, NULL);
}

static const char *confine_to_nothing(void *data)
{
    RnCapSets wanted = { 0 };
    g_autoptr(GError) error = NULL;

    (void)data;
    if ((rn_caps_effective() & RN_CAP_BIT(CAP_SETPCAP)) == 0)
        wanted.bounding = read_bits(cap_get_bound);
    if (!rn_caps_confine(0, &error))
        return g_strdup(error->message);
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return "no_new_privs is not set";
    return check_sets(&wanted);
}

static void confine_without_privileges_works_too(void **state)
{
    (void)state;
    run_in_child(confine_to_nothing, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_known_names_give_their_numbers),
        cmocka_unit_test(parse_other_names_refused),
        cmocka_unit_test(all_has_every_capability_of_the_kernel),
        cmocka_unit_test(apply_in_a_namespace_sets_all_five),
        cmocka_unit_test(apply_without_the_right_names_the_capability),
        cmocka_unit_test(confine_with_a_kept_one_leaves_only_that),
        cmocka_unit_test(confine_without_privileges_works_too),
    };

    return cmocka_run_group_tests_name("caps", tests, NULL, NULL);
}
