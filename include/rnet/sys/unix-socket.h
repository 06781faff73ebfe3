/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unix-socket - UNIX sockets by a path of any length
 *
 * sun_path holds 108 bytes, unix(7): the directory is opened first and the
 * name reached through /proc/self/fd.
 */
#ifndef RNET_SYS_UNIX_SOCKET_H
#define RNET_SYS_UNIX_SOCKET_H

#include <rnet/util/error.h>

/*
 * Makes a socket of `type` (SOCK_STREAM, SOCK_SEQPACKET), bound to `name` in
 * the directory and listening; it may be reached by its owner only.
 */
bool rn_unix_listen(int dirfd, const char *name, int type, int *out_fd,
                    GError **error) RN_CHECK;

/* Connects to `path`, relative to dirfd (AT_FDCWD: the working directory). */
bool rn_unix_connect(int dirfd, const char *path, int type, int *out_fd,
                     GError **error) RN_CHECK;

#endif
