/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pid-namespace - who lives in another process's pid namespace
 *
 * pid_namespaces(7), ioctl_ns(2).
 */
#ifndef RNET_SYS_PID_NAMESPACE_H
#define RNET_SYS_PID_NAMESPACE_H

#include <sys/types.h>

#include <rnet/util/error.h>

/*
 * All processes in the pid namespace whose first process is `init`, and in
 * those below it, as the caller's /proc has them: GArray of pid_t in rising
 * order, the caller's. RN_ERROR_UNSUPPORTED if `init` is no namespace's first
 * process, or the caller's own. Processes that come and go meanwhile may be
 * missing.
 */
bool rn_pid_namespace_members(pid_t init, GArray **out_pids,
                              GError **error) RN_CHECK;

/*
 * Sends a signal to all of these. A process that is forked meanwhile may go
 * without it, but for SIGKILL: the end of `init` is the end of all. Errors as
 * above.
 */
bool rn_pid_namespace_signal(pid_t init, int signal_number,
                             GError **error) RN_CHECK;

#endif
