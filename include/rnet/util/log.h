/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - the one log sink of a process: lines on stderr, and in a log file
 *
 * `rnet: warning: text`, in one write(2). Libraries log at debug only; the
 * levels above are for the top level of a process (cli, relay, nsagent, init).
 *
 * The log file is what an engine gave the command line (--log): it reads there
 * why a runtime failed. Its lines are shaped as those of runc (logrus) and
 * crun:
 *
 *     {"level":"error","msg":"TEXT","time":"2026-11-22T08:38:25Z"}
 *     time="2026-11-22T08:38:25Z" level=error msg="TEXT"
 *
 * Only errors go there, but for debugging: Podman takes the file as one JSON
 * document (containerd takes the last line whose level is "error"). An error's
 * hint is a part of its text there, after "; hint: ".
 */
#ifndef RNET_UTIL_LOG_H
#define RNET_UTIL_LOG_H

#include <glib.h>

#include <rnet/util/error.h>

typedef enum RnLogLevel {
    RN_LOG_ERROR,
    RN_LOG_WARNING,
    RN_LOG_INFO,
    RN_LOG_DEBUG,
    RN_LOG_N_
} RnLogLevel;

typedef enum RnLogFormat {
    RN_LOG_TEXT,
    RN_LOG_JSON,
    RN_LOG_FORMAT_N_
} RnLogFormat;

enum {
    RN_LOG_TEXT_MAX = 32 * 1024 /* bytes of a text in the log file; the rest is
                                   cut off */
};

/* What is logged: this level and those before it. At start: RN_LOG_WARNING. */
void rn_log_set_level(RnLogLevel level);
RnLogLevel rn_log_level(void);

/* The word before the colon, "rnet" at start. Kept, not copied. */
void rn_log_set_name(const char *name);

/* "text" or "json"; RN_ERROR_INVALID. */
bool rn_log_parse_format(const char *word, RnLogFormat *out_format,
                         GError **error) RN_CHECK;

/*
 * From now on errors, and at level debug everything, also go to the file
 * `path`, in this format. It is made (0644) if it is missing, else appended
 * to; links are followed, /dev/stderr is fine; a FIFO is opened when its
 * reader has come. NULL: no file, the lines on stderr have the format instead
 * (RN_LOG_TEXT: they are as always). The fd is this process's only, exec
 * closes it. On failure everything is as before.
 */
bool rn_log_open_file(const char *path, RnLogFormat format,
                      GError **error) RN_CHECK;

/* Everything as at the start of a program, the file closed. For a fork that
 * becomes another process. */
void rn_log_restart(void);

/* The file's fd, -1 without one: a process that closes fds that it does not
 * know has to keep it. */
int rn_log_file(void);

void rn_log(RnLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define rn_log_error(...)   rn_log(RN_LOG_ERROR, __VA_ARGS__)
#define rn_log_warning(...) rn_log(RN_LOG_WARNING, __VA_ARGS__)
#define rn_log_info(...)    rn_log(RN_LOG_INFO, __VA_ARGS__)
#define rn_log_debug(...)   rn_log(RN_LOG_DEBUG, __VA_ARGS__)

/* Logs an error with its hint, if any, on stderr on a line of its own. */
void rn_log_gerror(RnLogLevel level, const GError *failure);

#endif
