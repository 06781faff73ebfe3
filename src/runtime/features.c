/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * features - the features document, from the tables that do the work
 *
 * Runs in `rnet features`. Words come from the modules that read them in a
 * configuration, so that a word is here if and only if it is understood there.
 */
#include "config.h"

#include <rnet/runtime/features.h>

#include <seccomp.h>

#include <rnet/oci/config.h>
#include <rnet/runtime/hooks.h>
#include <rnet/sys/caps.h>
#include <rnet/sys/mount-options.h>
#include <rnet/sys/seccomp-filter.h>

static json_t *list_words(const char *const *words)
{
    json_t *list = json_array();

    for (; *words != NULL; words++)
        (void)json_array_append_new(list, json_string(*words));
    return list;
}

static json_t *list_hooks(void)
{
    json_t *list = json_array();

    for (unsigned stage = 0; stage < RN_HOOK_N_; stage++)
        (void)json_array_append_new(
            list, json_string(rn_hook_stage_name((RnHookStage)stage)));
    return list;
}

static json_t *list_mount_options(void)
{
    g_autofree const char **words = rn_mount_option_words();

    return list_words(words);
}

static json_t *list_namespaces(void)
{
    g_autofree const char **words = rn_config_namespace_words();

    return list_words(words);
}

static json_t *list_capabilities(void)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < 64; i++) {
        g_autofree char *name = rn_cap_name(i);

        if (name != NULL)
            (void)json_array_append_new(list, json_string(name));
    }
    return list;
}

static json_t *describe_seccomp(void)
{
    const char *const *flags = rn_seccomp_flag_words();

    return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "enabled", 1, "actions",
                     list_words(rn_seccomp_action_words()), "operators",
                     list_words(rn_seccomp_compare_words()), "archs",
                     list_words(rn_seccomp_architecture_words()), "knownFlags",
                     list_words(flags), "supportedFlags", list_words(flags));
}

static json_t *describe_linux(void)
{
    json_t *cgroup = json_pack("{s:b, s:b, s:b, s:b, s:b}", "v1", 1, "v2", 1,
                               "systemd", 1, "systemdUser", 1, "rdma", 1);

    return json_pack(
        "{s:o, s:o, s:o, s:o, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:{s:b}},"
        " s:{s:b}}",
        "namespaces", list_namespaces(), "capabilities", list_capabilities(),
        "cgroup", cgroup, "seccomp", describe_seccomp(), "apparmor", "enabled",
        1, "selinux", "enabled", 1, "intelRdt", "enabled", 0, "mountExtensions",
        "idmap", "enabled", 1, "netDevices", "enabled", 1);
}

static json_t *describe_build(void)
{
    const struct scmp_version *version = seccomp_version();
    g_autofree char *libseccomp = g_strdup_printf(
        "%u.%u.%u", version->major, version->minor, version->micro);

    return json_pack("{s:s, s:s}", "io.github.seccomp.libseccomp.version",
                     libseccomp, "rnet.version", PACKAGE_VERSION);
}

json_t *rn_features(void)
{
    /* these are for systemd's eyes: who writes them asks it for anything */
    static const char unsafe_annotation[] = "org.systemd.property.";

    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:[s]}", "ociVersionMin",
                     "1.0.0", "ociVersionMax", "1.3.0", "hooks", list_hooks(),
                     "mountOptions", list_mount_options(), "linux",
                     describe_linux(), "annotations", describe_build(),
                     "potentiallyUnsafeConfigAnnotations", unsafe_annotation);
}
