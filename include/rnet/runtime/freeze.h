/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * freeze - pause and resume
 */
#ifndef RNET_RUNTIME_FREEZE_H
#define RNET_RUNTIME_FREEZE_H

#include <rnet/runtime/managed.h>

/*
 * Stops all processes of a created or running container; returns when they
 * stand still. RN_ERROR_STATE if it is in another state or ends meanwhile,
 * RN_ERROR_UNSUPPORTED if it has no cgroup.
 */
bool rn_freeze_pause(const RnManaged *managed, GError **error) RN_CHECK;

/* The reverse. RN_ERROR_STATE if it is not paused. */
bool rn_freeze_resume(const RnManaged *managed, GError **error) RN_CHECK;

#endif
