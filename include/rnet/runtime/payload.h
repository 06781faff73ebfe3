/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload - the last step of init and of the process of `exec`
 */
#ifndef RNET_RUNTIME_PAYLOAD_H
#define RNET_RUNTIME_PAYLOAD_H

#include <rnet/runtime/plan.h>

/* The first fd that is neither stdio nor one that the program is to have. */
int rn_payload_first_own_fd(const RnPlan *plan);

/*
 * Says EXECING on `socket` and executes the file `program` with the arguments
 * and the environment of plan->config->process, where HOME (home.h), if it is
 * unset or empty, LISTEN_FDS and LISTEN_PID are added, behind `filter` (NULL:
 * none), as exec-program.h has it. Returns false, if at all:
 * RN_ERROR_PROGRAM_MISSING or RN_ERROR_PROGRAM_UNRUNNABLE.
 */
bool rn_payload_exec(const RnPlan *plan, const char *program,
                     const RnSeccompProgram *filter, int socket,
                     GError **error) RN_CHECK;

#endif
