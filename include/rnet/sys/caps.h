/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caps - capability sets of the calling thread, through libcap
 *
 * capabilities(7). A set is a bit mask, bit N for capability number N.
 */
#ifndef RNET_SYS_CAPS_H
#define RNET_SYS_CAPS_H

#include <stdint.h>

#include <rnet/util/error.h>

typedef uint64_t RnCapMask;

#define RN_CAP_BIT(capability) (UINT64_C(1) << (capability))

/* "CAP_NET_ADMIN" to its number; RN_ERROR_INVALID for an unknown name. */
bool rn_cap_parse(const char *name, unsigned *out_capability,
                  GError **error) RN_CHECK;

/* "CAP_NET_ADMIN" for its number, the caller's; NULL for a number that libcap
 * has no name for. */
char *rn_cap_name(unsigned capability) RN_CHECK;

/* All capabilities that the running kernel has. */
RnCapMask rn_caps_all(void);

/* The thread's effective set. */
RnCapMask rn_caps_effective(void);

/* The five sets as config.json names them, capabilities(7). */
typedef struct RnCapSets {
    RnCapMask bounding, effective, inheritable, permitted, ambient;
} RnCapSets;

/* Drops from the bounding set all that is not in `keep`. Needs CAP_SETPCAP. */
bool rn_caps_limit_bounding(RnCapMask keep, GError **error) RN_CHECK;

/* Sets effective, inheritable and permitted, then ambient (cleared first). */
bool rn_caps_apply(const RnCapSets *sets, GError **error) RN_CHECK;

/* No capability but `keep`, in any set, from now on; and no_new_privs. */
bool rn_caps_confine(RnCapMask keep, GError **error) RN_CHECK;

#endif
