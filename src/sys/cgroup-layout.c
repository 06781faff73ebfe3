/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-layout - /proc/self/mountinfo and /proc/self/cgroup as data
 *
 * Runs in the launcher and in every command that deals with a cgroup. Both
 * files are the kernel's; other users' mounts show in mountinfo, so that its
 * size is bounded. Failure: only files that cannot be read.
 */
#include "config.h"

#include <rnet/sys/cgroup-layout.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <rnet/util/fd.h>

enum {
    MOUNTINFO_MAX = 64 << 20, /* bytes: 100,000 mounts of 640 bytes */
    CGROUPS_MAX = 1 << 20,
    /* fields of a line of mountinfo, proc(5), counted from 0 */
    FIELD_DEVICE = 2,
    FIELD_ROOT = 3,
    FIELD_POINT = 4,
    FIELD_OPTIONAL = 6, /* any number, then "-" */
};

void rn_cgroup_hierarchy_free(RnCgroupHierarchy *hierarchy)
{
    if (hierarchy == NULL)
        return;
    g_strfreev(hierarchy->controllers);
    g_free(hierarchy->mount_point);
    g_free(hierarchy->own);
    g_free(hierarchy);
}

/* The path `path` of a hierarchy, where the mount shows only what is below
 * `root`; NULL if that is not there. */
static char *strip_root(const char *path, const char *root)
{
    gsize length = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strncmp(path, root, length) != 0 || strstr(path, "/..") != NULL)
        return NULL;
    if (path[length] == '\0')
        return g_strdup("/");
    return path[length] == '/' ? g_strdup(path + length) : NULL;
}

static bool names_controller(const char *list, const char *controller)
{
    g_auto(GStrv) names = g_strsplit(list, ",", -1);

    return g_strv_contains((const char *const *)names, controller);
}

char *rn_cgroup_find_line(const char *cgroups, unsigned version,
                          const char *controller)
{
    g_auto(GStrv) lines = g_strsplit(cgroups, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) parts = g_strsplit(*line, ":", 3);

        if (g_strv_length(parts) != 3)
            continue;
        if (version == 2 ? strcmp(parts[0], "0") == 0 && parts[1][0] == '\0'
                         : names_controller(parts[1], controller))
            return g_strdup(parts[2]);
    }
    return NULL;
}

/* The controllers among a v1 file system's options: all that is no option of
 * cgroups(7) itself. */
static char **find_controllers(const char *options)
{
    static const char *const others[] = { "rw",       "ro",
                                          "noprefix", "clone_children",
                                          "xattr",    "cpuset_v2_mode",
                                          NULL };
    g_auto(GStrv) words = g_strsplit(options, ",", -1);
    GPtrArray *found = g_ptr_array_new();

    for (char **word = words; *word != NULL; word++) {
        if (!g_strv_contains(others, *word) &&
            !g_str_has_prefix(*word, "release_agent="))
            g_ptr_array_add(found, g_strdup(*word));
    }
    g_ptr_array_add(found, NULL);
    return (char **)g_ptr_array_free(found, FALSE);
}

/* fields: of one line; tail: type, source and options behind the "-" */
static RnCgroupHierarchy *read_mount(char **fields, char **tail,
                                     const char *cgroups)
{
    g_autoptr(RnCgroupHierarchy) hierarchy = g_new0(RnCgroupHierarchy, 1);
    g_autofree char *root = g_strcompress(fields[FIELD_ROOT]);
    g_autofree char *path = NULL;
    unsigned major = 0;
    unsigned minor = 0;

    hierarchy->version = strcmp(tail[0], "cgroup2") == 0 ? 2 : 1;
    if (sscanf(fields[FIELD_DEVICE], "%u:%u", &major, &minor) != 2)
        return NULL;
    hierarchy->device = makedev(major, minor);
    hierarchy->mount_point = g_strcompress(fields[FIELD_POINT]);
    hierarchy->controllers =
        hierarchy->version == 2 ? g_new0(char *, 1) : find_controllers(tail[2]);
    if (hierarchy->version == 1 && hierarchy->controllers[0] == NULL)
        return NULL;
    path = rn_cgroup_find_line(cgroups, hierarchy->version,
                               hierarchy->controllers[0]);
    if (path != NULL)
        hierarchy->own = strip_root(path, root);
    return g_steal_pointer(&hierarchy);
}

static void parse_line(const char *line, const char *cgroups, GPtrArray *layout)
{
    g_auto(GStrv) fields = NULL;
    RnCgroupHierarchy *hierarchy = NULL;
    unsigned count = 0;

    if (strstr(line, " - cgroup") == NULL)
        return;
    fields = g_strsplit(line, " ", -1);
    count = g_strv_length(fields);
    for (unsigned i = FIELD_OPTIONAL; i + 3 < count; i++) {
        if (strcmp(fields[i], "-") != 0)
            continue;
        if (strcmp(fields[i + 1], "cgroup") == 0 ||
            strcmp(fields[i + 1], "cgroup2") == 0)
            hierarchy = read_mount(fields, fields + i + 1, cgroups);
        break;
    }
    if (hierarchy != NULL)
        g_ptr_array_add(layout, hierarchy);
}

GPtrArray *rn_cgroup_layout_parse(const char *mountinfo, const char *cgroups)
{
    GPtrArray *layout = g_ptr_array_new_with_free_func(
        (GDestroyNotify)rn_cgroup_hierarchy_free);
    g_auto(GStrv) lines = g_strsplit(mountinfo, "\n", -1);

    for (char **line = lines; *line != NULL; line++)
        parse_line(*line, cgroups, layout);
    return layout;
}

/* True if another mount of the same hierarchy, at another index, is better. */
static bool is_surpassed(const GPtrArray *layout, unsigned index)
{
    const RnCgroupHierarchy *one = g_ptr_array_index(layout, index);

    for (unsigned i = 0; i < layout->len; i++) {
        const RnCgroupHierarchy *other = g_ptr_array_index(layout, i);

        if (i == index || other->device != one->device)
            continue;
        if (other->own != NULL ? one->own == NULL || i < index
                               : one->own == NULL && i < index)
            return true;
    }
    return false;
}

void rn_cgroup_layout_reduce(GPtrArray *layout)
{
    unsigned i = 0;

    while (i < layout->len) {
        if (is_surpassed(layout, i))
            (void)g_ptr_array_remove_index(layout, i);
        else
            i++;
    }
}

/* A mount that another one hides cannot be reached at its mount point. */
static bool is_reachable(const RnCgroupHierarchy *hierarchy)
{
    struct stat status = { 0 };

    return stat(hierarchy->mount_point, &status) == 0 &&
           status.st_dev == hierarchy->device;
}

static void load_controllers(RnCgroupHierarchy *hierarchy)
{
    g_autofree char *path =
        g_build_filename(hierarchy->mount_point, "cgroup.controllers", NULL);
    g_autofree char *text = NULL;

    if (!rn_file_read(AT_FDCWD, path, CGROUPS_MAX, &text, NULL, NULL))
        return; /* no controllers then: before Linux 4.5 */
    g_strfreev(hierarchy->controllers);
    hierarchy->controllers = g_strsplit(g_strchomp(text), " ", -1);
}

GPtrArray *rn_cgroup_layout_load(GError **error)
{
    g_autoptr(GPtrArray) layout = NULL;
    g_autofree char *mountinfo = NULL;
    g_autofree char *cgroups = NULL;
    unsigned i = 0;

    if (!rn_file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX,
                      &mountinfo, NULL, error))
        return NULL;
    /* a kernel without cgroups has no such file */
    if (!rn_file_read(AT_FDCWD, "/proc/self/cgroup", CGROUPS_MAX, &cgroups,
                      NULL, NULL))
        cgroups = g_strdup("");
    layout = rn_cgroup_layout_parse(mountinfo, cgroups);
    while (i < layout->len) {
        if (is_reachable(g_ptr_array_index(layout, i)))
            i++;
        else
            (void)g_ptr_array_remove_index(layout, i);
    }
    rn_cgroup_layout_reduce(layout);
    for (i = 0; i < layout->len; i++) {
        RnCgroupHierarchy *hierarchy = g_ptr_array_index(layout, i);

        if (hierarchy->version == 2)
            load_controllers(hierarchy);
    }
    return g_steal_pointer(&layout);
}
