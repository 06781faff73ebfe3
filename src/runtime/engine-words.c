/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine-words - runc's words for a program that cannot be executed
 *
 * Runs in the launcher and in `exec`, on errors that come from init or its
 * like and are about to be printed.
 */
#include "config.h"

#include <rnet/runtime/engine-words.h>

void rn_error_add_engine_words(GError **error)
{
    if (error == NULL || *error == NULL)
        return;
    if (g_error_matches(*error, RN_ERROR, RN_ERROR_PROGRAM_MISSING))
        g_prefix_error(error, "executable file not found in the container: ");
    if (g_error_matches(*error, RN_ERROR, RN_ERROR_PROGRAM_UNRUNNABLE))
        g_prefix_error(error, "permission denied to execute it: ");
}
