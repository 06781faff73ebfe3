/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover - what a detached container's creator gives to its caller
 */
#ifndef RNET_RUNTIME_HANDOVER_H
#define RNET_RUNTIME_HANDOVER_H

#include <sys/types.h>

#include <rnet/util/error.h>

/*
 * Sends the terminal's master to the UNIX stream socket at `path`, as runc
 * does (docs/terminals.md there): one message whose data is the slave's name
 * and whose only fd is the master.
 */
bool rn_handover_console(const char *path, int master_fd,
                         GError **error) RN_CHECK;

/* Writes the pid, digits only, to a file that appears whole. */
bool rn_handover_pid(const char *path, pid_t pid, GError **error) RN_CHECK;

/* Are the caller's fds 3 to 3 + n - 1 open? The error names the first that is
 * not. */
bool rn_handover_check_fds(unsigned n, GError **error) RN_CHECK;

#endif
