/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device-program - device rules as a BPF program, and as v1's lines
 *
 * Runs in the launcher and in `update`. The rules are the bundle's. The
 * program walks them from the last to the first with the set of accesses that
 * are still undecided: an allowing rule takes its own out, and the last one
 * out allows; a denying rule that covers any of them denies.
 */
#include "config.h"

#include <rnet/sys/device-program.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>

#include <rnet/util/fd.h>

/* registers, by what the program has in them */
enum {
    R_RESULT = BPF_REG_0,
    R_CONTEXT = BPF_REG_1, /* struct bpf_cgroup_dev_ctx, at the start */
    R_TYPE = BPF_REG_2,
    R_ACCESS = BPF_REG_3, /* those that are undecided */
    R_MAJOR = BPF_REG_4,
    R_MINOR = BPF_REG_5,
    R_SCRATCH = BPF_REG_6,
    R_KIND = BPF_REG_7, /* type and major in one */
    KIND_SHIFT = 28,    /* of the type; the kernel's majors have 12 bits */
    TYPE_MASK = 0xffff, /* of access_type; the access is above it */
    ACCESS_SHIFT = 16,
    ALL_ACCESS = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE,
    ATTACHED_MAX = 64, /* programs on one cgroup, the kernel's own limit */
};

/* a register's number has four bits */
#define REGISTER(number) ((number)&0xfU)

/* by which a later call knows its own; BPF_OBJ_NAME_LEN with the NUL */
static const char program_name[] = "rnet_devices";

static void emit(GArray *program, struct bpf_insn instruction)
{
    g_array_append_val(program, instruction);
}

static void emit_load(GArray *program, uint8_t target, int16_t offset)
{
    emit(program, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
                                     .dst_reg = REGISTER(target),
                                     .src_reg = R_CONTEXT,
                                     .off = offset });
}

/* One operation with a constant, on 32 bits. */
static void emit_alu(GArray *program, uint8_t operation, uint8_t target,
                     int32_t constant)
{
    emit(program, (struct bpf_insn){ .code = BPF_ALU | BPF_K | operation,
                                     .dst_reg = REGISTER(target),
                                     .imm = constant });
}

/* One operation with a register: BPF_MOV, BPF_OR. */
static void emit_alu_with(GArray *program, uint8_t operation, uint8_t target,
                          uint8_t source)
{
    emit(program, (struct bpf_insn){ .code = BPF_ALU | BPF_X | operation,
                                     .dst_reg = REGISTER(target),
                                     .src_reg = REGISTER(source) });
}

/* A jump; where to is filled in by land_jumps(). */
static void emit_jump(GArray *program, uint8_t condition, uint8_t target,
                      int32_t constant)
{
    emit(program, (struct bpf_insn){ .code = BPF_JMP | BPF_K | condition,
                                     .dst_reg = REGISTER(target),
                                     .imm = constant });
}

static void emit_return(GArray *program, int32_t result)
{
    emit_alu(program, BPF_MOV, R_RESULT, result);
    emit(program, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

/* Lets all jumps from `start` on lead to what comes next. */
static void land_jumps(GArray *program, unsigned start)
{
    for (unsigned i = start; i < program->len; i++) {
        struct bpf_insn *instruction =
            &g_array_index(program, struct bpf_insn, i);

        if (BPF_CLASS(instruction->code) == BPF_JMP &&
            BPF_OP(instruction->code) != BPF_EXIT)
            instruction->off = (int16_t)(program->len - i - 1);
    }
}

static int32_t rule_access(const RnDeviceRule *rule)
{
    return (rule->read ? BPF_DEVCG_ACC_READ : 0) |
           (rule->write ? BPF_DEVCG_ACC_WRITE : 0) |
           (rule->mknod ? BPF_DEVCG_ACC_MKNOD : 0);
}

bool rn_device_rule_is_total(const RnDeviceRule *rule)
{
    return rule->type == 'a' && rule->major < 0 && rule->minor < 0 &&
           rule_access(rule) == ALL_ACCESS;
}

/* The fewer jumps, the less has the kernel's verifier to follow, for which
 * every start of a container waits. */
static void emit_match(GArray *program, const RnDeviceRule *rule)
{
    int32_t type = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;

    if (rule->type != 'a' && rule->major >= 0 &&
        rule->major < (1 << KIND_SHIFT)) {
        emit_jump(program, BPF_JNE, R_KIND,
                  (type << KIND_SHIFT) | (int32_t)rule->major);
    } else {
        if (rule->type != 'a')
            emit_jump(program, BPF_JNE, R_TYPE, type);
        if (rule->major >= 0)
            emit_jump(program, BPF_JNE, R_MAJOR, (int32_t)rule->major);
    }
    if (rule->minor >= 0)
        emit_jump(program, BPF_JNE, R_MINOR, (int32_t)rule->minor);
}

static void emit_rule(GArray *program, const RnDeviceRule *rule)
{
    unsigned start = program->len;

    emit_match(program, rule);
    if (!rule->allow) {
        emit_alu_with(program, BPF_MOV, R_SCRATCH, R_ACCESS);
        emit_alu(program, BPF_AND, R_SCRATCH, rule_access(rule));
        emit_jump(program, BPF_JEQ, R_SCRATCH, 0);
    } else if (rule_access(rule) != ALL_ACCESS) { /* else all is allowed now */
        emit_alu(program, BPF_AND, R_ACCESS, ALL_ACCESS & ~rule_access(rule));
        emit_jump(program, BPF_JNE, R_ACCESS, 0);
    }
    emit_return(program, rule->allow ? 1 : 0);
    land_jumps(program, start);
}

GArray *rn_device_program_build(const GArray *rules)
{
    GArray *program = g_array_new(FALSE, TRUE, sizeof(struct bpf_insn));
    bool total = false;

    emit_load(program, R_TYPE,
              G_STRUCT_OFFSET(struct bpf_cgroup_dev_ctx, access_type));
    emit_alu_with(program, BPF_MOV, R_ACCESS, R_TYPE);
    emit_alu(program, BPF_AND, R_TYPE, TYPE_MASK);
    emit_alu(program, BPF_RSH, R_ACCESS, ACCESS_SHIFT);
    emit_load(program, R_MAJOR,
              G_STRUCT_OFFSET(struct bpf_cgroup_dev_ctx, major));
    emit_load(program, R_MINOR,
              G_STRUCT_OFFSET(struct bpf_cgroup_dev_ctx, minor));
    emit_alu_with(program, BPF_MOV, R_KIND, R_TYPE);
    emit_alu(program, BPF_LSH, R_KIND, KIND_SHIFT);
    emit_alu_with(program, BPF_OR, R_KIND, R_MAJOR);
    for (unsigned i = rules->len; i > 0 && !total; i--) {
        const RnDeviceRule *rule = &g_array_index(rules, RnDeviceRule, i - 1);

        /* nothing before it is reached, and the verifier wants no dead code */
        total = rn_device_rule_is_total(rule);
        if (total)
            emit_return(program, rule->allow ? 1 : 0);
        else
            emit_rule(program, rule);
    }
    if (!total)
        emit_return(program, 0);
    return program;
}

static int call_bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static bool load(const GArray *program, int *out_fd, GError **error)
{
    union bpf_attr attributes = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insns = (uintptr_t)program->data,
        .insn_cnt = program->len,
        .license = (uintptr_t) "GPL",
    };
    int fd = -1;

    memcpy(attributes.prog_name, program_name, sizeof program_name);
    fd = call_bpf(BPF_PROG_LOAD, &attributes);
    if (fd < 0)
        return rn_set_errno(error, errno, "load the program for devices");
    *out_fd = fd;
    return true;
}

static bool is_ours(int program_fd)
{
    struct bpf_prog_info info = { 0 };
    union bpf_attr attributes = {
        .info = { .bpf_fd = (uint32_t)program_fd,
                  .info_len = sizeof info,
                  .info = (uintptr_t)&info },
    };

    return call_bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) == 0 &&
           strcmp(info.name, program_name) == 0;
}

/* An fd of the program that an earlier call attached here, -1: none. */
static int find_attached(int cgroup_fd)
{
    uint32_t ids[ATTACHED_MAX] = { 0 };
    union bpf_attr query = {
        .query = { .target_fd = (uint32_t)cgroup_fd,
                   .attach_type = BPF_CGROUP_DEVICE,
                   .prog_ids = (uintptr_t)ids,
                   .prog_cnt = ATTACHED_MAX },
    };

    if (call_bpf(BPF_PROG_QUERY, &query) < 0)
        return -1;
    for (unsigned i = 0; i < query.query.prog_cnt && i < ATTACHED_MAX; i++) {
        union bpf_attr by_id = { .prog_id = ids[i] };
        rn_autofd int fd = call_bpf(BPF_PROG_GET_FD_BY_ID, &by_id);

        if (fd >= 0 && is_ours(fd))
            return g_steal_fd(&fd);
    }
    return -1;
}

bool rn_device_program_attach(const char *path, const GArray *program,
                              GError **error)
{
    rn_autofd int cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rn_autofd int fd = -1;
    rn_autofd int old_fd = -1;
    union bpf_attr attributes = { 0 };

    if (cgroup_fd < 0)
        return rn_set_errno(error, errno, "open the cgroup \"%s\"", path);
    if (!load(program, &fd, error))
        return false;
    old_fd = find_attached(cgroup_fd);
    attributes.target_fd = (uint32_t)cgroup_fd;
    attributes.attach_bpf_fd = (uint32_t)fd;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (old_fd >= 0) { /* Linux 5.6 */
        attributes.attach_flags |= BPF_F_REPLACE;
        attributes.replace_bpf_fd = (uint32_t)old_fd;
    }
    if (call_bpf(BPF_PROG_ATTACH, &attributes) < 0)
        return rn_set_errno(error, errno,
                            "attach the program for devices to \"%s\"", path);
    return true;
}

static char *format_number(int64_t number)
{
    return number < 0 ? g_strdup("*")
                      : g_strdup_printf("%" G_GINT64_FORMAT, number);
}

char *rn_device_rule_format(const RnDeviceRule *rule)
{
    g_autofree char *major = format_number(rule->major);
    g_autofree char *minor = format_number(rule->minor);

    if (rn_device_rule_is_total(rule))
        return g_strdup("a");
    return g_strdup_printf("%c %s:%s %s%s%s", rule->type, major, minor,
                           rule->read ? "r" : "", rule->write ? "w" : "",
                           rule->mknod ? "m" : "");
}
