/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-record - a container's cgroup as JSON, and back
 *
 *     {"unit": "rnet-x.scope", "user": true, "lenient": true, "planned": false,
 *      "parts": [{"version": 2, "controllers": ["cpu"],
 *                 "mount": "/sys/fs/cgroup", "path": "/a/rnet-x"}]}
 *
 * Runs in the launcher and in every later command. The record is in a
 * directory that is only its owner's, so that it is checked for its form and
 * no more: whoever can write it can do to his cgroups what it says.
 */
#include "config.h"

#include <rnet/runtime/cgroup.h>

#include <string.h>

#include "cgroup-object.h"

enum {
    PARTS_MAX = 64,
    CONTROLLERS_MAX = 64,
};

static json_t *part_to_json(const RnCgroupPart *part)
{
    json_t *controllers = json_array();

    for (char **name = part->controllers; *name != NULL; name++)
        (void)json_array_append_new(controllers, json_string(*name));
    return json_pack("{s:i, s:o, s:s, s:s}", "version", (int)part->version,
                     "controllers", controllers, "mount", part->mount_point,
                     "path", part->path);
}

json_t *rn_cgroup_to_json(const RnCgroup *cgroup)
{
    json_t *parts = json_array();

    for (unsigned i = 0; i < cgroup->parts->len; i++)
        (void)json_array_append_new(
            parts, part_to_json(g_ptr_array_index(cgroup->parts, i)));
    return json_pack("{s:s*, s:b, s:b, s:b, s:o}", "unit", cgroup->unit, "user",
                     cgroup->user, "lenient", cgroup->lenient, "planned",
                     cgroup->is_planned, "parts", parts);
}

static bool fail(const char *what, GError **error)
{
    return rn_set_error(error, RN_ERROR_INVALID,
                        "the record of a cgroup: \"%s\" is wrong", what);
}

static char **read_controllers(const json_t *json)
{
    GPtrArray *names = NULL;

    if (!json_is_array(json) || json_array_size(json) > CONTROLLERS_MAX)
        return NULL;
    names = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < json_array_size(json); i++) {
        const char *name = json_string_value(json_array_get(json, i));

        if (name == NULL) {
            g_ptr_array_unref(names);
            return NULL;
        }
        g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static bool read_part(const json_t *json, RnCgroup *cgroup, GError **error)
{
    json_int_t version = json_integer_value(json_object_get(json, "version"));
    const char *mount = json_string_value(json_object_get(json, "mount"));
    const char *path = json_string_value(json_object_get(json, "path"));
    g_auto(GStrv) controllers =
        read_controllers(json_object_get(json, "controllers"));
    g_autofree char *normal = NULL;

    if (version != 1 && version != 2)
        return fail("version", error);
    if (controllers == NULL)
        return fail("controllers", error);
    if (mount == NULL || mount[0] != '/')
        return fail("mount", error);
    normal = path == NULL ? NULL : rn_cgroup_path_normalize(path, NULL);
    if (normal == NULL || strcmp(normal, path) != 0)
        return fail("path", error);
    g_ptr_array_add(
        cgroup->parts,
        rn_cgroup_part_new((unsigned)version, controllers, mount, path));
    return true;
}

RnCgroup *rn_cgroup_from_json(const json_t *json, GError **error)
{
    g_autoptr(RnCgroup) cgroup = rn_cgroup_new();
    const json_t *parts = json_object_get(json, "parts");

    if (json == NULL) /* of a container that did not get so far */
        return g_steal_pointer(&cgroup);
    if (!json_is_array(parts) || json_array_size(parts) > PARTS_MAX) {
        (void)fail("parts", error);
        return NULL;
    }
    cgroup->unit = g_strdup(json_string_value(json_object_get(json, "unit")));
    cgroup->user = json_is_true(json_object_get(json, "user"));
    cgroup->lenient = json_is_true(json_object_get(json, "lenient"));
    cgroup->is_planned = json_is_true(json_object_get(json, "planned"));
    for (gsize i = 0; i < json_array_size(parts); i++) {
        if (!read_part(json_array_get(parts, i), cgroup, error))
            return NULL;
    }
    return g_steal_pointer(&cgroup);
}
