/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-linux - the "linux" section of config.json
 *
 * runtime-spec config-linux.md. Runs in the launcher, as config.c says. What is
 * not done at all stands in the table with the reader that refuses it.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#include <sched.h>
#include <string.h>

#include <sys/mount.h>
#include <sys/personality.h>

enum {
    SYSCTLS_MAX = 1024,     /* each is a write of init's */
    NET_DEVICES_MAX = 1024, /* each is a request to the kernel */
};

static const struct {
    const char *name;
    uint64_t flags;
} propagations[] = {
    { "private", MS_PRIVATE },       { "rprivate", MS_PRIVATE | MS_REC },
    { "shared", MS_SHARED },         { "rshared", MS_SHARED | MS_REC },
    { "slave", MS_SLAVE },           { "rslave", MS_SLAVE | MS_REC },
    { "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
};

static bool read_propagation(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *name = NULL;

    if (!rn_json_read_string(at, &name, error))
        return false;
    if (name[0] == '\0')
        return true;
    for (gsize i = 0; i < G_N_ELEMENTS(propagations); i++) {
        if (strcmp(propagations[i].name, name) != 0)
            continue;
        *(uint64_t *)target = propagations[i].flags;
        return true;
    }
    return rn_config_fail_word(at, name, "a mount propagation", error);
}

void rn_sysctl_free(RnSysctl *sysctl)
{
    if (sysctl == NULL)
        return;
    g_free(sysctl->name);
    g_free(sysctl->value);
    g_free(sysctl);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnSysctl, rn_sysctl_free)

/* sysctl(8): words with "." or "/" between them. As nothing is between two of
 * these, the path that it becomes has no "..". */
static bool is_sysctl(const char *name)
{
    bool between = true; /* a word has to come */

    if (!rn_config_is_word(name))
        return false;
    for (const char *c = name; *c != '\0'; c++) {
        bool separator = *c == '.' || *c == '/';

        if (separator && between)
            return false;
        between = separator;
    }
    return !between;
}

static bool append_sysctl(const RnJsonAt *at, void *target, GError **error)
{
    g_autoptr(RnSysctl) sysctl = g_new0(RnSysctl, 1);

    if (!is_sysctl(at->name))
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "is not the name of a kernel parameter");
    if (!rn_json_read_string(at, &sysctl->value, error))
        return false;
    sysctl->name = g_strdup(at->name);
    g_ptr_array_add(target, g_steal_pointer(&sysctl));
    return true;
}

static bool read_sysctls(const RnJsonAt *at, void *target, GError **error)
{
    GPtrArray **sysctls = target;

    return rn_json_check_count(at, SYSCTLS_MAX, error) &&
           rn_json_read_entries(at, append_sysctl, *sysctls, error);
}

void rn_net_device_free(RnNetDevice *device)
{
    if (device == NULL)
        return;
    g_free(device->name);
    g_free(device->new_name);
    g_free(device);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnNetDevice, rn_net_device_free)

/* An empty new name counts as none. */
static bool read_new_name(const RnJsonAt *at, void *target, GError **error)
{
    if (json_is_string(at->node) && json_string_length(at->node) == 0)
        return true;
    return rn_config_read_interface(at, target, error);
}

static bool append_net_device(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "name", read_new_name, G_STRUCT_OFFSET(RnNetDevice, new_name),
          RN_JSON_OPTIONAL },
    };
    g_autoptr(RnNetDevice) device = g_new0(RnNetDevice, 1);

    if (!rn_config_is_interface(at->name))
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "is not the name of a network interface");
    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), device, error))
        return false;
    device->name = g_strdup(at->name);
    g_ptr_array_add(target, g_steal_pointer(&device));
    return true;
}

static bool read_net_devices(const RnJsonAt *at, void *target, GError **error)
{
    GPtrArray **devices = target;

    return rn_json_check_count(at, NET_DEVICES_MAX, error) &&
           rn_json_read_entries(at, append_net_device, *devices, error);
}

static bool read_domain(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *domain = NULL;
    unsigned long *personality_bits = target;

    if (!rn_json_read_string(at, &domain, error))
        return false;
    if (strcmp(domain, "LINUX") == 0 || strcmp(domain, "LINUX32") == 0) {
        *personality_bits = domain[5] == '\0' ? PER_LINUX : PER_LINUX32;
        return true;
    }
    return rn_config_fail_word(at, domain, "\"LINUX\" or \"LINUX32\"", error);
}

static bool read_personality(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "domain", read_domain, G_STRUCT_OFFSET(RnConfig, personality),
          RN_JSON_REQUIRED },
        /* the specification has no flags yet */
        { "flags", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    };
    RnConfig *config = target;

    config->has_personality = true;
    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}

static const RnJsonField linux_fields[] = {
    { "namespaces", rn_config_read_namespaces, 0, RN_JSON_OPTIONAL },
    { "uidMappings", rn_config_read_mappings,
      G_STRUCT_OFFSET(RnConfig, uid_mappings), RN_JSON_OPTIONAL },
    { "gidMappings", rn_config_read_mappings,
      G_STRUCT_OFFSET(RnConfig, gid_mappings), RN_JSON_OPTIONAL },
    { "devices", rn_config_read_devices, G_STRUCT_OFFSET(RnConfig, devices),
      RN_JSON_OPTIONAL },
    { "timeOffsets", rn_config_read_time_offsets,
      G_STRUCT_OFFSET(RnConfig, time_offsets), RN_JSON_OPTIONAL },
    { "resources", rn_config_read_resources,
      G_STRUCT_OFFSET(RnConfig, resources), RN_JSON_OPTIONAL },
    { "cgroupsPath", rn_config_read_optional_string,
      G_STRUCT_OFFSET(RnConfig, cgroups_path), RN_JSON_OPTIONAL },
    { "sysctl", read_sysctls, G_STRUCT_OFFSET(RnConfig, sysctls),
      RN_JSON_OPTIONAL },
    { "seccomp", rn_config_read_seccomp, G_STRUCT_OFFSET(RnConfig, seccomp),
      RN_JSON_OPTIONAL },
    { "mountLabel", rn_config_read_optional_string,
      G_STRUCT_OFFSET(RnConfig, mount_label), RN_JSON_OPTIONAL },
    { "personality", read_personality, 0, RN_JSON_OPTIONAL },
    { "netDevices", read_net_devices, G_STRUCT_OFFSET(RnConfig, net_devices),
      RN_JSON_OPTIONAL },
    { "rootfsPropagation", read_propagation,
      G_STRUCT_OFFSET(RnConfig, rootfs_propagation), RN_JSON_OPTIONAL },
    { "maskedPaths", rn_json_read_paths,
      G_STRUCT_OFFSET(RnConfig, masked_paths), RN_JSON_OPTIONAL },
    { "readonlyPaths", rn_json_read_paths,
      G_STRUCT_OFFSET(RnConfig, readonly_paths), RN_JSON_OPTIONAL },
    { "intelRdt", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "memoryPolicy", rn_json_refuse, 0, RN_JSON_OPTIONAL },
};

/*
 * What only makes sense in a namespace of the container's. Mappings may come
 * with a user namespace that is joined, whose own ones hold: podman repeats
 * there what the pod has.
 */
static bool check_namespaces(const RnJsonAt *at, const RnConfig *config,
                             GError **error)
{
    const struct {
        const char *member;
        bool asked, possible;
        const char *type;
    } needs[] = {
        { "uidMappings", config->uid_mappings->len > 0,
          rn_config_has_namespace(config, CLONE_NEWUSER), "\"user\"" },
        { "gidMappings", config->gid_mappings->len > 0,
          rn_config_has_namespace(config, CLONE_NEWUSER), "\"user\"" },
        { "netDevices", config->net_devices->len > 0,
          rn_config_has_namespace(config, CLONE_NEWNET), "\"network\"" },
        /* time_namespaces(7): no longer when a process is in it */
        { "timeOffsets", config->time_offsets->len > 0,
          (config->namespaces & CLONE_NEWTIME) != 0,
          "\"time\" without a path" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(needs); i++)
        if (needs[i].asked && !needs[i].possible)
            return rn_json_fail(at, RN_ERROR_INVALID, error,
                                "%s needs %s in linux.namespaces",
                                needs[i].member, needs[i].type);
    return true;
}

bool rn_config_read_linux(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_members(at, linux_fields, G_N_ELEMENTS(linux_fields),
                                target, error) &&
           check_namespaces(at, target, error);
}
