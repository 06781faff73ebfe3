/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-seccomp-filter - words, compiled filters, and what an installed one does
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <seccomp.h>

#include <linux/seccomp.h>

#include <rnet/sys/seccomp-filter.h>

typedef struct Word {
    const char *word;
    uint32_t number;
} Word;

static const Word actions[] = {
    { "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
    { "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
    { "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
    { "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
    { "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(EPERM) },
    { "SCMP_ACT_TRACE", SCMP_ACT_TRACE(EPERM) },
    { "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
    { "SCMP_ACT_LOG", SCMP_ACT_LOG },
    { "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
};

static void words_become_numbers(void **state)
{
    uint32_t number = 0;
    unsigned flag = 0;

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        assert_true(rn_seccomp_parse_action(actions[i].word, &number));
        assert_int_equal(number, actions[i].number);
        assert_string_equal(rn_seccomp_action_words()[i], actions[i].word);
    }
    assert_null(rn_seccomp_action_words()[G_N_ELEMENTS(actions)]);
    assert_true(rn_seccomp_parse_compare("SCMP_CMP_MASKED_EQ", &number));
    assert_int_equal(number, SCMP_CMP_MASKED_EQ);
    assert_true(rn_seccomp_parse_architecture("SCMP_ARCH_X32", &number));
    assert_int_equal(number, SCMP_ARCH_X32);
    assert_true(rn_seccomp_parse_flag("SECCOMP_FILTER_FLAG_LOG", &flag));
    assert_int_equal(flag, SECCOMP_FILTER_FLAG_LOG);
}

static void unknown_words_are_told(void **state)
{
    static const char *const words[] = { "", "SCMP_ACT_", "scmp_act_allow",
                                         "ALLOW", "SCMP_ACT_ALLOW " };
    uint32_t number = 4711;
    unsigned flag = 4711;

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        assert_false(rn_seccomp_parse_action(words[i], &number));
        assert_false(rn_seccomp_parse_compare(words[i], &number));
        assert_false(rn_seccomp_parse_architecture(words[i], &number));
        assert_false(rn_seccomp_parse_flag(words[i], &flag));
    }
    assert_int_equal(number, 4711);
    assert_int_equal(flag, 4711);
}

static void only_actions_with_a_number_take_one(void **state)
{
    uint32_t action = SCMP_ACT_ERRNO(EPERM);

    (void)state;
    assert_true(rn_seccomp_action_with(&action, ENOSYS));
    assert_int_equal(action, SCMP_ACT_ERRNO(ENOSYS));
    assert_true(rn_seccomp_action_with(&action, 0));
    assert_int_equal(action, SCMP_ACT_ERRNO(0));
    assert_false(rn_seccomp_action_with(&action, 4096));
    action = SCMP_ACT_TRACE(EPERM);
    assert_true(rn_seccomp_action_with(&action, 65535));
    assert_int_equal(action, SCMP_ACT_TRACE(65535));
    assert_false(rn_seccomp_action_with(&action, 65536));
    action = SCMP_ACT_ALLOW;
    assert_false(rn_seccomp_action_with(&action, 1));
    assert_int_equal(action, SCMP_ACT_ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_numbers),
        cmocka_unit_test(unknown_words_are_told),
        cmocka_unit_test(only_actions_with_a_number_take_one),
    };

    return cmocka_run_group_tests_name("seccomp-filter", tests, NULL, NULL);
}
