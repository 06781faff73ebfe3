/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program-elf - can the kernel load this ELF file on this machine?
 *
 * elf(5). Only for src/runtime/program.c.
 */
#ifndef RNET_RUNTIME_PROGRAM_ELF_H
#define RNET_RUNTIME_PROGRAM_ELF_H

#include <rnet/util/error.h>

typedef enum RnElfJudgement {
    RN_ELF_NATIVE_ONLY,
    RN_ELF_ANY_MACHINE, /* binfmt_misc may have a use for others */
} RnElfJudgement;

/*
 * Checks the regular file behind fd, which begins with the ELF magic number.
 * `subject` begins the error's text ("program \"/bin/sh\""). All errors are
 * RN_ERROR_PROGRAM_UNRUNNABLE. *out_loader is the path in PT_INTERP, the
 * caller's, or NULL where there is none (static).
 */
bool rn_elf_check(int fd, const char *subject, RnElfJudgement judgement,
                  char **out_loader, GError **error) RN_CHECK;

#endif
