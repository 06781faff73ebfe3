/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-below - a process for a cgroup that the container made in its own
 *
 * Runs in `exec`. In: a path of the command line. Below the container's cgroup
 * the container may have made what it likes; there are only directories, and
 * no links.
 */
#include "config.h"

#include <string.h>

#include <rnet/runtime/cgroup.h>
#include <rnet/sys/cgroup-dir.h>

#include "cgroup-object.h"

/* Without "..", which leads elsewhere; *out_is_own: nothing but slashes. */
static bool check_path(const char *path, bool *out_is_own, GError **error)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);

    *out_is_own = true;
    for (unsigned i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], "..") == 0)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "\"%s\" is not below the container's cgroup",
                                path);
        *out_is_own = *out_is_own && names[i][0] == '\0';
    }
    return true;
}

bool rn_cgroup_add_below(const RnCgroup *cgroup, const char *path, pid_t pid,
                         GError **error)
{
    bool is_found = false;

    if (!check_path(path, &is_found, error) ||
        !rn_cgroup_add(cgroup, pid, error))
        return false;
    for (unsigned i = 0; i < cgroup->parts->len; i++) {
        const RnCgroupPart *part = g_ptr_array_index(cgroup->parts, i);
        g_autofree char *directory =
            g_build_filename(part->directory, path, NULL);

        if (!g_file_test(directory, G_FILE_TEST_IS_DIR))
            continue;
        is_found = true;
        if (!rn_cgroup_dir_attach(directory, pid, error))
            return false;
    }
    return is_found || rn_set_error(error, RN_ERROR_NOT_FOUND,
                                    "the container has no cgroup \"%s\"", path);
}
