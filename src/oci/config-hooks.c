/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-hooks - "hooks" of config.json
 *
 * runtime-spec config.md, POSIX-platform Hooks. Runs in the launcher, as
 * config.c says. Whether the programs exist is seen when they run.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

enum {
    HOOKS_MAX = 1024 /* of one stage; each is a process that is waited for */
};

void rn_hook_free(RnHook *hook)
{
    if (hook == NULL)
        return;
    g_free(hook->path);
    g_strfreev(hook->args);
    g_strfreev(hook->env);
    g_free(hook);
}

/* An empty array counts as none: a program has at least its own name. */
static bool read_args(const RnJsonAt *at, void *target, GError **error)
{
    char ***args = target;

    if (!rn_json_read_strings(at, args, error))
        return false;
    if ((*args)[0] == NULL)
        g_clear_pointer(args, g_strfreev);
    return true;
}

static bool read_timeout(const RnJsonAt *at, void *target, GError **error)
{
    int64_t seconds = 0;

    if (!rn_json_read_range(at, 1, UINT32_MAX, &seconds, error))
        return false;
    *(uint32_t *)target = (uint32_t)seconds;
    return true;
}

static bool append_hook(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "path", rn_json_read_path, G_STRUCT_OFFSET(RnHook, path),
          RN_JSON_REQUIRED },
        { "args", read_args, G_STRUCT_OFFSET(RnHook, args), RN_JSON_OPTIONAL },
        { "env", rn_config_read_env, G_STRUCT_OFFSET(RnHook, env),
          RN_JSON_OPTIONAL },
        { "timeout", read_timeout, G_STRUCT_OFFSET(RnHook, timeout_s),
          RN_JSON_OPTIONAL },
    };
    g_autoptr(RnHook) hook = g_new0(RnHook, 1);

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), hook, error))
        return false;
    g_ptr_array_add(target, g_steal_pointer(&hook));
    return true;
}

static bool read_stage(const RnJsonAt *at, void *target, GError **error)
{
    GPtrArray **hooks = target;

    return rn_json_check_count(at, HOOKS_MAX, error) &&
           rn_json_read_elements(at, append_hook, *hooks, error);
}

#define STAGE(stage) ((stage) * sizeof(GPtrArray *))

bool rn_config_read_hooks(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "prestart", read_stage, STAGE(RN_HOOK_PRESTART), RN_JSON_OPTIONAL },
        { "createRuntime", read_stage, STAGE(RN_HOOK_CREATE_RUNTIME),
          RN_JSON_OPTIONAL },
        { "createContainer", read_stage, STAGE(RN_HOOK_CREATE_CONTAINER),
          RN_JSON_OPTIONAL },
        { "startContainer", read_stage, STAGE(RN_HOOK_START_CONTAINER),
          RN_JSON_OPTIONAL },
        { "poststart", read_stage, STAGE(RN_HOOK_POSTSTART), RN_JSON_OPTIONAL },
        { "poststop", read_stage, STAGE(RN_HOOK_POSTSTOP), RN_JSON_OPTIONAL },
    };

    G_STATIC_ASSERT(G_N_ELEMENTS(fields) == RN_HOOK_N_);
    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}
