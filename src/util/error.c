/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * error - the error domains, and hints that travel inside the message
 *
 * Runs in every process. The hint is kept in the message itself, because that
 * is the only part of a GError that g_prefix_error(), copies and rnet's own
 * messages between processes all preserve.
 */
#include "config.h"

#include <rnet/util/error.h>

#include <string.h>

static const char hint_mark[] = "\nhint: ";

G_DEFINE_QUARK(rn_error, rn_error)
G_DEFINE_QUARK(rn_errno, rn_errno)

bool rn_set_error(GError **error, RnErrorCode code, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return false;
    g_return_val_if_fail(*error == NULL, false);
    va_start(arguments, format);
    *error = g_error_new_valist(RN_ERROR, code, format, arguments);
    va_end(arguments);
    return false;
}

/* g_strerror() would convert it from the locale's character set, of which rnet
 * has none, and load what can do that: each start of a container looks for some
 * file that is not there. strerror(3), since glibc 2.32. */
static const char *describe_errno(int errno_value)
{
    const char *text = strerrordesc_np(errno_value);

    return text != NULL ? text : g_strerror(errno_value);
}

bool rn_set_errno(GError **error, int errno_value, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    if (error == NULL)
        return false;
    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, RN_ERRNO, errno_value, "%s: %s", text,
                describe_errno(errno_value));
    return false;
}

bool rn_error_add_hint(GError **error, const char *format, ...)
{
    g_autofree char *hint = NULL;
    char *message = NULL;
    va_list arguments;

    if (error == NULL || *error == NULL)
        return false;
    if (strstr((*error)->message, hint_mark) != NULL)
        return false;
    va_start(arguments, format);
    hint = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    message = g_strconcat((*error)->message, hint_mark, hint, NULL);
    g_free((*error)->message);
    (*error)->message = message;
    return false;
}

char *rn_error_split(const GError *error, char **out_hint)
{
    const char *mark = strstr(error->message, hint_mark);

    *out_hint = NULL;
    if (mark == NULL)
        return g_strdup(error->message);
    *out_hint = g_strdup(mark + strlen(hint_mark));
    return g_strndup(error->message, (gsize)(mark - error->message));
}

bool rn_error_is_errno(const GError *error, int errno_value)
{
    return g_error_matches(error, RN_ERRNO, errno_value);
}
