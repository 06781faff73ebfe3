/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pid-namespace - the processes of a pid namespace, found in /proc
 *
 * Runs in commands on a container that has no cgroup. A process that cannot be
 * looked at has just ended, or is somebody else's and so not in there.
 */
#include "config.h"

#include <rnet/sys/pid-namespace.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include <linux/nsfs.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/parse.h>

enum {
    DEPTH_MAX = 32,           /* levels of namespaces, MAX_PID_NS_LEVEL */
    STATUS_MAX = 1024 * 1024, /* bytes; "Groups:" can be long */
};

typedef struct Namespace {
    dev_t device;
    ino_t inode;
} Namespace;

static bool identify(int fd, Namespace *out_namespace)
{
    struct stat status = { 0 };

    if (fstat(fd, &status) < 0)
        return false;
    *out_namespace = (Namespace){ status.st_dev, status.st_ino };
    return true;
}

static bool is_same(const Namespace *a, const Namespace *b)
{
    return a->device == b->device && a->inode == b->inode;
}

static int open_namespace(int proc_fd, const char *pid)
{
    g_autofree char *path = g_strdup_printf("%s/ns/pid", pid);

    return openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
}

/* NS_GET_PARENT fails (EPERM) for what lies outside the caller's own. */
static bool is_inside(int proc_fd, const char *pid, const Namespace *wanted)
{
    rn_autofd int fd = open_namespace(proc_fd, pid);

    for (int depth = 0; fd >= 0 && depth <= DEPTH_MAX; depth++) {
        Namespace found = { 0 };
        int parent = -1;

        if (!identify(fd, &found))
            return false;
        if (is_same(&found, wanted))
            return true;
        parent = ioctl(fd, NS_GET_PARENT);
        rn_fd_close(&fd);
        fd = parent;
    }
    return false;
}

/* The last number of "NSpid:" is the pid in the innermost namespace. */
static bool is_first_process(int proc_fd, const char *pid)
{
    g_autofree char *path = g_strdup_printf("%s/status", pid);
    g_autofree char *text = NULL;
    const char *line = NULL;
    const char *end = NULL;

    if (!rn_file_read(proc_fd, path, STATUS_MAX, &text, NULL, NULL))
        return false;
    line = strstr(text, "\nNSpid:");
    if (line == NULL)
        return false;
    end = strchrnul(line + 1, '\n');
    return end - line > 2 && end[-1] == '1' && g_ascii_isspace(end[-2]);
}

static bool find_namespace(int proc_fd, const char *init,
                           Namespace *out_namespace, GError **error)
{
    rn_autofd int own_fd = open_namespace(proc_fd, "self");
    rn_autofd int fd = open_namespace(proc_fd, init);
    Namespace own = { 0 };
    Namespace found = { 0 };

    if (fd < 0 || own_fd < 0 || !identify(own_fd, &own) ||
        !identify(fd, &found))
        return rn_set_errno(error, errno,
                            "look at the pid namespace of process %s", init);
    if (is_same(&own, &found) || !is_first_process(proc_fd, init))
        return rn_set_error(error, RN_ERROR_UNSUPPORTED,
                            "process %s has no pid namespace of its own", init);
    *out_namespace = found;
    return true;
}

static int compare_pids(gconstpointer a, gconstpointer b)
{
    const pid_t *left = a;
    const pid_t *right = b;

    return (*left > *right) - (*left < *right);
}

static void close_directory(DIR *directory)
{
    if (directory != NULL)
        (void)closedir(directory);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DIR, close_directory)

bool rn_pid_namespace_members(pid_t init, GArray **out_pids, GError **error)
{
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    g_autoptr(DIR) proc = opendir("/proc");
    g_autofree char *name = g_strdup_printf("%d", (int)init);
    const struct dirent *entry = NULL;
    Namespace wanted = { 0 };

    if (proc == NULL)
        return rn_set_errno(error, errno, "open \"/proc\"");
    if (!find_namespace(dirfd(proc), name, &wanted, error))
        return false;
    while ((entry = readdir(proc)) != NULL) {
        uint64_t number = 0;
        pid_t pid = 0;

        if (!rn_parse_uint(entry->d_name, 1, G_MAXINT, "pid", &number, NULL) ||
            !is_inside(dirfd(proc), entry->d_name, &wanted))
            continue;
        pid = (pid_t)number;
        g_array_append_val(pids, pid);
    }
    g_array_sort(pids, compare_pids);
    *out_pids = g_steal_pointer(&pids);
    return true;
}

bool rn_pid_namespace_signal(pid_t init, int signal_number, GError **error)
{
    g_autoptr(GArray) pids = NULL;
    g_autoptr(DIR) proc = opendir("/proc");
    g_autofree char *name = g_strdup_printf("%d", (int)init);
    Namespace wanted = { 0 };

    if (proc == NULL)
        return rn_set_errno(error, errno, "open \"/proc\"");
    if (!find_namespace(dirfd(proc), name, &wanted, error) ||
        !rn_pid_namespace_members(init, &pids, error))
        return false;
    for (unsigned i = 0; i < pids->len; i++) {
        pid_t pid = g_array_index(pids, pid_t, i);
        g_autofree char *member = g_strdup_printf("%d", (int)pid);
        rn_autofd int fd = pidfd_open(pid, 0); /* -1: gone */

        /* asked again: the pid may have become another's */
        if (fd >= 0 && is_inside(dirfd(proc), member, &wanted) &&
            !rn_pidfd_signal(fd, signal_number, error))
            return false;
    }
    return true;
}
