/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-processes - lists, signals and ends the processes of a cgroup
 *
 * Runs in the launcher and in every command that deals with a cgroup. The
 * processes are the container's and hostile: they fork, move and end at any
 * time. A pid is therefore signalled through a pidfd, and only if the cgroup
 * still has it when the pidfd is open.
 */
#include "config.h"

#include <rnet/sys/cgroup-dir.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/pidfd.h>

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "cgroup-walk.h"

enum {
    BATCH = 128, /* pidfds that are open at once */
};

/* Appends what a cgroup.procs has; a threaded cgroup's cannot be read
 * (EOPNOTSUPP): the processes are its domain's. */
static bool append_processes(int fd, GArray *pids, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *text = NULL;
    char *next = NULL;

    if (!rn_file_read(fd, "cgroup.procs", RN_CGROUP_FILE_MAX, &text, NULL,
                      &failure)) {
        if (rn_error_is_errno(failure, EOPNOTSUPP) ||
            rn_error_is_errno(failure, ENODEV) ||
            rn_error_is_errno(failure, ENOENT))
            return true;
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    next = text;
    while (*next != '\0') {
        pid_t pid = (pid_t)strtol(next, &next, 10);

        if (pid > 0) /* 0: of another pid namespace */
            g_array_append_val(pids, pid);
        next += strcspn(next, "\n");
        next += *next == '\n' ? 1 : 0;
    }
    return true;
}

/* Takes the name of the next directory to enter; NULL: none left. */
static char *take_child(GPtrArray *levels)
{
    GPtrArray *children = g_ptr_array_index(levels, levels->len - 1);

    if (children->len == 0)
        return NULL;
    return g_ptr_array_steal_index_fast(children, children->len - 1);
}

static bool enter(int *fd, int next, GPtrArray *levels, GArray *pids,
                  GError **error)
{
    rn_fd_close(fd);
    *fd = next;
    g_ptr_array_add(levels, rn_cgroup_walk_list(next, G_MAXUINT));
    return append_processes(next, pids, error);
}

bool rn_cgroup_dir_processes(const char *path, GArray *pids, GError **error)
{
    g_autoptr(GPtrArray) levels =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    rn_autofd int fd = -1;
    int next = rn_cgroup_walk_open(AT_FDCWD, path);

    if (next < 0 && (errno == ENOENT || errno == ENODEV))
        return true;
    if (next < 0)
        return rn_set_errno(error, errno, "open the cgroup \"%s\"", path);
    if (!enter(&fd, next, levels, pids, error))
        return false;
    while (levels->len > 0) {
        g_autofree char *child = take_child(levels);

        if (child == NULL)
            g_ptr_array_set_size(levels, (int)levels->len - 1);
        if (child == NULL && levels->len == 0)
            break;
        next = rn_cgroup_walk_open(fd, child == NULL ? ".." : child);
        if (next >= 0 && child == NULL) {
            rn_fd_close(&fd);
            fd = next;
        } else if (next >= 0 && !enter(&fd, next, levels, pids, error)) {
            return false;
        } else if (next < 0 && (child == NULL || errno != ENOENT)) {
            return rn_set_errno(error, errno, "look into the cgroup \"%s\"",
                                path);
        }
    }
    return true;
}

static int compare_pids(const void *a, const void *b)
{
    const pid_t *left = a;
    const pid_t *right = b;

    return (*left > *right) - (*left < *right);
}

static void close_all(GArray *fds)
{
    for (unsigned i = 0; i < fds->len; i++)
        rn_fd_close(&g_array_index(fds, int, i));
}

/* Signals n processes: those among them that the cgroup has once a pidfd of
 * each is open. */
static bool signal_batch(const char *path, const pid_t *batch, unsigned n,
                         int signal_number, GError **error)
{
    g_autoptr(GArray) fds = g_array_sized_new(FALSE, FALSE, sizeof(int), n);
    g_autoptr(GArray) present = g_array_new(FALSE, FALSE, sizeof(pid_t));
    bool done = true;

    for (unsigned i = 0; i < n; i++) {
        int fd = pidfd_open(batch[i], 0); /* -1: gone */

        g_array_append_val(fds, fd);
    }
    done = rn_cgroup_dir_processes(path, present, error);
    g_array_sort(present, compare_pids);
    for (unsigned i = 0; done && i < n; i++) {
        int fd = g_array_index(fds, int, i);

        if (fd >= 0 && present->len > 0 &&
            bsearch(&batch[i], present->data, present->len, sizeof(pid_t),
                    compare_pids) != NULL)
            done = rn_pidfd_signal(fd, signal_number, error);
    }
    close_all(fds);
    return done;
}

bool rn_cgroup_dir_signal(const char *path, int signal_number, GError **error)
{
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));

    if (!rn_cgroup_dir_processes(path, pids, error))
        return false;
    for (unsigned i = 0; i < pids->len; i += BATCH) {
        if (!signal_batch(path, &g_array_index(pids, pid_t, i),
                          MIN(BATCH, pids->len - i), signal_number, error))
            return false;
    }
    return true;
}

/* Waits for the end of a process that is still in the cgroup: v1 itself tells
 * nothing. */
static void wait_for_process(pid_t pid, int timeout_ms)
{
    rn_autofd int fd = pidfd_open(pid, 0);
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

    if (fd >= 0)
        (void)poll(&poll_fd, 1, timeout_ms); /* looked at again in any case */
}

/*
 * One round of killing: frozen, nothing forks while the signals are sent. On
 * v1 a process dies when it is thawed, and `path` need not be of the freezer's
 * hierarchy: without it rounds follow until nothing is left.
 */
static bool kill_round(const char *path, unsigned version, GError **error)
{
    bool frozen = rn_cgroup_dir_has(path, version == 1 ? "freezer.state"
                                                       : "cgroup.freeze") &&
                  rn_cgroup_dir_set_frozen(path, version, true, NULL);
    bool done = rn_cgroup_dir_signal(path, SIGKILL, error);

    if (!frozen)
        return done;
    return rn_cgroup_dir_set_frozen(path, version, false,
                                    done ? error : NULL) &&
           done;
}

static bool kill_in_rounds(const char *path, unsigned version, GError **error)
{
    int64_t end =
        g_get_monotonic_time() + RN_CGROUP_PATIENCE_MS * (int64_t)1000;

    for (;;) {
        g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
        int64_t left_ms = (end - g_get_monotonic_time()) / 1000;

        if (!rn_cgroup_dir_processes(path, pids, error))
            return false;
        if (pids->len == 0)
            return true;
        if (left_ms <= 0)
            return rn_set_error(error, RN_ERROR_STATE,
                                "%u processes of the cgroup \"%s\" do not end",
                                pids->len, path);
        if (!kill_round(path, version, error))
            return false;
        wait_for_process(g_array_index(pids, pid_t, 0), (int)left_ms);
    }
}

bool rn_cgroup_dir_kill(const char *path, unsigned version, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (version == 1)
        return kill_in_rounds(path, version, error);
    if (!rn_cgroup_dir_has(path, "cgroup.events"))
        return true;
    /* cgroup.kill: Linux 5.14 */
    if (!rn_cgroup_dir_write(path, "cgroup.kill", "1", &failure) &&
        !kill_in_rounds(path, version, error))
        return false;
    return rn_cgroup_dir_wait_event(path, "populated", false, error);
}
