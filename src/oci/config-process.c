/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-process - the "process" section of config.json
 *
 * runtime-spec config.md, Process. Runs in the launcher, as config.c says.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#include <string.h>

#include <sys/resource.h>

enum {
    UMASK_MAX = 07777,
    OOM_SCORE_ADJ_LIMIT = 1000, /* proc(5), /proc/PID/oom_score_adj */
    GROUPS_MAX = 65536,         /* setgroups(2), NGROUPS_MAX */
    CAPABILITIES_MAX = 256,     /* of a set; the kernel's masks have 64 bits */
};

/* getrlimit(2), by the names that config.json uses. */
static const struct {
    const char *name;
    int resource;
} rlimit_names[] = {
    { "RLIMIT_AS", RLIMIT_AS },
    { "RLIMIT_CORE", RLIMIT_CORE },
    { "RLIMIT_CPU", RLIMIT_CPU },
    { "RLIMIT_DATA", RLIMIT_DATA },
    { "RLIMIT_FSIZE", RLIMIT_FSIZE },
    { "RLIMIT_LOCKS", RLIMIT_LOCKS },
    { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
    { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
    { "RLIMIT_NICE", RLIMIT_NICE },
    { "RLIMIT_NOFILE", RLIMIT_NOFILE },
    { "RLIMIT_NPROC", RLIMIT_NPROC },
    { "RLIMIT_RSS", RLIMIT_RSS },
    { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
    { "RLIMIT_RTTIME", RLIMIT_RTTIME },
    { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
    { "RLIMIT_STACK", RLIMIT_STACK },
};
G_STATIC_ASSERT(G_N_ELEMENTS(rlimit_names) == RLIM_NLIMITS);

void rn_process_init(RnProcess *process)
{
    *process = (RnProcess){ .env = g_new0(char *, 1) };
    process->additional_gids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    process->rlimits = g_array_new(FALSE, FALSE, sizeof(RnRlimit));
    process->warnings = g_ptr_array_new_with_free_func(g_free);
}

void rn_process_clear(RnProcess *process)
{
    g_clear_pointer(&process->additional_gids, g_array_unref);
    g_clear_pointer(&process->rlimits, g_array_unref);
    g_clear_pointer(&process->warnings, g_ptr_array_unref);
    g_clear_pointer(&process->cwd, g_free);
    g_clear_pointer(&process->args, g_strfreev);
    g_clear_pointer(&process->env, g_strfreev);
    g_clear_pointer(&process->apparmor_profile, g_free);
    g_clear_pointer(&process->selinux_label, g_free);
    g_clear_pointer(&process->affinity_initial, g_free);
    g_clear_pointer(&process->affinity_final, g_free);
}

static bool read_console_size(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "width", rn_json_read_uint16,
          G_STRUCT_OFFSET(RnProcess, console_width), RN_JSON_REQUIRED },
        { "height", rn_json_read_uint16,
          G_STRUCT_OFFSET(RnProcess, console_height), RN_JSON_REQUIRED },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}

static bool read_umask(const RnJsonAt *at, void *target, GError **error)
{
    RnProcess *process = target;
    uint32_t umask_bits = 0;

    if (!rn_json_read_uint32(at, &umask_bits, error))
        return false;
    if (umask_bits > UMASK_MAX)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "must be from 0 to %d (octal 7777)", UMASK_MAX);
    process->has_umask = true;
    process->umask = umask_bits;
    return true;
}

static bool append_gid(const RnJsonAt *at, void *target, GError **error)
{
    uint32_t gid = 0;

    if (!rn_json_read_id(at, &gid, error))
        return false;
    g_array_append_val((GArray *)target, gid);
    return true;
}

static bool read_gids(const RnJsonAt *at, void *target, GError **error)
{
    GArray **gids = target;

    if (!rn_json_read_elements(at, append_gid, *gids, error))
        return false;
    if ((*gids)->len > GROUPS_MAX)
        return rn_json_fail(at, RN_ERROR_LIMIT, error, "more than %d groups",
                            GROUPS_MAX);
    return true;
}

static bool read_user(const RnJsonAt *at, void *target, GError **error)
{
    /* the specification wants uid and gid, its schema and users do not */
    static const RnJsonField fields[] = {
        { "uid", rn_json_read_id, G_STRUCT_OFFSET(RnProcess, uid),
          RN_JSON_OPTIONAL },
        { "gid", rn_json_read_id, G_STRUCT_OFFSET(RnProcess, gid),
          RN_JSON_OPTIONAL },
        { "umask", read_umask, 0, RN_JSON_OPTIONAL },
        { "additionalGids", read_gids,
          G_STRUCT_OFFSET(RnProcess, additional_gids), RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}

static bool read_args(const RnJsonAt *at, void *target, GError **error)
{
    char ***args = target;

    if (!rn_json_read_strings(at, args, error))
        return false;
    if ((*args)[0] == NULL)
        return rn_json_fail(at, RN_ERROR_INVALID, error, "is empty");
    if ((*args)[0][0] == '\0')
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "names no program: the first is \"\"");
    return true;
}

static bool check_variable(const RnJsonAt *at, void *target, GError **error)
{
    const char *text = json_string_value(at->node);

    (void)target;
    return (strchr(text, '=') != NULL && text[0] != '=') ||
           rn_config_fail_word(at, text, "NAME=value", error);
}

bool rn_config_read_env(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_strings(at, target, error) &&
           rn_json_read_elements(at, check_variable, NULL, error);
}

/* What the names of one set are for. */
typedef struct CapTarget {
    RnCapMask *mask;
    GPtrArray *warnings;
} CapTarget;

/* config.md, Linux Process: what cannot be granted is warned about, so that a
 * bundle may name capabilities of later kernels. */
static bool add_capability(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *name = NULL;
    g_autoptr(GError) warning = NULL;
    const CapTarget *set = target;
    unsigned capability = 0;

    if (!rn_json_read_string(at, &name, error))
        return false;
    if (rn_cap_parse(name, &capability, NULL)) {
        *set->mask |= RN_CAP_BIT(capability);
        return true;
    }
    (void)rn_config_fail_word(at, name, "a capability: passed over", &warning);
    g_ptr_array_add(set->warnings, g_strdup(warning->message));
    return true;
}

static bool read_capabilities(const RnJsonAt *at, void *target, GError **error)
{
    RnProcess *process = target;
    RnCapSets *sets = &process->capabilities;
    const struct {
        const char *name;
        RnCapMask *mask;
    } members[] = {
        { "bounding", &sets->bounding },
        { "effective", &sets->effective },
        { "permitted", &sets->permitted },
        { "inheritable", &sets->inheritable },
        { "ambient", &sets->ambient },
    };

    if (!rn_json_read_members(at, NULL, 0, NULL, error)) /* an object? */
        return false;
    process->has_capabilities = true;
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        const char *name = members[i].name;
        RnJsonAt set = { .parent = at,
                         .name = name,
                         .node = json_object_get(at->node, name) };
        CapTarget names = { members[i].mask, process->warnings };

        if (set.node == NULL || json_is_null(set.node))
            continue;
        if (!rn_json_check_count(&set, CAPABILITIES_MAX, error) ||
            !rn_json_read_elements(&set, add_capability, &names, error))
            return false;
    }
    return true;
}

static bool read_rlimit_type(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *name = NULL;
    int *resource = target;

    if (!rn_json_read_string(at, &name, error))
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(rlimit_names); i++) {
        if (strcmp(name, rlimit_names[i].name) != 0)
            continue;
        *resource = rlimit_names[i].resource;
        return true;
    }
    return rn_config_fail_word(at, name, "a resource limit", error);
}

static bool append_rlimit(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "type", read_rlimit_type, G_STRUCT_OFFSET(RnRlimit, resource),
          RN_JSON_REQUIRED },
        { "soft", rn_json_read_uint64, G_STRUCT_OFFSET(RnRlimit, soft),
          RN_JSON_REQUIRED },
        { "hard", rn_json_read_uint64, G_STRUCT_OFFSET(RnRlimit, hard),
          RN_JSON_REQUIRED },
    };
    GArray *rlimits = target;
    RnRlimit limit = { 0 };

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &limit, error))
        return false;
    if (limit.soft > limit.hard)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "soft is greater than hard");
    for (unsigned i = 0; i < rlimits->len; i++)
        if (g_array_index(rlimits, RnRlimit, i).resource == limit.resource)
            return rn_json_fail(at, RN_ERROR_INVALID, error,
                                "the type is given twice");
    g_array_append_val(rlimits, limit);
    return true;
}

static bool read_rlimits(const RnJsonAt *at, void *target, GError **error)
{
    GArray **rlimits = target;

    return rn_json_read_elements(at, append_rlimit, *rlimits, error);
}

static bool read_oom_score(const RnJsonAt *at, void *target, GError **error)
{
    RnProcess *process = target;
    int64_t value = 0;

    if (!rn_json_read_range(at, -OOM_SCORE_ADJ_LIMIT, OOM_SCORE_ADJ_LIMIT,
                            &value, error))
        return false;
    process->has_oom_score_adj = true;
    process->oom_score_adj = (int)value;
    return true;
}

static const RnJsonField process_fields[] = {
    { "terminal", rn_json_read_bool, G_STRUCT_OFFSET(RnProcess, terminal),
      RN_JSON_OPTIONAL },
    { "consoleSize", read_console_size, 0, RN_JSON_OPTIONAL },
    { "user", read_user, 0, RN_JSON_OPTIONAL },
    { "args", read_args, G_STRUCT_OFFSET(RnProcess, args), RN_JSON_REQUIRED },
    { "env", rn_config_read_env, G_STRUCT_OFFSET(RnProcess, env),
      RN_JSON_OPTIONAL },
    { "cwd", rn_json_read_path, G_STRUCT_OFFSET(RnProcess, cwd),
      RN_JSON_REQUIRED },
    { "capabilities", read_capabilities, 0, RN_JSON_OPTIONAL },
    { "rlimits", read_rlimits, G_STRUCT_OFFSET(RnProcess, rlimits),
      RN_JSON_OPTIONAL },
    { "noNewPrivileges", rn_json_read_bool,
      G_STRUCT_OFFSET(RnProcess, no_new_privileges), RN_JSON_OPTIONAL },
    { "oomScoreAdj", read_oom_score, 0, RN_JSON_OPTIONAL },
    { "apparmorProfile", rn_config_read_optional_string,
      G_STRUCT_OFFSET(RnProcess, apparmor_profile), RN_JSON_OPTIONAL },
    { "selinuxLabel", rn_config_read_optional_string,
      G_STRUCT_OFFSET(RnProcess, selinux_label), RN_JSON_OPTIONAL },
    { "scheduler", rn_config_read_scheduler, 0, RN_JSON_OPTIONAL },
    { "ioPriority", rn_config_read_io_priority, 0, RN_JSON_OPTIONAL },
    { "execCPUAffinity", rn_config_read_affinity, 0, RN_JSON_OPTIONAL },
};

bool rn_config_read_process(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_members(at, process_fields,
                                G_N_ELEMENTS(process_fields), target, error);
}
