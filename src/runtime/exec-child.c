/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec-child - the steps of a process that `exec` adds to a container
 *
 * Runs in the child of rn_join_clone_like(). It stays undumpable until the
 * exec, so that the container's processes, which see it, cannot take it over
 * or reach through its fds. Any failure is sent with its step's name in front.
 */
#include "config.h"

#include <rnet/runtime/exec-child.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/prctl.h>

#include <rnet/runtime/identity.h>
#include <rnet/runtime/payload.h>
#include <rnet/runtime/program.h>
#include <rnet/sys/pty.h>
#include <rnet/sys/rootpath.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

typedef struct Child {
    const RnExecPlan *exec;
    const RnProcess *process;
    int socket;
    int terminal; /* slave; -1 without process.terminal */
    bool cwd_was_denied;
    char *program;
} Child;

typedef bool (*StepFunc)(Child *child, GError **error);

typedef struct Step {
    const char *name; /* the prefix of its errors */
    StepFunc func;
} Step;

static bool settle_process(Child *child, GError **error)
{
    int first_fd = rn_payload_first_own_fd(child->exec->plan);
    int socket = fcntl(child->socket, F_DUPFD_CLOEXEC, first_fd);

    if (socket < 0)
        return rn_set_errno(error, errno, "move the command's socket");
    rn_fd_close(&child->socket);
    child->socket = socket;
    rn_fd_close_from(
        first_fd, (const int[]){ socket, child->exec->proc_fd, rn_log_file() },
        3);
    if (!rn_fd_fill_stdio(error))
        return false;
    /* without the caller's terminal as the controlling one */
    if (setsid() < 0)
        return rn_set_errno(error, errno, "start a session");
    return true;
}

/*
 * Until now the ids are the caller's, which the container need not even have.
 * The kernel drops the permission to be dumped at this as well.
 */
static bool become_worker(Child *child, GError **error)
{
    const RnExecPlan *exec = child->exec;

    /* so that the capabilities outlive the change wherever it leads to */
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "keep the capabilities");
    if (setresgid(exec->work_gid, exec->work_gid, exec->work_gid) < 0)
        return rn_set_errno(error, errno, "become gid %u", exec->work_gid);
    if (setresuid(exec->work_uid, exec->work_uid, exec->work_uid) < 0)
        return rn_set_errno(error, errno, "become uid %u", exec->work_uid);
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "stay undumpable");
    return true;
}

/* After the ids: keyrings are found by name among those of the user. */
static bool join_keyring(Child *child, GError **error)
{
    const RnExecPlan *exec = child->exec;

    return exec->plan->manner.keep_keyring ||
           rn_identity_join_keyring(exec->plan, exec->proc_fd, error);
}

static bool make_terminal(Child *child, int *out_master, GError **error)
{
    const RnProcess *process = child->process;
    rn_autofd int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    rn_autofd int devpts_fd = -1;
    rn_autofd int master = -1;

    if (root_fd < 0)
        return rn_set_errno(error, errno, "open the container's root");
    if (!rn_rootpath_open(root_fd, "/dev/pts", &devpts_fd, error) ||
        !rn_pty_open_in(devpts_fd, &master, &child->terminal, error))
        return rn_error_add_hint(error, "a terminal needs a mount of type "
                                        "devpts at /dev/pts");
    if (process->console_width > 0 && process->console_height > 0 &&
        !rn_pty_set_size(master, process->console_width,
                         process->console_height, error))
        return false;
    if (fchown(child->terminal, process->uid, (gid_t)-1) < 0)
        return rn_set_errno(error, errno, "give the terminal to uid %u",
                            process->uid);
    *out_master = g_steal_fd(&master);
    return true;
}

static bool open_terminal(Child *child, GError **error)
{
    rn_autofd int master = -1;

    return !child->process->terminal ||
           (make_terminal(child, &master, error) &&
            rn_msg_send(child->socket, RN_MSG_TERMINAL, NULL, 0, &master, 1,
                        error));
}

static bool find_program(Child *child, GError **error)
{
    const RnProcess *process = child->process;

    return rn_identity_enter_cwd(child->exec->plan, &child->cwd_was_denied,
                                 error) &&
           rn_program_find(process->args[0], process->env, process->cwd,
                           child->exec->foreign_formats, &child->program,
                           error);
}

static bool wait_for_start(Child *child, GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    return rn_msg_send(child->socket, RN_MSG_PREPARED, NULL, 0, NULL, 0,
                       error) &&
           rn_msg_expect(child->socket, RN_MSG_START, 0, 0, &msg, error);
}

static bool take_terminal(Child *child, GError **error)
{
    if (child->terminal < 0)
        return true;
    if (!rn_pty_make_stdio(child->terminal, error))
        return false;
    rn_fd_close(&child->terminal);
    return true;
}

static bool assume_identity(Child *child, GError **error)
{
    const RnIdentityChange change = {
        .proc_fd = child->exec->proc_fd,
        .cwd_was_denied = child->cwd_was_denied,
        .is_exec = true,
    };
    int proc_fd = child->exec->proc_fd;

    if (!rn_identity_assume(child->exec->plan, &change, error))
        return false;
    /* a path of the image's could lead through it up to the exec */
    rn_fd_close(&proc_fd);
    return true;
}

static bool exec_program(Child *child, GError **error)
{
    return rn_payload_exec(child->exec->plan, child->program,
                           child->exec->filter, child->socket, error);
}

static const Step steps[] = {
    { "process", settle_process }, { "user namespace", become_worker },
    { "keyring", join_keyring },   { "terminal", open_terminal },
    { "process", find_program },   { "start", wait_for_start },
    { "terminal", take_terminal }, { "process", assume_identity },
    { "exec", exec_program },
};

void rn_exec_child_main(const RnExecPlan *exec, int socket)
{
    Child child = {
        .exec = exec,
        .process = &exec->plan->config->process,
        .socket = socket,
        .terminal = -1,
    };
    GError *failure = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        rn_log_debug("exec: %s", steps[i].name);
        if (steps[i].func(&child, &failure))
            continue;
        g_prefix_error(&failure, "%s: ", steps[i].name);
        break;
    }
    /* the exec did not happen, so there is a failure; a command that is gone
     * does not hear of it */
    (void)rn_msg_send_error(child.socket, failure, NULL);
    _exit(EXIT_FAILURE);
}
