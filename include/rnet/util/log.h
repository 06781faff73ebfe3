/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - the one log sink of a process: lines on stderr
 *
 * `rnet: warning: text`, in one write(2). Libraries log at debug only; the
 * levels above are for the top level of a process (cli, relay, nsagent, init).
 */
#ifndef RNET_UTIL_LOG_H
#define RNET_UTIL_LOG_H

#include <glib.h>

typedef enum RnLogLevel {
    RN_LOG_ERROR,
    RN_LOG_WARNING,
    RN_LOG_INFO,
    RN_LOG_DEBUG,
    RN_LOG_N_
} RnLogLevel;

/* What is logged: this level and those before it. At start: RN_LOG_WARNING. */
void rn_log_set_level(RnLogLevel level);
RnLogLevel rn_log_level(void);

/* The word before the colon, "rnet" at start. Kept, not copied. */
void rn_log_set_name(const char *name);

void rn_log(RnLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define rn_log_error(...)   rn_log(RN_LOG_ERROR, __VA_ARGS__)
#define rn_log_warning(...) rn_log(RN_LOG_WARNING, __VA_ARGS__)
#define rn_log_info(...)    rn_log(RN_LOG_INFO, __VA_ARGS__)
#define rn_log_debug(...)   rn_log(RN_LOG_DEBUG, __VA_ARGS__)

/* Logs an error with its hint, if any, on a line of its own. */
void rn_log_gerror(RnLogLevel level, const GError *failure);

#endif
