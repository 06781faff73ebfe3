/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup - the control group of one container: made, joined, limited
 *
 * Runs in the launcher, which makes it and moves init into it, and in the
 * commands that find it again by its record. A failure of making it moves the
 * process back and leaves nothing.
 */
#include "config.h"

#include <rnet/runtime/cgroup.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rnet/runtime/cgroup-make.h>
#include <rnet/sys/cgroup-dir.h>
#include <rnet/sys/cgroup-layout.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

#include "cgroup-object.h"

enum {
    ID_MAP_MAX = 1 << 16, /* bytes */
    ID_SHOWN_MAX = 200,   /* bytes of an id in a cgroup's name, NAME_MAX */
};

RnCgroup *rn_cgroup_new(void)
{
    RnCgroup *cgroup = g_new0(RnCgroup, 1);

    cgroup->parts =
        g_ptr_array_new_with_free_func((GDestroyNotify)rn_cgroup_part_free);
    return cgroup;
}

void rn_cgroup_free(RnCgroup *cgroup)
{
    if (cgroup == NULL)
        return;
    g_clear_pointer(&cgroup->parts, g_ptr_array_unref);
    g_clear_pointer(&cgroup->layout, g_ptr_array_unref);
    g_free(cgroup->unit);
    g_free(cgroup);
}

bool rn_cgroup_exists(const RnCgroup *cgroup)
{
    return !cgroup->is_planned && cgroup->parts->len > 0;
}

/* In another user namespace than the host's: nobody there can make device
 * nodes, and "root" is an ordinary user to systemd. */
static bool is_in_host_userns(void)
{
    g_autofree char *text = NULL;
    unsigned inside = 0;
    unsigned outside = 0;
    unsigned size = 0;

    if (!rn_file_read(AT_FDCWD, "/proc/self/uid_map", ID_MAP_MAX, &text, NULL,
                      NULL))
        return true; /* a kernel without user namespaces */
    return sscanf(text, "%u %u %u", &inside, &outside, &size) == 3 &&
           inside == 0 && outside == 0 && size == UINT32_MAX;
}

bool rn_cgroup_is_host_root(void)
{
    return geteuid() == 0 && is_in_host_userns();
}

static bool is_refusal(const GError *error)
{
    return rn_error_is_errno(error, EACCES) ||
           rn_error_is_errno(error, EPERM) || rn_error_is_errno(error, EROFS);
}

/*
 * Makes the directories. Those that the caller may not make are left out if
 * the bundle gives no path; the first cause is then in *out_refusal.
 */
static bool make_parts(GPtrArray *parts, const RnCgroupRequest *request,
                       GError **out_refusal, GError **error)
{
    g_auto(GStrv) wanted = rn_cgroup_needed_controllers(request->resources);
    unsigned i = 0;

    while (i < parts->len) {
        RnCgroupPart *part = g_ptr_array_index(parts, i);
        g_autoptr(GError) failure = NULL;

        if (rn_cgroup_part_make(part, (const char *const *)wanted,
                                RN_CGROUP_UNUSED, &failure)) {
            i++;
            continue;
        }
        (void)rn_cgroup_explain_refusal(part, &failure);
        if (request->path != NULL || !is_refusal(failure)) {
            g_ptr_array_set_size(parts, (int)i); /* what is to be undone */
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        rn_log_debug("%s, going without", failure->message);
        if (*out_refusal == NULL)
            *out_refusal = g_steal_pointer(&failure);
        (void)g_ptr_array_remove_index(parts, i);
    }
    return true;
}

/* done: the version of which the process is in already, or 0 */
static bool attach(const GPtrArray *parts, pid_t pid, unsigned done,
                   GError **error)
{
    for (unsigned i = 0; i < parts->len; i++) {
        const RnCgroupPart *part = g_ptr_array_index(parts, i);

        if (part->version != done &&
            !rn_cgroup_dir_attach(part->directory, pid, error))
            return rn_cgroup_explain_refusal(part, error);
    }
    return true;
}

bool rn_cgroup_attach_all(const GPtrArray *parts, pid_t pid, GError **error)
{
    return attach(parts, pid, 0, error);
}

bool rn_cgroup_set_limits(const RnCgroup *cgroup,
                          const RnCgroupRequest *request, const GError *refusal,
                          GError **error)
{
    RnCgroupPresent present = { 0 };

    rn_cgroup_read_present(cgroup->parts, &present);
    return rn_cgroup_apply(cgroup->parts, request->resources, &present, refusal,
                           error) &&
           rn_cgroup_apply_devices(cgroup->parts, request->resources->devices,
                                   cgroup->lenient, error);
}

static void undo_parts(const GPtrArray *parts)
{
    for (unsigned i = 0; i < parts->len; i++)
        rn_cgroup_part_undo(g_ptr_array_index(parts, i));
}

void rn_cgroup_undo(const GPtrArray *parts, const GPtrArray *layout, pid_t pid)
{
    for (unsigned i = 0; i < layout->len; i++) {
        const RnCgroupHierarchy *hierarchy = g_ptr_array_index(layout, i);
        g_autoptr(GError) failure = NULL;
        g_autofree char *own = NULL;

        if (hierarchy->own == NULL)
            continue;
        own = g_build_filename(hierarchy->mount_point, hierarchy->own, NULL);
        if (!rn_cgroup_dir_attach(own, pid, &failure))
            rn_log_debug("%s", failure->message); /* it may never have left */
    }
    undo_parts(parts);
}

/* True if moving the process was refused and nothing was asked for, so that
 * the container goes without. */
static bool can_go_without(const RnCgroup *cgroup,
                           const RnCgroupRequest *request,
                           const GError *failure)
{
    g_autofree char *limit = rn_cgroup_first_limit(request->resources);

    return request->path == NULL && limit == NULL && is_refusal(failure) &&
           (cgroup->lenient || request->resources->devices->len == 0);
}

/* An empty path is an engine's way to give none. */
static const char *find_path(const RnCgroupRequest *request)
{
    return request->path == NULL || request->path[0] == '\0' ? NULL
                                                             : request->path;
}

/*
 * What rnet calls a cgroup where the bundle does not say. Containers' names are
 * unique below one --root only, and who removes a cgroup kills what is in it:
 * so it is a name that no other container has.
 */
static char *make_up_name(const char *id)
{
    return g_strdup_printf("%.*s-%08x", ID_SHOWN_MAX, id, g_random_int());
}

/* Directories that are there belong to whoever made them. */
static bool plan_directly(RnCgroup *cgroup, const RnCgroupRequest *request,
                          GError **error)
{
    g_autoptr(GPtrArray) layout = rn_cgroup_layout_load(error);
    g_autofree char *name = make_up_name(request->id);
    GPtrArray *parts = NULL;

    if (layout == NULL)
        return false;
    parts = rn_cgroup_place(layout, find_path(request), name, error);
    if (parts == NULL)
        return false;
    g_ptr_array_unref(cgroup->parts);
    cgroup->parts = parts;
    cgroup->layout = g_steal_pointer(&layout);
    /* what has a made-up name is this container's, there or not */
    cgroup->is_planned = find_path(request) != NULL;
    return true;
}

static bool make_directly(RnCgroup *cgroup, const RnCgroupRequest *request,
                          GError **error)
{
    g_autoptr(GError) refusal = NULL;

    cgroup->is_planned = false;
    if (make_parts(cgroup->parts, request, &refusal, error) &&
        rn_cgroup_set_limits(cgroup, request, refusal, error))
        return true;
    undo_parts(cgroup->parts);
    return false;
}

static bool enter_directly(RnCgroup *cgroup, const RnCgroupRequest *request,
                           pid_t pid, unsigned done, GError **error)
{
    g_autoptr(GPtrArray) layout = g_steal_pointer(&cgroup->layout);
    GPtrArray *parts = cgroup->parts;
    g_autoptr(GError) failure = NULL;

    if (attach(parts, pid, done, &failure))
        return true;
    rn_cgroup_undo(parts, layout, pid);
    if (can_go_without(cgroup, request, failure)) {
        rn_log_debug("%s, going without a cgroup", failure->message);
        g_ptr_array_set_size(parts, 0);
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* Without a cgroup: what would take one is refused. */
static bool make_none(const RnCgroup *cgroup, const RnCgroupRequest *request,
                      GError **error)
{
    g_autofree char *limit = rn_cgroup_first_limit(request->resources);

    if (limit == NULL &&
        (cgroup->lenient || !rn_resources_deny_devices(request->resources)))
        return true;
    (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                       "linux.resources.%s: it takes a cgroup, and the cgroup "
                       "manager is \"disabled\"",
                       limit == NULL ? "devices" : limit);
    return rn_error_add_hint(error, "--cgroup-manager cgroupfs or systemd");
}

RnCgroup *rn_cgroup_plan(const RnCgroupRequest *request, GError **error)
{
    g_autoptr(RnCgroup) cgroup = rn_cgroup_new();

    cgroup->lenient = request->has_userns || !is_in_host_userns();
    if (request->manager == RN_CGROUP_MANAGER_DISABLED ||
        request->manager == RN_CGROUP_MANAGER_SYSTEMD ||
        plan_directly(cgroup, request, error))
        return g_steal_pointer(&cgroup);
    return NULL;
}

bool rn_cgroup_make(RnCgroup *cgroup, const RnCgroupRequest *request,
                    GError **error)
{
    RnCgroupRequest given = *request;

    given.path = find_path(request);
    if (given.manager == RN_CGROUP_MANAGER_DISABLED)
        return make_none(cgroup, &given, error);
    return given.manager == RN_CGROUP_MANAGER_SYSTEMD ||
           make_directly(cgroup, &given, error);
}

int rn_cgroup_open(const RnCgroup *cgroup)
{
    for (unsigned i = 0; i < cgroup->parts->len; i++) {
        const RnCgroupPart *part = g_ptr_array_index(cgroup->parts, i);

        if (part->version == 2)
            return open(part->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    return -1;
}

bool rn_cgroup_enter(RnCgroup *cgroup, const RnCgroupRequest *request,
                     pid_t pid, bool is_born_inside, GError **error)
{
    RnCgroupRequest given = *request;

    given.path = find_path(request);
    if (given.manager == RN_CGROUP_MANAGER_DISABLED)
        return true;
    if (given.manager == RN_CGROUP_MANAGER_SYSTEMD)
        return rn_cgroup_scope_make(cgroup, &given, pid, error);
    return enter_directly(cgroup, &given, pid, is_born_inside ? 2 : 0, error);
}

const char *rn_cgroup_directory(const RnCgroup *cgroup, const char *controller)
{
    const RnCgroupPart *v1 = rn_cgroup_find_part(cgroup->parts, 1, controller);
    const RnCgroupPart *v2 = rn_cgroup_find_part(cgroup->parts, 2, controller);
    g_autofree char *text = NULL;
    g_auto(GStrv) names = NULL;

    if (v1 != NULL || v2 == NULL)
        return v1 == NULL ? NULL : v1->directory;
    /* the hierarchy has it; this cgroup only if it was handed down so far */
    if (!rn_cgroup_dir_read(v2->directory, "cgroup.controllers", &text, NULL))
        return NULL;
    names = g_strsplit(text, " ", -1);
    return g_strv_contains((const char *const *)names, controller)
               ? v2->directory
               : NULL;
}

bool rn_cgroup_add(const RnCgroup *cgroup, pid_t pid, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (rn_cgroup_attach_all(cgroup->parts, pid, &failure))
        return true;
    /* a user in a session has no right over what is above both cgroups */
    if (cgroup->unit != NULL && is_refusal(failure))
        return rn_cgroup_scope_add(cgroup, pid, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool rn_cgroup_update(const RnCgroup *cgroup, const RnResources *resources,
                      GError **error)
{
    g_autofree char *limit = NULL;
    g_autofree char *what = NULL;
    RnCgroupPresent present = { 0 };

    if (!rn_cgroup_exists(cgroup)) {
        limit = rn_cgroup_first_limit(resources);
        if (limit == NULL)
            return true;
        what = g_strconcat("linux.resources.", limit, NULL);
        return rn_cgroup_fail_without(what, error);
    }
    rn_cgroup_read_present(cgroup->parts, &present);
    if (cgroup->unit != NULL &&
        !rn_cgroup_scope_update(cgroup, resources, &present, error))
        return false;
    if (!rn_cgroup_apply(cgroup->parts, resources, &present, NULL, error))
        return false;
    return resources->devices->len == 0 ||
           rn_cgroup_apply_devices(cgroup->parts, resources->devices,
                                   cgroup->lenient, error);
}
