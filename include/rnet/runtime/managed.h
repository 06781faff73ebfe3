/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed - a container that exists, as commands other than `run` find it
 *
 * Read from its entry in the state directory, without the lock, and from the
 * kernel: what the record says about the process is believed only if pid and
 * start time are those of a living one, whose pidfd is then held.
 */
#ifndef RNET_RUNTIME_MANAGED_H
#define RNET_RUNTIME_MANAGED_H

#include <rnet/oci/config.h>
#include <rnet/oci/state.h>
#include <rnet/runtime/cgroup.h>

typedef struct RnManaged RnManaged;

/* RN_ERROR_NOT_FOUND: `container "ID" does not exist`. */
RnManaged *rn_managed_open(const char *state_dir, const char *id,
                           GError **error) RN_CHECK;
void rn_managed_free(RnManaged *managed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnManaged, rn_managed_free)

/* All containers of the directory, sorted by id (GPtrArray of RnManaged, which
 * frees them). Entries that cannot be read are passed over. */
GPtrArray *rn_managed_list(const char *state_dir, GError **error) RN_CHECK;

const RnRecord *rn_managed_record(const RnManaged *managed);

/* As it is now: looks at the process and at the freezer. */
RnStatus rn_managed_status(const RnManaged *managed);

/* init's, borrowed; -1 once it has ended (a zombie has). */
int rn_managed_pidfd(const RnManaged *managed);

/* init's pid in the caller's pid namespace; 0 once it has ended. */
pid_t rn_managed_pid(const RnManaged *managed);

/* Never NULL; see rn_cgroup_exists(). The managed's. */
RnCgroup *rn_managed_cgroup(const RnManaged *managed);

/* config.json as it was at creation. */
RnConfig *rn_managed_load_config(const RnManaged *managed,
                                 GError **error) RN_CHECK;

/* What `rnet state` prints (a new reference): the state as it is now, with
 * "owner", a user's name or "#UID", as runc's list has it. */
json_t *rn_managed_state(const RnManaged *managed) RN_CHECK;

/* RN_ERROR_STATE unless it is running or paused ("container "x" is stopped"). */
bool rn_managed_check_alive(const RnManaged *managed, GError **error) RN_CHECK;

#endif
