/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-process - options of `exec` laid over a process
 *
 * Runs in the command. Pure but for reading --process FILE. In: the caller's
 * words, which are checked here. Failure: names the option.
 */
#include "config.h"

#include <rnet/runtime/exec-process.h>

#include <string.h>

#include <rnet/util/parse.h>

/* The last number is no id but "leave it", setuid(2). */
static const uint64_t id_max = UINT32_MAX - 1;

static void replace(char **text, const char *with)
{
    if (with == NULL)
        return;
    g_free(*text);
    *text = g_strdup(with);
}

static bool take_base(RnProcess *process, const RnExecWishes *wishes,
                      GError **error)
{
    if (wishes->process_file != NULL && wishes->args != NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "--process \"%s\" has the command; \"%s\" is one "
                            "too many",
                            wishes->process_file, wishes->args[0]);
    if (wishes->process_file != NULL) {
        rn_process_clear(process);
        if (rn_process_load(wishes->process_file, process, error))
            return true;
        g_prefix_error(error, "--process: ");
        return false;
    }
    if (wishes->args == NULL || wishes->args[0] == NULL ||
        wishes->args[0][0] == '\0')
        return rn_set_error(error, RN_ERROR_INVALID,
                            "which command? Give it, or --process FILE");
    g_strfreev(process->args);
    process->args = g_strdupv((char **)wishes->args);
    /* a shell in a container with a terminal does not make each exec one */
    process->terminal = false;
    return true;
}

/* A later value of a name takes the place of an earlier one. */
static bool add_env(RnProcess *process, const char *const *env, GError **error)
{
    for (unsigned i = 0; env != NULL && env[i] != NULL; i++) {
        const char *value = strchr(env[i], '=');
        g_autofree char *name = NULL;

        if (value == NULL || value == env[i])
            return rn_set_error(error, RN_ERROR_INVALID,
                                "--env \"%s\": must be NAME=value", env[i]);
        name = g_strndup(env[i], (gsize)(value - env[i]));
        process->env = g_environ_setenv(process->env, name, value + 1, TRUE);
    }
    return true;
}

static bool parse_id(const char *option, const char *text, uint32_t *out_id,
                     GError **error)
{
    uint64_t value = 0;

    if (!rn_parse_uint(text, 0, id_max, option, &value, error))
        return false;
    *out_id = (uint32_t)value;
    return true;
}

/* Names are not looked up: whose would they be, with a hostile /etc/passwd? */
static bool set_user(RnProcess *process, const char *user, GError **error)
{
    g_auto(GStrv) ids = NULL;
    uint32_t uid = 0;
    uint32_t gid = process->gid;

    if (user == NULL)
        return true;
    ids = g_strsplit(user, ":", 2);
    if (!parse_id("--user", ids[0] != NULL ? ids[0] : "", &uid, error) ||
        (ids[0] != NULL && ids[1] != NULL &&
         !parse_id("--user", ids[1], &gid, error)))
        return rn_error_add_hint(error, "the user is UID or UID:GID, in "
                                        "numbers");
    process->uid = uid;
    process->gid = gid;
    return true;
}

static bool add_groups(RnProcess *process, const char *const *groups,
                       GError **error)
{
    for (unsigned i = 0; groups != NULL && groups[i] != NULL; i++) {
        uint32_t gid = 0;

        if (!parse_id("--additional-gids", groups[i], &gid, error))
            return false;
        g_array_append_val(process->additional_gids, gid);
    }
    return true;
}

static bool add_caps(RnProcess *process, const char *const *caps,
                     GError **error)
{
    RnCapSets *sets = &process->capabilities;

    for (unsigned i = 0; caps != NULL && caps[i] != NULL; i++) {
        unsigned capability = 0;

        if (!rn_cap_parse(caps[i], &capability, error)) {
            g_prefix_error(error, "--cap: ");
            return false;
        }
        if (!process->has_capabilities)
            *sets = (RnCapSets){ 0 };
        process->has_capabilities = true;
        sets->bounding |= RN_CAP_BIT(capability);
        sets->effective |= RN_CAP_BIT(capability);
        sets->permitted |= RN_CAP_BIT(capability);
    }
    return true;
}

static bool set_cwd(RnProcess *process, const char *cwd, GError **error)
{
    if (cwd != NULL && cwd[0] != '/')
        return rn_set_error(error, RN_ERROR_INVALID,
                            "--cwd \"%s\": must be an absolute path", cwd);
    replace(&process->cwd, cwd);
    return true;
}

bool rn_exec_process_choose(RnProcess *process, const RnExecWishes *wishes,
                            GError **error)
{
    if (!take_base(process, wishes, error) ||
        !set_cwd(process, wishes->cwd, error) ||
        !add_env(process, wishes->env, error) ||
        !set_user(process, wishes->user, error) ||
        !add_groups(process, wishes->groups, error) ||
        !add_caps(process, wishes->caps, error))
        return false;
    replace(&process->selinux_label, wishes->process_label);
    replace(&process->apparmor_profile, wishes->apparmor);
    process->terminal = process->terminal || wishes->terminal;
    process->no_new_privileges =
        process->no_new_privileges || wishes->no_new_privileges;
    return true;
}
