/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-seccomp - "linux.seccomp" of config.json
 *
 * runtime-spec config-linux.md, Seccomp. Runs in the launcher, as config.c
 * says. Words become numbers here; system calls stay names, since those that
 * libseccomp does not know are passed over when the filter is compiled.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#include <seccomp.h>

enum {
    ARG_INDEX_MAX = 5,  /* syscall(2): six arguments */
    ARGS_MAX = 64,      /* of a rule; six are enough */
    RULES_MAX = 4096,   /* libseccomp's time grows faster than their number */
    NAMES_MAX = 8192,   /* of a rule; all architectures' are about 500 */
    ERRNO_MAX = 0xffff, /* seccomp(2): SECCOMP_RET_DATA is 16 bits */
    ARCHITECTURES_MAX = 64,
    FLAGS_MAX = 64,
};

static bool read_action(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *word = NULL;

    if (!rn_json_read_string(at, &word, error))
        return false;
    return rn_seccomp_parse_action(word, target) ||
           rn_config_fail_word(at, word, "a seccomp action", error);
}

/* After the action, which has to be one with a number. */
static bool read_errno(const RnJsonAt *at, void *target, GError **error)
{
    int64_t number = 0;

    if (!rn_json_read_range(at, 0, ERRNO_MAX, &number, error))
        return false;
    if (rn_seccomp_action_with(target, (uint32_t)number))
        return true;
    return rn_json_fail(at, RN_ERROR_INVALID, error,
                        "the action takes no number, or not this one");
}

static bool append_architecture(const RnJsonAt *at, void *target,
                                GError **error)
{
    g_autofree char *word = NULL;
    uint32_t architecture = 0;

    if (!rn_json_read_string(at, &word, error))
        return false;
    if (!rn_seccomp_parse_architecture(word, &architecture))
        return rn_config_fail_word(
            at, word, "an architecture that libseccomp knows", error);
    g_array_append_val((GArray *)target, architecture);
    return true;
}

static bool read_architectures(const RnJsonAt *at, void *target, GError **error)
{
    GArray **architectures = target;

    return rn_json_check_count(at, ARCHITECTURES_MAX, error) &&
           rn_json_read_elements(at, append_architecture, *architectures,
                                 error);
}

static bool add_flag(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *word = NULL;
    unsigned flag = 0;

    if (!rn_json_read_string(at, &word, error))
        return false;
    if (!rn_seccomp_parse_flag(word, &flag))
        return rn_config_fail_word(at, word, "a seccomp flag", error);
    *(unsigned *)target |= flag;
    return true;
}

static bool read_flags(const RnJsonAt *at, void *target, GError **error)
{
    RnSeccomp *seccomp = target;

    seccomp->flags_given = true;
    return rn_json_check_count(at, FLAGS_MAX, error) &&
           rn_json_read_elements(at, add_flag, &seccomp->flags, error);
}

static bool read_index(const RnJsonAt *at, void *target, GError **error)
{
    int64_t index = 0;

    if (!rn_json_read_range(at, 0, ARG_INDEX_MAX, &index, error))
        return false;
    *(uint32_t *)target = (uint32_t)index;
    return true;
}

static bool read_compare(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *word = NULL;

    if (!rn_json_read_string(at, &word, error))
        return false;
    return rn_seccomp_parse_compare(word, target) ||
           rn_config_fail_word(at, word, "a seccomp comparison", error);
}

static bool append_arg(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "index", read_index, G_STRUCT_OFFSET(RnSeccompArg, index),
          RN_JSON_REQUIRED },
        { "value", rn_json_read_uint64, G_STRUCT_OFFSET(RnSeccompArg, value),
          RN_JSON_REQUIRED },
        { "valueTwo", rn_json_read_uint64,
          G_STRUCT_OFFSET(RnSeccompArg, value_two), RN_JSON_OPTIONAL },
        { "op", read_compare, G_STRUCT_OFFSET(RnSeccompArg, op),
          RN_JSON_REQUIRED },
    };
    RnSeccompArg arg = { 0 };

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &arg, error))
        return false;
    g_array_append_val((GArray *)target, arg);
    return true;
}

static bool read_args(const RnJsonAt *at, void *target, GError **error)
{
    GArray **args = target;

    return rn_json_check_count(at, ARGS_MAX, error) &&
           rn_json_read_elements(at, append_arg, *args, error);
}

static bool read_names(const RnJsonAt *at, void *target, GError **error)
{
    char ***names = target;

    if (!rn_json_check_count(at, NAMES_MAX, error) ||
        !rn_json_read_strings(at, names, error))
        return false;
    if ((*names)[0] == NULL)
        return rn_json_fail(at, RN_ERROR_INVALID, error, "is empty");
    return true;
}

static bool append_rule(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "names", read_names, G_STRUCT_OFFSET(RnSeccompRule, names),
          RN_JSON_REQUIRED },
        { "action", read_action, G_STRUCT_OFFSET(RnSeccompRule, action),
          RN_JSON_REQUIRED },
        { "errnoRet", read_errno, G_STRUCT_OFFSET(RnSeccompRule, action),
          RN_JSON_OPTIONAL },
        { "args", read_args, G_STRUCT_OFFSET(RnSeccompRule, args),
          RN_JSON_OPTIONAL },
    };
    g_autoptr(RnSeccompRule) rule = g_new0(RnSeccompRule, 1);

    rule->args = g_array_new(FALSE, FALSE, sizeof(RnSeccompArg));
    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), rule, error))
        return false;
    g_ptr_array_add(target, g_steal_pointer(&rule));
    return true;
}

static bool read_rules(const RnJsonAt *at, void *target, GError **error)
{
    GPtrArray **rules = target;

    return rn_json_check_count(at, RULES_MAX, error) &&
           rn_json_read_elements(at, append_rule, *rules, error);
}

static bool notifies(const RnSeccomp *seccomp)
{
    if (seccomp->default_action == SCMP_ACT_NOTIFY)
        return true;
    for (unsigned i = 0; i < seccomp->rules->len; i++) {
        const RnSeccompRule *rule = g_ptr_array_index(seccomp->rules, i);

        if (rule->action == SCMP_ACT_NOTIFY)
            return true;
    }
    return false;
}

static bool check_listener(const RnJsonAt *at, const RnSeccomp *seccomp,
                           GError **error)
{
    if (seccomp->listener_path != NULL)
        return true;
    if (seccomp->listener_metadata != NULL)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "listenerMetadata needs listenerPath");
    if (notifies(seccomp))
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "SCMP_ACT_NOTIFY needs listenerPath");
    return true;
}

bool rn_config_read_seccomp(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "defaultAction", read_action,
          G_STRUCT_OFFSET(RnSeccomp, default_action), RN_JSON_REQUIRED },
        { "defaultErrnoRet", read_errno,
          G_STRUCT_OFFSET(RnSeccomp, default_action), RN_JSON_OPTIONAL },
        { "architectures", read_architectures,
          G_STRUCT_OFFSET(RnSeccomp, architectures), RN_JSON_OPTIONAL },
        { "flags", read_flags, 0, RN_JSON_OPTIONAL },
        { "listenerPath", rn_config_read_optional_string,
          G_STRUCT_OFFSET(RnSeccomp, listener_path), RN_JSON_OPTIONAL },
        { "listenerMetadata", rn_config_read_optional_string,
          G_STRUCT_OFFSET(RnSeccomp, listener_metadata), RN_JSON_OPTIONAL },
        { "syscalls", read_rules, G_STRUCT_OFFSET(RnSeccomp, rules),
          RN_JSON_OPTIONAL },
    };
    g_autoptr(RnSeccomp) seccomp = rn_seccomp_new();
    RnSeccomp **value = target;

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), seccomp,
                              error) ||
        !check_listener(at, seccomp, error))
        return false;
    rn_seccomp_free(*value);
    *value = g_steal_pointer(&seccomp);
    return true;
}
