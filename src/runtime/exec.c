/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec - starts a process in a container, and waits for it
 *
 * Runs in the command, on the host. In: the container's record and its
 * configuration as it was at creation. The process (exec-child.c) is this
 * one's child; until it has executed its program it ends with any failure here.
 * Failure: leaves no process behind, and the container as it was.
 */
#include "config.h"

#include <rnet/runtime/exec.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <rnet/runtime/exec-child.h>
#include <rnet/runtime/foreground.h>
#include <rnet/runtime/handover.h>
#include <rnet/runtime/identity.h>
#include <rnet/runtime/init-talk.h>
#include <rnet/runtime/join.h>
#include <rnet/runtime/managed.h>
#include <rnet/sys/binfmt.h>
#include <rnet/sys/process.h>
#include <rnet/sys/schedule.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

enum {
    MAP_MAX = 32768 /* bytes of /proc/PID/uid_map: RN_IDMAP_MAX lines */
};

/* One process on its way. */
typedef struct Exec {
    const RnExecRequest *request;
    RnManaged *managed;
    RnConfig *config; /* with the process to start */
    RnPlan plan;
    RnSeccompProgram *filter;
    int proc_fd;
    RnExecPlan child_plan;
    pid_t pid; /* 0: none, or reaped, or left alone */
    int pidfd;
    int socket;      /* to the process */
    int terminal_fd; /* its terminal's master, or -1 */
} Exec;

static void clear_exec(Exec *exec)
{
    rn_fd_close(&exec->socket);
    if (exec->pid > 0)
        rn_process_end(exec->pid, &exec->pidfd);
    rn_fd_close(&exec->pidfd);
    rn_fd_close(&exec->terminal_fd);
    rn_fd_close(&exec->proc_fd);
    rn_seccomp_program_free(exec->filter);
    rn_managed_free(exec->managed);
    rn_config_free(exec->config);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Exec, clear_exec)

/* runc's words; a created container can be entered before it is started. */
static bool check_state(const Exec *exec, GError **error)
{
    RnStatus status = rn_managed_status(exec->managed);

    switch (status) {
    case RN_STATUS_CREATED:
    case RN_STATUS_RUNNING:
        return true;
    case RN_STATUS_PAUSED:
        if (exec->request->ignore_paused)
            return true;
        (void)rn_set_error(error, RN_ERROR_STATE,
                           "cannot exec in a paused container");
        return rn_error_add_hint(error, "resume it, or use --ignore-paused");
    case RN_STATUS_CREATING:
    case RN_STATUS_STOPPED:
    case RN_STATUS_N_:
        break;
    }
    return rn_set_error(error, RN_ERROR_STATE, "cannot exec in a %s container",
                        rn_status_word(status));
}

static bool check_terminal(const Exec *exec, GError **error)
{
    const RnExecRequest *request = exec->request;
    bool terminal = exec->config->process.terminal;

    if (request->console_socket != NULL && !terminal)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "--console-socket: the process has no terminal, "
                            "add --tty");
    if (request->console_socket != NULL && !request->detach)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "--console-socket: the terminal is this one, add "
                            "--detach");
    if (terminal && request->detach && request->console_socket == NULL)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "a terminal of a process that is left alone needs "
                            "--console-socket");
    return true;
}

/* The id 0 if the container has it, else its first one: the container may have
 * got a user namespace that its configuration does not tell of. */
static bool find_work_id(pid_t pid, const char *file, uint32_t *out_id,
                         GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, file);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    uint64_t lowest = UINT64_MAX;

    if (!rn_file_read(AT_FDCWD, path, MAP_MAX, &text, NULL, error))
        return false;
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i] != NULL; i++) {
        if (g_strstrip(lines[i])[0] != '\0')
            lowest = MIN(lowest, g_ascii_strtoull(lines[i], NULL, 10));
    }
    if (lowest > UINT32_MAX)
        return rn_set_error(error, RN_ERROR_STATE, "\"%s\" has no id", path);
    *out_id = (uint32_t)lowest;
    return true;
}

/* What was passed over of a process that is not the bundle's: those of the
 * bundle were told when the container was made. */
static void log_warnings(const Exec *exec)
{
    const GPtrArray *warnings = exec->config->process.warnings;

    if (exec->request->wishes.process_file == NULL)
        return;
    for (unsigned i = 0; i < warnings->len; i++)
        rn_log_warning("--process: %s",
                       (const char *)g_ptr_array_index(warnings, i));
}

static bool decide(Exec *exec, GError **error)
{
    const RnExecRequest *request = exec->request;
    const RnRecord *record = rn_managed_record(exec->managed);
    pid_t pid = rn_managed_pid(exec->managed);

    exec->config = rn_managed_load_config(exec->managed, error);
    if (exec->config == NULL ||
        !rn_exec_process_choose(&exec->config->process, &request->wishes,
                                error) ||
        !check_terminal(exec, error))
        return false;
    log_warnings(exec);
    exec->plan = (RnPlan){
        .config = exec->config,
        .id = record->id,
        .bundle = record->bundle,
        .rootfs = record->rootfs,
        .namespaces = exec->config->namespaces,
        .joins = exec->config->joins,
        .manner.preserved_fds = request->preserve_fds + request->listen_fds,
        .manner.listen_fds = request->listen_fds,
    };
    if (exec->config->seccomp != NULL) {
        exec->filter = rn_seccomp_compile(exec->config->seccomp, error);
        if (exec->filter == NULL)
            return false;
    }
    if (!rn_identity_open_proc(&exec->plan, &exec->proc_fd, error))
        return false;
    exec->child_plan = (RnExecPlan){
        .plan = &exec->plan,
        .foreign_formats = rn_binfmt_has_entries(),
        .proc_fd = exec->proc_fd,
        .filter = exec->filter,
    };
    return find_work_id(pid, "uid_map", &exec->child_plan.work_uid, error) &&
           find_work_id(pid, "gid_map", &exec->child_plan.work_gid, error);
}

/* Both are inherited. The process itself could not set its score: it is not
 * dumpable, so that its files in /proc are the host root's, proc(5). */
static bool set_inherited(const Exec *exec, GError **error)
{
    const char *cpus = exec->config->process.affinity_initial;

    if (cpus != NULL && !rn_cpu_affinity_set(cpus, error)) {
        g_prefix_error(error, "process.execCPUAffinity.initial: ");
        return false;
    }
    return rn_identity_set_oom_score(&exec->plan, exec->proc_fd, error);
}

static bool clone_child(Exec *exec, GError **error)
{
    int pair[2] = { -1, -1 };

    if (!set_inherited(exec, error) || !rn_msg_pair(pair, error))
        return false;
    exec->socket = pair[0];
    if (!rn_join_clone_like(rn_managed_pidfd(exec->managed),
                            rn_managed_pid(exec->managed), &exec->pid,
                            &exec->pidfd, error)) {
        rn_fd_close(&pair[1]);
        return false;
    }
    if (exec->pid == 0)
        rn_exec_child_main(&exec->child_plan, pair[1]);
    rn_fd_close(&pair[1]);
    return true;
}

static bool enter_cgroup(const Exec *exec, GError **error)
{
    const RnCgroup *cgroup = rn_managed_cgroup(exec->managed);
    const char *path = exec->request->cgroup;

    if (path == NULL)
        return rn_cgroup_add(cgroup, exec->pid, error);
    if (rn_cgroup_add_below(cgroup, path, exec->pid, error))
        return true;
    g_prefix_error(error, "--cgroup: ");
    return false;
}

static bool hand_over(const Exec *exec, GError **error)
{
    const RnExecRequest *request = exec->request;

    return (request->console_socket == NULL ||
            rn_handover_console(request->console_socket, exec->terminal_fd,
                                error)) &&
           (request->pid_file == NULL ||
            rn_handover_pid(request->pid_file, exec->pid, error));
}

/* Up to the program: it runs when this returns. */
static bool start_child(Exec *exec, GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    if (!clone_child(exec, error) || !enter_cgroup(exec, error))
        return false;
    rn_log_debug("exec: joined the container as process %d", (int)exec->pid);
    if (exec->config->process.terminal) {
        if (!rn_init_hear(exec->socket, RN_MSG_TERMINAL, 1, &msg, error))
            return false;
        exec->terminal_fd = rn_msg_steal_fd(&msg, 0);
    }
    if (!rn_init_hear(exec->socket, RN_MSG_PREPARED, 0, &msg, error) ||
        !hand_over(exec, error))
        return false;
    if (!exec->request->detach && !rn_front_prepare(exec->terminal_fd, error))
        return false;
    return rn_init_start(exec->socket,
                         &(RnInitStart){
                             .seccomp = exec->config->seccomp,
                             .record = rn_managed_record(exec->managed),
                             .pid = exec->pid,
                         },
                         error);
}

static bool wait_for_end(Exec *exec, int *out_exit_code, GError **error)
{
    g_autoptr(RnLoop) loop = rn_loop_new(error);
    const RnFrontProcess process = {
        .pid = exec->pid,
        .pidfd = exec->pidfd,
        .terminal_fd = exec->terminal_fd,
    };
    int ended_by = 0;
    int status = 0;

    if (loop == NULL || !rn_front_wait(&process, loop, &ended_by, error) ||
        !rn_process_reap(exec->pid, &status, error))
        return false;
    exec->pid = 0;
    *out_exit_code = rn_process_exit_code(status);
    return true;
}

static bool run_exec(Exec *exec, int *out_exit_code, GError **error)
{
    const RnExecRequest *request = exec->request;

    exec->managed = rn_managed_open(request->state_dir, request->id, error);
    if (exec->managed == NULL || !check_state(exec, error) ||
        !decide(exec, error) || !start_child(exec, error))
        return false;
    if (!request->detach)
        return wait_for_end(exec, out_exit_code, error);
    exec->pid = 0;
    *out_exit_code = 0;
    return true;
}

bool rn_exec(const RnExecRequest *request, int *out_exit_code, GError **error)
{
    g_auto(Exec) exec = {
        .request = request,
        .pidfd = -1,
        .socket = -1,
        .terminal_fd = -1,
        .proc_fd = -1,
    };

    if (rn_handover_check_fds(request->preserve_fds + request->listen_fds,
                              error) &&
        run_exec(&exec, out_exit_code, error))
        return true;
    g_prefix_error(error, "exec \"%s\": ", request->id);
    return false;
}
