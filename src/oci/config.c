/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config - a bundle's config.json: the file, the top level, cross-checks
 *
 * Runs in the launcher, on a bundle that may be hostile; the result is plain
 * data for the plan. The sections are read by config-*.c through tables, in
 * which what is not supported yet stands with the reader that refuses it.
 * Failure leaves nothing behind.
 */
#include "config.h"

#include <rnet/oci/config.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include <rnet/oci/config-parts.h>
#include <rnet/util/fd.h>

enum {
    NAME_MAX_LENGTH = 64, /* sethostname(2), __NEW_UTS_LEN */
    /* far beyond any version there is */
    PATCH_MAX_DIGITS = 6,
    EXTENSION_MAX = 64,
};

/*
 * 1.0.x to 1.3.x, with a pre-release or build as semver.org has them. By hand:
 * GLib's expressions bring 300 KiB of PCRE2 to life.
 */
static bool is_supported_version(const char *version)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-";
    const char *patch = NULL;
    size_t digits = 0;
    size_t length = 0;

    if (!g_str_has_prefix(version, "1.") || version[2] < '0' ||
        version[2] > '3' || version[3] != '.')
        return false;
    patch = version + strlen("1.0.");
    digits = strspn(patch, "0123456789");
    if (digits < 1 || digits > PATCH_MAX_DIGITS ||
        (patch[0] == '0' && digits > 1))
        return false;
    if (patch[digits] == '\0')
        return true;
    length = strlen(patch + digits + 1);
    return (patch[digits] == '-' || patch[digits] == '+') && length >= 1 &&
           length <= EXTENSION_MAX &&
           strspn(patch + digits + 1, allowed) == length;
}

static bool read_version(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *version = NULL;
    g_autofree char *quoted = NULL;
    char **value = target;

    if (!rn_json_read_string(at, &version, error))
        return false;
    if (!is_supported_version(version)) {
        quoted = rn_json_quote(version);
        (void)rn_json_fail(at, RN_ERROR_UNSUPPORTED, error,
                           "%s is not supported (1.0 to 1.3 are)", quoted);
        return rn_error_add_hint(error, "make the bundle anew with a tool of "
                                        "runtime-spec 1.0 to 1.3");
    }
    g_free(*value);
    *value = g_steal_pointer(&version);
    return true;
}

/* A UTS name; an empty one counts as none. */
static bool read_uts_name(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *name = NULL;
    char **value = target;

    if (!rn_json_read_string(at, &name, error))
        return false;
    if (strlen(name) > NAME_MAX_LENGTH)
        return rn_json_fail(at, RN_ERROR_INVALID, error,
                            "is longer than %d bytes", NAME_MAX_LENGTH);
    for (const char *c = name; *c != '\0'; c++) {
        /* it also goes into /etc/hosts, as one word of a line */
        if (!g_ascii_isgraph(*c) || *c == '#')
            return rn_json_fail(at, RN_ERROR_INVALID, error,
                                "has a character that no host name has");
    }
    g_free(*value);
    *value = name[0] == '\0' ? NULL : g_steal_pointer(&name);
    return true;
}

static bool read_root_path(const RnJsonAt *at, void *target, GError **error)
{
    char **value = target;

    if (!rn_json_read_string(at, target, error))
        return false;
    if ((*value)[0] == '\0')
        return rn_json_fail(at, RN_ERROR_INVALID, error, "is empty");
    return true;
}

static bool read_root(const RnJsonAt *at, void *target, GError **error)
{
    static const RnJsonField fields[] = {
        { "path", read_root_path, G_STRUCT_OFFSET(RnConfig, root_path),
          RN_JSON_REQUIRED },
        { "readonly", rn_json_read_bool,
          G_STRUCT_OFFSET(RnConfig, root_readonly), RN_JSON_OPTIONAL },
    };

    return rn_json_read_members(at, fields, G_N_ELEMENTS(fields), target,
                                error);
}

/* config.md, Annotations: strings by keys that are not empty. */
static bool add_annotation(const RnJsonAt *at, void *target, GError **error)
{
    g_autofree char *value = NULL;

    if (at->name[0] == '\0')
        return rn_json_fail(at, RN_ERROR_INVALID, error, "an empty key");
    if (!rn_json_read_string(at, &value, error))
        return false;
    g_hash_table_insert(target, g_strdup(at->name), g_steal_pointer(&value));
    return true;
}

static bool read_annotations(const RnJsonAt *at, void *target, GError **error)
{
    GHashTable **annotations = target;

    return rn_json_read_entries(at, add_annotation, *annotations, error);
}

static const RnJsonField config_fields[] = {
    /* first: a document of another version may have other rules */
    { "ociVersion", read_version, G_STRUCT_OFFSET(RnConfig, oci_version),
      RN_JSON_REQUIRED },
    { "process", rn_config_read_process, G_STRUCT_OFFSET(RnConfig, process),
      RN_JSON_REQUIRED },
    { "root", read_root, 0, RN_JSON_REQUIRED },
    { "hostname", read_uts_name, G_STRUCT_OFFSET(RnConfig, hostname),
      RN_JSON_OPTIONAL },
    { "domainname", read_uts_name, G_STRUCT_OFFSET(RnConfig, domainname),
      RN_JSON_OPTIONAL },
    { "mounts", rn_config_read_mounts, G_STRUCT_OFFSET(RnConfig, mounts),
      RN_JSON_OPTIONAL },
    { "annotations", read_annotations, G_STRUCT_OFFSET(RnConfig, annotations),
      RN_JSON_OPTIONAL },
    { "linux", rn_config_read_linux, 0, RN_JSON_OPTIONAL },
    { "hooks", rn_config_read_hooks, G_STRUCT_OFFSET(RnConfig, hooks),
      RN_JSON_OPTIONAL },
    { "vm", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "windows", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "solaris", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "zos", rn_json_refuse, 0, RN_JSON_OPTIONAL },
    { "freebsd", rn_json_refuse, 0, RN_JSON_OPTIONAL },
};

static GPtrArray *new_list(GDestroyNotify free_element)
{
    return g_ptr_array_new_with_free_func(free_element);
}

static RnConfig *new_config(void)
{
    RnConfig *config = g_new0(RnConfig, 1);

    rn_process_init(&config->process);
    rn_resources_init(&config->resources);
    config->mounts = new_list((GDestroyNotify)rn_mount_free);
    config->joins = new_list((GDestroyNotify)rn_join_free);
    config->devices = new_list((GDestroyNotify)rn_device_free);
    config->sysctls = new_list((GDestroyNotify)rn_sysctl_free);
    config->net_devices = new_list((GDestroyNotify)rn_net_device_free);
    for (int i = 0; i < RN_HOOK_N_; i++)
        config->hooks[i] = new_list((GDestroyNotify)rn_hook_free);
    config->annotations =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    config->time_offsets = g_array_new(FALSE, FALSE, sizeof(RnTimeOffset));
    config->uid_mappings = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));
    config->gid_mappings = g_array_new(FALSE, FALSE, sizeof(RnIdMapping));
    config->masked_paths = g_new0(char *, 1);
    config->readonly_paths = g_new0(char *, 1);
    return config;
}

void rn_config_free(RnConfig *config)
{
    if (config == NULL)
        return;
    rn_process_clear(&config->process);
    rn_resources_clear(&config->resources);
    rn_seccomp_free(config->seccomp);
    g_free(config->cgroups_path);
    g_free(config->mount_label);
    g_free(config->oci_version);
    g_free(config->root_path);
    g_free(config->hostname);
    g_free(config->domainname);
    g_clear_pointer(&config->mounts, g_ptr_array_unref);
    g_clear_pointer(&config->joins, g_ptr_array_unref);
    g_clear_pointer(&config->devices, g_ptr_array_unref);
    g_clear_pointer(&config->sysctls, g_ptr_array_unref);
    g_clear_pointer(&config->net_devices, g_ptr_array_unref);
    for (int i = 0; i < RN_HOOK_N_; i++)
        g_clear_pointer(&config->hooks[i], g_ptr_array_unref);
    g_clear_pointer(&config->annotations, g_hash_table_unref);
    g_clear_pointer(&config->time_offsets, g_array_unref);
    g_clear_pointer(&config->uid_mappings, g_array_unref);
    g_clear_pointer(&config->gid_mappings, g_array_unref);
    g_strfreev(config->masked_paths);
    g_strfreev(config->readonly_paths);
    g_free(config);
}

/* config.md, Hostname and Domainname: never those of the host. */
static bool check_uts_names(const RnConfig *config, const char *name,
                            GError **error)
{
    const char *member = config->hostname != NULL ? "hostname" : "domainname";

    if (config->hostname == NULL && config->domainname == NULL)
        return true;
    if (rn_config_has_namespace(config, CLONE_NEWUTS))
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "%s: %s: needs \"uts\" in linux.namespaces", name,
                        member);
}

/* Parses a document and reads it with `read`. */
static bool read_document(const char *text, gsize length, const char *name,
                          RnJsonReader read, void *target, GError **error)
{
    g_autoptr(json_t) root = rn_json_parse(text, length, name, error);
    RnJsonAt document = { .name = name, .node = root };

    return root != NULL && read(&document, target, error);
}

static bool read_config(const RnJsonAt *at, void *target, GError **error)
{
    return rn_json_read_members(at, config_fields, G_N_ELEMENTS(config_fields),
                                target, error);
}

RnConfig *rn_config_parse(const char *text, gsize length, const char *name,
                          GError **error)
{
    g_autoptr(RnConfig) config = new_config();

    if (!read_document(text, length, name, read_config, config, error))
        return NULL;
    if (!check_uts_names(config, name, error))
        return NULL;
    return g_steal_pointer(&config);
}

bool rn_process_load(const char *path, RnProcess *process, GError **error)
{
    g_autofree char *text = NULL;
    g_autofree char *name = NULL;
    gsize length = 0;

    rn_process_init(process);
    if (!rn_file_read(AT_FDCWD, path, RN_JSON_MAX_SIZE, &text, &length, error))
        return false;
    name = g_path_get_basename(path);
    return read_document(text, length, name, rn_config_read_process, process,
                         error);
}

bool rn_resources_parse(const char *text, gsize length, const char *name,
                        RnResources *resources, GError **error)
{
    rn_resources_init(resources);
    return read_document(text, length, name, rn_config_read_resources,
                         resources, error);
}

static bool open_bundle(const char *bundle, int *out_fd, GError **error)
{
    int fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        *out_fd = fd;
        return true;
    }
    if (errno == ENOENT)
        return rn_set_error(error, RN_ERROR_NOT_FOUND,
                            "bundle \"%s\": no such directory", bundle);
    if (errno == ENOTDIR)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "bundle \"%s\" is not a directory", bundle);
    return rn_set_errno(error, errno, "open bundle \"%s\"", bundle);
}

static const char bundle_hint[] =
    "a bundle is a directory with config.json and a root file system; \"rnet "
    "spec --rootless\" writes a config.json to begin with";

static bool read_text(const char *bundle, char **out_text, gsize *out_length,
                      GError **error)
{
    rn_autofd int fd = -1;
    g_autoptr(GError) failure = NULL;

    if (!open_bundle(bundle, &fd, error))
        return rn_error_add_hint(error, "%s", bundle_hint);
    if (rn_file_read(fd, "config.json", RN_JSON_MAX_SIZE, out_text, out_length,
                     &failure))
        return true;
    if (rn_error_is_errno(failure, ENOENT)) {
        (void)rn_set_error(error, RN_ERROR_NOT_FOUND,
                           "bundle \"%s\" has no config.json", bundle);
        return rn_error_add_hint(error, "%s", bundle_hint);
    }
    g_propagate_prefixed_error(error, g_steal_pointer(&failure),
                               "bundle \"%s\": ", bundle);
    return false;
}

RnConfig *rn_config_load(const char *bundle, char **out_text, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    RnConfig *config = NULL;

    if (!read_text(bundle, &text, &length, error))
        return NULL;
    config = rn_config_parse(text, length, "config.json", error);
    if (config != NULL && out_text != NULL)
        *out_text = g_steal_pointer(&text);
    return config;
}

bool rn_config_look(const char *bundle, RnJsonReader read, void *target,
                    GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;

    return read_text(bundle, &text, &length, error) &&
           read_document(text, length, "config.json", read, target, error);
}
