/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts-cgroup - /sys/fs/cgroup of a container
 *
 * Runs in init, in the container's cgroup and, if it has one, its cgroup
 * namespace. In: the host's mount table and this process's cgroups, the
 * kernel's own texts.
 *
 *   v2    a cgroup2 in a cgroup namespace; else the host's, which in a user
 *         namespace is read-only
 *   v1    a tmpfs with a directory for each hierarchy of the host, hybrid's
 *         "unified" included, and links for controllers that share one. In a
 *         cgroup namespace each is a mount of its own; without, a bind of the
 *         container's own cgroup
 *   none  the host's directory, read-only
 */
#include "config.h"

#include <rnet/runtime/mount-job.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <rnet/sys/mount-table.h>
#include <rnet/sys/mount.h>
#include <rnet/util/fd.h>

enum {
    CGROUP_TEXT_MAX = 1024 * 1024 /* bytes of /proc/self/cgroup */
};

/* Superblock options that do not name a controller, cgroups(7). */
static const char *const other_options[] = {
    "rw",       "ro",         "xattr",          "noprefix",
    "none",     "nsdelegate", "clone_children", "cpuset_v2_mode",
    "seclabel",
};

typedef struct Hierarchy {
    const RnMountEntry *entry; /* where the host has it */
    char *name;                /* of its directory: "cpu,cpuacct" */
    char **controllers; /* "cpu", "cpuacct" or "name=systemd"; none: v2 */
} Hierarchy;

static void clear_hierarchy(gpointer data)
{
    Hierarchy *hierarchy = data;

    g_free(hierarchy->name);
    g_strfreev(hierarchy->controllers);
}

static bool is_unified(const char *path)
{
    struct statfs status = { 0 };

    return statfs(path, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

/* A refusal that is the kernel's policy, not a mistake of the bundle. */
static bool is_refusal(const GError *failure)
{
    return rn_error_is_errno(failure, EPERM) ||
           rn_error_is_errno(failure, EBUSY);
}

static bool use_host(const RnMountJob *job, GError **error)
{
    return rn_mount_job_substitute(
        job, RN_CGROUP_ROOT, job->plan->has_userns ? MS_RDONLY : 0, error);
}

static bool mount_unified(const RnMountJob *job, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!rn_mount_job_owns(job, CLONE_NEWCGROUP))
        return use_host(job, error);
    if (rn_mount_job_new(job, "cgroup2", &failure))
        return true;
    if (is_refusal(failure))
        return use_host(job, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool is_controller(const char *option)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(other_options); i++) {
        if (strcmp(other_options[i], option) == 0)
            return false;
    }
    return !g_str_has_prefix(option, "release_agent=");
}

static char **read_controllers(const RnMountEntry *entry)
{
    g_auto(GStrv) options = g_strsplit(entry->options, ",", -1);
    g_autoptr(GPtrArray) controllers = g_ptr_array_new();

    for (char **option = options; *option != NULL; option++) {
        if (is_controller(*option))
            g_ptr_array_add(controllers, g_strdup(*option));
    }
    g_ptr_array_add(controllers, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&controllers), FALSE);
}

static bool has_hierarchy(const GArray *hierarchies, const char *name)
{
    for (unsigned i = 0; i < hierarchies->len; i++) {
        if (strcmp(g_array_index(hierarchies, Hierarchy, i).name, name) == 0)
            return true;
    }
    return false;
}

/* A mount that another one hides is in the table, too. */
static bool is_reachable(const RnMountEntry *entry, bool is_v2)
{
    const long magic = is_v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC;
    struct statfs status = { 0 };

    return statfs(entry->target, &status) == 0 && status.f_type == magic;
}

/* Those that the host has right below its cgroup directory. */
static void add_hierarchy(const RnMountEntry *entry, GArray *hierarchies)
{
    bool is_v2 = strcmp(entry->type, "cgroup2") == 0;
    g_autofree char *folder = g_path_get_dirname(entry->target);
    Hierarchy hierarchy = { .entry = entry };

    if ((!is_v2 && strcmp(entry->type, "cgroup") != 0) ||
        strcmp(folder, RN_CGROUP_ROOT) != 0 || !is_reachable(entry, is_v2))
        return;
    hierarchy.name = g_path_get_basename(entry->target);
    if (has_hierarchy(hierarchies, hierarchy.name)) {
        g_free(hierarchy.name);
        return;
    }
    hierarchy.controllers = is_v2 ? g_new0(char *, 1) : read_controllers(entry);
    g_array_append_val(hierarchies, hierarchy);
}

static GArray *find_hierarchies(const GPtrArray *table)
{
    GArray *hierarchies = g_array_new(FALSE, FALSE, sizeof(Hierarchy));

    g_array_set_clear_func(hierarchies, clear_hierarchy);
    for (unsigned i = 0; i < table->len; i++)
        add_hierarchy(g_ptr_array_index(table, i), hierarchies);
    return hierarchies;
}

/* Is `line`, "ID:CONTROLLERS:PATH", that of the hierarchy? Then its path. */
static const char *match_line(char *line, const Hierarchy *hierarchy)
{
    char *controllers = strchr(line, ':');
    char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    g_auto(GStrv) words = NULL;

    if (path == NULL)
        return NULL;
    *path++ = '\0';
    controllers++;
    if (hierarchy->controllers[0] == NULL)
        return controllers[0] == '\0' ? path : NULL;
    words = g_strsplit(controllers, ",", -1);
    return g_strv_contains((const char *const *)words,
                           hierarchy->controllers[0])
               ? path
               : NULL;
}

/* Where the host's mount has the container's cgroup; the caller's, or NULL. */
static char *find_own_cgroup(const char *cgroups, const Hierarchy *hierarchy)
{
    g_auto(GStrv) lines = g_strsplit(cgroups, "\n", -1);
    const char *root = hierarchy->entry->root;
    const char *path = NULL;

    for (char **line = lines; *line != NULL && path == NULL; line++)
        path = match_line(*line, hierarchy);
    if (path == NULL)
        return NULL;
    /* the mount may show a part of the hierarchy, in a nested container */
    if (strcmp(root, "/") != 0 && g_str_has_prefix(path, root))
        path += strlen(root);
    return g_build_filename(hierarchy->entry->target, path, NULL);
}

static bool mount_own_view(const RnMountJob *job, const Hierarchy *hierarchy,
                           int fd, GError **error)
{
    bool is_v2 = hierarchy->controllers[0] == NULL;
    g_autofree char *data =
        is_v2 ? NULL : g_strjoinv(",", hierarchy->controllers);

    return rn_mount_new(fd, is_v2 ? "cgroup2" : "cgroup",
                        is_v2 ? "cgroup2" : "cgroup", job->options.flags, data,
                        error);
}

static bool bind_own_cgroup(const RnMountJob *job, const char *path, int fd,
                            GError **error)
{
    rn_autofd int tree_fd = -1;

    if (!rn_mount_clone(AT_FDCWD, path, RN_MOUNT_ONE, &tree_fd, error)) {
        g_prefix_error(error, "use the host's \"%s\": ", path);
        return false;
    }
    return rn_mount_set_propagation(tree_fd, MS_PRIVATE, error) &&
           rn_mount_change(tree_fd, job->options.flags, 0, RN_MOUNT_ONE,
                           error) &&
           rn_mount_attach(tree_fd, fd, error);
}

static bool mount_hierarchy(const RnMountJob *job, const Hierarchy *hierarchy,
                            const char *cgroups, int fd, GError **error)
{
    g_autofree char *path = NULL;

    if (rn_mount_job_owns(job, CLONE_NEWCGROUP))
        return mount_own_view(job, hierarchy, fd, error);
    path = find_own_cgroup(cgroups, hierarchy);
    return path == NULL || bind_own_cgroup(job, path, fd, error);
}

/* "cpu" and "cpuacct" where the directory is "cpu,cpuacct". */
static bool add_links(const Hierarchy *hierarchy, int folder_fd, GError **error)
{
    for (char **word = hierarchy->controllers; *word != NULL; word++) {
        if (g_str_has_prefix(*word, "name=") ||
            strcmp(*word, hierarchy->name) == 0)
            continue;
        if (symlinkat(hierarchy->name, folder_fd, *word) < 0 && errno != EEXIST)
            return rn_set_errno(error, errno, "link \"%s\"", *word);
    }
    return true;
}

static bool add_one(const RnMountJob *job, const Hierarchy *hierarchy,
                    const char *cgroups, int folder_fd, GError **error)
{
    rn_autofd int fd = -1;

    if (mkdirat(folder_fd, hierarchy->name, 0755) == 0)
        fd = openat(folder_fd, hierarchy->name,
                    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return rn_set_errno(error, errno, "make the directory");
    return mount_hierarchy(job, hierarchy, cgroups, fd, error) &&
           add_links(hierarchy, folder_fd, error);
}

static bool fill(const RnMountJob *job, const GArray *hierarchies,
                 int folder_fd, GError **error)
{
    g_autofree char *cgroups = NULL;

    if (!rn_file_read(AT_FDCWD, "/proc/self/cgroup", CGROUP_TEXT_MAX, &cgroups,
                      NULL, error))
        return false;
    for (unsigned i = 0; i < hierarchies->len; i++) {
        const Hierarchy *hierarchy = &g_array_index(hierarchies, Hierarchy, i);

        if (!add_one(job, hierarchy, cgroups, folder_fd, error)) {
            g_prefix_error(error, "\"%s\": ", hierarchy->name);
            return false;
        }
    }
    return true;
}

/* folder_fd stays the tmpfs's root when it is attached: no look-up comes
 * between, whatever becomes of the image's path. */
static bool mount_legacy(const RnMountJob *job, const GArray *hierarchies,
                         GError **error)
{
    const unsigned long base = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    rn_autofd int folder_fd = -1;

    return rn_mount_make_tmpfs("1m", base, &folder_fd, error) &&
           rn_mount_job_place(job, folder_fd, error) &&
           fill(job, hierarchies, folder_fd, error) &&
           rn_mount_change(folder_fd, job->options.flags, 0, RN_MOUNT_ONE,
                           error) &&
           rn_mount_job_set_below(job, folder_fd, error);
}

static bool mount_hierarchies(const RnMountJob *job, GError **error)
{
    g_autoptr(GPtrArray) table = NULL;
    g_autoptr(GArray) hierarchies = NULL;
    g_autoptr(GError) failure = NULL;

    if (!rn_mount_table_read("/proc/self/mountinfo", &table, error))
        return false;
    hierarchies = find_hierarchies(table);
    if (hierarchies->len == 0)
        return rn_mount_job_substitute(job, RN_CGROUP_ROOT, MS_RDONLY, error);
    if (mount_legacy(job, hierarchies, &failure))
        return true;
    if (is_refusal(failure)) /* it covers what there is of the other */
        return rn_mount_job_substitute(job, RN_CGROUP_ROOT, MS_RDONLY, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool rn_mount_job_cgroup(const RnMountJob *job, GError **error)
{
    if (is_unified(RN_CGROUP_ROOT) || rn_mount_job_is_type(job, "cgroup2"))
        return mount_unified(job, error);
    return mount_hierarchies(job, error);
}
