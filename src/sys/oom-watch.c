/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oom-watch - one fd that tells of a cgroup's kills for want of memory
 *
 * Runs in `rnet events`. v2: inotify on memory.events, whose "oom_kill" only
 * grows. v1: an eventfd that the kernel counts up; it also does when the cgroup
 * is removed, which is then no kill.
 */
#include "config.h"

#include <rnet/sys/oom-watch.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <rnet/util/fd.h>

enum {
    EVENTS_MAX = 4096, /* bytes of memory.events */
};

struct RnOomWatch {
    int directory_fd;
    int fd; /* inotify's on v2, the eventfd on v1 */
    bool unified;
    uint64_t seen; /* v2: "oom_kill" as it was */
};

/* v2's count; false if the file is gone, or has none (before Linux 4.13). */
static bool read_kills(const RnOomWatch *watch, uint64_t *out_kills)
{
    static const char key[] = "oom_kill ";
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!rn_file_read(watch->directory_fd, "memory.events", EVENTS_MAX, &text,
                      NULL, NULL))
        return false;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        if (!g_str_has_prefix(*line, key))
            continue;
        *out_kills = g_ascii_strtoull(*line + strlen(key), NULL, 10);
        return true;
    }
    return false;
}

static bool watch_unified(RnOomWatch *watch, const char *directory,
                          GError **error)
{
    g_autofree char *path = g_build_filename(directory, "memory.events", NULL);

    watch->unified = true;
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0)
        return rn_set_errno(error, errno, "inotify");
    if (inotify_add_watch(watch->fd, path, IN_MODIFY) < 0)
        return rn_set_errno(error, errno, "watch \"%s\"", path);
    /* after the watch began: nothing can happen unseen between */
    (void)read_kills(watch, &watch->seen);
    return true;
}

/* "EVENTFD CONTROLFD" into cgroup.event_control; the latter may be closed. */
static bool watch_legacy(RnOomWatch *watch, int control_fd,
                         const char *directory, GError **error)
{
    g_autofree char *line = NULL;

    watch->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch->fd < 0)
        return rn_set_errno(error, errno, "eventfd");
    line = g_strdup_printf("%d %d", watch->fd, control_fd);
    if (rn_file_write(watch->directory_fd, "cgroup.event_control", line, error))
        return true;
    g_prefix_error(error, "\"%s\": ", directory);
    return false;
}

RnOomWatch *rn_oom_watch_new(const char *directory, GError **error)
{
    g_autoptr(RnOomWatch) watch = g_new0(RnOomWatch, 1);
    rn_autofd int control_fd = -1;

    watch->fd = -1;
    watch->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (watch->directory_fd < 0) {
        (void)rn_set_errno(error, errno, "open cgroup \"%s\"", directory);
        return NULL;
    }
    if (faccessat(watch->directory_fd, "memory.events", F_OK, 0) == 0)
        return watch_unified(watch, directory, error) ? g_steal_pointer(&watch)
                                                      : NULL;
    control_fd =
        openat(watch->directory_fd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
    if (control_fd < 0) {
        (void)rn_set_error(error, RN_ERROR_UNSUPPORTED,
                           "cgroup \"%s\" has no memory controller", directory);
        return NULL;
    }
    return watch_legacy(watch, control_fd, directory, error)
               ? g_steal_pointer(&watch)
               : NULL;
}

void rn_oom_watch_free(RnOomWatch *watch)
{
    if (watch == NULL)
        return;
    rn_fd_close(&watch->fd);
    rn_fd_close(&watch->directory_fd);
    g_free(watch);
}

int rn_oom_watch_fd(const RnOomWatch *watch)
{
    return watch->fd;
}

static uint64_t take_unified(RnOomWatch *watch)
{
    char events[sizeof(struct inotify_event) + NAME_MAX + 1];
    uint64_t kills = watch->seen;
    uint64_t before = watch->seen;

    while (read(watch->fd, events, sizeof events) > 0)
        continue; /* what they say is in the file */
    if (!read_kills(watch, &kills) || kills < before)
        return 0;
    watch->seen = kills;
    return kills - before;
}

static uint64_t take_legacy(RnOomWatch *watch)
{
    uint64_t count = 0;

    if (read(watch->fd, &count, sizeof count) != sizeof count)
        return 0;
    return faccessat(watch->directory_fd, "memory.oom_control", F_OK, 0) == 0
               ? count
               : 0;
}

uint64_t rn_oom_watch_take(RnOomWatch *watch)
{
    return watch->unified ? take_unified(watch) : take_legacy(watch);
}
