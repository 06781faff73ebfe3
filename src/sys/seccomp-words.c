/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp-words - the specification's words for a filter, as numbers
 *
 * Runs wherever config.json is read. Words are the bundle's and unchecked;
 * the tables know what the libseccomp and the kernel headers that rnet was
 * built with know. A word that is in no table is the caller's to refuse.
 */
#include "config.h"

#include <rnet/sys/seccomp-filter.h>

#include <errno.h>
#include <seccomp.h>

#include <linux/seccomp.h>

/* Linux 5.19; Debian 12's headers have it, older ones do not */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum {
    MAX_ERRNO = 4095, /* the kernel takes a larger one for this */
    MAX_TRACE = 0xffff,
};

/*
 * Words and their numbers side by side, so that the words alone are the list
 * that `rnet features` prints.
 */
#define ACTIONS(X)                                                             \
    X("SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD)                                   \
    X("SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS)                          \
    X("SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD)                            \
    X("SCMP_ACT_TRAP", SCMP_ACT_TRAP)                                          \
    X("SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(EPERM))                                 \
    X("SCMP_ACT_TRACE", SCMP_ACT_TRACE(EPERM))                                 \
    X("SCMP_ACT_ALLOW", SCMP_ACT_ALLOW)                                        \
    X("SCMP_ACT_LOG", SCMP_ACT_LOG)                                            \
    X("SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY)

#define COMPARES(X)                                                            \
    X("SCMP_CMP_NE", SCMP_CMP_NE)                                              \
    X("SCMP_CMP_LT", SCMP_CMP_LT)                                              \
    X("SCMP_CMP_LE", SCMP_CMP_LE)                                              \
    X("SCMP_CMP_EQ", SCMP_CMP_EQ)                                              \
    X("SCMP_CMP_GE", SCMP_CMP_GE)                                              \
    X("SCMP_CMP_GT", SCMP_CMP_GT)                                              \
    X("SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ)

/* those that came after libseccomp 2.5 */
#ifdef SCMP_ARCH_LOONGARCH64
#define LOONGARCH64(X) X("SCMP_ARCH_LOONGARCH64", SCMP_ARCH_LOONGARCH64)
#else
#define LOONGARCH64(X)
#endif
#ifdef SCMP_ARCH_M68K
#define M68K(X) X("SCMP_ARCH_M68K", SCMP_ARCH_M68K)
#else
#define M68K(X)
#endif
#ifdef SCMP_ARCH_SH
#define SH(X)                                                                  \
    X("SCMP_ARCH_SH", SCMP_ARCH_SH) X("SCMP_ARCH_SHEB", SCMP_ARCH_SHEB)
#else
#define SH(X)
#endif

#define ARCHITECTURES(X)                                                       \
    X("SCMP_ARCH_X86", SCMP_ARCH_X86)                                          \
    X("SCMP_ARCH_X86_64", SCMP_ARCH_X86_64)                                    \
    X("SCMP_ARCH_X32", SCMP_ARCH_X32)                                          \
    X("SCMP_ARCH_ARM", SCMP_ARCH_ARM)                                          \
    X("SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64)                                  \
    X("SCMP_ARCH_MIPS", SCMP_ARCH_MIPS)                                        \
    X("SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64)                                    \
    X("SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32)                              \
    X("SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL)                                    \
    X("SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64)                                \
    X("SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32)                          \
    X("SCMP_ARCH_PPC", SCMP_ARCH_PPC)                                          \
    X("SCMP_ARCH_PPC64", SCMP_ARCH_PPC64)                                      \
    X("SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE)                                  \
    X("SCMP_ARCH_S390", SCMP_ARCH_S390)                                        \
    X("SCMP_ARCH_S390X", SCMP_ARCH_S390X)                                      \
    X("SCMP_ARCH_PARISC", SCMP_ARCH_PARISC)                                    \
    X("SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64)                                \
    X("SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64)                                  \
    LOONGARCH64(X)                                                             \
    M68K(X)                                                                    \
    SH(X)

#define FLAGS(X)                                                               \
    X("SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC)                  \
    X("SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG)                      \
    X("SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW)        \
    X("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",                                \
      SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

#define TAKE_WORD(word, number)   word,
#define TAKE_NUMBER(word, number) (uint32_t)(number),
#define TABLE(name, LIST)                                                      \
    static const char *const name##_words[] = { LIST(TAKE_WORD) NULL };        \
    static const uint32_t name##_numbers[] = { LIST(TAKE_NUMBER) }

TABLE(action, ACTIONS);
TABLE(compare, COMPARES);
TABLE(architecture, ARCHITECTURES);
TABLE(flag, FLAGS);

static bool look_up(const char *word, const char *const *words,
                    const uint32_t *numbers, uint32_t *out_number)
{
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            *out_number = numbers[i];
            return true;
        }
    }
    return false;
}

bool rn_seccomp_parse_action(const char *word, uint32_t *out_action)
{
    return look_up(word, action_words, action_numbers, out_action);
}

bool rn_seccomp_action_with(uint32_t *action, uint32_t number)
{
    uint32_t kind = *action & SECCOMP_RET_ACTION_FULL;

    if (kind == SECCOMP_RET_ERRNO && number <= MAX_ERRNO) {
        *action = SCMP_ACT_ERRNO(number);
        return true;
    }
    if (kind == SECCOMP_RET_TRACE && number <= MAX_TRACE) {
        *action = SCMP_ACT_TRACE(number);
        return true;
    }
    return false;
}

bool rn_seccomp_parse_compare(const char *word, uint32_t *out_op)
{
    return look_up(word, compare_words, compare_numbers, out_op);
}

bool rn_seccomp_parse_architecture(const char *word, uint32_t *out_arch)
{
    return look_up(word, architecture_words, architecture_numbers, out_arch);
}

bool rn_seccomp_parse_flag(const char *word, unsigned *out_flag)
{
    return look_up(word, flag_words, flag_numbers, out_flag);
}

const char *const *rn_seccomp_action_words(void)
{
    return action_words;
}

const char *const *rn_seccomp_compare_words(void)
{
    return compare_words;
}

const char *const *rn_seccomp_architecture_words(void)
{
    return architecture_words;
}

const char *const *rn_seccomp_flag_words(void)
{
    return flag_words;
}
