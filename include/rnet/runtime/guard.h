/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard - undoes a container whose launcher was killed
 *
 * A process of its own ("rnet-guard"), since a killed launcher cannot clean
 * up: it holds a pidfd of init and the lock of the entry, waits, and does
 * nothing at all unless the launcher ends without saying GUARD_DONE.
 */
#ifndef RNET_RUNTIME_GUARD_H
#define RNET_RUNTIME_GUARD_H

#include <rnet/util/error.h>

typedef struct RnGuard RnGuard;

/* Forks the guard and does not wait for it; it watches nothing yet. The caller
 * has one thread. */
RnGuard *rn_guard_new(GError **error) RN_CHECK;

/* What the guard undoes; -1 for what there is not yet, pidfd last. */
typedef struct RnGuarded {
    const char *id;
    int base_fd; /* the state directory */
    int lock_fd; /* of the entry, rn_entry_lock() */
    int pidfd;   /* of init */
} RnGuarded;

/* Replaces what was to be undone before. All is borrowed. The first one waits
 * until the guard no longer ends with the caller's process group. */
bool rn_guard_watch(RnGuard *guard, const RnGuarded *guarded,
                    GError **error) RN_CHECK;

/* Sends GUARD_DONE and reaps the process. NULL is fine. */
void rn_guard_free(RnGuard *guard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnGuard, rn_guard_free)

#endif
