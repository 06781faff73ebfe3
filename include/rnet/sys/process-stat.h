/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process-stat - which process a pid is, for good
 *
 * A pid comes to be another's; pid and start time together do not.
 */
#ifndef RNET_SYS_PROCESS_STAT_H
#define RNET_SYS_PROCESS_STAT_H

#include <stdint.h>

#include <sys/types.h>

#include <rnet/util/error.h>

/*
 * When the process started, in clock ticks after boot (proc(5), stat, field
 * 22). RN_ERROR_NOT_FOUND: there is none, or it has ended and only waits to be
 * reaped.
 */
bool rn_process_start_time(pid_t pid, uint64_t *out_ticks,
                           GError **error) RN_CHECK;

/*
 * A pidfd (CLOEXEC, the caller's) of the process of that pid that started at
 * `ticks`. RN_ERROR_NOT_FOUND: it has ended.
 */
bool rn_process_open(pid_t pid, uint64_t ticks, int *out_pidfd,
                     GError **error) RN_CHECK;

/* The pid behind a pidfd in this process's pid namespace; 0: it has ended. */
pid_t rn_pidfd_pid(int pidfd);

/*
 * Overwrites this process's command line as ps(1) shows it with `name`, cut off
 * where there is no room: argv of main() must not be needed any more. Nothing
 * happens where /proc does not tell where it is.
 */
void rn_process_set_command_line(const char *name);

#endif
