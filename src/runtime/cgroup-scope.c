/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-scope - a container's cgroup as a transient scope of systemd
 *
 * Runs in the launcher and in `update` and `delete`. systemd makes the cgroup
 * and moves the process; the scope is delegated, so that what it has no
 * property for is written into its files as anywhere else.
 */
#include "config.h"

#include <rnet/runtime/cgroup.h>

#include <fcntl.h>
#include <string.h>

#include <rnet/runtime/cgroup-make.h>
#include <rnet/runtime/cgroup-properties.h>
#include <rnet/sys/cgroup-dir.h>
#include <rnet/sys/systemd.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#include "cgroup-object.h"

static RnSystemd *open_manager(bool user, GError **error)
{
    return rn_systemd_open(user ? RN_SYSTEMD_USER : RN_SYSTEMD_SYSTEM, error);
}

static bool start_scope(RnCgroup *cgroup, const RnCgroupRequest *request,
                        pid_t pid, GError **error)
{
    g_autofree char *slice = NULL;
    g_autofree char *unit = NULL;
    g_autoptr(RnSystemd) systemd = NULL;
    GVariant *properties = NULL;

    if (!rn_cgroup_unit_names(request->path, request->id, cgroup->user, &slice,
                              &unit, error))
        return false;
    properties =
        rn_cgroup_scope_properties(request->id, slice, pid, request->resources,
                                   request->annotations, error);
    if (properties == NULL)
        return false;
    g_variant_ref_sink(properties);
    systemd = open_manager(cgroup->user, error);
    if (systemd != NULL &&
        rn_systemd_start_scope(systemd, unit, properties, error))
        cgroup->unit = g_steal_pointer(&unit);
    g_variant_unref(properties);
    return cgroup->unit != NULL;
}

/* All parts are in the unit's cgroup. What is in these is killed in the end:
 * they must not be another unit's, the caller's own least of all. */
static bool check_parts(const GPtrArray *parts, const char *unit,
                        GError **error)
{
    for (unsigned i = 0; i < parts->len; i++) {
        const RnCgroupPart *part = g_ptr_array_index(parts, i);
        g_autofree char *name = g_path_get_basename(part->path);

        /* it escapes what could be a file's name by "_" */
        if (strcmp(name[0] == '_' && unit[0] != '_' ? name + 1 : name, unit) !=
            0)
            return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                                "systemd has not moved the process into "
                                "\"%s\": it is in \"%s\"",
                                unit, part->path);
    }
    return true;
}

/* Where systemd has put the process. */
static GPtrArray *find_parts(const GPtrArray *layout, const char *unit,
                             pid_t pid, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cgroup", (int)pid);
    g_autofree char *cgroups = NULL;
    g_autoptr(GPtrArray) parts = NULL;

    if (!rn_file_read(AT_FDCWD, path, RN_CGROUP_FILE_MAX, &cgroups, NULL,
                      error))
        return NULL;
    parts = rn_cgroup_place_like(layout, cgroups, error);
    if (parts == NULL || !check_parts(parts, unit, error))
        return NULL;
    return g_steal_pointer(&parts);
}

/* Joins the hierarchies that are not systemd's (v1's controllers), and has
 * controllers handed down that it knows nothing of. */
static bool complete(RnCgroup *cgroup, const RnCgroupRequest *request,
                     pid_t pid, GError **error)
{
    g_auto(GStrv) wanted = rn_cgroup_needed_controllers(request->resources);

    for (unsigned i = 0; i < cgroup->parts->len; i++) {
        if (!rn_cgroup_part_make(g_ptr_array_index(cgroup->parts, i),
                                 (const char *const *)wanted, RN_CGROUP_SHARED,
                                 error))
            return false;
    }
    return rn_cgroup_attach_all(cgroup->parts, pid, error) &&
           rn_cgroup_set_limits(cgroup, request, NULL, error);
}

bool rn_cgroup_scope_make(RnCgroup *cgroup, const RnCgroupRequest *request,
                          pid_t pid, GError **error)
{
    g_autoptr(GPtrArray) layout = rn_cgroup_layout_load(error);
    GPtrArray *parts = NULL;

    if (layout == NULL)
        return false;
    cgroup->user = !rn_cgroup_is_host_root();
    cgroup->lenient = request->has_userns || cgroup->user;
    if (!start_scope(cgroup, request, pid, error))
        return false;
    parts = find_parts(layout, cgroup->unit, pid, error);
    if (parts != NULL) {
        g_ptr_array_unref(cgroup->parts);
        cgroup->parts = parts;
        if (complete(cgroup, request, pid, error))
            return true;
    }
    rn_cgroup_undo(cgroup->parts, layout, pid);
    rn_cgroup_scope_stop(cgroup);
    return false;
}

bool rn_cgroup_scope_update(const RnCgroup *cgroup,
                            const RnResources *resources,
                            const RnCgroupPresent *present, GError **error)
{
    g_autoptr(GVariant) properties =
        g_variant_ref_sink(rn_cgroup_limit_properties(resources, present));
    g_autoptr(RnSystemd) systemd = NULL;

    if (g_variant_n_children(properties) == 0)
        return true;
    systemd = open_manager(cgroup->user, error);
    return systemd != NULL &&
           rn_systemd_set_properties(systemd, cgroup->unit, properties, error);
}

bool rn_cgroup_scope_add(const RnCgroup *cgroup, pid_t pid, GError **error)
{
    g_autoptr(RnSystemd) systemd = open_manager(cgroup->user, error);

    return systemd != NULL &&
           rn_systemd_attach(systemd, cgroup->unit, pid, error);
}

void rn_cgroup_scope_stop(const RnCgroup *cgroup)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(RnSystemd) systemd = open_manager(cgroup->user, &failure);

    if (systemd == NULL || !rn_systemd_stop(systemd, cgroup->unit, &failure))
        rn_log_debug("%s", failure->message);
}
