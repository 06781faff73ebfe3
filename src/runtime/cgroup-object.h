/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-object - what the files of runtime/cgroup.h share
 */
#ifndef RNET_RUNTIME_CGROUP_OBJECT_H
#define RNET_RUNTIME_CGROUP_OBJECT_H

#include <rnet/runtime/cgroup-place.h>

struct RnCgroup {
    GPtrArray *parts; /* of RnCgroupPart; empty: no cgroup */
    char *unit;       /* systemd's scope, or NULL */
    bool user;        /* it is of the user's own manager */
    bool lenient;     /* device rules may go unenforced */
};

/* An object without a cgroup. */
RnCgroup *rn_cgroup_new(void) RN_CHECK;

/* The part that freezes, that lists and kills; NULL without a cgroup. */
const RnCgroupPart *rn_cgroup_freezer(const RnCgroup *cgroup);
const RnCgroupPart *rn_cgroup_lister(const RnCgroup *cgroup);

#endif
