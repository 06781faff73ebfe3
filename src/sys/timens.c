/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timens - a new time namespace, its offsets, and the way in
 *
 * Runs in init, as the container's root and still on the host's files.
 * unshare(2) makes the namespace for children only; until somebody is in it,
 * its offsets can be written. That an exec enters it is true since Linux 6.1
 * or so, setns(2) does it on all.
 */
#include "config.h"

#include <rnet/sys/timens.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include <rnet/util/fd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static bool write_offsets(int proc_fd, const char *offsets, GError **error)
{
    if (offsets[0] == '\0' ||
        rn_file_write(proc_fd, "self/timens_offsets", offsets, error))
        return true;
    if (error != NULL && rn_error_is_errno(*error, ERANGE))
        return rn_error_add_hint(error, "no clock may be before 0 or beyond "
                                        "146 years");
    return false;
}

bool rn_timens_enter_new(int proc_fd, const char *offsets, GError **error)
{
    rn_autofd int fd = -1;

    if (unshare(CLONE_NEWTIME) < 0) {
        int errno_value = errno;

        (void)rn_set_errno(error, errno_value, "make a time namespace");
        if (errno_value == EINVAL)
            return rn_error_add_hint(error, "the kernel has none; Linux 5.6 "
                                            "with CONFIG_TIME_NS does");
        return false;
    }
    if (!write_offsets(proc_fd, offsets, error))
        return false;
    fd = openat(proc_fd, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rn_set_errno(error, errno, "open the new time namespace");
    if (setns(fd, CLONE_NEWTIME) < 0)
        return rn_set_errno(error, errno, "enter the new time namespace");
    return true;
}
