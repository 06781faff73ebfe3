/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pty - pseudoterminals by fd
 *
 * Runs in init, before the change of root, and in the process of `exec`: the
 * pair must come from the container's devpts, and no path of the container is
 * looked up here. rn_pty_open() needs the host's /proc.
 */
#include "config.h"

#include <rnet/sys/pty.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <rnet/util/fd.h>

/* Takes the master, also on failure. */
static bool open_slave(int take_master, int *out_master, int *out_slave,
                       GError **error)
{
    rn_autofd int master = take_master;
    rn_autofd int slave = -1;
    int unlock = 0;

    if (master < 0)
        return rn_set_errno(error, errno, "open the terminal's master");
    if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
        return rn_set_errno(error, errno, "unlock the terminal");
    /* not by name: /dev/pts/N would have to be looked up in the image */
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return rn_set_errno(error, errno, "open the terminal's slave");
    *out_master = g_steal_fd(&master);
    *out_slave = g_steal_fd(&slave);
    return true;
}

bool rn_pty_open(int ptmx_fd, int *out_master, int *out_slave, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", ptmx_fd);

    return open_slave(open(path, O_RDWR | O_NOCTTY | O_CLOEXEC), out_master,
                      out_slave, error);
}

bool rn_pty_open_in(int devpts_fd, int *out_master, int *out_slave,
                    GError **error)
{
    /* what is mounted on it is not the file system's own ptmx any more */
    struct open_how how = {
        .flags = O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW,
        .resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    struct statfs status = { 0 };

    if (fstatfs(devpts_fd, &status) < 0 || status.f_type != DEVPTS_SUPER_MAGIC)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "this is no file system of type devpts");
    return open_slave(
        (int)syscall(SYS_openat2, devpts_fd, "ptmx", &how, sizeof how),
        out_master, out_slave, error);
}

bool rn_pty_set_size(int fd, uint16_t columns, uint16_t rows, GError **error)
{
    struct winsize size = { .ws_row = rows, .ws_col = columns };

    if (ioctl(fd, TIOCSWINSZ, &size) < 0)
        return rn_set_errno(error, errno, "set the terminal's size");
    return true;
}

bool rn_pty_make_stdio(int slave, GError **error)
{
    if (ioctl(slave, TIOCSCTTY, 0) < 0)
        return rn_set_errno(error, errno, "take the controlling terminal");
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (dup2(slave, fd) < 0)
            return rn_set_errno(error, errno, "make the terminal fd %d", fd);
    }
    return true;
}
