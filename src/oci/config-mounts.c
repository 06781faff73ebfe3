/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-mounts - "mounts" of config.json
 *
 * runtime-spec config.md, Mounts. Runs in the launcher, as config.c says. What
 * the options mean is the mounting code's business.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

void rn_mount_free(RnMount *mount)
{
    if (mount == NULL)
        return;
    g_free(mount->destination);
    g_free(mount->type);
    g_free(mount->source);
    g_strfreev(mount->options);
    g_free(mount);
}

static bool read_destination(const RnJsonAt *at, void *target, GError **error)
{
    char **value = target;

    if (!rn_json_read_string(at, value, error))
        return false;
    if ((*value)[0] == '\0')
        return rn_json_fail(at, RN_ERROR_INVALID, error, "is empty");
    return true;
}

/* For type and source: an empty string counts as none. */
static bool read_word(const RnJsonAt *at, void *target, GError **error)
{
    char **value = target;

    if (!rn_json_read_string(at, value, error))
        return false;
    if ((*value)[0] == '\0')
        g_clear_pointer(value, g_free);
    return true;
}

static bool append_mount(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "destination", read_destination,
          G_STRUCT_OFFSET(RnMount, destination), RN_JSON_REQUIRED },
        { "type", read_word, G_STRUCT_OFFSET(RnMount, type), RN_JSON_OPTIONAL },
        { "source", read_word, G_STRUCT_OFFSET(RnMount, source),
          RN_JSON_OPTIONAL },
        { "options", rn_json_read_strings, G_STRUCT_OFFSET(RnMount, options),
          RN_JSON_OPTIONAL },
        { "uidMappings", rn_json_refuse, 0, RN_JSON_OPTIONAL },
        { "gidMappings", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    };
    g_autoptr(RnMount) mount = g_new0(RnMount, 1);

    mount->options = g_new0(char *, 1);
    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), mount, error))
        return false;
    g_ptr_array_add(target, g_steal_pointer(&mount));
    return true;
}

bool rn_config_read_mounts(const RnJsonAt *at, void *target, GError **error)
{
    GPtrArray **mounts = target;

    return rn_json_read_elements(at, append_mount, *mounts, error);
}
