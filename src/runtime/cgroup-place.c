/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-place - decides where a container's cgroup goes
 *
 * Runs in the launcher, on data only. The path is the bundle's and may be
 * hostile; it is not looked up, only checked.
 */
#include "config.h"

#include <rnet/runtime/cgroup-place.h>

#include <limits.h>
#include <string.h>

enum {
    UNIT_NAME_MAX = 255, /* systemd.unit(5) */
};

void rn_cgroup_part_free(RnCgroupPart *part)
{
    if (part == NULL)
        return;
    g_strfreev(part->controllers);
    g_free(part->mount_point);
    g_free(part->path);
    g_free(part->directory);
    g_free(part->first_made);
    g_free(part);
}

RnCgroupPart *rn_cgroup_part_new(unsigned version, char **controllers,
                                 const char *mount_point, const char *path)
{
    RnCgroupPart *part = g_new0(RnCgroupPart, 1);

    part->version = version;
    part->controllers = g_strdupv(controllers);
    part->mount_point = g_strdup(mount_point);
    part->path = g_strdup(path);
    part->directory = g_build_filename(mount_point, path, NULL);
    return part;
}

static const char *check_name(const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "it must not go up";
    if (strchr(name, '\n') != NULL)
        return "no cgroup can have a newline in its name";
    return strlen(name) > NAME_MAX ? "a part of it is too long" : NULL;
}

char *rn_cgroup_path_normalize(const char *path, GError **error)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    const char *wrong = strlen(path) >= PATH_MAX ? "it is too long" : NULL;

    for (char **name = names; *name != NULL && wrong == NULL; name++) {
        wrong = check_name(*name);
        if ((*name)[0] != '\0')
            g_string_append_printf(text, "/%s", *name);
    }
    if (wrong == NULL && text->len == 0)
        wrong = "it is the root of all cgroups";
    if (wrong != NULL) {
        g_autofree char *shown = g_strescape(path, NULL);

        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "linux.cgroupsPath \"%.256s\": %s", shown, wrong);
        return NULL;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Hierarchies that somebody else gave a name are nothing to a container. */
static bool is_joined(const RnCgroupHierarchy *hierarchy)
{
    const char *first = hierarchy->controllers[0];

    return hierarchy->version == 2 || !g_str_has_prefix(first, "name=") ||
           strcmp(first, "name=systemd") == 0;
}

/* Where a relative path starts. */
static char *find_base(const RnCgroupHierarchy *hierarchy)
{
    if (hierarchy->own == NULL)
        return g_strdup("/");
    return hierarchy->version == 2 ? g_path_get_dirname(hierarchy->own)
                                   : g_strdup(hierarchy->own);
}

static GPtrArray *new_parts(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)rn_cgroup_part_free);
}

GPtrArray *rn_cgroup_place(const GPtrArray *layout, const char *path,
                           const char *name, GError **error)
{
    bool relative = path == NULL || path[0] != '/';
    g_autofree char *named = g_strconcat("rnet-", name, NULL);
    g_autofree char *normal =
        rn_cgroup_path_normalize(path == NULL ? named : path, error);
    GPtrArray *parts = NULL;

    if (normal == NULL)
        return NULL;
    parts = new_parts();
    for (unsigned i = 0; i < layout->len; i++) {
        const RnCgroupHierarchy *hierarchy = g_ptr_array_index(layout, i);
        g_autofree char *base = find_base(hierarchy);
        g_autofree char *below =
            relative ? g_build_filename(base, normal, NULL) : g_strdup(normal);

        if (is_joined(hierarchy))
            g_ptr_array_add(parts,
                            rn_cgroup_part_new(hierarchy->version,
                                               hierarchy->controllers,
                                               hierarchy->mount_point, below));
    }
    return parts;
}

/* systemd's own hierarchy: v2's if it has the scope there, else v1's. */
static char *find_scope(const char *cgroups)
{
    char *named = rn_cgroup_find_line(cgroups, 1, "name=systemd");

    return named != NULL ? named : rn_cgroup_find_line(cgroups, 2, "");
}

GPtrArray *rn_cgroup_place_like(const GPtrArray *layout, const char *cgroups,
                                GError **error)
{
    g_autofree char *path = find_scope(cgroups);

    if (path == NULL) {
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "systemd's own cgroups cannot be found");
        return NULL;
    }
    if (path[0] != '/' || strstr(path, "/..") != NULL) {
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "systemd's cgroup \"%s\" is outside this cgroup "
                           "namespace",
                           path);
        return NULL;
    }
    return rn_cgroup_place(layout, path, "", error);
}

/* What systemd.unit(5) lets a unit be called. */
static bool is_unit_name(const char *name)
{
    gsize length =
        strspn(name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ":-_.\\@");

    return length > 0 && length <= UNIT_NAME_MAX && name[length] == '\0';
}

static bool check_unit(const char *name, const char *path, GError **error)
{
    if (is_unit_name(name))
        return true;
    return rn_set_error(error, RN_ERROR_INVALID,
                        "linux.cgroupsPath \"%.256s\": \"%.256s\" cannot be "
                        "the name of a systemd unit",
                        path, name);
}

bool rn_cgroup_unit_names(const char *path, const char *id, bool user,
                          char **out_slice, char **out_unit, GError **error)
{
    g_autofree char *given = path == NULL || path[0] == '\0'
                                 ? g_strconcat(":rnet:", id, NULL)
                                 : g_strdup(path);
    g_auto(GStrv) parts = g_strsplit(given, ":", 4);
    g_autofree char *slice = NULL;
    g_autofree char *unit = NULL;

    if (g_strv_length(parts) != 3) {
        (void)rn_set_error(error, RN_ERROR_INVALID,
                           "linux.cgroupsPath \"%.256s\": not of the form "
                           "\"SLICE:PREFIX:NAME\"",
                           given);
        return rn_error_add_hint(error, "that is what systemd's cgroups need; "
                                        "leave out --systemd-cgroup, or the "
                                        "path");
    }
    if (g_str_has_suffix(parts[2], ".slice"))
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "linux.cgroupsPath \"%.256s\": a container cannot "
                            "be a slice",
                            given);
    slice = parts[0][0] != '\0'
                ? g_strdup(parts[0])
                : g_strdup(user ? "user.slice" : "system.slice");
    unit = parts[1][0] != '\0'
               ? g_strdup_printf("%s-%s.scope", parts[1], parts[2])
               : g_strdup_printf("%s.scope", parts[2]);
    if (!check_unit(slice, given, error) || !check_unit(unit, given, error))
        return false;
    if (!g_str_has_suffix(slice, ".slice"))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "linux.cgroupsPath \"%.256s\": \"%s\" is no slice",
                            given, slice);
    *out_slice = g_steal_pointer(&slice);
    *out_unit = g_steal_pointer(&unit);
    return true;
}
