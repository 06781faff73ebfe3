/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rootpath - look-ups and new entries that cannot leave a directory
 *
 * Runs in init, while the container's root is still a directory of the host.
 * The files below it are the image's and hostile: the kernel does every
 * look-up (openat2), and what is missing is made one name at a time in a
 * directory that was opened so. Failure may leave directories that were made
 * on the way.
 */
#include "config.h"

#include <rnet/sys/rootpath.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/util/fd.h>

/* openat2(2): EAGAIN where a rename ran against a look-up with ".." */
enum {
    RACE_RETRIES = 64
};

static int resolve(int root_fd, const char *path, uint64_t flags,
                   uint64_t rules)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC | flags,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | rules,
    };
    int fd = -1;

    for (unsigned i = 0; i < RACE_RETRIES; i++) {
        fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    return fd;
}

static int open_in_root(int root_fd, const char *path, uint64_t flags)
{
    return resolve(root_fd, path, flags, 0);
}

bool rn_rootpath_open(int root_fd, const char *path, int *out_fd,
                      GError **error)
{
    int fd = open_in_root(root_fd, path, 0);

    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    *out_fd = fd;
    return true;
}

bool rn_rootpath_open_plain(int root_fd, const char *path, int *out_fd,
                            GError **error)
{
    int fd = resolve(root_fd, path, 0, RESOLVE_NO_SYMLINKS);

    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    *out_fd = fd;
    return true;
}

bool rn_rootpath_open_inner(int folder_fd, const char *path, int flags,
                            int *out_fd, GError **error)
{
    struct open_how how = {
        .flags = (uint64_t)flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    };
    int fd = (int)syscall(SYS_openat2, folder_fd, path, &how, sizeof how);

    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    *out_fd = fd;
    return true;
}

/* What the kernel calls the fd's file, or NULL; the caller's. */
static char *read_name(int fd)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);

    return g_file_read_link(link, NULL);
}

bool rn_rootpath_locate(int root_fd, int fd, char **out_path, GError **error)
{
    g_autofree char *root = read_name(root_fd);
    g_autofree char *name = read_name(fd);
    gsize length = 0;

    if (root == NULL || name == NULL)
        return rn_set_error(error, RN_ERROR_STATE,
                            "the names of open files cannot be read");
    length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(name, root, length) != 0 ||
        (name[length] != '/' && name[length] != '\0'))
        return rn_set_error(error, RN_ERROR_STATE,
                            "\"%s\" is not in the container's root", name);
    *out_path = g_strdup(name[length] == '\0' ? "/" : name + length);
    return true;
}

/* The target of the symbolic link at `path`, the caller's; NULL: not a link. */
static char *read_link(int root_fd, const char *path)
{
    rn_autofd int fd = open_in_root(root_fd, path, O_NOFOLLOW);
    char target[PATH_MAX];
    ssize_t length = 0;

    if (fd < 0)
        return NULL;
    length = readlinkat(fd, "", target, sizeof target);
    return length <= 0 ? NULL : g_strndup(target, (gsize)length);
}

static bool make_name(int parent_fd, const char *name, RnRootpathKind kind)
{
    rn_autofd int fd = -1;

    if (kind == RN_ROOTPATH_DIRECTORY)
        return mkdirat(parent_fd, name, 0755) == 0;
    fd = openat(parent_fd, name,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    return fd >= 0;
}

/* The path without names[i] and what follows, and then that replaced. */
static char *redirect(const char *parent, const char *target, char **names)
{
    g_autofree char *rest = g_strjoinv("/", names + 1);

    if (g_path_is_absolute(target))
        return g_strconcat(target, "/", rest, NULL);
    return g_strconcat(parent, "/", target, "/", rest, NULL);
}

/*
 * Makes the first name of `names` in the directory `parent`, which is open as
 * *parent_fd, and moves both one name on. Where it is a symbolic link to
 * nothing, *out_redirected becomes the path to go on with.
 */
static bool make_next(int root_fd, GString *parent, char **names,
                      RnRootpathKind kind, int *parent_fd,
                      char **out_redirected, GError **error)
{
    g_autofree char *path = g_strconcat(parent->str, "/", names[0], NULL);
    g_autofree char *target = NULL;
    int fd = open_in_root(root_fd, path, 0);

    if (fd < 0 && errno == ENOENT) {
        target = read_link(root_fd, path);
        if (target != NULL) {
            *out_redirected = redirect(parent->str, target, names);
            return true;
        }
        /* EEXIST: "." or "..", or another process was faster */
        if (!make_name(*parent_fd, names[0], kind) && errno != EEXIST)
            return rn_set_errno(error, errno, "create \"%s\"", path);
        fd = open_in_root(root_fd, path, 0);
    }
    if (fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    rn_fd_close(parent_fd);
    *parent_fd = fd;
    g_string_assign(parent, path);
    return true;
}

static char **split_names(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (char **part = parts; *part != NULL; part++) {
        if (**part != '\0')
            g_ptr_array_add(names, g_strdup(*part));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

/* One walk; *out_redirected is set where another has to follow. */
static bool walk(int root_fd, const char *path, RnRootpathKind kind,
                 int *out_fd, char **out_redirected, GError **error)
{
    g_auto(GStrv) names = split_names(path);
    g_autoptr(GString) parent = g_string_new(NULL);
    rn_autofd int fd = open_in_root(root_fd, "/", O_DIRECTORY);

    if (fd < 0)
        return rn_set_errno(error, errno, "open the root directory");
    if (g_strv_length(names) > RN_ROOTPATH_MAX_NAMES ||
        strlen(path) >= PATH_MAX)
        return rn_set_errno(error, ENAMETOOLONG, "create \"%.256s\"", path);
    for (char **name = names; *name != NULL; name++) {
        RnRootpathKind here = name[1] == NULL ? kind : RN_ROOTPATH_DIRECTORY;

        if (!make_next(root_fd, parent, name, here, &fd, out_redirected, error))
            return false;
        if (*out_redirected != NULL)
            return true;
    }
    *out_fd = g_steal_fd(&fd);
    return true;
}

static bool check_kind(int fd, const char *path, RnRootpathKind kind,
                       GError **error)
{
    struct stat status = { 0 };

    if (fstat(fd, &status) < 0)
        return rn_set_errno(error, errno, "stat \"%s\"", path);
    if (S_ISDIR(status.st_mode) == (kind == RN_ROOTPATH_DIRECTORY))
        return true;
    return rn_set_error(error, RN_ERROR_INVALID, "\"%s\" is %sa directory",
                        path, kind == RN_ROOTPATH_FILE ? "" : "not ");
}

bool rn_rootpath_make(int root_fd, const char *path, RnRootpathKind kind,
                      int *out_fd, GError **error)
{
    g_autofree char *current = g_strdup(path);
    rn_autofd int fd = open_in_root(root_fd, path, 0);

    if (fd < 0 && errno != ENOENT)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    for (unsigned i = 0; fd < 0 && i < RN_ROOTPATH_MAX_LINKS; i++) {
        char *redirected = NULL;

        if (!walk(root_fd, current, kind, &fd, &redirected, error))
            return false;
        if (redirected == NULL)
            break;
        g_free(current);
        current = redirected;
    }
    if (fd < 0)
        return rn_set_errno(error, ELOOP, "create \"%s\"", path);
    if (!check_kind(fd, path, kind, error))
        return false;
    *out_fd = g_steal_fd(&fd);
    return true;
}
