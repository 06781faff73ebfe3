/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events - what happens to a container: usage, and kills for want of memory
 *
 * Each event is one JSON document as runc's `events` has it:
 * {"type":"stats","id":"web","data":{...}}, {"type":"oom","id":"web"}.
 */
#ifndef RNET_RUNTIME_EVENTS_H
#define RNET_RUNTIME_EVENTS_H

#include <rnet/runtime/managed.h>

/* Gets one event as a line, "\n" included; false ends the whole. */
typedef bool (*RnEventFunc)(const char *line, GError **error);

/* One "stats" event, as it is now. */
bool rn_events_stats(const RnManaged *managed, RnEventFunc emit,
                     GError **error) RN_CHECK;

/*
 * A "stats" event each interval_ms (more than 0), an "oom" event whenever it
 * happens, until the container has ended. RN_ERROR_STATE if it has already.
 */
bool rn_events_follow(const RnManaged *managed, int64_t interval_ms,
                      RnEventFunc emit, GError **error) RN_CHECK;

#endif
