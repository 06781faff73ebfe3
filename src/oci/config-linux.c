/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config-linux - the "linux" section of config.json
 *
 * runtime-spec config-linux.md. Runs in the launcher, as config.c says.
 */
#include "config.h"

#include <rnet/oci/config-parts.h>

#include <sched.h>
#include <string.h>

#include <sys/mount.h>

#define ID_COUNT UINT64_C(0xffffffff) /* ids 0 to 2^32-2; -1 is none */

/* A word of the document and the flags that it stands for. */
typedef struct Word {
    const char *name;
    uint64_t flags;
} Word;

static const Word namespace_words[] = {
    { "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC },
    { "mount", CLONE_NEWNS },      { "network", CLONE_NEWNET },
    { "pid", CLONE_NEWPID },       { "user", CLONE_NEWUSER },
    { "uts", CLONE_NEWUTS },
};

static const Word propagation_words[] = {
    { "private", MS_PRIVATE },       { "rprivate", MS_PRIVATE | MS_REC },
    { "shared", MS_SHARED },         { "rshared", MS_SHARED | MS_REC },
    { "slave", MS_SLAVE },           { "rslave", MS_SLAVE | MS_REC },
    { "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
};

static uint64_t find_word(const Word *words, gsize n_words, const char *name)
{
    for (gsize i = 0; i < n_words; i++)
        if (strcmp(words[i].name, name) == 0)
            return words[i].flags;
    return 0;
}

static bool read_namespace_type(const RnJsonAt *at, void *target,
                                GError **error)
{
    g_autofree char *type = NULL;
    g_autofree char *quoted = NULL;
    uint64_t *flag = target;

    if (!rn_json_read_string(at, &type, error))
        return false;
    if (strcmp(type, "time") == 0)
        return rn_json_fail(at, RN_ERROR_UNSUPPORTED, error,
                            "\"time\" is not supported yet");
    *flag = find_word(namespace_words, G_N_ELEMENTS(namespace_words), type);
    if (*flag != 0)
        return true;
    quoted = rn_json_quote(type);
    return rn_json_fail(at, RN_ERROR_INVALID, error,
                        "%s is not a type of namespace", quoted);
}

static bool refuse_namespace_path(const RnJsonAt *at, void *target,
                                  GError **error)
{
    if (rn_json_refuse(at, target, NULL))
        return true;
    return rn_json_fail(at, RN_ERROR_UNSUPPORTED, error,
                        "joining a namespace by path is not supported yet");
}

static bool add_namespace(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "type", read_namespace_type, 0, RN_JSON_REQUIRED },
        { "path", refuse_namespace_path, 0, RN_JSON_OPTIONAL },
    };
    uint64_t *namespaces = target;
    uint64_t flag = 0;

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &flag, error))
        return false;
    if ((*namespaces & flag) != 0)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "the type is given twice");
    *namespaces |= flag;
    return true;
}

static bool read_namespaces(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_elements(at, add_namespace, target, error);
}

/* Do two ranges of ids have one in common? */
static bool overlap(uint32_t a, uint32_t size_a, uint32_t b, uint32_t size_b)
{
    return a < (uint64_t)b + size_b && b < (uint64_t)a + size_a;
}

static bool check_mapping(const RnJsonAt *at, const GArray *before,
                          const RnIdMapping *mapping, GError **error)
{
    uint64_t last = MAX(mapping->container_id, mapping->host_id);

    if (mapping->size == 0)
        return rn_json_fail(at, RN_ERROR_INVALID, error, "size is 0");
    if (last + mapping->size > ID_COUNT)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "goes beyond the last id, 4294967294");
    if (before->len == RN_IDMAP_MAX)
        return rn_json_fail(at, RN_ERROR_LIMIT, error, "more than %d mappings",
                            RN_IDMAP_MAX);
    /* the kernel takes no overlap on either side: user_namespaces(7) */
    for (unsigned i = 0; i < before->len; i++) {
        const RnIdMapping *other = &g_array_index(before, RnIdMapping, i);

        if (overlap(other->container_id, other->size, mapping->container_id,
                    mapping->size) ||
            overlap(other->host_id, other->size, mapping->host_id,
                    mapping->size))
            return rn_json_fail(at, RN_ERROR_INVALID, error,
                                "overlaps with mapping [%u]", i);
    }
    return true;
}

static bool append_mapping(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "containerID", rn_json_read_id,
          G_STRUCT_OFFSET(RnIdMapping, container_id), RN_JSON_REQUIRED },
        { "hostID", rn_json_read_id, G_STRUCT_OFFSET(RnIdMapping, host_id),
          RN_JSON_REQUIRED },
        { "size", rn_json_read_uint32, G_STRUCT_OFFSET(RnIdMapping, size),
          RN_JSON_REQUIRED },
    };
    RnIdMapping mapping = { 0 };

    if (!rn_json_read_members(at, fields, G_N_ELEMENTS(fields), &mapping,
                              error))
        return false;
    if (!check_mapping(at, target, &mapping, error))
        return false;
    g_array_append_val((GArray *)target, mapping);
    return true;
}

bool rn_config_read_mappings(const RnJsonAt *at, void *target, GError **error)
{
    GArray **mappings = target;

    return rn_json_read_elements(at, append_mapping, *mappings, error);
}

static bool read_propagation(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *name = NULL;
    g_autofree char *quoted = NULL;
    uint64_t *flags = target;

    if (!rn_json_read_string(at, &name, error))
        return false;
    *flags =
        find_word(propagation_words, G_N_ELEMENTS(propagation_words), name);
    if (*flags != 0 || name[0] == '\0')
        return true;
    quoted = rn_json_quote(name);
    return rn_json_fail(at, RN_ERROR_INVALID, error,
                        "%s is not a mount propagation", quoted);
}

static const RnJsonField linux_fields[] = {
    { "namespaces", read_namespaces, G_STRUCT_OFFSET(RnConfig, namespaces),
      RN_JSON_OPTIONAL },
    { "uidMappings", rn_config_read_mappings,
      G_STRUCT_OFFSET(RnConfig, uid_mappings), RN_JSON_OPTIONAL },
    { "gidMappings", rn_config_read_mappings,
      G_STRUCT_OFFSET(RnConfig, gid_mappings), RN_JSON_OPTIONAL },
    { "devices", rn_config_read_devices, G_STRUCT_OFFSET(RnConfig, devices),
      RN_JSON_OPTIONAL },
    { "resources", rn_config_read_resources, 0, RN_JSON_OPTIONAL },
    { "rootfsPropagation", read_propagation,
      G_STRUCT_OFFSET(RnConfig, rootfs_propagation), RN_JSON_OPTIONAL },
    { "maskedPaths", rn_json_read_paths,
      G_STRUCT_OFFSET(RnConfig, masked_paths), RN_JSON_OPTIONAL },
    { "readonlyPaths", rn_json_read_paths,
      G_STRUCT_OFFSET(RnConfig, readonly_paths), RN_JSON_OPTIONAL },
    { "cgroupsPath", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "sysctl", rn_json_refuse_map, 0, RN_JSON_OPTIONAL },
    { "seccomp", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "mountLabel", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "intelRdt", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "personality", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "timeOffsets", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "netDevices", rn_json_refuse_map, 0, RN_JSON_OPTIONAL },
    { "memoryPolicy", rn_json_refuse, 0, RN_JSON_OPTIONAL },
};

static bool check_user_namespace(const RnJsonAt *at, const RnConfig *config,
                                 GError **error)
{
    if ((config->namespaces & CLONE_NEWUSER) != 0 ||
        (config->uid_mappings->len == 0 && config->gid_mappings->len == 0))
        return true;
    return rn_json_fail(
        at, RN_ERROR_INVALID, error, "%s needs \"user\" in linux.namespaces",
        config->uid_mappings->len > 0 ? "uidMappings" : "gidMappings");
}

bool rn_config_read_linux(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_members(at, linux_fields, G_N_ELEMENTS(linux_fields),
                                target, error) &&
           check_user_namespace(at, target, error);
}
