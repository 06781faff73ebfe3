/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - lines on stderr, the only mutable state of file scope in rnet
 *
 * Runs in every process. A line goes out in one write(2), so that lines of the
 * monitor, the relay and nsagent, which share the stderr, do not mix. Control
 * characters from outside (a file name, a peer's text) are shown escaped, so
 * they cannot forge lines or move the cursor.
 */
#include "config.h"

#include <rnet/util/log.h>

#include <unistd.h>

#include <rnet/util/error.h>

static RnLogLevel sink_level = RN_LOG_WARNING;
static const char *sink_name = "rnet";

static const char *const level_words[] = {
    [RN_LOG_ERROR] = "",
    [RN_LOG_WARNING] = "warning: ",
    [RN_LOG_INFO] = "",
    [RN_LOG_DEBUG] = "debug: ",
};
G_STATIC_ASSERT(G_N_ELEMENTS(level_words) == RN_LOG_N_);

void rn_log_set_level(RnLogLevel level)
{
    sink_level = level;
}

RnLogLevel rn_log_level(void)
{
    return sink_level;
}

void rn_log_set_name(const char *name)
{
    sink_name = name;
}

static void append_visible(GString *line, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (g_ascii_iscntrl(*c))
            g_string_append_printf(line, "\\x%02x", (unsigned char)*c);
        else
            g_string_append_c(line, *c);
    }
}

static void write_line(const char *prefix, const char *text)
{
    g_autoptr(GString) line = g_string_new(sink_name);

    g_string_append(line, ": ");
    g_string_append(line, prefix);
    append_visible(line, text);
    g_string_append_c(line, '\n');
    /* a log that cannot be written has nowhere to say so */
    if (write(STDERR_FILENO, line->str, line->len) < 0)
        return;
}

void rn_log(RnLogLevel level, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    if (level > sink_level)
        return;
    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    write_line(level_words[level], text);
}

void rn_log_gerror(RnLogLevel level, const GError *failure)
{
    g_autofree char *hint = NULL;
    g_autofree char *message = NULL;
    g_autoptr(GString) line = g_string_new(NULL);

    if (level > sink_level)
        return;
    message = rn_error_split(failure, &hint);
    write_line(level_words[level], message);
    if (hint == NULL)
        return;
    g_string_append(line, "hint: ");
    append_visible(line, hint);
    g_string_append_c(line, '\n');
    if (write(STDERR_FILENO, line->str, line->len) < 0)
        return;
}
