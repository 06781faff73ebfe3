/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook-bundle - looks at the hooks that a bundle's config.json has
 *
 * Runs in `rnet hook`, for createRuntime.
 */
#include "config.h"

#include <rnet/dialect/hook-inside.h>

#include <rnet/oci/config.h>
#include <rnet/oci/json-read.h>

/* The paths of the hooks. */
typedef struct Stages {
    GPtrArray *outside; /* of createRuntime and prestart */
    GPtrArray *inside;  /* of createContainer */
} Stages;

static void clear_stages(Stages *stages)
{
    g_clear_pointer(&stages->outside, g_ptr_array_unref);
    g_clear_pointer(&stages->inside, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stages, clear_stages)

static bool read_path(const RnJsonAt *at, void *target, GError **error)
{
    GPtrArray **paths = target;
    char *path = NULL;

    if (!rn_json_read_path(at, &path, error))
        return false;
    g_ptr_array_add(*paths, path);
    return true;
}

static bool read_hook(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField field = { "path", read_path, 0, RN_JSON_REQUIRED };

    return rn_json_read_members(at, &field, 1, target, error);
}

static bool read_stage(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_elements(at, read_hook, target, error);
}

static bool read_hooks(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "prestart", read_stage, G_STRUCT_OFFSET(Stages, outside),
          RN_JSON_OPTIONAL },
        { "createRuntime", read_stage, G_STRUCT_OFFSET(Stages, outside),
          RN_JSON_OPTIONAL },
        { "createContainer", read_stage, G_STRUCT_OFFSET(Stages, inside),
          RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}

static bool read_config(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField field = { "hooks", read_hooks, 0,
                                       RN_JSON_OPTIONAL };

    return rn_json_read_members(at, &field, 1, target, error);
}

static bool have_common(const Stages *stages)
{
    for (guint i = 0; i < stages->inside->len; i++) {
        if (g_ptr_array_find_with_equal_func(
                stages->outside, g_ptr_array_index(stages->inside, i),
                g_str_equal, NULL))
            return true;
    }
    return false;
}

bool rn_hook_check_inside(const char *bundle, GError **error)
{
    g_auto(Stages) stages = {
        .outside = g_ptr_array_new_with_free_func(g_free),
        .inside = g_ptr_array_new_with_free_func(g_free),
    };

    if (!rn_config_look(bundle, read_config, &stages, error))
        return false;
    if (have_common(&stages))
        return true;
    (void)rn_set_error(error, RN_ERROR_STATE,
                       "config.json has no such hook for createContainer");
    return rn_error_add_hint(error,
                             "this runtime lets an ordinary user into its "
                             "containers from inside only: put the same hook "
                             "into createContainer, too (doc/hooks.md)");
}
