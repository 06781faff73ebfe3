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
    g_clear_pointer(&mount->uid_mappings, g_array_unref);
    g_clear_pointer(&mount->gid_mappings, g_array_unref);
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

static bool append_mount(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "destination", read_destination,
          G_STRUCT_OFFSET(RnMount, destination), RN_JSON_REQUIRED },
        { "type", rn_config_read_optional_string,
          G_STRUCT_OFFSET(RnMount, type), RN_JSON_OPTIONAL },
        { "source", rn_config_read_optional_string,
          G_STRUCT_OFFSET(RnMount, source), RN_JSON_OPTIONAL },
        { "options", rn_json_read_strings, G_STRUCT_OFFSET(RnMount, options),
          RN_JSON_OPTIONAL },
        { "uidMappings", rn_config_read_mappings,
          G_STRUCT_OFFSET(RnMount, uid_mappings), RN_JSON_OPTIONAL },
        { "gidMappings", rn_config_read_mappings,
          G_STRUCT_OFFSET(RnMount, gid_mappings), RN_JSON_OPTIONAL },
    };
    g_autoptr(RnMount) mount = g_new0(RnMount, 1);

    mount->options = g_new0(char *, 1);
    mount->uid_mappings = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));
    mount->gid_mappings = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));
    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), mount, error))
        return false;
    if ((mount->uid_mappings->len == 0) != (mount->gid_mappings->len == 0))
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "needs both uidMappings and gidMappings, or none");
    g_ptr_array_add(target, g_steal_pointer(&mount));
    return true;
}

bool rn_config_read_mounts(const RnJsonAt *at, void *target, GError **error)
{
    GPtrArray **mounts = target;

    return rn_json_read_elements(at, append_mount, *mounts, error);
}
