/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container - one container from the launcher's side: create, start, end
 *
 * Carries out a plan in the order of protocol.h, "launcher and init". All or
 * nothing: a failed rn_container_create() leaves no process, mount, socket,
 * cgroup or state behind, and if the launcher itself is killed the guard sees
 * to that.
 */
#ifndef RNET_RUNTIME_CONTAINER_H
#define RNET_RUNTIME_CONTAINER_H

#include <sys/types.h>

#include <rnet/net/network.h>
#include <rnet/runtime/cgroup.h>
#include <rnet/runtime/guard.h>
#include <rnet/runtime/plan.h>
#include <rnet/sys/loop.h>

typedef struct RnContainer RnContainer;

typedef struct RnContainerRequest {
    const RnPlan *plan;       /* borrowed as long as the container */
    const char *state_dir;    /* path of the state directory */
    const char *config_text;  /* config.json, to be kept in the entry */
    const GArray *ranges;     /* of RnPortRange: published ports inside */
    GArray *listeners;        /* of RnListener: taken, also on failure */
    RnPortRange auto_publish; /* network.h */
    RnNetworkNotice notice;   /* of these, while this process has the network */
    void *notice_data;
    RnGuard *guard; /* taken, also on failure */
    RnCgroupManager cgroup_manager;
} RnContainerRequest;

/* Up to PREPARED: everything is there but the payload. */
RnContainer *rn_container_create(const RnContainerRequest *request,
                                 GError **error) RN_CHECK;

/*
 * Starts the payload; returns when it runs and the poststart hooks have run,
 * or says why exec failed.
 */
bool rn_container_start(RnContainer *container, GError **error) RN_CHECK;

/* Keeps the network alive from `loop`. */
bool rn_container_watch(RnContainer *container, RnLoop *loop,
                        GError **error) RN_CHECK;

/* init's pidfd, the container's. */
int rn_container_pidfd(const RnContainer *container);
pid_t rn_container_pid(const RnContainer *container);

/* The master of the container's terminal, or -1; the container's. */
int rn_container_terminal(const RnContainer *container);

/* Reaps init, which has ended: its exit code, or 128 + signal. */
bool rn_container_reap(RnContainer *container, int *out_exit_code,
                       GError **error) RN_CHECK;

/*
 * Lets the container go on without this process (plan without
 * dies_with_caller): it is the entry's and whoever commands it from now on.
 * rn_container_free() then only frees.
 */
void rn_container_keep(RnContainer *container);

/* Leaves one that has ended in the foreground, and was reaped, to `delete`:
 * its entry and its cgroup. */
bool rn_container_keep_ended(RnContainer *container, GError **error) RN_CHECK;

/*
 * Ends everything that is left: kills init, ends the network, removes cgroup
 * and state entry, runs the poststop hooks, dismisses the guard. NULL is fine.
 */
void rn_container_free(RnContainer *container);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnContainer, rn_container_free)

#endif
