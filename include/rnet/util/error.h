/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * error - rnet's two GError domains and what every module does with them
 *
 * RN_ERRNO carries the errno of a failed system call, RN_ERROR only the
 * distinctions that a caller acts on. A message says what was tried, in lower
 * case, without a full stop, the subject in double quotes; callers add their
 * scope with g_prefix_error(). A fallible function returns false with the
 * error set and its out parameters untouched, or true with the error
 * untouched.
 *
 * A hint is advice on how to mend the cause. It travels inside the message,
 * after a newline, so that it survives prefixes and process boundaries; only
 * the command line tears the two apart again.
 */
#ifndef RNET_UTIL_ERROR_H
#define RNET_UTIL_ERROR_H

#include <stdbool.h>

#include <glib.h>

#define RN_CHECK G_GNUC_WARN_UNUSED_RESULT

#define RN_ERROR rn_error_quark()
#define RN_ERRNO rn_errno_quark()

typedef enum RnErrorCode {
    RN_ERROR_INVALID,            /* input that breaks its format or rules */
    RN_ERROR_NOT_FOUND,          /* the named thing does not exist */
    RN_ERROR_EXISTS,             /* the name or address is taken */
    RN_ERROR_STATE,              /* not possible in the present state */
    RN_ERROR_UNSUPPORTED,        /* valid, but rnet or the host cannot do it */
    RN_ERROR_LIMIT,              /* a bound was reached */
    RN_ERROR_PROTOCOL,           /* a message that breaks protocol.h */
    RN_ERROR_PEER_DIED,          /* the other process ended without a word */
    RN_ERROR_HELPER_LOST,        /* a process that this one needs is of no use */
    RN_ERROR_PROGRAM_MISSING,    /* nothing to exec: exit status 127 */
    RN_ERROR_PROGRAM_UNRUNNABLE, /* there, but cannot exec: status 126 */
    RN_ERROR_N_
} RnErrorCode;

GQuark rn_error_quark(void);
GQuark rn_errno_quark(void);

/* Sets an RN_ERROR of `code`. Always false, so that it can be returned. */
bool rn_set_error(GError **error, RnErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/*
 * Sets an RN_ERRNO: the formatted text, ": " and strerror(errno_value).
 * Always false. errno_value is positive, as in errno.
 */
bool rn_set_errno(GError **error, int errno_value, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/*
 * Adds a hint to an error that is set; nothing when `error` or `*error` is
 * NULL, or when there is a hint already (the one nearest to the cause wins).
 * Always false.
 */
bool rn_error_add_hint(GError **error, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/*
 * Splits an error's text: returns the message without the hint (the caller's),
 * and in `out_hint` the hint (the caller's) or NULL.
 */
char *rn_error_split(const GError *error, char **out_hint) RN_CHECK;

/* True if `error` is an RN_ERRNO with this errno value. */
bool rn_error_is_errno(const GError *error, int errno_value);

#endif
