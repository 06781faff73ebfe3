/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dispose - what is left to do when a container's init has ended
 *
 * runtime-spec runtime.md, Lifecycle, 12 and 13. The one way for all of those
 * who may be the last: the launcher of a foreground container, its guard,
 * `delete`, and a `create` that failed.
 */
#ifndef RNET_RUNTIME_DISPOSE_H
#define RNET_RUNTIME_DISPOSE_H

#include <rnet/oci/config.h>
#include <rnet/oci/state.h>
#include <rnet/runtime/cgroup.h>

/*
 * Kills init and does not wait for its end. One that is frozen is thawed: with
 * cgroup v1 it would not die. `cgroup` may be NULL; only sending the signal can
 * fail.
 */
bool rn_dispose_kill(int pidfd, const RnCgroup *cgroup,
                     GError **error) RN_CHECK;

/*
 * Kills init should it live still, kills what is left in the cgroup, removes
 * it, waits for the end of a detached network, runs the poststop hooks, removes
 * the entry (taken; NULL is fine). `config` may be NULL: then the entry's copy is read. What fails is
 * logged as a warning and does not keep the rest from being done; except that
 * the entry stays if its cgroup cannot be removed, so that `delete` can be
 * tried again: then false.
 */
bool rn_dispose(RnEntry *take_entry, const RnRecord *record,
                const RnConfig *config, GError **error) RN_CHECK;

/* The same for an entry whose record is read from it. */
bool rn_dispose_entry(RnEntry *take_entry, GError **error) RN_CHECK;

/*
 * rn_entry_new() for a container that is to be made: of a stale one everything
 * is ended first. Its launcher and its guard were killed, both; its payload may
 * live on, in its cgroup.
 */
RnEntry *rn_dispose_and_take(int base_dirfd, const char *id,
                             GError **error) RN_CHECK;

#endif
