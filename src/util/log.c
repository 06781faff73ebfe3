/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - lines on stderr and in a log file, the only mutable state of file
 * scope in rnet
 *
 * Runs in every process; a log file only has the command line. A line goes out
 * in one write(2), so that lines of the monitor, the relay and nsagent, which
 * share the stderr, do not mix. Control characters from outside (a file name, a
 * peer's text) are shown escaped, so they cannot forge lines or move the
 * cursor. A line that cannot be written is lost: there is nowhere to say so.
 */
#include "config.h"

#include <rnet/util/log.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include <rnet/util/fd.h>

static RnLogLevel sink_level = RN_LOG_WARNING;
static const char *sink_name = "rnet";
static int sink_file = -1;
static RnLogFormat sink_format =
    RN_LOG_TEXT; /* the file's; without: stderr's */

static const struct {
    const char *prefix; /* on stderr */
    const char *word;   /* in the log file, as logrus has it */
} levels[] = {
    [RN_LOG_ERROR] = { "", "error" },
    [RN_LOG_WARNING] = { "warning: ", "warning" },
    [RN_LOG_INFO] = { "", "info" },
    [RN_LOG_DEBUG] = { "debug: ", "debug" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(levels) == RN_LOG_N_);

static const char *const format_words[] = {
    [RN_LOG_TEXT] = "text",
    [RN_LOG_JSON] = "json",
};
G_STATIC_ASSERT(G_N_ELEMENTS(format_words) == RN_LOG_FORMAT_N_);

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

bool rn_log_parse_format(const char *word, RnLogFormat *out_format,
                         GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(format_words); i++) {
        if (strcmp(word, format_words[i]) == 0) {
            *out_format = (RnLogFormat)i;
            return true;
        }
    }
    return rn_set_error(error, RN_ERROR_INVALID,
                        "log format \"%s\": neither text nor json", word);
}

bool rn_log_open_file(const char *path, RnLogFormat format, GError **error)
{
    rn_autofd int fd = -1;

    if (path != NULL) {
        do {
            fd =
                open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                     0644);
        } while (fd < 0 && errno == EINTR);
        if (fd < 0)
            return rn_set_errno(error, errno, "open log file \"%s\"", path);
    }
    rn_fd_close(&sink_file);
    sink_file = g_steal_fd(&fd);
    sink_format = format;
    return true;
}

void rn_log_restart(void)
{
    rn_fd_close(&sink_file);
    sink_level = RN_LOG_WARNING;
    sink_name = "rnet";
    sink_format = RN_LOG_TEXT;
}

int rn_log_file(void)
{
    return sink_file;
}

/*
 * SIGPIPE is held back: a FIFO whose reader has gone is no reason to end a
 * runtime half-way. One that was pending before stays so.
 */
static void write_whole(int fd, const GString *line)
{
    const struct timespec at_once = { 0 };
    sigset_t broken_pipe, before, pending;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, &broken_pipe, &before);
    if (!rn_fd_write_all(fd, line->str, line->len, NULL) &&
        !sigismember(&pending, SIGPIPE))
        (void)sigtimedwait(&broken_pipe, NULL, &at_once);
    sigprocmask(SIG_SETMASK, &before, NULL);
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

/* As logrus: quoted, so that the line can be taken apart again. */
static GString *format_text(RnLogLevel level, const char *text, const char *now)
{
    GString *line = g_string_new(NULL);

    g_string_append_printf(line, "time=\"%s\" level=%s msg=\"", now,
                           levels[level].word);
    for (const char *c = text; *c != '\0'; c++) {
        char one[2] = { *c, '\0' };

        if (*c == '"' || *c == '\\')
            g_string_append_c(line, '\\');
        append_visible(line, one);
    }
    g_string_append(line, "\"\n");
    return line;
}

static GString *format_json(RnLogLevel level, const char *text, const char *now)
{
    json_t *tree = json_pack("{s:s, s:s, s:s}", "level", levels[level].word,
                             "msg", text, "time", now);
    char *dump = json_dumps(tree, JSON_COMPACT | JSON_PRESERVE_ORDER);
    GString *line = g_string_new(dump);

    g_string_append_c(line, '\n');
    free(dump);
    json_decref(tree);
    return line;
}

static void write_record(int fd, RnLogLevel level, const char *text)
{
    g_autofree char *cut = g_strndup(text, RN_LOG_TEXT_MAX);
    g_autofree char *valid = g_utf8_make_valid(cut, -1);
    g_autoptr(GDateTime) time = g_date_time_new_now_utc();
    g_autofree char *now = g_date_time_format_iso8601(time);
    g_autoptr(GString) line = NULL;

    line = sink_format == RN_LOG_JSON ? format_json(level, valid, now)
                                      : format_text(level, valid, now);
    write_whole(fd, line);
}

static void write_line(const char *before, const char *prefix, const char *text)
{
    g_autoptr(GString) line = g_string_new(before);

    g_string_append(line, prefix);
    append_visible(line, text);
    g_string_append_c(line, '\n');
    if (write(STDERR_FILENO, line->str, line->len) < 0)
        return;
}

/* `hint` may be NULL. */
static void log_message(RnLogLevel level, const char *message, const char *hint)
{
    g_autofree char *name = g_strconcat(sink_name, ": ", NULL);
    g_autofree char *text = NULL;

    text = hint == NULL ? g_strdup(message)
                        : g_strconcat(message, "; hint: ", hint, NULL);
    if (sink_file < 0 && sink_format == RN_LOG_JSON) {
        write_record(STDERR_FILENO, level, text);
        return;
    }
    if (sink_file >= 0 && (level == RN_LOG_ERROR || sink_level == RN_LOG_DEBUG))
        write_record(sink_file, level, text);
    write_line(name, levels[level].prefix, message);
    if (hint != NULL)
        write_line("", "hint: ", hint);
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
    log_message(level, text, NULL);
}

void rn_log_gerror(RnLogLevel level, const GError *failure)
{
    g_autofree char *hint = NULL;
    g_autofree char *message = NULL;

    if (level > sink_level)
        return;
    message = rn_error_split(failure, &hint);
    log_message(level, message, hint);
}
