/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process-stat - /proc/PID/stat, and pidfds of processes that are no children
 *
 * Runs in every command that finds a container by its record. A process may
 * end, and its pid be another's, between any two looks: the pidfd is opened
 * first and compared afterwards.
 */
#include "config.h"

#include <rnet/sys/process-stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>

#include <rnet/util/fd.h>

enum {
    STAT_MAX = 4096, /* bytes; a line of 52 numbers and a short name */
    FIELD_STATE = 3, /* proc(5) */
    FIELD_START = 22,
    FIELD_ARGUMENTS = 48, /* where they begin; 49: behind their end */
};

static bool fail_ended(pid_t pid, GError **error)
{
    return rn_set_error(error, RN_ERROR_NOT_FOUND, "process %d has ended",
                        (int)pid);
}

/* The text from the third field on: the second, a name in brackets, may have
 * blanks and brackets itself. */
static const char *find_field(const char *stat, unsigned number)
{
    const char *field = strrchr(stat, ')');

    for (unsigned i = FIELD_STATE; field != NULL && i <= number; i++) {
        field = strchr(field, ' ');
        if (field != NULL)
            field++;
    }
    return field;
}

bool rn_process_start_time(pid_t pid, uint64_t *out_ticks, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    const char *state = NULL;
    const char *start = NULL;
    g_autoptr(GError) failure = NULL;

    if (!rn_file_read(AT_FDCWD, path, STAT_MAX, &text, NULL, &failure)) {
        if (rn_error_is_errno(failure, ENOENT) ||
            rn_error_is_errno(failure, ESRCH))
            return fail_ended(pid, error);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    state = find_field(text, FIELD_STATE);
    start = find_field(text, FIELD_START);
    if (state == NULL || start == NULL)
        return rn_set_error(error, RN_ERROR_INVALID, "malformed \"%s\"", path);
    if (*state == 'Z' || *state == 'X')
        return fail_ended(pid, error);
    *out_ticks = g_ascii_strtoull(start, NULL, 10);
    return true;
}

bool rn_process_open(pid_t pid, uint64_t ticks, int *out_pidfd, GError **error)
{
    rn_autofd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    uint64_t present = 0;

    if (pidfd < 0)
        return errno == ESRCH
                   ? fail_ended(pid, error)
                   : rn_set_errno(error, errno, "open process %d", (int)pid);
    if (!rn_process_start_time(pid, &present, error))
        return false;
    if (present != ticks)
        return fail_ended(pid, error);
    *out_pidfd = g_steal_fd(&pidfd);
    return true;
}

pid_t rn_pidfd_pid(int pidfd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fdinfo/%d", pidfd);
    g_autofree char *text = NULL;
    const char *line = NULL;
    gint64 pid = 0;

    if (!rn_file_read(AT_FDCWD, path, STAT_MAX, &text, NULL, NULL))
        return 0;
    line = strstr(text, "Pid:");
    if (line != NULL) /* -1: it has ended */
        pid = g_ascii_strtoll(line + strlen("Pid:"), NULL, 10);
    return pid > 0 ? (pid_t)pid : 0;
}

void rn_process_set_command_line(const char *name)
{
    g_autofree char *text = NULL;
    const char *field = NULL;
    char *end_of_first = NULL;
    uintptr_t begin = 0;
    uintptr_t end = 0;

    if (rn_file_read(AT_FDCWD, "/proc/self/stat", STAT_MAX, &text, NULL, NULL))
        field = find_field(text, FIELD_ARGUMENTS);
    if (field == NULL)
        return;
    begin = (uintptr_t)g_ascii_strtoull(field, &end_of_first, 10);
    end = (uintptr_t)g_ascii_strtoull(end_of_first, NULL, 10);
    /* both are 0 for a process that may not look at itself */
    if (begin == 0 || end <= begin)
        return;
    /* the last byte stays 0: else the kernel takes the environment for more */
    strncpy((char *)begin, name, end - begin - 1);
}
