/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * processes - what runs in a container
 */
#ifndef RNET_RUNTIME_PROCESSES_H
#define RNET_RUNTIME_PROCESSES_H

#include <rnet/runtime/managed.h>

/*
 * The container's processes as the caller's pid namespace has them: GArray of
 * pid_t in rising order, the caller's; empty for one that has ended. From its
 * cgroup, or without one from its pid namespace; RN_ERROR_UNSUPPORTED if it has
 * neither.
 */
bool rn_processes_list(const RnManaged *managed, GArray **out_pids,
                       GError **error) RN_CHECK;

/* An array of numbers, a new reference. */
json_t *rn_processes_to_json(const GArray *pids) RN_CHECK;

/*
 * Runs the host's ps(1), looked up in $PATH, with `arguments`
 * (NULL-terminated; none: -ef) and gives `write` of its output the first line
 * and those of the processes `pids`. The first line must have a column PID.
 */
typedef bool (*RnProcessesWrite)(const char *text, GError **error);
bool rn_processes_show(const GArray *pids, const char *const *arguments,
                       RnProcessesWrite write, GError **error) RN_CHECK;

#endif
