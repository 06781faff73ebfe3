/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp-code - one filter out of a filter for each architecture
 *
 * Runs where a filter is compiled. Nothing here fails; how long the whole may
 * be is the caller's to check.
 */
#include "config.h"

#include <rnet/sys/seccomp-code.h>

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

/* x32's calls have x86_64's AUDIT_ARCH and this bit in their numbers */
#define X32_BIT 0x40000000U

#define LOAD(field)                                                            \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define JUMP(test, value, if_true, if_false)                                   \
    BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), (if_true), (if_false))
#define ALWAYS(distance) BPF_STMT(BPF_JMP | BPF_JA, (distance))

GArray *rn_seccomp_code_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(struct sock_filter));
}

static void add_stub(GArray *code, uint32_t last)
{
    const struct sock_filter stub[] = {
        LOAD(nr),
        JUMP(BPF_JGT, last, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };

    g_array_append_vals(code, stub, G_N_ELEMENTS(stub));
}

/* Conditional jumps reach 255 instructions, so each skips one that does not. */
static void add_dispatch(GArray *code, uint32_t arch, uint32_t distance)
{
    const bool is_x32 = arch == SCMP_ARCH_X32;
    const bool has_x32 = is_x32 || arch == SCMP_ARCH_X86_64;
    const struct sock_filter by_number[] = {
        LOAD(nr),
        JUMP(BPF_JSET, X32_BIT, is_x32 ? 1 : 0, is_x32 ? 0 : 1),
        ALWAYS(distance),
    };
    const uint32_t rest =
        distance + (has_x32 ? (uint32_t)G_N_ELEMENTS(by_number) : 0);
    const struct sock_filter by_arch[] = {
        LOAD(arch),
        JUMP(BPF_JEQ, is_x32 ? AUDIT_ARCH_X86_64 : arch, 1, 0),
        ALWAYS(rest),
    };

    g_array_append_vals(code, by_arch, G_N_ELEMENTS(by_arch));
    if (has_x32)
        g_array_append_vals(code, by_number, G_N_ELEMENTS(by_number));
}

void rn_seccomp_code_add(GArray *code, uint32_t arch, int last,
                         const struct sock_filter *block, gsize length)
{
    g_autoptr(GArray) stub = rn_seccomp_code_new();

    if (last >= 0)
        add_stub(stub, (uint32_t)last);
    add_dispatch(code, arch, (uint32_t)(stub->len + length));
    g_array_append_vals(code, stub->data, stub->len);
    g_array_append_vals(code, block, (unsigned)length);
}

void rn_seccomp_code_end(GArray *code)
{
    const struct sock_filter end =
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD);

    g_array_append_val(code, end);
}
