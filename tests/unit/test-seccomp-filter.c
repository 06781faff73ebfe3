/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-seccomp-filter - words, compiled filters, and what an installed one does
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <rnet/sys/seccomp-filter.h>

#include "in-child.h"

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

static RnSeccompRule *add_rule(RnSeccomp *seccomp, uint32_t action,
                               const char *names)
{
    RnSeccompRule *rule = g_new0(RnSeccompRule, 1);

    rule->names = g_strsplit(names, " ", -1);
    rule->action = action;
    rule->args = g_array_new(FALSE, FALSE, sizeof(RnSeccompArg));
    g_ptr_array_add(seccomp->rules, rule);
    return rule;
}

/* Installs the filter in this process; NULL or what is wrong. */
static const char *install(const RnSeccomp *seccomp, int *out_fd)
{
    g_autoptr(RnSeccompProgram) program = NULL;
    g_autoptr(GError) error = NULL;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return "no_new_privs";
    program = rn_seccomp_compile(seccomp, &error);
    if (program == NULL || !rn_seccomp_install(program, out_fd, &error))
        return g_strdup(error->message);
    return NULL;
}

/* errno of a system call with one argument, 0 for success. */
static int try(long number, unsigned long argument)
{
    return syscall(number, argument, 0, 0, 0, 0) < 0 ? errno : 0;
}

static const char *deny_list(void *data)
{
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();
    const char *problem = NULL;
    int fd = 0;

    (void)data;
    seccomp->default_action = SCMP_ACT_ALLOW;
    (void)add_rule(seccomp, SCMP_ACT_ERRNO(EBADMSG),
                   "no_such_call getppid x32_only");
    (void)add_rule(seccomp, SCMP_ACT_ALLOW, "getpid"); /* the default */
    problem = install(seccomp, &fd);
    if (problem != NULL)
        return problem;
    if (fd != -1)
        return "an fd without a listener";
    if (try(SYS_getppid, 0) != EBADMSG)
        return "getppid is not denied";
    /* nothing newer than the rules is held back where the default allows */
    return try(SYS_getpid, 0) == 0 && try(SYS_close, 4711) == EBADF
               ? NULL
               : "more is denied than asked for";
}

static const char *allow_list(void *data)
{
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();
    uint32_t x86 = SCMP_ARCH_X86;
    const char *problem = NULL;
    int fd = 0;

    (void)data;
    seccomp->default_action = SCMP_ACT_ERRNO(EPERM);
    g_array_append_val(seccomp->architectures, x86);
    (void)add_rule(seccomp, SCMP_ACT_ALLOW,
                   "write exit_group close pidfd_open");
    problem = install(seccomp, &fd);
    if (problem != NULL)
        return problem;
    if (try(SYS_getppid, 0) != EPERM)
        return "getppid is not denied";
    if (try(SYS_pidfd_open, 4711U << 16) == EPERM)
        return "pidfd_open is denied";
    if (try(SYS_clone3, 0) != ENOSYS || try(600, 0) != ENOSYS)
        return "a call that the list cannot know is not ENOSYS";
    return NULL;
}

#ifdef __x86_64__
static const char *call_x32(void *data)
{
    const char *problem = allow_list(data);

    if (problem == NULL)
        (void)syscall(0x40000000L | SYS_close, 4711);
    return problem == NULL ? "x32 works" : problem;
}

/* A call of the i386 ABI out of a 64 bit program: 0 or a negative errno. */
static int call_i386(int number)
{
    int result = 0;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(4711), "c"(0), "d"(0)
                     : "memory");
    return result;
}

static const char *all_architectures(void *data)
{
    enum {
        I386_CLOSE = 6,
        I386_GETPPID = 64,
        I386_CLONE3 = 435
    };
    const uint32_t archs[] = { SCMP_ARCH_X86, SCMP_ARCH_X32 };
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();
    const char *problem = NULL;
    int fd = 0;

    (void)data;
    seccomp->default_action = SCMP_ACT_ERRNO(EPERM);
    g_array_append_vals(seccomp->architectures, archs, G_N_ELEMENTS(archs));
    (void)add_rule(seccomp, SCMP_ACT_ALLOW, "write exit_group close openat2");
    (void)add_rule(seccomp, SCMP_ACT_ERRNO(EBADMSG), "clone3");
    problem = install(seccomp, &fd);
    if (problem != NULL)
        return problem;
    if (try(SYS_getppid, 0) != EPERM || try(SYS_clone3, 0) != EBADMSG)
        return "x86-64";
    if (try(0x40000000L | SYS_getppid, 0) != EPERM ||
        try(0x40000000L | SYS_clone3, 0) != EBADMSG)
        return "x32";
    if (call_i386(I386_GETPPID) != -EPERM ||
        call_i386(I386_CLONE3) != -EBADMSG || call_i386(600) != -ENOSYS ||
        call_i386(I386_CLOSE) != -EBADF)
        return "i386";
    return NULL;
}

/* The sanitizers' own system calls would go through these filters, too. */
static void leave_to_plain_builds(void)
{
#ifdef RN_SANITIZERS
    skip();
#endif
}

static void every_architecture_has_its_rules(void **state)
{
    (void)state;
    leave_to_plain_builds();
    run_in_child(all_architectures, NULL);
}

static void other_architectures_are_deadly(void **state)
{
    char text[512] = "";
    int status = in_child_status(call_x32, NULL, text);

    (void)state;
    assert_string_equal(text, "");
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
#endif

static const char *compare_arguments(void *data)
{
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();
    const RnSeccompArg five = { .index = 0, .op = SCMP_CMP_EQ, .value = 5 };
    const RnSeccompArg six = { .index = 0, .op = SCMP_CMP_EQ, .value = 6 };
    const RnSeccompArg bits = {
        .index = 0, .op = SCMP_CMP_MASKED_EQ, .value = 0xf0, .value_two = 0x50
    };
    const RnSeccompArg zero = { .index = 1, .op = SCMP_CMP_EQ };
    RnSeccompRule *either = NULL;
    RnSeccompRule *both = NULL;
    const char *problem = NULL;
    int fd = 0;

    (void)data;
    seccomp->default_action = SCMP_ACT_ALLOW;
    either = add_rule(seccomp, SCMP_ACT_ERRNO(EBADMSG), "dup");
    g_array_append_val(either->args, five);
    g_array_append_val(either->args, six);
    both = add_rule(seccomp, SCMP_ACT_ERRNO(ENOMSG), "close");
    g_array_append_val(both->args, bits);
    g_array_append_val(both->args, zero);
    problem = install(seccomp, &fd);
    if (problem != NULL)
        return problem;
    if (try(SYS_dup, 5) != EBADMSG || try(SYS_dup, 6) != EBADMSG ||
        try(SYS_dup, 4711) != EBADF)
        return "two comparisons of one argument";
    if (try(SYS_close, 0x1057) != ENOMSG || try(SYS_close, 0x1067) != EBADF)
        return "a masked comparison";
    return syscall(SYS_close, 0x1057, 1) < 0 && errno == EBADF
               ? NULL
               : "two arguments";
}

static const char *notify(void *data)
{
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();
    const char *problem = NULL;
    int fd = -1;

    (void)data;
    seccomp->default_action = SCMP_ACT_ALLOW;
    seccomp->listener_path = g_strdup("/nowhere");
    seccomp->flags_given = true;
    seccomp->flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG;
    (void)add_rule(seccomp, SCMP_ACT_NOTIFY, "getppid");
    problem = install(seccomp, &fd);
    if (problem != NULL)
        return problem;
    return fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 ? NULL : "no fd";
}

static void installed_filters_do_as_they_say(void **state)
{
    static const InChildFunc cases[] = { deny_list, allow_list,
                                         compare_arguments, notify };

    (void)state;
    leave_to_plain_builds();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        run_in_child(cases[i], NULL);
}

static void impossible_filters_are_refused(void **state)
{
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();
    g_autoptr(GString) names = g_string_new("getppid");
    g_autoptr(GError) no_listener = NULL;
    g_autoptr(GError) no_such = NULL;
    g_autoptr(GError) too_many = NULL;
    uint32_t big_endian = SCMP_ARCH_S390;

    (void)state;
    seccomp->default_action = SCMP_ACT_NOTIFY;
    assert_null(rn_seccomp_compile(seccomp, &no_listener));
    assert_error(no_listener, RN_ERROR, RN_ERROR_INVALID,
                 "linux.seccomp: SCMP_ACT_NOTIFY without listenerPath");

    seccomp->default_action = SCMP_ACT_ALLOW;
    g_array_append_val(seccomp->architectures, big_endian);
    assert_null(rn_seccomp_compile(seccomp, &no_such));
    assert_non_null(no_such);
    assert_non_null(strstr(no_such->message, "filter for the architecture"));

    g_array_set_size(seccomp->architectures, 0);
    for (unsigned i = 0; i < 20000; i++)
        g_string_append(names, " no_such_call");
    (void)add_rule(seccomp, SCMP_ACT_ERRNO(1), names->str);
    assert_null(rn_seccomp_compile(seccomp, &too_many));
    assert_error(too_many, RN_ERROR, RN_ERROR_LIMIT, "16384");
}

static void empty_filter_and_null_can_be_freed(void **state)
{
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();

    (void)state;
    assert_int_equal(seccomp->rules->len, 0);
    rn_seccomp_free(NULL);
    rn_seccomp_rule_free(NULL);
    rn_seccomp_rule_free(g_new0(RnSeccompRule, 1));
    rn_seccomp_program_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_numbers),
        cmocka_unit_test(unknown_words_are_told),
        cmocka_unit_test(only_actions_with_a_number_take_one),
        cmocka_unit_test(installed_filters_do_as_they_say),
#ifdef __x86_64__
        cmocka_unit_test(every_architecture_has_its_rules),
        cmocka_unit_test(other_architectures_are_deadly),
#endif
        cmocka_unit_test(impossible_filters_are_refused),
        cmocka_unit_test(empty_filter_and_null_can_be_freed),
    };

    return cmocka_run_group_tests_name("seccomp-filter", tests, NULL, NULL);
}
