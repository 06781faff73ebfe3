/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * identity - who the container's process is: ids, groups, limits, capabilities
 *
 * runtime-spec config.md, Process and User. First the container's root (or, in
 * a namespace without id 0, its first id) does the work, with all
 * capabilities; in the end the process becomes what config.json says and can
 * do no more than that. The session keyring is left as it is.
 */
#ifndef RNET_RUNTIME_IDENTITY_H
#define RNET_RUNTIME_IDENTITY_H

#include <rnet/runtime/plan.h>

/*
 * Writes process.oomScoreAdj through the host's /proc; for a process that has
 * the ids that it was cloned with. Lowering the value takes CAP_SYS_RESOURCE
 * on the host.
 */
bool rn_identity_set_oom_score(const RnPlan *plan, GError **error) RN_CHECK;

/* Becomes the container's root, when the maps are written. */
bool rn_identity_become_root(const RnPlan *plan, GError **error) RN_CHECK;

/*
 * Goes to process.cwd, which must lie in the container's root (CVE-2024-21626:
 * a working directory outside of it). *out_denied: the container's root may
 * not enter it, the process's user perhaps may.
 */
bool rn_identity_enter_cwd(const RnPlan *plan, bool *out_denied,
                           GError **error) RN_CHECK;

/*
 * Limits, groups, ids, umask, capabilities, noNewPrivileges, and, where the
 * plan says so, SIGKILL at the parent's end; the working directory too if it was denied before. Without
 * process.capabilities the process has none, as with runc. After a failure the
 * caller is neither one nor the other and has to end.
 */
bool rn_identity_assume(const RnPlan *plan, bool cwd_was_denied,
                        GError **error) RN_CHECK;

#endif
