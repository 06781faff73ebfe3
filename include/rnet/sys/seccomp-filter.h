/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp-filter - a container's system call filter, through libseccomp
 *
 * seccomp(2); runtime-spec config-linux.md, Seccomp. The filter is data until
 * it is compiled; compiling touches nothing and can be done long before the
 * filter is installed.
 */
#ifndef RNET_SYS_SECCOMP_FILTER_H
#define RNET_SYS_SECCOMP_FILTER_H

#include <stdint.h>

#include <rnet/util/error.h>

/* seccomp_rule_add(3): one comparison of an argument. */
typedef struct RnSeccompArg {
    uint32_t index;            /* 0 to 5 */
    uint32_t op;               /* enum scmp_compare */
    uint64_t value, value_two; /* value_two: the datum of MASKED_EQ */
} RnSeccompArg;

typedef struct RnSeccompRule {
    char **names;    /* system calls; those that libseccomp does not know are
                        passed over, as runc and crun do */
    uint32_t action; /* SCMP_ACT_*, the errno or trace number included */
    GArray *args;    /* of RnSeccompArg, all must hold */
} RnSeccompRule;

typedef struct RnSeccomp {
    uint32_t default_action; /* SCMP_ACT_*, as above */
    GArray *architectures;   /* of uint32_t, SCMP_ARCH_* */
    unsigned flags;          /* SECCOMP_FILTER_FLAG_*, seccomp(2) */
    bool flags_given;        /* without: the default, SPEC_ALLOW (runc) */
    char *listener_path;     /* NULL: none */
    char *listener_metadata; /* NULL: none */
    GPtrArray *rules;        /* of RnSeccompRule */
} RnSeccomp;

/* Nothing in it: no architecture but the native one, no rule. */
RnSeccomp *rn_seccomp_new(void);
void rn_seccomp_free(RnSeccomp *seccomp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnSeccomp, rn_seccomp_free)
void rn_seccomp_rule_free(RnSeccompRule *rule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnSeccompRule, rn_seccomp_rule_free)

/*
 * Words of the specification ("SCMP_ACT_ERRNO", "SCMP_CMP_EQ",
 * "SCMP_ARCH_X86_64", "SECCOMP_FILTER_FLAG_LOG") as libseccomp's or the
 * kernel's numbers; false for an unknown one. An action that has a number comes
 * with EPERM, the specification's default of errnoRet; rn_seccomp_action_with()
 * puts another one in its place, and is false where the action has none or the
 * number is too large (an errno: 4095, for a tracer: 65535).
 */
bool rn_seccomp_parse_action(const char *word, uint32_t *out_action);
bool rn_seccomp_action_with(uint32_t *action, uint32_t number);
bool rn_seccomp_parse_compare(const char *word, uint32_t *out_op);
bool rn_seccomp_parse_architecture(const char *word, uint32_t *out_arch);
bool rn_seccomp_parse_flag(const char *word, unsigned *out_flag);

/* The same words as NULL-terminated lists, for `rnet features`. */
const char *const *rn_seccomp_action_words(void);
const char *const *rn_seccomp_compare_words(void);
const char *const *rn_seccomp_architecture_words(void);
const char *const *rn_seccomp_flag_words(void);

/* A compiled filter. */
typedef struct RnSeccompProgram RnSeccompProgram;

/*
 * Errors name linux.seccomp: RN_ERROR_INVALID for SCMP_ACT_NOTIFY without a
 * listener's path, RN_ERROR_LIMIT for a filter that is too long for the kernel
 * (4096 instructions) or names more than 16384 calls. Two comparisons of one
 * argument in a rule are two rules, as with runc and crun. TSYNC is dropped:
 * the thread that installs the filter is the only one that it is for.
 */
RnSeccompProgram *rn_seccomp_compile(const RnSeccomp *seccomp,
                                     GError **error) RN_CHECK;
void rn_seccomp_program_free(RnSeccompProgram *program);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnSeccompProgram, rn_seccomp_program_free)

/* True if an action is SCMP_ACT_NOTIFY: installing it gives an fd. */
bool rn_seccomp_program_notifies(const RnSeccompProgram *program);

/*
 * Installs it for this thread, for ever. Takes no_new_privs or CAP_SYS_ADMIN
 * in this user namespace. *out_notify_fd is the listener's fd (CLOEXEC, the
 * caller's) where an action is SCMP_ACT_NOTIFY, else -1. Makes no system call
 * after seccomp(2): the filter may forbid any.
 */
bool rn_seccomp_install(const RnSeccompProgram *program, int *out_notify_fd,
                        GError **error) RN_CHECK;

#endif
