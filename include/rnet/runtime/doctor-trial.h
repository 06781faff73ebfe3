/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-trial - does something in a child and tells what came of it
 */
#ifndef RNET_RUNTIME_DOCTOR_TRIAL_H
#define RNET_RUNTIME_DOCTOR_TRIAL_H

#include <rnet/runtime/doctor.h>

enum {
    RN_TRIAL_TIMEOUT_MS = 10000 /* without an answer; none needs a tenth */
};

/* The trial itself, in a process that ends with it. */
typedef bool (*RnTrialFunc)(const void *data, GError **error);

typedef struct RnTrial {
    RnTrialFunc func;
    const void *data;
    uint64_t namespaces; /* new ones for it, CLONE_NEW*; 0: a plain fork */
    const GArray *uids;  /* maps of RnIdMapping, with CLONE_NEWUSER */
    const GArray *gids;
    int timeout_ms; /* 0: RN_TRIAL_TIMEOUT_MS */
} RnTrial;

/*
 * Runs it in a session of its own, with /dev/null for 0 to 2 and no other fd,
 * and waits until it and its children are gone; after the time-out they are
 * killed. With CLONE_NEWUSER the maps are checked as for a
 * container, and a refusal is told by rn_userns_explain(). *out_result, which
 * is empty so far, is filled in.
 */
void rn_trial_run(const RnTrial *trial, RnTrialResult *out_result);

/* The result of something that failed before it could be tried. */
void rn_trial_fail(const GError *failure, RnTrialResult *out_result);
void rn_trial_result_clear(RnTrialResult *result);

/* The trials; each says in its source what it needs. */
bool rn_try_system_calls(const void *data, GError **error);
bool rn_try_user_namespace(const void *data, GError **error);
bool rn_try_hostname(const void *data, GError **error);
bool rn_try_nothing(const void *data, GError **error);
bool rn_try_mounts(const void *data, GError **error);
bool rn_try_file_system(const void *data, GError **error); /* its type */
bool rn_try_overlay(const void *data, GError **error);
bool rn_try_idmapped_mount(const void *data, GError **error);
bool rn_try_seccomp(const void *data, GError **error);
bool rn_try_seccomp_notify(const void *data, GError **error);
bool rn_try_landlock(const void *data, GError **error);
bool rn_try_cgroup(const void *data, GError **error); /* its directory */
bool rn_try_tun(const void *data, GError **error);
bool rn_try_veth(const void *data, GError **error);
bool rn_try_nf_tables(const void *data, GError **error);
bool rn_try_transparent(const void *data, GError **error);
bool rn_try_handoff(const void *data, GError **error);
bool rn_try_ping(const void *data, GError **error);
bool rn_try_low_port(const void *data, GError **error);
bool rn_try_bus(const void *data, GError **error); /* its address */

#endif
