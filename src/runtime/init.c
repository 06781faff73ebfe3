/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init - the steps from clone to exec
 *
 * World on entry: a fork of the launcher in the plan's new namespaces, its
 * stdio, no ids mapped yet. World at exec: config.json's. In between init
 * answers the launcher as protocol.h, "launcher and init", has it, and waits
 * for nothing else; a launcher that is gone ends it at the next message. The
 * container's files are hostile from the first step to the last, its processes
 * do not exist yet. Any failure is sent with its step's name in front.
 */
#include "config.h"

#include <rnet/runtime/init.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <rnet/runtime/devices.h>
#include <rnet/runtime/hook-state.h>
#include <rnet/runtime/identity.h>
#include <rnet/runtime/mount-sources.h>
#include <rnet/runtime/payload.h>
#include <rnet/runtime/program.h>
#include <rnet/runtime/rootfs.h>
#include <rnet/sys/binfmt.h>
#include <rnet/sys/netlink.h>
#include <rnet/sys/pty.h>
#include <rnet/sys/seccomp-filter.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

typedef struct Init {
    const RnPlan *plan;
    int socket;
    int start_socket; /* listening: START comes over a connection; or -1 */
    RnRootfs rootfs;
    int terminal;         /* slave; -1 without process.terminal */
    int proc_fd;          /* of the host's /proc */
    bool foreign_formats; /* the kernel may run other than its own programs */
    bool cwd_was_denied;
    char *program;
    RnSeccompProgram *filter; /* NULL: none */
} Init;

typedef bool (*StepFunc)(Init *init, GError **error);

typedef struct Step {
    const char *name; /* the prefix of its errors */
    StepFunc func;
} Step;

static bool hear(const Init *init, RnMsgType type, GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    return rn_msg_expect(init->socket, type, 0, 0, &msg, error);
}

static bool say(const Init *init, RnMsgType type, GError **error)
{
    return rn_msg_send(init->socket, type, NULL, 0, NULL, 0, error);
}

static bool move_up(const Init *init, int *fd, GError **error)
{
    int moved = -1;

    if (*fd < 0 || *fd >= rn_payload_first_own_fd(init->plan))
        return true;
    moved = fcntl(*fd, F_DUPFD_CLOEXEC, rn_payload_first_own_fd(init->plan));
    if (moved < 0)
        return rn_set_errno(error, errno, "move the launcher's socket");
    rn_fd_close(fd);
    *fd = moved;
    return true;
}

/* A closed fd among 0 to 2 would be the next file that anyone opens. */
static bool settle_stdio(Init *init, GError **error)
{
    if (!move_up(init, &init->socket, error) ||
        !move_up(init, &init->start_socket, error))
        return false;
    rn_fd_close_from(
        rn_payload_first_own_fd(init->plan),
        (const int[]){ init->socket, init->start_socket, rn_log_file() }, 3);
    return rn_fd_fill_stdio(error);
}

static bool settle_process(Init *init, GError **error)
{
    if (!settle_stdio(init, error))
        return false;
    /* in the launcher's session and group, keys like Ctrl-C would reach the
     * payload twice: from the terminal and from the launcher */
    if (setsid() < 0)
        return rn_set_errno(error, errno, "start a session");
    /* the modes in include/rnet/sys/rootpath.h hold whatever the caller has */
    (void)umask(022);
    /* the files of /proc/self should be this process's, proc(5) */
    if (!rn_plan_hides_init(init->plan) &&
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "make /proc/self accessible");
    return true;
}

static bool wait_for_maps(Init *init, GError **error)
{
    init->rootfs.sources = rn_mount_sources_new(init->plan);
    return hear(init, RN_MSG_MAPPED, error) &&
           rn_mount_sources_receive(init->plan, init->socket,
                                    init->rootfs.sources, error);
}

static bool open_proc(Init *init, GError **error)
{
    return rn_identity_open_proc(init->plan, &init->proc_fd, error);
}

static bool set_oom_score(Init *init, GError **error)
{
    /* what is not its own file the launcher has set */
    return rn_plan_hides_init(init->plan) ||
           rn_identity_set_oom_score(init->plan, init->proc_fd, error);
}

static bool become_root(Init *init, GError **error)
{
    return rn_identity_become_root(init->plan, error);
}

static bool join_keyring(Init *init, GError **error)
{
    return init->plan->manner.keep_keyring ||
           rn_identity_join_keyring(init->plan, init->proc_fd, error);
}

/* See RN_PLAN_LATE_NAMESPACES: by now init is in its cgroup. */
static bool make_late_namespaces(Init *init, GError **error)
{
    if ((init->plan->namespaces & CLONE_NEWCGROUP) != 0 &&
        unshare(CLONE_NEWCGROUP) < 0)
        return rn_set_errno(error, errno, "make a cgroup namespace");
    return rn_identity_make_time_namespace(init->plan, init->proc_fd, error);
}

static bool wait_for_network(Init *init, GError **error)
{
    const RnPlan *plan = init->plan;

    if (plan->has_network) /* nsagent sets all of it up */
        return say(init, RN_MSG_READY_FOR_NETWORK, error) &&
               hear(init, RN_MSG_NETWORK_UP, error);
    return (plan->namespaces & CLONE_NEWNET) == 0 ||
           rn_netlink_loopback_up(error);
}

static bool set_names(Init *init, GError **error)
{
    const char *hostname = init->plan->hostname;
    const char *domainname = init->plan->config->domainname;

    if (hostname == NULL && domainname == NULL)
        return true;
    if ((init->plan->namespaces & CLONE_NEWUTS) == 0 &&
        !rn_plan_joins(init->plan, CLONE_NEWUTS))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "hostname and domainname need a uts namespace in "
                            "linux.namespaces");
    if (hostname != NULL && sethostname(hostname, strlen(hostname)) < 0)
        return rn_set_errno(error, errno, "set \"%s\"", hostname);
    if (domainname != NULL && setdomainname(domainname, strlen(domainname)) < 0)
        return rn_set_errno(error, errno, "set the domain \"%s\"", domainname);
    return true;
}

/* createRuntime hooks look at the root file system from outside, those of
 * createContainer from inside, both before it is entered. */
static bool wait_for_hooks(Init *init, GError **error)
{
    return (!rn_plan_has_runtime_hooks(init->plan) ||
            (say(init, RN_MSG_MOUNTED, error) &&
             hear(init, RN_MSG_HOOKS_RAN, error))) &&
           rn_plan_run_hooks(init->plan, RN_HOOK_CREATE_CONTAINER, getpid(),
                             error);
}

static bool build_rootfs(Init *init, GError **error)
{
    const GPtrArray *left_out = init->rootfs.left_out;

    init->foreign_formats = rn_binfmt_has_entries();
    if (!rn_rootfs_build(init->plan, &init->rootfs, error))
        return false;
    for (unsigned i = 0; i < left_out->len; i++)
        rn_log_warning("rootfs: %s; ignoring",
                       (const char *)g_ptr_array_index(left_out, i));
    return true;
}

static bool open_terminal(Init *init, GError **error)
{
    rn_autofd int master = -1;

    if (!init->plan->config->process.terminal)
        return true;
    return rn_devices_add_console(init->plan, init->rootfs.fd, &master,
                                  &init->terminal, error) &&
           rn_msg_send(init->socket, RN_MSG_TERMINAL, NULL, 0, &master, 1,
                       error);
}

static bool enter_rootfs(Init *init, GError **error)
{
    if (!rn_rootfs_enter(init->plan, &init->rootfs, error))
        return false;
    rn_rootfs_clear(&init->rootfs);
    return true;
}

static bool find_program(Init *init, GError **error)
{
    const RnProcess *process = &init->plan->config->process;

    return rn_identity_enter_cwd(init->plan, &init->cwd_was_denied, error) &&
           rn_program_find(process->args[0], process->env, process->cwd,
                           init->foreign_formats, &init->program, error);
}

static bool compile_filter(Init *init, GError **error)
{
    const RnSeccomp *seccomp = init->plan->config->seccomp;

    if (seccomp == NULL)
        return true;
    init->filter = rn_seccomp_compile(seccomp, error);
    return init->filter != NULL;
}

/* One connection of a `start`; *out_started is false if it went away before
 * it said so, and another may come. */
static bool hear_start(Init *init, int connection, bool *out_started,
                       GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) failure = NULL;

    *out_started =
        rn_msg_expect(connection, RN_MSG_START, 0, 0, &msg, &failure);
    if (!*out_started) {
        rn_log_debug("start: %s; waiting for another", failure->message);
        return true;
    }
    rn_fd_close(&init->socket);
    rn_fd_close(&init->start_socket);
    init->socket =
        fcntl(connection, F_DUPFD_CLOEXEC, rn_payload_first_own_fd(init->plan));
    return init->socket >= 0 ||
           rn_set_errno(error, errno, "keep the connection");
}

/* Only who can enter the entry's directory can connect: state.h. */
static bool wait_for_start(Init *init, GError **error)
{
    bool started = false;

    if (!say(init, RN_MSG_PREPARED, error))
        return false;
    if (init->start_socket < 0)
        return hear(init, RN_MSG_START, error);
    while (!started) {
        rn_autofd int connection =
            accept4(init->start_socket, NULL, NULL, SOCK_CLOEXEC);

        if (connection < 0 && errno != EINTR)
            return rn_set_errno(error, errno, "wait for `start`");
        if (connection >= 0 && !hear_start(init, connection, &started, error))
            return false;
    }
    return true;
}

/* Before `start`: containerd reads what `create` writes to the end, so nothing
 * of that may stay open in here. */
static bool take_terminal(Init *init, GError **error)
{
    if (init->terminal < 0)
        return true;
    if (!rn_pty_make_stdio(init->terminal, error))
        return false;
    rn_fd_close(&init->terminal);
    return true;
}

static bool assume_identity(Init *init, GError **error)
{
    const RnIdentityChange change = {
        .proc_fd = init->proc_fd,
        .cwd_was_denied = init->cwd_was_denied,
    };

    if (!rn_identity_assume(init->plan, &change, error))
        return false;
    /* a hook, or a path of the image's, could lead through it */
    rn_fd_close(&init->proc_fd);
    return true;
}

/* As the payload, with runc and crun, too: these programs are the image's. */
static bool run_start_hooks(Init *init, GError **error)
{
    return rn_plan_run_hooks(init->plan, RN_HOOK_START_CONTAINER, getpid(),
                             error);
}

static bool exec_program(Init *init, GError **error)
{
    return rn_payload_exec(init->plan, init->program, init->filter,
                           init->socket, error);
}

/* A failure before MAPPED would compete with the launcher's own about a
 * process that has gone: so as little as can be comes before it. */
static const Step steps[] = {
    { "process", settle_process },
    { "user namespace", wait_for_maps },
    { "process", open_proc },
    { "oom score", set_oom_score },
    { "user namespace", become_root },
    { "keyring", join_keyring },
    { "namespaces", make_late_namespaces },
    { "network", wait_for_network },
    { "hostname", set_names },
    { "rootfs", build_rootfs },
    { "hooks", wait_for_hooks },
    { "terminal", open_terminal },
    { "rootfs", enter_rootfs },
    { "process", find_program },
    { "process", compile_filter },
    { "terminal", take_terminal },
    { "start", wait_for_start },
    { "process", assume_identity },
    { "hooks", run_start_hooks },
    { "exec", exec_program },
};

void rn_init_main(const RnPlan *plan, int socket, int start_socket)
{
    Init init = {
        .plan = plan,
        .socket = socket,
        .start_socket = start_socket,
        .terminal = -1,
        .proc_fd = -1,
    };
    GError *failure = NULL;

    rn_rootfs_init(&init.rootfs);
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        rn_log_debug("init: %s", steps[i].name);
        if (steps[i].func(&init, &failure))
            continue;
        g_prefix_error(&failure, "%s: ", steps[i].name);
        break;
    }
    /* exec did not happen, so there is a failure; a launcher that is gone does
     * not hear of it */
    (void)rn_msg_send_error(init.socket, failure, NULL);
    _exit(EXIT_FAILURE);
}
