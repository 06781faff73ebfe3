/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unix-socket - bind and connect through an open directory
 *
 * Runs in the launcher and in commands. Needs /proc. A name that is taken or
 * too long is an error; nothing is removed.
 */
#include "config.h"

#include <rnet/sys/unix-socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <rnet/util/fd.h>

static bool fill_address(int dirfd, const char *name,
                         struct sockaddr_un *address, GError **error)
{
    int length = snprintf(address->sun_path, sizeof address->sun_path,
                          "/proc/self/fd/%d/%s", dirfd, name);

    address->sun_family = AF_UNIX;
    if (length < 0 || (size_t)length >= sizeof address->sun_path)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "socket \"%s\": the name is too long", name);
    return true;
}

static bool open_socket(int type, int *out_fd, GError **error)
{
    *out_fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    return *out_fd >= 0 || rn_set_errno(error, errno, "make a UNIX socket");
}

bool rn_unix_listen(int dirfd, const char *name, int type, int *out_fd,
                    GError **error)
{
    struct sockaddr_un address = { 0 };
    rn_autofd int fd = -1;

    if (!fill_address(dirfd, name, &address, error) ||
        !open_socket(type, &fd, error))
        return false;
    /* the socket's file takes its mode from this, unix(7) */
    if (fchmod(fd, 0600) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, SOMAXCONN) < 0)
        return rn_set_errno(error, errno, "listen on \"%s\"", name);
    *out_fd = g_steal_fd(&fd);
    return true;
}

bool rn_unix_connect(int dirfd, const char *path, int type, int *out_fd,
                     GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    struct sockaddr_un address = { 0 };
    rn_autofd int folder_fd =
        openat(dirfd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    rn_autofd int fd = -1;

    if (folder_fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", folder);
    if (!fill_address(folder_fd, name, &address, error) ||
        !open_socket(type, &fd, error))
        return false;
    if (TEMP_FAILURE_RETRY(connect(fd, (const struct sockaddr *)&address,
                                   sizeof address)) < 0)
        return rn_set_errno(error, errno, "connect to \"%s\"", path);
    *out_fd = g_steal_fd(&fd);
    return true;
}
