/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-config-seccomp - linux.seccomp of config.json
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <seccomp.h>

#include <linux/seccomp.h>

#include "config-text.h"

/* `seccomp`, with " for each ', in a valid document. */
static RnConfig *parse_filter(const char *seccomp)
{
    g_autofree char *member = g_strdup_printf(",'seccomp':%s", seccomp);

    return parse_config_with("", "", member);
}

static void filter_is_read(void **state)
{
    g_autoptr(RnConfig) config = parse_filter(
        "{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
        "'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X32'],"
        "'flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_SPEC_ALLOW'],"
        "'listenerPath':'/run/agent.sock','listenerMetadata':'x=y',"
        "'syscalls':[{'names':['getcwd','no_such_call'],"
        "'action':'SCMP_ACT_ALLOW'},"
        "{'names':['openat'],'action':'SCMP_ACT_NOTIFY','args':["
        "{'index':0,'value':18446744073709551516,'op':'SCMP_CMP_EQ'},"
        "{'index':5,'value':4096,'valueTwo':18446744073709551615,"
        "'op':'SCMP_CMP_MASKED_EQ'}]}]}");
    const RnSeccomp *seccomp = config->seccomp;
    const RnSeccompRule *rule = NULL;
    const RnSeccompArg *arg = NULL;

    (void)state;
    assert_int_equal(seccomp->default_action, SCMP_ACT_ERRNO(ENOSYS));
    assert_int_equal(seccomp->architectures->len, 2);
    assert_int_equal(g_array_index(seccomp->architectures, uint32_t, 1),
                     SCMP_ARCH_X32);
    assert_true(seccomp->flags_given);
    assert_true(seccomp->flags ==
                (SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW));
    assert_string_equal(seccomp->listener_path, "/run/agent.sock");
    assert_string_equal(seccomp->listener_metadata, "x=y");
    assert_int_equal(seccomp->rules->len, 2);
    rule = g_ptr_array_index(seccomp->rules, 0);
    assert_string_equal(rule->names[1], "no_such_call");
    assert_int_equal(rule->action, SCMP_ACT_ALLOW);
    assert_int_equal(rule->args->len, 0);
    rule = g_ptr_array_index(seccomp->rules, 1);
    assert_int_equal(rule->action, SCMP_ACT_NOTIFY);
    arg = &g_array_index(rule->args, RnSeccompArg, 0);
    assert_int_equal(arg->index, 0);
    assert_true(arg->value == (uint64_t)-100); /* AT_FDCWD */
    assert_int_equal(arg->op, SCMP_CMP_EQ);
    assert_true(arg->value_two == 0);
    arg = &g_array_index(rule->args, RnSeccompArg, 1);
    assert_int_equal(arg->index, 5);
    assert_true(arg->value_two == UINT64_MAX);
    assert_int_equal(arg->op, SCMP_CMP_MASKED_EQ);
}

static void smallest_filter_has_defaults(void **state)
{
    g_autoptr(RnConfig) config =
        parse_filter("{'defaultAction':'SCMP_ACT_ALLOW'}");
    const RnSeccomp *seccomp = config->seccomp;

    (void)state;
    assert_int_equal(seccomp->default_action, SCMP_ACT_ALLOW);
    assert_int_equal(seccomp->architectures->len, 0);
    assert_false(seccomp->flags_given);
    assert_null(seccomp->listener_path);
    assert_null(seccomp->listener_metadata);
    assert_int_equal(seccomp->rules->len, 0);
}

static void flags_of_none_are_given(void **state)
{
    g_autoptr(RnConfig) config =
        parse_filter("{'defaultAction':'SCMP_ACT_ALLOW','flags':[]}");

    (void)state;
    assert_true(config->seccomp->flags_given);
    assert_int_equal(config->seccomp->flags, 0);
}

static void actions_have_their_numbers(void **state)
{
    static const struct {
        const char *text;
        uint32_t action;
    } cases[] = {
        { "'action':'SCMP_ACT_KILL'", SCMP_ACT_KILL },
        { "'action':'SCMP_ACT_KILL_PROCESS'", SCMP_ACT_KILL_PROCESS },
        { "'action':'SCMP_ACT_KILL_THREAD'", SCMP_ACT_KILL_THREAD },
        { "'action':'SCMP_ACT_TRAP'", SCMP_ACT_TRAP },
        { "'action':'SCMP_ACT_ERRNO'", SCMP_ACT_ERRNO(EPERM) },
        { "'action':'SCMP_ACT_ERRNO','errnoRet':null", SCMP_ACT_ERRNO(EPERM) },
        { "'action':'SCMP_ACT_ERRNO','errnoRet':0", SCMP_ACT_ERRNO(0) },
        { "'errnoRet':4095,'action':'SCMP_ACT_ERRNO'", SCMP_ACT_ERRNO(4095) },
        { "'action':'SCMP_ACT_TRACE'", SCMP_ACT_TRACE(EPERM) },
        { "'action':'SCMP_ACT_TRACE','errnoRet':65535", SCMP_ACT_TRACE(65535) },
        { "'action':'SCMP_ACT_ALLOW'", SCMP_ACT_ALLOW },
        { "'action':'SCMP_ACT_LOG'", SCMP_ACT_LOG },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf(
            "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['a'],%s}]}",
            cases[i].text);
        g_autoptr(RnConfig) config = parse_filter(text);
        const RnSeccompRule *rule =
            g_ptr_array_index(config->seccomp->rules, 0);

        if (rule->action != cases[i].action)
            fail_msg("%s became %x", cases[i].text, rule->action);
    }
}

#define RULE(rule) "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[" rule "]}"
#define ARG(arg)                                                               \
    RULE("{'names':['a'],'action':'SCMP_ACT_ALLOW','args':[" arg "]}")

static const ConfigRefusal refusals[] = {
    { "[]", RN_ERROR_INVALID, "config.json: linux.seccomp: must be an object" },
    { "{}", RN_ERROR_INVALID, "linux.seccomp.defaultAction: is missing" },
    { "{'defaultAction':'ALLOW'}", RN_ERROR_INVALID,
      "seccomp.defaultAction: \"ALLOW\" is not a seccomp action" },
    { "{'defaultAction':'SCMP_ACT_KILL','defaultErrnoRet':1}", RN_ERROR_INVALID,
      "seccomp.defaultErrnoRet: the action takes no number" },
    { "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['x86']}",
      RN_ERROR_INVALID, "seccomp.architectures[0]: \"x86\" is not" },
    { "{'defaultAction':'SCMP_ACT_ALLOW','flags':['LOG']}", RN_ERROR_INVALID,
      "seccomp.flags[0]: \"LOG\" is not a seccomp flag" },
    { "{'defaultAction':'SCMP_ACT_ALLOW','listenerMetadata':'x'}",
      RN_ERROR_INVALID, "linux.seccomp: listenerMetadata needs listenerPath" },
    { "{'defaultAction':'SCMP_ACT_NOTIFY'}", RN_ERROR_INVALID,
      "linux.seccomp: SCMP_ACT_NOTIFY needs listenerPath" },
    { RULE("{'names':['a'],'action':'SCMP_ACT_NOTIFY'}"), RN_ERROR_INVALID,
      "linux.seccomp: SCMP_ACT_NOTIFY needs listenerPath" },
    { RULE("{'action':'SCMP_ACT_ALLOW'}"), RN_ERROR_INVALID,
      "seccomp.syscalls[0].names: is missing" },
    { RULE("{'names':[],'action':'SCMP_ACT_ALLOW'}"), RN_ERROR_INVALID,
      "seccomp.syscalls[0].names: is empty" },
    { RULE("{'names':[1],'action':'SCMP_ACT_ALLOW'}"), RN_ERROR_INVALID,
      "seccomp.syscalls[0].names[0]: must be a string" },
    { RULE("{'names':['a']}"), RN_ERROR_INVALID,
      "seccomp.syscalls[0].action: is missing" },
    { RULE("{'names':['a'],'action':'SCMP_ACT_ALLOW','errnoRet':1}"),
      RN_ERROR_INVALID,
      "seccomp.syscalls[0].errnoRet: the action takes no number" },
    { RULE("{'names':['a'],'action':'SCMP_ACT_ERRNO','errnoRet':4096}"),
      RN_ERROR_INVALID, "errnoRet: the action takes no number, or not this" },
    { RULE("{'names':['a'],'action':'SCMP_ACT_TRACE','errnoRet':65536}"),
      RN_ERROR_INVALID, "errnoRet: must be from 0 to 65535" },
    { ARG("{'index':6,'value':1,'op':'SCMP_CMP_EQ'}"), RN_ERROR_INVALID,
      "seccomp.syscalls[0].args[0].index: must be from 0 to 5" },
    { ARG("{'value':1,'op':'SCMP_CMP_EQ'}"), RN_ERROR_INVALID,
      "args[0].index: is missing" },
    { ARG("{'index':1,'op':'SCMP_CMP_EQ'}"), RN_ERROR_INVALID,
      "args[0].value: is missing" },
    { ARG("{'index':1,'value':-1,'op':'SCMP_CMP_EQ'}"), RN_ERROR_INVALID,
      "args[0].value: must be from 0 to 18446744073709551615" },
    { ARG("{'index':1,'value':1}"), RN_ERROR_INVALID,
      "args[0].op: is missing" },
    { ARG("{'index':1,'value':1,'op':'=='}"), RN_ERROR_INVALID,
      "args[0].op: \"==\" is not a seccomp comparison" },
};

static void filters_are_refused_by_path(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *member =
            g_strdup_printf(",'seccomp':%s", refusals[i].member);
        g_autofree char *text = build_config("", "", member);

        check_config_refusal(text, &refusals[i]);
    }
}

static void numbers_of_entries_are_bounded(void **state)
{
    static const struct {
        const char *open, *entry, *close;
        unsigned max;
        const char *part;
    } cases[] = {
        { "'syscalls':[", "{'names':['a'],'action':'SCMP_ACT_ALLOW'}", "]",
          4096, "seccomp.syscalls: has more than 4096 entries" },
        { "'syscalls':[{'action':'SCMP_ACT_ALLOW','names':[", "'a'", "]}]",
          8192, "seccomp.syscalls[0].names: has more than 8192 entries" },
        { "'syscalls':[{'action':'SCMP_ACT_ALLOW','names':['a'],'args':[",
          "{'index':0,'value':1,'op':'SCMP_CMP_NE'}", "]}]", 64,
          "seccomp.syscalls[0].args: has more than 64 entries" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) filter = g_string_new("");
        g_autofree char *most = NULL;
        g_autofree char *more = NULL;
        g_autofree char *text = NULL;
        g_autoptr(RnConfig) config = NULL;
        const ConfigRefusal refusal = { NULL, RN_ERROR_LIMIT, cases[i].part };

        for (unsigned j = 0; j < cases[i].max; j++)
            g_string_append_printf(filter, "%s%s", j == 0 ? "" : ",",
                                   cases[i].entry);
        most = g_strdup_printf("{'defaultAction':'SCMP_ACT_ALLOW',%s%s%s}",
                               cases[i].open, filter->str, cases[i].close);
        more = g_strdup_printf(
            ",'seccomp':{'defaultAction':'SCMP_ACT_ALLOW',%s%s,%s%s}",
            cases[i].open, filter->str, cases[i].entry, cases[i].close);
        config = parse_filter(most);
        assert_non_null(config);
        text = build_config("", "", more);
        check_config_refusal(text, &refusal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_is_read),
        cmocka_unit_test(smallest_filter_has_defaults),
        cmocka_unit_test(flags_of_none_are_given),
        cmocka_unit_test(actions_have_their_numbers),
        cmocka_unit_test(filters_are_refused_by_path),
        cmocka_unit_test(numbers_of_entries_are_bounded),
    };

    return cmocka_run_group_tests_name("config-seccomp", tests, NULL, NULL);
}
