/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-make - makes the directories that cgroup-place.h decided on, and
 * writes what cgroup-setting.h and the device rules ask for
 */
#ifndef RNET_RUNTIME_CGROUP_MAKE_H
#define RNET_RUNTIME_CGROUP_MAKE_H

#include <rnet/runtime/cgroup-place.h>
#include <rnet/runtime/cgroup-setting.h>

typedef enum RnCgroupUse {
    RN_CGROUP_UNUSED, /* one that exists must have no processes */
    RN_CGROUP_SHARED, /* systemd has put the container's into it already */
} RnCgroupUse;

/*
 * Makes the directory of one part and those above it, hands the controllers
 * down to it (v2: `wanted`, and those whose numbers engines show) or the cpus
 * and memory nodes (v1's cpuset). RN_ERROR_EXISTS if it has processes and must
 * not. On failure nothing that was made is left.
 */
bool rn_cgroup_part_make(RnCgroupPart *part, const char *const *wanted,
                         RnCgroupUse use, GError **error) RN_CHECK;

/* Takes away what rn_cgroup_part_make() made, as far as it is empty. */
void rn_cgroup_part_undo(const RnCgroupPart *part);

/* What is in force there now. */
void rn_cgroup_read_present(const GPtrArray *parts, RnCgroupPresent *present);

/*
 * Sets what `resources` asks for, in whichever of the parts has the
 * controller. What none has is an error that begins with the limit's path in
 * config.json and says why; `no_parts` (may be NULL) is the cause if a part is
 * missing altogether. `present`: what was in force before.
 */
bool rn_cgroup_apply(const GPtrArray *parts, const RnResources *resources,
                     const RnCgroupPresent *present, const GError *no_parts,
                     GError **error) RN_CHECK;

/* The first limit that is asked for, by its path below linux.resources, the
 * caller's, or NULL. */
char *rn_cgroup_first_limit(const RnResources *resources) RN_CHECK;

/* The names of the v2 controllers that `resources` needs (a NULL-terminated
 * array, the caller's). */
char **rn_cgroup_needed_controllers(const RnResources *resources) RN_CHECK;

/*
 * Device rules: the bundle's, then the nodes that every container has. `given`
 * rules at creation or in an update; without any a container that can make
 * nodes gets the default ones only, as with runc. `lenient`: it can make no
 * nodes, so that rules may go unenforced.
 */
bool rn_cgroup_apply_devices(const GPtrArray *parts, const GArray *rules,
                             bool lenient, GError **error) RN_CHECK;

/* The part whose hierarchy has the controller, v1 or v2; NULL: none. */
RnCgroupPart *rn_cgroup_find_part(const GPtrArray *parts, unsigned version,
                                  const char *controller);

/*
 * Sets the error that tells why a v2 cgroup does not have a controller, with
 * the hint how to get it. Always false.
 */
bool rn_cgroup_explain_controller(const RnCgroupPart *part,
                                  const char *controller, GError **error);

/* Adds the hint to an error of making a cgroup or of moving a process to it
 * that is one of permission. Always false. */
bool rn_cgroup_explain_refusal(const RnCgroupPart *part, GError **error);

#endif
