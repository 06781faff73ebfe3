/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-users - finds a process that is in a network namespace
 *
 * Runs in the keeper, whenever the process that it knew of has ended. The
 * kernel tells nobody who is in a namespace: /proc has to be read. The pidfd is
 * opened first, so that what is looked at is the same process.
 */
#include "config.h"

#include <rnet/runtime/network-target.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/syscall.h>

#include <rnet/util/fd.h>
#include <rnet/util/parse.h>

enum {
    STATUS_MAX = 1024 * 1024, /* bytes; "Groups:" can be long */
    ATTEMPTS = 2,             /* a look at /proc is none at one moment: a child
                                 may come and its parent go behind its back */
};

/* What is looked for. */
typedef struct Search {
    int proc_fd;
    dev_t dev;
    ino_t ino;
    const pid_t *but;
    unsigned n;
} Search;

static bool is_listed(const Search *search, pid_t pid)
{
    for (unsigned i = 0; i < search->n; i++) {
        if (search->but[i] == pid)
            return true;
    }
    return false;
}

static pid_t read_parent(const Search *search, const char *pid)
{
    static const char key[] = "\nPPid:";
    g_autofree char *path = g_strdup_printf("%s/status", pid);
    g_autofree char *text = NULL;
    const char *line = NULL;

    if (!rn_file_read(search->proc_fd, path, STATUS_MAX, &text, NULL, NULL))
        return 0;
    line = strstr(text, key);
    return line == NULL ? 0
                        : (pid_t)g_ascii_strtoll(line + strlen(key), NULL, 10);
}

static bool is_inside(const Search *search, const char *pid)
{
    g_autofree char *path = g_strdup_printf("%s/ns/net", pid);
    struct stat status = { 0 };

    return fstatat(search->proc_fd, path, &status, 0) == 0 &&
           status.st_dev == search->dev && status.st_ino == search->ino;
}

/* -1 if it is none of those that are looked for. */
static int open_user(const Search *search, const char *name)
{
    uint64_t pid = 0;
    rn_autofd int pidfd = -1;

    if (!rn_parse_uint(name, 1, G_MAXINT, "pid", &pid, NULL) ||
        is_listed(search, (pid_t)pid) || !is_inside(search, name))
        return -1;
    pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    /* once more, now that it cannot be another's */
    if (pidfd < 0 || !is_inside(search, name) ||
        is_listed(search, read_parent(search, name)))
        return -1;
    return g_steal_fd(&pidfd);
}

static int search_once(const Search *search, DIR *proc)
{
    const struct dirent *entry = NULL;
    int pidfd = -1;

    rewinddir(proc);
    while (pidfd < 0 && (entry = readdir(proc)) != NULL)
        pidfd = open_user(search, entry->d_name);
    return pidfd;
}

bool rn_network_target_find_user(dev_t dev, ino_t ino, const pid_t *but,
                                 unsigned n, int *out_pidfd, GError **error)
{
    DIR *proc = opendir("/proc");
    Search search = { .dev = dev, .ino = ino, .but = but, .n = n };
    int pidfd = -1;

    if (proc == NULL)
        return rn_set_errno(error, errno, "open \"/proc\"");
    search.proc_fd = dirfd(proc);
    for (int i = 0; pidfd < 0 && i < ATTEMPTS; i++)
        pidfd = search_once(&search, proc);
    (void)closedir(proc);
    *out_pidfd = pidfd;
    return true;
}
