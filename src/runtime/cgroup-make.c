/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-make - makes the directories of a container's cgroup
 *
 * Runs in the launcher. A failure takes away what was made; one of permission
 * is the caller's to judge: it is no failure where nothing was asked for.
 */
#include "config.h"

#include <rnet/runtime/cgroup-make.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rnet/sys/cgroup-dir.h>
#include <rnet/util/log.h>

/* What the engines' `stats` read, whether there is a limit or not. */
static const char *const accounting[] = { "cpu", "io", "memory", "pids", NULL };

static const char *const cpuset_files[] = { "cpuset.cpus", "cpuset.mems" };

/* v2: hands one more controller to the children of `directory`. A failure is
 * no more than a line of debug: it counts when a limit needs the controller. */
static void hand_down(const char *directory, const char *const *available,
                      const char *const *present, const char *controller)
{
    g_autofree char *text = g_strconcat("+", controller, NULL);
    g_autoptr(GError) failure = NULL;

    if (g_strv_contains(available, controller) &&
        !g_strv_contains(present, controller) &&
        !rn_cgroup_dir_write(directory, "cgroup.subtree_control", text,
                             &failure))
        rn_log_debug("controller \"%s\": %s", controller, failure->message);
}

static void hand_down_all(const char *directory, const char *const *wanted)
{
    g_autofree char *controllers = NULL;
    g_autofree char *handed = NULL;
    g_auto(GStrv) available = NULL;
    g_auto(GStrv) present = NULL;

    if (!rn_cgroup_dir_read(directory, "cgroup.controllers", &controllers,
                            NULL) ||
        !rn_cgroup_dir_read(directory, "cgroup.subtree_control", &handed, NULL))
        return;
    available = g_strsplit(controllers, " ", -1);
    present = g_strsplit(handed, " ", -1);
    for (const char *const *name = accounting; *name != NULL; name++)
        hand_down(directory, (const char *const *)available,
                  (const char *const *)present, *name);
    for (const char *const *name = wanted; *name != NULL; name++) {
        if (!g_strv_contains(accounting, *name))
            hand_down(directory, (const char *const *)available,
                      (const char *const *)present, *name);
    }
}

/* v1: a new cpuset has neither cpus nor memory nodes, and takes no process. */
static bool inherit_cpuset(const char *parent, const char *directory,
                           GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cpuset_files); i++) {
        g_autofree char *present = NULL;
        g_autofree char *inherited = NULL;

        if (!rn_cgroup_dir_read(directory, cpuset_files[i], &present, error))
            return false;
        if (present[0] != '\0')
            continue;
        if (!rn_cgroup_dir_read(parent, cpuset_files[i], &inherited, error) ||
            !rn_cgroup_dir_write(directory, cpuset_files[i], inherited, error))
            return false;
    }
    return true;
}

static bool make_level(RnCgroupPart *part, const char *parent,
                       const char *directory, GError **error)
{
    bool made = false;

    if (!rn_cgroup_dir_make(directory, &made, error))
        return false;
    if (made && part->first_made == NULL)
        part->first_made = g_strdup(directory);
    return part->version == 2 ||
           !g_strv_contains((const char *const *)part->controllers, "cpuset") ||
           inherit_cpuset(parent, directory, error);
}

static bool make_levels(RnCgroupPart *part, const char *const *wanted,
                        GError **error)
{
    g_auto(GStrv) names = g_strsplit(part->path + 1, "/", -1);
    g_autofree char *parent = g_strdup(part->mount_point);

    for (char **name = names; *name != NULL; name++) {
        char *directory = g_build_filename(parent, *name, NULL);
        bool made = false;

        if (part->version == 2)
            hand_down_all(parent, wanted);
        made = make_level(part, parent, directory, error);
        g_free(parent);
        parent = directory;
        if (!made)
            return false;
    }
    return true;
}

/* One that exists may be what an engine made for the container, or another
 * container's, whose processes would die with this one. */
static bool check_unused(const RnCgroupPart *part, GError **error)
{
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));

    if (!rn_cgroup_dir_processes(part->directory, pids, error))
        return false;
    if (pids->len > 0)
        return rn_set_error(error, RN_ERROR_EXISTS,
                            "the cgroup \"%s\" is in use: it has %u processes",
                            part->directory, pids->len);
    if (rn_cgroup_dir_is_frozen(part->directory, part->version))
        return rn_cgroup_dir_set_frozen(part->directory, part->version, false,
                                        error);
    return true;
}

bool rn_cgroup_part_make(RnCgroupPart *part, const char *const *wanted,
                         RnCgroupUse use, GError **error)
{
    if (make_levels(part, wanted, error) &&
        (use == RN_CGROUP_SHARED ||
         (part->first_made != NULL &&
          strcmp(part->first_made, part->directory) == 0) ||
         check_unused(part, error)))
        return true;
    rn_cgroup_part_undo(part);
    return false;
}

void rn_cgroup_part_undo(const RnCgroupPart *part)
{
    g_autofree char *directory = g_strdup(part->directory);

    while (part->first_made != NULL) {
        bool last = strlen(directory) <= strlen(part->first_made);
        char *parent = g_path_get_dirname(directory);

        if (rmdir(directory) < 0 && errno != ENOENT)
            rn_log_debug("the cgroup \"%s\" stays: %s", directory,
                         g_strerror(errno));
        g_free(directory);
        directory = parent;
        if (last)
            return;
    }
}
