/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor-cgroup - where this process's cgroup is, of two texts of /proc
 *
 * Runs in `rnet doctor`. Pure. cgroups(7), proc_pid_mountinfo(5): of the mounts
 * the last one of a kind counts, unless a later mount covers it.
 */
#include "config.h"

#include <rnet/runtime/doctor.h>

#include <string.h>

enum {
    FIELD_ROOT = 3, /* of a line of mountinfo, counted from 0 */
    FIELD_MOUNT_POINT = 4,
    FIELD_FIRST_OPTIONAL = 6,
    AFTER_DASH_TYPE = 1, /* from the "-" on */
    AFTER_DASH_OPTIONS = 3,
};

/* One cgroup mount. */
typedef struct CgroupMount {
    char *root;  /* of the hierarchy, what is shown there */
    char *point; /* where */
} CgroupMount;

static void clear_mount(CgroupMount *mount)
{
    g_free(mount->root);
    g_free(mount->point);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CgroupMount, clear_mount)

static bool has_word(const char *list, const char *word)
{
    g_auto(GStrv) words = g_strsplit(list, ",", -1);

    return g_strv_contains((const char *const *)words, word);
}

/* `point` is the directory `above` or below it. */
static bool is_beneath(const char *point, const char *above)
{
    gsize length = strlen(above);

    if (length == 1) /* "/" */
        return true;
    return strncmp(point, above, length) == 0 &&
           (point[length] == '/' || point[length] == '\0');
}

/* A mount of the type; `controller` is one of v1, or NULL. */
static bool is_wanted(char **fields, const char *type, const char *controller)
{
    guint count = g_strv_length(fields);
    guint dash = FIELD_FIRST_OPTIONAL;

    while (dash < count && strcmp(fields[dash], "-") != 0)
        dash++;
    return dash + AFTER_DASH_OPTIONS < count &&
           strcmp(fields[dash + AFTER_DASH_TYPE], type) == 0 &&
           (controller == NULL ||
            has_word(fields[dash + AFTER_DASH_OPTIONS], controller));
}

/* What a line does to the mount found so far: hides it, replaces it. */
static void take_line(const char *line, const char *type,
                      const char *controller, CgroupMount *mount)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);
    g_autofree char *point = NULL;

    if (g_strv_length(fields) <= FIELD_MOUNT_POINT)
        return;
    /* mount points may have \040 for a space */
    point = g_strcompress(fields[FIELD_MOUNT_POINT]);
    if (mount->point != NULL && is_beneath(mount->point, point)) {
        clear_mount(mount);
        *mount = (CgroupMount){ NULL };
    }
    if (!is_wanted(fields, type, controller))
        return;
    clear_mount(mount);
    mount->root = g_strcompress(fields[FIELD_ROOT]);
    mount->point = g_steal_pointer(&point);
}

static bool find_mount(const char *mountinfo, const char *type,
                       const char *controller, CgroupMount *mount)
{
    g_auto(GStrv) lines = g_strsplit(mountinfo, "\n", -1);

    for (char **line = lines; *line != NULL; line++)
        take_line(*line, type, controller, mount);
    return mount->point != NULL;
}

/* The path in "N:CONTROLLERS:PATH"; `controller` is "" for v2's line. */
static char *find_membership(const char *membership, const char *controller)
{
    g_auto(GStrv) lines = g_strsplit(membership, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ":", 3);

        if (g_strv_length(fields) != 3)
            continue;
        if (*controller == '\0' ? *fields[1] == '\0'
                                : has_word(fields[1], controller))
            return g_strdup(fields[2]);
    }
    return NULL;
}

/* The directory of `path`, which the mount may not show. */
static char *make_directory_path(const CgroupMount *mount, const char *path)
{
    gsize length = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);

    if (path == NULL || !is_beneath(path, mount->root))
        return NULL;
    return g_build_filename(mount->point, path + length, NULL);
}

void rn_doctor_find_cgroup(const char *mountinfo, const char *membership,
                           RnDoctorCgroup *out_cgroup)
{
    static const struct {
        const char *type, *controller;
        RnCgroupLayout layout;
    } kinds[] = {
        /* v1's controllers are those that cgroup2 beside it does not have */
        { "cgroup", "memory", RN_LAYOUT_V1 },
        { "cgroup", "cpu", RN_LAYOUT_V1 },
        { "cgroup", "pids", RN_LAYOUT_V1 },
        { "cgroup2", NULL, RN_LAYOUT_V2 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_auto(CgroupMount) mount = { NULL };
        const char *controller =
            kinds[i].controller != NULL ? kinds[i].controller : "";
        g_autofree char *path = find_membership(membership, controller);

        if (!find_mount(mountinfo, kinds[i].type, kinds[i].controller, &mount))
            continue;
        out_cgroup->layout = kinds[i].layout;
        out_cgroup->own = make_directory_path(&mount, path);
        out_cgroup->mount = g_steal_pointer(&mount.point);
        return;
    }
}
