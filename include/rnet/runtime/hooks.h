/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks - programs of the bundle that run at points of a container's life
 *
 * runtime-spec config.md, POSIX-platform Hooks; shared with runc and crun is
 * what the specification leaves open: the working directory is the bundle
 * (where there is one to see), the state comes on stdin, stdout and stderr go
 * into the error if the hook fails.
 */
#ifndef RNET_RUNTIME_HOOKS_H
#define RNET_RUNTIME_HOOKS_H

#include <rnet/oci/config.h>

/*
 * Runs the hooks (of RnHook) of one stage one after the other, each with
 * `state` (JSON text) on stdin, up to the first failure: a status other than 0,
 * a signal, the time-out (the hook and its children in its process group are
 * killed), or that it cannot be executed. The error names stage, path and
 * cause, and the last of what the hook said. `directory`: where they start, or
 * NULL for where the caller is. A hook without "env" has the environment
 * `env`. Blocks meanwhile.
 */
bool rn_hooks_run(const GPtrArray *hooks, RnHookStage stage, const char *state,
                  const char *directory, char **env, GError **error) RN_CHECK;

/* "createRuntime" and so on, as config.json has it. */
const char *rn_hook_stage_name(RnHookStage stage);

#endif
