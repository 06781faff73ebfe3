/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fd-room - how near the process is to RLIMIT_NOFILE
 *
 * The kernel always hands out the lowest free number, so a new fd's number
 * tells how full the table is at least; no counting is needed.
 */
#ifndef RNET_NET_FD_ROOM_H
#define RNET_NET_FD_ROOM_H

#include <rnet/util/error.h>

/* Raises the soft RLIMIT_NOFILE to the hard one. */
bool rn_fd_room_raise(GError **error) RN_CHECK;

/*
 * Whether the lowest free fd has `wanted` more numbers above it below the
 * limit. `fd` is any open one.
 */
bool rn_fd_room(int fd, unsigned wanted);

/* The same for the fd that was just handed out, without asking the kernel. */
bool rn_fd_room_above(int new_fd, unsigned wanted);

/* Whether errno says that fds, or the memory for sockets, ran out. */
bool rn_fd_room_is_error(int errno_value);

#endif
