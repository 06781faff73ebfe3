/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list - all containers, as `rnet list` shows them
 */
#ifndef RNET_RUNTIME_LIST_H
#define RNET_RUNTIME_LIST_H

#include <jansson.h>

#include <rnet/util/error.h>

/*
 * What runc's `list --format json` has: an array of the containers' states, in
 * which "owner" is the user's name and an ended container has pid 0. `managed`
 * is of RnManaged. A new reference.
 */
json_t *rn_list_to_json(const GPtrArray *managed) RN_CHECK;

/*
 * That array as a table with the columns ID, PID, STATUS, BUNDLE, CREATED,
 * OWNER, one line each; the caller's. Control characters are shown escaped.
 */
char *rn_list_format(const json_t *list) RN_CHECK;

#endif
