/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp-filter - a container's filter: from data to BPF, and into force
 *
 * Compiled in the launcher (or in init, before START), installed by init in
 * the last moment before exec. In: the bundle's filter. libseccomp makes the
 * BPF, the system call is our own: it is the only one, so that nothing follows
 * it that the new filter could stop, and it takes flags that libseccomp 2.5
 * does not know. A failure leaves the process without a filter.
 */
#include "config.h"

#include <rnet/sys/seccomp-filter.h>

#include <errno.h>
#include <seccomp.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <rnet/sys/seccomp-code.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum {
    /* of rules times names: Docker's profile has some 500, and libseccomp's
     * time grows with the square */
    MAX_CALLS = 16384,
    OPTIMIZE_TREE = 2, /* seccomp_attr_set(3): a binary tree, not a list */
    N_ARGUMENTS = 6,
};

struct RnSeccompProgram {
    GArray *code;   /* of struct sock_filter, at most BPF_MAXINSNS */
    unsigned flags; /* of seccomp(2) */
};

void rn_seccomp_program_free(RnSeccompProgram *program)
{
    if (program == NULL)
        return;
    g_clear_pointer(&program->code, g_array_unref);
    g_free(program);
}

static bool has_notify(const RnSeccomp *seccomp)
{
    if (seccomp->default_action == SCMP_ACT_NOTIFY)
        return true;
    for (unsigned i = 0; i < seccomp->rules->len; i++) {
        const RnSeccompRule *rule = g_ptr_array_index(seccomp->rules, i);

        if (rule->action == SCMP_ACT_NOTIFY)
            return true;
    }
    return false;
}

/* One system call under the first `n` of `args`. */
static bool add_call(scmp_filter_ctx filter, const RnSeccompRule *rule,
                     const char *name, const struct scmp_arg_cmp *args,
                     unsigned n, GError **error)
{
    int number = seccomp_syscall_resolve_name(name);
    int result = seccomp_rule_add_array(filter, rule->action, number, n, args);

    if (result == 0 || result == -EEXIST)
        return true;
    return rn_set_errno(error, -result, "add a rule for \"%.64s\"", name);
}

static struct scmp_arg_cmp compare(const RnSeccompArg *arg)
{
    return (struct scmp_arg_cmp){
        .arg = arg->index,
        .op = (enum scmp_compare)arg->op,
        .datum_a = arg->value,
        .datum_b = arg->value_two,
    };
}

/*
 * libseccomp takes one comparison of an argument in a rule. Where there are
 * two, each comparison is a rule by itself, any of which is enough: that is
 * what runc and crun make of it, and what Docker's profiles are written for.
 */
static bool add_name(scmp_filter_ctx filter, const RnSeccompRule *rule,
                     const char *name, GError **error)
{
    struct scmp_arg_cmp args[N_ARGUMENTS];
    unsigned n = rule->args == NULL ? 0 : rule->args->len;
    unsigned seen = 0;
    bool repeats = false;

    for (unsigned i = 0; i < n; i++) {
        const RnSeccompArg *arg = &g_array_index(rule->args, RnSeccompArg, i);

        if (arg->index >= N_ARGUMENTS)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "\"%.64s\" has no argument %u", name,
                                arg->index);
        repeats = repeats || (seen & (1U << arg->index)) != 0;
        seen |= 1U << arg->index;
    }
    for (unsigned i = 0; i < n; i++) {
        const RnSeccompArg *arg = &g_array_index(rule->args, RnSeccompArg, i);

        args[repeats ? 0 : i] = compare(arg);
        if (repeats && !add_call(filter, rule, name, args, 1, error))
            return false;
    }
    return repeats || add_call(filter, rule, name, args, n, error);
}

static bool add_rules(scmp_filter_ctx filter, const RnSeccomp *seccomp,
                      GError **error)
{
    unsigned calls = 0;

    for (unsigned i = 0; i < seccomp->rules->len; i++) {
        const RnSeccompRule *rule = g_ptr_array_index(seccomp->rules, i);

        /* libseccomp refuses what says nothing new */
        if (rule->action == seccomp->default_action)
            continue;
        for (char **name = rule->names; name != NULL && *name != NULL; name++) {
            if (++calls > MAX_CALLS)
                return rn_set_error(error, RN_ERROR_LIMIT,
                                    "more than %d system calls in the rules",
                                    MAX_CALLS);
            if (seccomp_syscall_resolve_name(*name) == __NR_SCMP_ERROR) {
                rn_log_debug("seccomp: no system call \"%s\" is known", *name);
                continue;
            }
            if (!add_name(filter, rule, *name, error))
                return false;
        }
    }
    return true;
}

/*
 * A profile that is older than a system call would deny it with EPERM, and
 * libraries, which look for ENOSYS, would not fall back on what was there
 * before. So, as with runc, calls above the highest number that the rules name
 * are unknown; not where the default action lets calls through.
 */
static bool wants_stub(const RnSeccomp *seccomp)
{
    switch (seccomp->default_action & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_USER_NOTIF:
        return false;
    default:
        return true;
    }
}

static int find_last(const RnSeccomp *seccomp, uint32_t arch)
{
    int last = RN_SECCOMP_NO_STUB;

    if (!wants_stub(seccomp))
        return last;
    for (unsigned i = 0; i < seccomp->rules->len; i++) {
        const RnSeccompRule *rule = g_ptr_array_index(seccomp->rules, i);

        for (char **name = rule->names; name != NULL && *name != NULL; name++)
            last = MAX(last, seccomp_syscall_resolve_name_arch(arch, *name));
    }
    return last;
}

/* What libseccomp made for one architecture. */
static bool take_code(int fd, uint32_t arch, int last, GArray *code,
                      GError **error)
{
    g_autofree struct sock_filter *block = NULL;
    off_t size = lseek(fd, 0, SEEK_END);

    if (size < 0)
        return rn_set_errno(error, errno, "read the compiled filter");
    block = g_malloc((gsize)size);
    if (pread(fd, block, (size_t)size, 0) != size)
        return rn_set_errno(error, EIO, "read the compiled filter");
    rn_seccomp_code_add(code, arch, last, block,
                        (gsize)size / sizeof(struct sock_filter));
    return true;
}

static bool set_architecture(scmp_filter_ctx filter, uint32_t arch,
                             GError **error)
{
    uint32_t native = seccomp_arch_native();
    int result = 0;

    if (arch == native)
        return true;
    result = seccomp_arch_add(filter, arch);
    if (result == 0)
        result = seccomp_arch_remove(filter, native);
    if (result < 0)
        return rn_set_errno(error, -result,
                            "make a filter for the architecture 0x%x", arch);
    return true;
}

static bool fill(scmp_filter_ctx filter, const RnSeccomp *seccomp,
                 uint32_t arch, GArray *code, GError **error)
{
    rn_autofd int fd = memfd_create("rnet-seccomp", MFD_CLOEXEC);
    int result = 0;

    if (fd < 0)
        return rn_set_errno(error, errno, "make a memory file");
    /* an older libseccomp makes a list of it, which does the same */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
    if (!set_architecture(filter, arch, error) ||
        !add_rules(filter, seccomp, error))
        return false;
    result = seccomp_export_bpf(filter, fd);
    if (result < 0)
        return rn_set_errno(error, -result, "compile the filter");
    return take_code(fd, arch, find_last(seccomp, arch), code, error);
}

static bool add_architecture(const RnSeccomp *seccomp, uint32_t arch,
                             GArray *code, GError **error)
{
    scmp_filter_ctx filter = seccomp_init(seccomp->default_action);
    bool filled = false;

    if (filter == NULL)
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "defaultAction: the kernel or libseccomp does not "
                            "have it");
    filled = fill(filter, seccomp, arch, code, error);
    seccomp_release(filter);
    return filled;
}

static bool is_repeated(const GArray *list, unsigned index)
{
    uint32_t arch = g_array_index(list, uint32_t, index);

    for (unsigned i = 0; i < index; i++) {
        if (g_array_index(list, uint32_t, i) == arch)
            return true;
    }
    return arch == seccomp_arch_native();
}

static bool compile_code(const RnSeccomp *seccomp, GArray *code, GError **error)
{
    const GArray *list = seccomp->architectures;

    if (!add_architecture(seccomp, seccomp_arch_native(), code, error))
        return false;
    for (unsigned i = 0; i < list->len; i++) {
        if (!is_repeated(list, i) &&
            !add_architecture(seccomp, g_array_index(list, uint32_t, i), code,
                              error))
            return false;
    }
    rn_seccomp_code_end(code);
    if (code->len > BPF_MAXINSNS)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "the filter is %u instructions long, and the "
                            "kernel takes %d",
                            code->len, BPF_MAXINSNS);
    return true;
}

static unsigned choose_flags(const RnSeccomp *seccomp, bool notifies)
{
    unsigned flags =
        seccomp->flags_given ? seccomp->flags : SECCOMP_FILTER_FLAG_SPEC_ALLOW;

    /* init has one thread that the filter is for: nothing to synchronise,
     * and the thread beside it is to stay free, exec-program.h */
    flags &= ~(unsigned)SECCOMP_FILTER_FLAG_TSYNC;
    if (notifies)
        return flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
    /* how a listener is waited for says nothing without one */
    return flags & ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
}

RnSeccompProgram *rn_seccomp_compile(const RnSeccomp *seccomp, GError **error)
{
    g_autoptr(RnSeccompProgram) program = g_new0(RnSeccompProgram, 1);
    bool notifies = has_notify(seccomp);

    program->code = rn_seccomp_code_new();
    program->flags = choose_flags(seccomp, notifies);
    if (notifies && seccomp->listener_path == NULL) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "linux.seccomp: SCMP_ACT_NOTIFY without "
                           "listenerPath");
        return NULL;
    }
    if (!compile_code(seccomp, program->code, error)) {
        g_prefix_error(error, "linux.seccomp: ");
        return NULL;
    }
    return g_steal_pointer(&program);
}

bool rn_seccomp_program_notifies(const RnSeccompProgram *program)
{
    return (program->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
}

static bool explain(int errno_value, GError **error)
{
    (void)rn_set_errno(error, errno_value, "linux.seccomp: install the filter");
    if (errno_value == EACCES)
        return rn_error_add_hint(error, "this takes CAP_SYS_ADMIN; or set "
                                        "process.noNewPrivileges");
    if (errno_value == EBUSY)
        return rn_error_add_hint(error,
                                 "only one filter of a process can have a "
                                 "listener, and there is one from outside");
    if (errno_value == EINVAL)
        return rn_error_add_hint(error, "the kernel lacks seccomp filters, or "
                                        "one of linux.seccomp.flags");
    return false;
}

bool rn_seccomp_install(const RnSeccompProgram *program, int *out_notify_fd,
                        GError **error)
{
    const struct sock_fprog filter = {
        .len = (unsigned short)program->code->len,
        .filter = (struct sock_filter *)(void *)program->code->data,
    };
    long result =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program->flags, &filter);

    if (result < 0)
        return explain(errno, error);
    *out_notify_fd = rn_seccomp_program_notifies(program) ? (int)result : -1;
    return true;
}
