/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fd-room - looks at RLIMIT_NOFILE and at the lowest free fd number
 *
 * Role:     lets modules stop taking fds before others starve
 * Runs in:  the relay; the monitor, for ports that come later
 * Failure:  no room
 */
#include "config.h"

#include <rnet/net/fd-room.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#include <sys/resource.h>

#include <rnet/util/fd.h>

bool rn_fd_room_raise(GError **error)
{
    struct rlimit limit = { 0 };

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return rn_set_errno(error, errno, "read RLIMIT_NOFILE");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return rn_set_errno(error, errno, "raise RLIMIT_NOFILE to %ju",
                            (uintmax_t)limit.rlim_max);
    return true;
}

bool rn_fd_room_above(int new_fd, unsigned wanted)
{
    struct rlimit limit = { 0 };

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
           (limit.rlim_cur == RLIM_INFINITY ||
            (rlim_t)new_fd + wanted < limit.rlim_cur);
}

bool rn_fd_room(int fd, unsigned wanted)
{
    rn_autofd int lowest = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    return lowest >= 0 && rn_fd_room_above(lowest, wanted);
}

bool rn_fd_room_is_error(int errno_value)
{
    return errno_value == EMFILE || errno_value == ENFILE ||
           errno_value == ENOBUFS || errno_value == ENOMEM;
}
