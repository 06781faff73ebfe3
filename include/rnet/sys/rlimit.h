/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rlimit - the calling process's resource limits, setrlimit(2)
 */
#ifndef RNET_SYS_RLIMIT_H
#define RNET_SYS_RLIMIT_H

#include <stdint.h>

#include <rnet/util/error.h>

/* "RLIMIT_NOFILE" for RLIMIT_NOFILE; "RLIMIT_?" for a number that is none. */
const char *rn_rlimit_name(int resource);

/*
 * Sets one limit. The error names the resource and, where the hard limit was
 * to be raised without CAP_SYS_RESOURCE, the value that it has.
 */
bool rn_rlimit_set(int resource, uint64_t soft, uint64_t hard, GError **error)
    RN_CHECK;

#endif
