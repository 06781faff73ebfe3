/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse - strict text to number
 *
 * Runs wherever a person's or a program's text comes in. Failure leaves the
 * out parameter alone and names the value and its range.
 */
#include "config.h"

#include <rnet/util/parse.h>

bool rn_parse_uint(const char *text, uint64_t min, uint64_t max,
                   const char *what, uint64_t *out_value, GError **error)
{
    guint64 value = 0;

    /* of GLib's parser only the sign would be laxer than the rule here */
    if (g_ascii_isdigit(text[0]) &&
        g_ascii_string_to_unsigned(text, 10, min, max, &value, NULL)) {
        *out_value = value;
        return true;
    }
    return rn_set_error(error, RN_ERROR_INVALID,
                        "%s \"%s\" is not a number from %" G_GUINT64_FORMAT
                        " to %" G_GUINT64_FORMAT,
                        what, text, min, max);
}
