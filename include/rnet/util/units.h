/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * units - strict text with a unit to number, as the other runtimes have it
 */
#ifndef RNET_UTIL_UNITS_H
#define RNET_UTIL_UNITS_H

#include <stdint.h>

#include <rnet/util/error.h>

/*
 * A size in bytes: decimal digits, maybe a fraction, maybe a unit of powers of
 * 1024, in either case: "512", "64k", "1.5g", "2 GiB", "10MB". RN_ERROR_INVALID
 * for other text and for more than 2^63-1 bytes. `what` names the value in the
 * error text.
 */
bool rn_parse_size(const char *text, const char *what, int64_t *out_bytes,
                   GError **error) RN_CHECK;

/*
 * A time as Go's time.ParseDuration has it, without a sign: "5s", "1m30s",
 * "1.5h", "200ms"; "0" needs no unit. Rounded to milliseconds.
 * RN_ERROR_INVALID for other text and for more than a year.
 */
bool rn_parse_duration(const char *text, const char *what, int64_t *out_ms,
                       GError **error) RN_CHECK;

#endif
