/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-state - what hooks are told on stdin while a container is made
 */
#ifndef RNET_RUNTIME_HOOK_STATE_H
#define RNET_RUNTIME_HOOK_STATE_H

#include <sys/types.h>

#include <rnet/oci/state.h>
#include <rnet/runtime/plan.h>

/* Fills what the plan knows of the record, which is initialised. */
void rn_plan_fill_record(const RnPlan *plan, RnRecord *record);

/*
 * Runs the plan's hooks of one stage with the state as it is at that stage
 * (the status words are runc's). `pid` is init's as the hook sees it.
 */
bool rn_plan_run_hooks(const RnPlan *plan, RnHookStage stage, pid_t pid,
                       GError **error) RN_CHECK;

#endif
