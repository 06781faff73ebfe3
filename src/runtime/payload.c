/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * payload - from rnet's process to the container's program
 *
 * Runs in init and in the process of `exec`, which are what the program is to
 * be but for the exec itself. Failure: the exec's, as an error that travels
 * over the socket, which is open as long as there was none.
 */
#include "config.h"

#include <rnet/runtime/payload.h>

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include <rnet/runtime/exec-program.h>
#include <rnet/runtime/home.h>
#include <rnet/sys/process.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

int rn_payload_first_own_fd(const RnPlan *plan)
{
    return STDERR_FILENO + 1 + (int)plan->manner.preserved_fds;
}

static char **add_home(char **env, const RnProcess *process)
{
    const char *present = g_environ_getenv(env, "HOME");
    g_autofree char *home = NULL;

    if (present != NULL && present[0] != '\0')
        return env;
    home = rn_home_find(process->uid);
    return g_environ_setenv(env, "HOME", home, TRUE);
}

/* sd_listen_fds(3): how many there are from 3 on, and for which process. */
static char **add_listen_fds(char **env, unsigned n)
{
    g_autofree char *count = g_strdup_printf("%u", n);
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());

    if (n == 0)
        return env;
    env = g_environ_setenv(env, "LISTEN_FDS", count, TRUE);
    return g_environ_setenv(env, "LISTEN_PID", pid, TRUE);
}

static char **make_environment(const RnPlan *plan)
{
    const RnProcess *process = &plan->config->process;

    return add_listen_fds(add_home(g_strdupv(process->env), process),
                          plan->manner.listen_fds);
}

bool rn_payload_exec(const RnPlan *plan, const char *program,
                     const RnSeccompProgram *filter, int socket, GError **error)
{
    g_auto(GStrv) environment = make_environment(plan);
    const RnExecution execution = {
        .path = program,
        .args = plan->config->process.args,
        .env = environment,
        .filter = filter,
        .socket = socket,
    };

    /* all are CLOEXEC anyway; this is for a library that forgot */
    if (close_range((unsigned)rn_payload_first_own_fd(plan), UINT_MAX,
                    CLOSE_RANGE_CLOEXEC) < 0)
        return rn_set_errno(error, errno, "close all fds");
    rn_signals_reset();
    /* also the look whether the launcher still lives, for PR_SET_PDEATHSIG
     * says nothing about a parent that ended before */
    return rn_msg_send(socket, RN_MSG_EXECING, NULL, 0, NULL, 0, error) &&
           rn_exec_program(&execution, error);
}
