/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-control - the processes of a container's cgroup, and its end
 *
 * Runs in the commands that pause, resume, signal and delete a container, and
 * in the launcher of a foreground one. The processes are hostile.
 */
#include "config.h"

#include <rnet/runtime/cgroup.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <rnet/runtime/cgroup-make.h>
#include <rnet/sys/cgroup-dir.h>
#include <rnet/util/log.h>

#include "cgroup-object.h"

enum {
    RETRY_MS = 1, /* between two tries to remove a cgroup that is empty */
};

const RnCgroupPart *rn_cgroup_freezer(const RnCgroup *cgroup)
{
    const RnCgroupPart *v1 = rn_cgroup_find_part(cgroup->parts, 1, "freezer");

    return v1 != NULL ? v1 : rn_cgroup_find_part(cgroup->parts, 2, "cgroup");
}

const RnCgroupPart *rn_cgroup_lister(const RnCgroup *cgroup)
{
    const RnCgroupPart *v2 = rn_cgroup_find_part(cgroup->parts, 2, "cgroup");
    const RnCgroupPart *freezer = rn_cgroup_freezer(cgroup);

    if (v2 != NULL || freezer != NULL)
        return v2 != NULL ? v2 : freezer;
    return cgroup->parts->len == 0 ? NULL : g_ptr_array_index(cgroup->parts, 0);
}

bool rn_cgroup_fail_without(const char *what, GError **error)
{
    (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                       "%s: the container has no cgroup", what);
    return rn_error_add_hint(error, "an ordinary user gets one with cgroup v2 "
                                    "and --systemd-cgroup");
}

bool rn_cgroup_set_frozen(const RnCgroup *cgroup, bool frozen, GError **error)
{
    const char *what = frozen ? "pause" : "resume";
    const RnCgroupPart *part = rn_cgroup_freezer(cgroup);

    if (part == NULL)
        return rn_cgroup_fail_without(what, error);
    if (rn_cgroup_dir_set_frozen(part->directory, part->version, frozen, error))
        return true;
    g_prefix_error(error, "%s: ", what);
    return false;
}

bool rn_cgroup_is_frozen(const RnCgroup *cgroup)
{
    const RnCgroupPart *part = rn_cgroup_freezer(cgroup);

    return part != NULL &&
           rn_cgroup_dir_is_frozen(part->directory, part->version);
}

bool rn_cgroup_processes(const RnCgroup *cgroup, GArray **out_pids,
                         GError **error)
{
    const RnCgroupPart *part = rn_cgroup_lister(cgroup);
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));

    if (part == NULL)
        return rn_cgroup_fail_without("list processes", error);
    if (!rn_cgroup_dir_processes(part->directory, pids, error))
        return false;
    *out_pids = g_steal_pointer(&pids);
    return true;
}

/* On v1 a frozen process does not die: it is thawed first, whichever hierarchy
 * the killing then goes by. */
static bool kill_all(const RnCgroup *cgroup, GError **error)
{
    const RnCgroupPart *lister = rn_cgroup_lister(cgroup);
    const RnCgroupPart *freezer = rn_cgroup_freezer(cgroup);

    if (freezer != NULL && freezer->version == 1 &&
        rn_cgroup_dir_is_frozen(freezer->directory, 1) &&
        !rn_cgroup_dir_set_frozen(freezer->directory, 1, false, error))
        return false;
    return rn_cgroup_dir_kill(lister->directory, lister->version, error);
}

bool rn_cgroup_signal(const RnCgroup *cgroup, int signal_number, GError **error)
{
    const RnCgroupPart *lister = rn_cgroup_lister(cgroup);
    const RnCgroupPart *freezer = rn_cgroup_freezer(cgroup);
    g_autoptr(GError) unfrozen = NULL;
    bool freeze = false;
    bool done = false;

    if (lister == NULL)
        return true;
    if (signal_number == SIGKILL)
        return kill_all(cgroup, error);
    /* frozen meanwhile, none can fork and leave a child without the signal */
    freeze = freezer != NULL && !rn_cgroup_is_frozen(cgroup) &&
             rn_cgroup_dir_set_frozen(freezer->directory, freezer->version,
                                      true, &unfrozen);
    if (unfrozen != NULL)
        rn_log_debug("signal without freezing: %s", unfrozen->message);
    done = rn_cgroup_dir_signal(lister->directory, signal_number, error);
    if (!freeze)
        return done;
    return rn_cgroup_dir_set_frozen(freezer->directory, freezer->version, false,
                                    done ? error : NULL) &&
           done;
}

/* The kernel may take a moment to let go of a cgroup whose last process has
 * ended, and does not tell when. */
static bool remove_part(const RnCgroupPart *part, GError **error)
{
    int64_t end =
        g_get_monotonic_time() + RN_CGROUP_PATIENCE_MS * (int64_t)1000;

    for (;;) {
        g_autoptr(GError) failure = NULL;

        if (rn_cgroup_dir_remove(part->directory, &failure))
            return true;
        if (!rn_error_is_errno(failure, EBUSY) ||
            g_get_monotonic_time() >= end) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        (void)poll(NULL, 0, RETRY_MS);
    }
}

static void remove_planned(const RnCgroup *cgroup)
{
    for (unsigned i = 0; i < cgroup->parts->len; i++) {
        const RnCgroupPart *part = g_ptr_array_index(cgroup->parts, i);

        (void)rmdir(part->directory); /* not made, or not this container's */
    }
}

bool rn_cgroup_remove(RnCgroup *cgroup, GError **error)
{
    if (cgroup->is_planned)
        remove_planned(cgroup);
    if (!rn_cgroup_exists(cgroup))
        return true;
    if (!kill_all(cgroup, error))
        return false;
    if (cgroup->unit != NULL)
        rn_cgroup_scope_stop(cgroup);
    while (cgroup->parts->len > 0) {
        if (!remove_part(g_ptr_array_index(cgroup->parts, 0), error))
            return false;
        (void)g_ptr_array_remove_index(cgroup->parts, 0);
    }
    return true;
}
