/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-program - the last step: the system call filter, then execve(2)
 */
#ifndef RNET_RUNTIME_EXEC_PROGRAM_H
#define RNET_RUNTIME_EXEC_PROGRAM_H

#include <rnet/sys/seccomp-filter.h>

/* All borrowed. */
typedef struct RnExecution {
    const char *path;
    char **args, **env;
    const RnSeccompProgram *filter; /* NULL: none */
    int socket; /* to the launcher, which has got EXECING; CLOEXEC */
} RnExecution;

/*
 * Becomes the program; to be called by the only thread of the process, after
 * rn_identity_assume(). Errors are RN_ERROR_PROGRAM_MISSING (127) and
 * RN_ERROR_PROGRAM_UNRUNNABLE (126) where exec failed, others for the filter.
 *
 * Without a filter a failure is returned. With one, once it is in force, the
 * calling thread could not be sure of any system call, so this function does
 * not return: a second thread, which the filter does not hold, sends
 * SECCOMP_LISTENER where there is a listener, and FAILED (with "exec: " in
 * front) if execve(2) fails or the filter ends the first thread; then it ends
 * the process. The exec itself ends the second thread, without a trace.
 */
bool rn_exec_program(const RnExecution *execution, GError **error) RN_CHECK;

#endif
