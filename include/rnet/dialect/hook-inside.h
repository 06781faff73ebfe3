/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-inside - a container whose network namespace only it can open
 *
 * crun's first process of a container is not dumpable, and its memory belongs to
 * the user namespace of crun: who is not root there may not open its namespaces
 * before it has called exec (ptrace(2), "Ptrace access mode checking"). So in
 * createRuntime a monitor begins to wait, and in createContainer, which is run
 * by that first process, the hook gives it its own namespace. runc's and rnet's
 * can be opened; there createContainer has nothing to do.
 */
#ifndef RNET_DIALECT_HOOK_INSIDE_H
#define RNET_DIALECT_HOOK_INSIDE_H

#include <rnet/dialect/hook-input.h>
#include <rnet/runtime/network-wish.h>

/* Is this process in the container, called for createContainer? */
bool rn_hook_is_inside(const RnHookInput *input);

/*
 * For createContainer: hands this process's network namespace to the monitor
 * that waits for it, and returns when the network is up; at once if the
 * interface is there already. RN_ERROR_NOT_FOUND: nobody waits.
 */
bool rn_hook_hand_over(const char *state_dir, const char *key,
                       const RnNetworkWish *wish, GError **error) RN_CHECK;

/* Will createContainer be told? Looks whether config.json has there a hook of
 * createRuntime or prestart, by its path. RN_ERROR_STATE if not. */
bool rn_hook_check_inside(const char *bundle, GError **error) RN_CHECK;

#endif
