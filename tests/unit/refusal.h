/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refusal - what a call that the kernel refuses must say
 */
#ifndef RNET_TESTS_UNIT_REFUSAL_H
#define RNET_TESTS_UNIT_REFUSAL_H

#include <string.h>

#include <rnet/util/error.h>

typedef struct Refusal {
    int errno_value;
    const char *part;
} Refusal;

/*
 * NULL if a call was refused like that, else what was wrong. Clears the error,
 * which comes by reference, since `succeeded` is evaluated with it.
 */
static inline char *check_refusal(bool succeeded, GError **in_error,
                                  const Refusal *wanted)
{
    g_autoptr(GError) error = g_steal_pointer(in_error);

    if (succeeded)
        return g_strdup_printf("accepted, wanted \"%s\"", wanted->part);
    if (rn_error_is_errno(error, wanted->errno_value) &&
        strstr(error->message, wanted->part) != NULL)
        return NULL;
    return g_strdup_printf("said \"%s\" (%d), wanted \"%s\" (%d)",
                           error->message, error->code, wanted->part,
                           wanted->errno_value);
}

#endif
