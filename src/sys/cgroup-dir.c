/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-dir - makes, removes, reads and writes a cgroup's directory
 *
 * Runs in the launcher and in every command that deals with a cgroup. What is
 * below the directory may be the container's own work: it can be of any depth,
 * so that it is walked without recursion, one fd at a time, never by a path
 * that grows, and never through a link.
 */
#include "config.h"

#include <rnet/sys/cgroup-dir.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rnet/util/fd.h>

#include "cgroup-walk.h"

static void close_dir(DIR *dir)
{
    if (dir != NULL)
        (void)closedir(dir); /* it was only read */
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DIR, close_dir)

bool rn_cgroup_dir_make(const char *path, bool *out_made, GError **error)
{
    bool made = mkdir(path, 0755) == 0;

    if (!made && errno != EEXIST)
        return rn_set_errno(error, errno, "make the cgroup \"%s\"", path);
    if (out_made != NULL)
        *out_made = made;
    return true;
}

int rn_cgroup_walk_open(int fd, const char *name)
{
    return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* readdir(3) that leaves out all but directories; NULL at the end. */
static const char *read_subdirectory(DIR *dir)
{
    const struct dirent *entry = NULL;

    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0)
            return entry->d_name;
    }
    return NULL;
}

GPtrArray *rn_cgroup_walk_list(int fd, unsigned max)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    rn_autofd int copy = rn_cgroup_walk_open(fd, ".");
    g_autoptr(DIR) dir = copy < 0 ? NULL : fdopendir(copy);
    const char *name = NULL;

    if (dir == NULL)
        return names; /* removed meanwhile */
    copy = -1;        /* the stream's now */
    while (names->len < max && (name = read_subdirectory(dir)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    return names;
}

/* Goes from *fd to its parent, and removes what was `name` there. */
static bool leave_and_remove(int *fd, const char *name, GError **error)
{
    int parent = rn_cgroup_walk_open(*fd, "..");

    if (parent < 0)
        return rn_set_errno(error, errno, "open the parent of \"%s\"", name);
    rn_fd_close(fd);
    *fd = parent;
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return rn_set_errno(error, errno, "remove the cgroup \"%s\"", name);
    return true;
}

static bool remove_below(int *fd, GError **error)
{
    g_autoptr(GPtrArray) above = g_ptr_array_new_with_free_func(g_free);

    for (;;) {
        g_autoptr(GPtrArray) first = rn_cgroup_walk_list(*fd, 1);
        int child = -1;

        if (first->len == 0 && above->len == 0)
            return true;
        if (first->len == 0) {
            g_autofree char *name =
                g_ptr_array_steal_index(above, above->len - 1);

            if (!leave_and_remove(fd, name, error))
                return false;
            continue;
        }
        child = rn_cgroup_walk_open(*fd, first->pdata[0]);
        if (child < 0 && errno == ENOENT)
            continue;
        if (child < 0)
            return rn_set_errno(error, errno, "open the cgroup \"%s\"",
                                (const char *)first->pdata[0]);
        rn_fd_close(fd);
        *fd = child;
        g_ptr_array_add(above, g_ptr_array_steal_index(first, 0));
    }
}

bool rn_cgroup_dir_remove(const char *path, GError **error)
{
    rn_autofd int fd = -1;

    if (rmdir(path) == 0 || errno == ENOENT)
        return true;
    fd = rn_cgroup_walk_open(AT_FDCWD, path);
    if (fd < 0 && errno != ENOENT)
        return rn_set_errno(error, errno, "open the cgroup \"%s\"", path);
    if (fd < 0)
        return true;
    if (!remove_below(&fd, error)) {
        g_prefix_error(error, "below \"%s\": ", path);
        return false;
    }
    if (rmdir(path) < 0 && errno != ENOENT)
        return rn_set_errno(error, errno, "remove the cgroup \"%s\"", path);
    return true;
}

bool rn_cgroup_dir_read(const char *path, const char *file, char **out_text,
                        GError **error)
{
    g_autofree char *name = g_build_filename(path, file, NULL);
    char *text = NULL;

    if (!rn_file_read(AT_FDCWD, name, RN_CGROUP_FILE_MAX, &text, NULL, error))
        return false;
    *out_text = g_strchomp(text);
    return true;
}

bool rn_cgroup_dir_write(const char *path, const char *file, const char *text,
                         GError **error)
{
    g_autofree char *name = g_build_filename(path, file, NULL);

    return rn_file_write(AT_FDCWD, name, text, error);
}

bool rn_cgroup_dir_has(const char *path, const char *file)
{
    g_autofree char *name = g_build_filename(path, file, NULL);

    return access(name, F_OK) == 0;
}

bool rn_cgroup_dir_attach(const char *path, pid_t pid, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d", (int)pid);

    if (rn_cgroup_dir_write(path, "cgroup.procs", text, error))
        return true;
    g_prefix_error(error, "move process %d: ", (int)pid);
    return false;
}
