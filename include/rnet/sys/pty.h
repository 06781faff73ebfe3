/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pty - a pseudoterminal of a given devpts, pts(4)
 */
#ifndef RNET_SYS_PTY_H
#define RNET_SYS_PTY_H

#include <stdint.h>

#include <rnet/util/error.h>

/*
 * Opens a pair from the ptmx node that `ptmx_fd` (O_PATH) stands for: both
 * ends are CLOEXEC, the slave is unlocked and nobody's controlling terminal.
 */
bool rn_pty_open(int ptmx_fd, int *out_master, int *out_slave, GError **error)
    RN_CHECK;

/*
 * The same from the devpts whose root directory `devpts_fd` is; for where the
 * container's processes already run and /proc is theirs. RN_ERROR_INVALID: it
 * is another directory.
 */
bool rn_pty_open_in(int devpts_fd, int *out_master, int *out_slave,
                    GError **error) RN_CHECK;

/* Sets the window size in characters. */
bool rn_pty_set_size(int fd, uint16_t columns, uint16_t rows, GError **error)
    RN_CHECK;

/*
 * Makes `slave` fds 0 to 2 and the controlling terminal of the caller, which
 * must lead a session without one.
 */
bool rn_pty_make_stdio(int slave, GError **error) RN_CHECK;

#endif
