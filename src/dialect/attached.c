/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attached - looks at the entry of a network that a dialect has made before
 *
 * Runs in `rnet hook` and rnet-cni, which are called again and again for the
 * same container.
 */
#include "config.h"

#include <rnet/dialect/attached.h>

#include <rnet/runtime/network-entry.h>

bool rn_attached_to(const json_t *state, const RnNetworkTarget *target)
{
    const char *netns = json_string_value(json_object_get(state, "netns"));
    g_autofree char *found = g_strconcat("ns@", netns, NULL);
    g_autofree char *wanted =
        rn_network_key_of_namespace(target->dev, target->ino);

    return json_is_true(json_object_get(state, "up")) &&
           g_str_equal(found, wanted);
}

bool rn_attached_waits(const json_t *state, pid_t pid)
{
    return json_object_get(state, "netns") == NULL &&
           json_integer_value(json_object_get(state, "pid")) == pid;
}

bool rn_attached_end(const char *state_dir, const char *key, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (rn_network_detach(state_dir, key, &failure) ||
        g_error_matches(failure, RN_ERROR, RN_ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
