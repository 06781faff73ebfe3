/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lifecycle - start, kill and delete of a container that exists
 *
 * runtime-spec runtime.md, Operations. Errors have the words that engines look
 * for in those of runc: "does not exist", "container not running".
 */
#ifndef RNET_RUNTIME_LIFECYCLE_H
#define RNET_RUNTIME_LIFECYCLE_H

#include <rnet/util/error.h>

/* Starts a created container; returns when the payload runs and the poststart
 * hooks have run. A failure of these ends the container. */
bool rn_start(const char *state_dir, const char *id, GError **error) RN_CHECK;

/* "TERM", "SIGTERM", "15", "RTMIN+3"; RN_ERROR_INVALID. */
bool rn_signal_parse(const char *text, int *out_signal,
                     GError **error) RN_CHECK;

/* Sends a signal to init or, with `all`, to every process of the container. */
bool rn_kill(const char *state_dir, const char *id, int signal_number, bool all,
             GError **error) RN_CHECK;

/*
 * Removes a container that has stopped or is only created; with `force` kills
 * a running one first, and one that does not exist is no error.
 */
bool rn_delete(const char *state_dir, const char *id, bool force,
               GError **error) RN_CHECK;

#endif
