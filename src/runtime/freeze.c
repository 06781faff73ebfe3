/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * freeze - the freezer of a container's cgroup, and when it may be used
 *
 * Runs in `rnet pause` and `rnet resume`, without the entry's lock: nothing of
 * the entry changes, the kernel knows what is frozen, and a container in the
 * foreground has its lock taken.
 */
#include "config.h"

#include <rnet/runtime/freeze.h>

static bool refuse(const RnManaged *managed, RnStatus status, GError **error)
{
    return rn_set_error(error, RN_ERROR_STATE, "container \"%s\" is %s",
                        rn_managed_record(managed)->id, rn_status_word(status));
}

static bool set_frozen(const RnManaged *managed, bool frozen, GError **error)
{
    if (rn_cgroup_set_frozen(rn_managed_cgroup(managed), frozen, error))
        return true;
    g_prefix_error(error, "container \"%s\": ", rn_managed_record(managed)->id);
    return false;
}

bool rn_freeze_pause(const RnManaged *managed, GError **error)
{
    RnStatus status = rn_managed_status(managed);

    if (status != RN_STATUS_CREATED && status != RN_STATUS_RUNNING)
        return refuse(managed, status, error);
    if (!set_frozen(managed, true, error))
        return false;
    if (rn_managed_pid(managed) != 0)
        return true;
    /* it ended before it froze: what is left must be free to go, too */
    if (!set_frozen(managed, false, error))
        return false;
    return refuse(managed, RN_STATUS_STOPPED, error);
}

bool rn_freeze_resume(const RnManaged *managed, GError **error)
{
    RnStatus status = rn_managed_status(managed);

    if (status != RN_STATUS_PAUSED)
        return rn_set_error(
            error, RN_ERROR_STATE, "container \"%s\" is not paused but %s",
            rn_managed_record(managed)->id, rn_status_word(status));
    return set_frozen(managed, false, error);
}
