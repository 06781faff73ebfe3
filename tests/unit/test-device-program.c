/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device-program: what the built programs decide, carried out by a small
 * interpreter; the kernel's own has them in test-cgroup
 */
#include "config.h"

#include <unit.h>

#include <rnet/sys/device-program.h>

enum {
    R = BPF_DEVCG_ACC_READ,
    W = BPF_DEVCG_ACC_WRITE,
    M = BPF_DEVCG_ACC_MKNOD,
    REGISTERS = 11,
};

/* Carries out one instruction but an exit; the next one's index. */
static unsigned step(const struct bpf_insn *code, unsigned at,
                     uint64_t registers[REGISTERS])
{
    const struct bpf_insn *now = &code[at];
    uint64_t *target = &registers[now->dst_reg];
    uint32_t constant = (uint32_t)now->imm;
    const char *context = NULL;
    uint32_t loaded = 0;

    switch (now->code) {
    case BPF_LDX | BPF_MEM | BPF_W:
        context = (const char *)(uintptr_t)registers[now->src_reg];
        memcpy(&loaded, context + now->off, sizeof loaded);
        *target = loaded;
        return at + 1;
    case BPF_ALU | BPF_X | BPF_MOV:
        *target = (uint32_t)registers[now->src_reg];
        return at + 1;
    case BPF_ALU | BPF_X | BPF_OR:
        *target = (uint32_t)(*target | registers[now->src_reg]);
        return at + 1;
    case BPF_ALU | BPF_K | BPF_LSH:
        *target = (uint32_t)*target << constant;
        return at + 1;
    case BPF_ALU | BPF_K | BPF_MOV:
        *target = constant;
        return at + 1;
    case BPF_ALU | BPF_K | BPF_AND:
        *target = (uint32_t)*target & constant;
        return at + 1;
    case BPF_ALU | BPF_K | BPF_RSH:
        *target = (uint32_t)*target >> constant;
        return at + 1;
    case BPF_JMP | BPF_K | BPF_JEQ:
        return at + 1 + (*target == constant ? (unsigned)now->off : 0);
    case BPF_JMP | BPF_K | BPF_JNE:
        return at + 1 + (*target != constant ? (unsigned)now->off : 0);
    default:
        fail_msg("instruction %u has the code 0x%x", at, now->code);
        return 0;
    }
}

static bool run(const GArray *program, char type, unsigned access,
                unsigned major, unsigned minor)
{
    const struct bpf_insn *code = (const struct bpf_insn *)program->data;
    const struct bpf_cgroup_dev_ctx context = {
        .access_type = access << 16 |
                       (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
        .major = major,
        .minor = minor,
    };
    uint64_t registers[REGISTERS] = { [BPF_REG_1] = (uintptr_t)&context };
    unsigned at = 0;

    while (code[at].code != (BPF_JMP | BPF_EXIT)) {
        at = step(code, at, registers);
        assert_true(at < program->len);
    }
    return registers[BPF_REG_0] != 0;
}

static void add(GArray *rules, bool allow, char type, int64_t major,
                int64_t minor, unsigned access)
{
    const RnDeviceRule rule = { .allow = allow,
                                .type = type,
                                .major = major,
                                .minor = minor,
                                .read = (access & R) != 0,
                                .write = (access & W) != 0,
                                .mknod = (access & M) != 0 };

    g_array_append_val(rules, rule);
}

static void expect(const GArray *rules, char type, unsigned major,
                   unsigned minor, const char *expected)
{
    static const unsigned accesses[] = { R, W, M, R | W, R | W | M };
    g_autoptr(GArray) program = rn_device_program_build(rules);

    for (gsize i = 0; i < G_N_ELEMENTS(accesses); i++) {
        bool allowed = run(program, type, accesses[i], major, minor);

        if (allowed != (expected[i] == 'y'))
            fail_msg("%c %u:%u, access %u: %s", type, major, minor, accesses[i],
                     allowed ? "allowed" : "denied");
    }
}

static GArray *new_rules(void)
{
    return g_array_new(FALSE, FALSE, sizeof(RnDeviceRule));
}

static void no_rules_deny_all(void **state)
{
    g_autoptr(GArray) rules = new_rules();

    (void)state;
    expect(rules, 'c', 1, 3, "nnnnn");
    expect(rules, 'b', 8, 0, "nnnnn");
}

static void total_rule_overrules_what_is_before_it(void **state)
{
    g_autoptr(GArray) rules = new_rules();

    (void)state;
    add(rules, false, 'c', 1, 3, R | W | M);
    add(rules, true, 'a', -1, -1, R | W | M);
    expect(rules, 'c', 1, 3, "yyyyy");
    add(rules, false, 'a', -1, -1, R | W | M);
    expect(rules, 'c', 1, 3, "nnnnn");
}

static void exceptions_match_type_and_numbers(void **state)
{
    g_autoptr(GArray) rules = new_rules();

    (void)state;
    add(rules, false, 'a', -1, -1, R | W | M);
    add(rules, true, 'c', 1, 3, R | W | M);
    add(rules, true, 'c', 136, -1, R | W);
    add(rules, true, 'b', -1, -1, M);
    expect(rules, 'c', 1, 3, "yyyyy");
    expect(rules, 'b', 1, 3, "nnynn");
    expect(rules, 'c', 1, 4, "nnnnn");
    expect(rules, 'c', 2, 3, "nnnnn");
    expect(rules, 'c', 136, 77, "yynyn");
    expect(rules, 'c', 1048575, 1048575, "nnnnn");
}

static void accesses_of_several_rules_add_up(void **state)
{
    g_autoptr(GArray) rules = new_rules();

    (void)state;
    add(rules, true, 'c', 1, 3, R);
    expect(rules, 'c', 1, 3, "ynnnn");
    add(rules, true, 'c', -1, 3, W);
    expect(rules, 'c', 1, 3, "yynyn");
    add(rules, true, 'a', 1, -1, M);
    expect(rules, 'c', 1, 3, "yyyyy");
}

static void last_rule_wins_for_each_access(void **state)
{
    g_autoptr(GArray) rules = new_rules();

    (void)state;
    add(rules, true, 'a', -1, -1, R | W | M);
    add(rules, false, 'c', 1, 3, W);
    expect(rules, 'c', 1, 3, "ynynn");
    add(rules, true, 'c', 1, 3, W);
    expect(rules, 'c', 1, 3, "yyyyy");
    add(rules, false, 'a', 1, -1, R);
    expect(rules, 'c', 1, 3, "nyynn");
    expect(rules, 'c', 2, 3, "yyyyy");
}

/* access(2) with F_OK asks for none */
static void no_access_is_denied_by_no_rule_but_the_total_one(void **state)
{
    g_autoptr(GArray) rules = new_rules();
    g_autoptr(GArray) program = NULL;

    (void)state;
    add(rules, true, 'a', -1, -1, R | W | M);
    add(rules, true, 'b', 8, 0, R | W | M);
    add(rules, false, 'c', 1, 3, R | W | M);
    program = rn_device_program_build(rules);
    assert_true(run(program, 'c', 0, 1, 3));
    assert_true(run(program, 'b', 0, 8, 0));
    assert_false(run(program, 'c', R, 1, 3));
}

/* Both are in one register, as are those of the rules. */
static void type_and_major_are_told_apart(void **state)
{
    g_autoptr(GArray) rules = new_rules();

    (void)state;
    add(rules, true, 'b', 0, 1, R | W | M);
    add(rules, true, 'c', 4095, -1, R);
    add(rules, true, 'c', (int64_t)1 << 28, -1, R | W | M);
    expect(rules, 'b', 0, 1, "yyyyy");
    expect(rules, 'c', 0, 1, "nnnnn");
    expect(rules, 'c', 4095, 9, "ynnnn");
    expect(rules, 'b', 4095, 9, "nnnnn");
}

static void rules_as_v1_has_them(void **state)
{
    static const struct {
        RnDeviceRule rule;
        const char *text;
    } cases[] = {
        { { .type = 'a',
            .major = -1,
            .minor = -1,
            .read = true,
            .write = true,
            .mknod = true },
          "a" },
        { { .type = 'c', .major = 1, .minor = 3, .read = true, .write = true },
          "c 1:3 rw" },
        { { .type = 'b', .major = -1, .minor = -1, .mknod = true }, "b *:* m" },
        { { .type = 'c', .major = 136, .minor = -1, .read = true },
          "c 136:* r" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = rn_device_rule_format(&cases[i].rule);

        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rules_deny_all),
        cmocka_unit_test(total_rule_overrules_what_is_before_it),
        cmocka_unit_test(exceptions_match_type_and_numbers),
        cmocka_unit_test(accesses_of_several_rules_add_up),
        cmocka_unit_test(last_rule_wins_for_each_access),
        cmocka_unit_test(no_access_is_denied_by_no_rule_but_the_total_one),
        cmocka_unit_test(type_and_major_are_told_apart),
        cmocka_unit_test(rules_as_v1_has_them),
    };

    return cmocka_run_group_tests_name("device-program", tests, NULL, NULL);
}
