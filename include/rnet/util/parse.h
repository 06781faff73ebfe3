/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse - strict text to number: the whole text, decimal digits only, in range
 *
 * No sign, no white space, no other base: `080` is eighty, `+80`, ` 80`, `80 `
 * and the empty text are RN_ERROR_INVALID.
 */
#ifndef RNET_UTIL_PARSE_H
#define RNET_UTIL_PARSE_H

#include <stdint.h>

#include <rnet/util/error.h>

/* `what` names the value in the error text ("port", "mtu"). */
bool rn_parse_uint(const char *text, uint64_t min, uint64_t max,
                   const char *what, uint64_t *out_value, GError **error)
    RN_CHECK;

#endif
