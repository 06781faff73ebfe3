/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state - containers as entries of the state directory
 *
 *     BASE/ID/lock        held (flock) by the process that answers for it
 *     BASE/ID/state.json  runtime-spec runtime.md, State; replaced atomically
 *
 * BASE is only the owner's (0700): who can enter it may control the
 * containers. An entry whose lock is free is stale: its owner died, and the
 * next container of that name takes it over.
 */
#ifndef RNET_OCI_STATE_H
#define RNET_OCI_STATE_H

#include <sys/types.h>

#include <rnet/util/error.h>

typedef enum RnStatus {
    RN_STATUS_CREATING,
    RN_STATUS_CREATED,
    RN_STATUS_RUNNING,
    RN_STATUS_STOPPED,
    RN_STATUS_N_
} RnStatus;

typedef struct RnState {
    const char *oci_version;
    const char *id;
    RnStatus status;
    pid_t pid; /* 0: none, left out */
    const char *bundle;
} RnState;

typedef struct RnEntry RnEntry;

/*
 * Letters, digits and `_ + - .`, not "." or "..", at most 255 bytes: as crun
 * and runc have it, and one path component.
 */
bool rn_id_check(const char *id, GError **error) RN_CHECK;

/*
 * Opens (makes, mode 0700) the base directory; parents are made too. Refuses
 * one that another user owns or may enter.
 */
bool rn_state_open_base(const char *path, int *out_dirfd,
                        GError **error) RN_CHECK;

/*
 * Makes the entry of `id` and takes its lock; a stale one is emptied.
 * RN_ERROR_EXISTS if a living process holds it.
 */
RnEntry *rn_entry_new(int base_dirfd, const char *id, GError **error) RN_CHECK;

/* The lock's fd, borrowed. Its copies hold the lock too, until all are closed:
 * that is how an entry is passed to another process. */
int rn_entry_lock(const RnEntry *entry);

/*
 * The entry of `id` for a process that was given its lock's fd, which is taken.
 * NULL if the entry has been removed, whoever may have the name now.
 */
RnEntry *rn_entry_adopt(int base_dirfd, const char *id, int lock_fd);

/* Replaces state.json. */
bool rn_entry_write(RnEntry *entry, const RnState *state,
                    GError **error) RN_CHECK;

/* Removes the entry from the directory and frees it. NULL is fine. */
void rn_entry_remove(RnEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnEntry, rn_entry_remove)

#endif
