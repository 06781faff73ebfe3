/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-made - a container's cgroup as the launcher makes it
 */
#ifndef RNET_TESTS_UNIT_CGROUP_MADE_H
#define RNET_TESTS_UNIT_CGROUP_MADE_H

#include <rnet/runtime/cgroup.h>

/* Planned and made; NULL on failure. */
static inline RnCgroup *make_cgroup(const RnCgroupRequest *request, pid_t pid,
                                    GError **error)
{
    RnCgroup *cgroup = rn_cgroup_plan(request, error);

    if (cgroup == NULL || (rn_cgroup_make(cgroup, request, error) &&
                           rn_cgroup_enter(cgroup, request, pid, false, error)))
        return cgroup;
    rn_cgroup_free(cgroup);
    return NULL;
}

/* Through the record and back, as a later command has it. */
static inline RnCgroup *reload(RnCgroup *cgroup, GError **error)
{
    json_t *json = rn_cgroup_to_json(cgroup);
    RnCgroup *again = rn_cgroup_from_json(json, error);

    json_decref(json);
    rn_cgroup_free(cgroup);
    return again;
}

#endif
