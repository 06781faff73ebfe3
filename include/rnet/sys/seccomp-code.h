/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seccomp-code - one filter out of a filter for each architecture
 *
 * libseccomp takes many times longer for three architectures in one filter
 * than for three filters (2.5.4, Podman's profile: 28 ms, 10 ms).
 */
#ifndef RNET_SYS_SECCOMP_CODE_H
#define RNET_SYS_SECCOMP_CODE_H

#include <stdint.h>

#include <linux/filter.h>

#include <rnet/util/error.h>

enum { RN_SECCOMP_NO_STUB = -1 };

/* A GArray of struct sock_filter, still without an architecture. */
GArray *rn_seccomp_code_new(void) RN_CHECK;

/*
 * Adds what is to happen to calls of `arch` (SCMP_ARCH_*, each one once):
 * `block`, which ends in a verdict on all paths. Calls with a number above
 * `last` give ENOSYS before it, unless that is RN_SECCOMP_NO_STUB.
 */
void rn_seccomp_code_add(GArray *code, uint32_t arch, int last,
                         const struct sock_filter *block, gsize length);

/* Calls of all other architectures end the thread, as with libseccomp. */
void rn_seccomp_code_end(GArray *code);

#endif
