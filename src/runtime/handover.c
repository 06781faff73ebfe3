/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover - console socket, pid file, inherited fds
 *
 * Runs in the launcher and in `exec`. In: paths and numbers of the command
 * line. A failure leaves nothing behind but what the other side got already.
 */
#include "config.h"

#include <rnet/runtime/handover.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

static const char console_name[] = "/dev/ptmx";

bool rn_handover_console(const char *path, int master_fd, GError **error)
{
    rn_autofd int socket = -1;

    if (rn_unix_connect(AT_FDCWD, path, SOCK_STREAM, &socket, error) &&
        rn_fd_send(socket, master_fd, console_name, strlen(console_name),
                   error))
        return true;
    g_prefix_error(error, "--console-socket: ");
    return false;
}

/* Beside the file and then in its place: a reader never sees half a number. */
bool rn_handover_pid(const char *path, pid_t pid, GError **error)
{
    g_autofree char *new_path = g_strdup_printf("%s.%d", path, (int)getpid());
    g_autofree char *text = g_strdup_printf("%d", (int)pid);
    rn_autofd int fd = open(
        new_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

    if (fd < 0)
        return rn_set_errno(error, errno, "--pid-file: make \"%s\"", new_path);
    if (!rn_fd_write_all(fd, text, strlen(text), error)) {
        g_prefix_error(error, "--pid-file: ");
        (void)unlink(new_path);
        return false;
    }
    if (rename(new_path, path) == 0)
        return true;
    (void)rn_set_errno(error, errno, "--pid-file: make \"%s\"", path);
    (void)unlink(new_path);
    return false;
}

bool rn_handover_check_fds(unsigned n, GError **error)
{
    for (unsigned i = 0; i < n; i++) {
        int fd = STDERR_FILENO + 1 + (int)i;
        int flags = fcntl(fd, F_GETFD);

        /* the caller's have no CLOEXEC, or they would not be here */
        if (flags < 0 || (flags & FD_CLOEXEC) != 0)
            return rn_set_error(error, RN_ERROR_INVALID,
                                "--preserve-fds: fd %d is not open", fd);
    }
    return true;
}
