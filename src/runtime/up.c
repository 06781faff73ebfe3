/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * up - makes the namespaces and the network of a command, and waits for it
 *
 * Runs in: `rnet up`, on the host, which is the network's monitor as well, and
 * in a guard, a fork of it that kills the command when rnet is gone.
 * Data: the words of the command line; protocol.h, "launcher and init" to the
 * child, GUARD_WATCH and GUARD_DONE to the guard.
 * Failure: leaves no process and no network behind.
 */
#include "config.h"

#include <rnet/runtime/up.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <sys/capability.h>

#include <rnet/net/network.h>
#include <rnet/runtime/foreground.h>
#include <rnet/runtime/join.h>
#include <rnet/runtime/plan-files.h>
#include <rnet/runtime/program.h>
#include <rnet/runtime/up-child.h>
#include <rnet/sys/caps.h>
#include <rnet/sys/process.h>
#include <rnet/sys/userns.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

static const char guard_name[] = "rnet-guard";

/* One command on its way. */
typedef struct Up {
    const RnUpRequest *request;
    RnNetworkWish wish;
    char *resolv_conf;
    uint64_t namespaces;
    RnUpPlan child_plan;
    GArray *listeners; /* NULL: none yet */
    RnLoop *loop;
    RnForked guard;   /* pid 0: none */
    int guard_socket; /* -1: it has been dismissed */
    RnNetwork *network;
    pid_t pid; /* the command's; 0: none, or reaped */
    int pidfd;
    int socket; /* to it, until its exec */
} Up;

static void dismiss_guard(Up *up)
{
    g_autoptr(GError) failure = NULL;

    if (up->guard_socket >= 0 &&
        !rn_msg_send(up->guard_socket, RN_MSG_GUARD_DONE, NULL, 0, NULL, 0,
                     &failure))
        rn_log_debug("guard: %s, ignoring", failure->message);
    rn_fd_close(&up->guard_socket);
    if (up->guard.pid > 0 && !rn_process_reap(up->guard.pid, NULL, NULL))
        rn_log_debug("the guard was reaped by someone else, ignoring");
    rn_fd_close(&up->guard.pidfd);
    rn_fd_close(&up->guard.report);
}

static void clear_up(Up *up)
{
    rn_fd_close(&up->socket);
    if (up->pid > 0)
        rn_process_end(up->pid, &up->pidfd);
    rn_fd_close(&up->pidfd);
    rn_network_free(up->network);
    dismiss_guard(up);
    rn_loop_free(up->loop);
    g_clear_pointer(&up->listeners, g_array_unref);
    g_free(up->resolv_conf);
    rn_network_wish_clear(&up->wish);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Up, clear_up)

/* Who has these may make network and mount namespaces, and set them up. */
static bool needs_userns(void)
{
    RnCapMask needed = RN_CAP_BIT(CAP_SYS_ADMIN) | RN_CAP_BIT(CAP_NET_ADMIN);

    /* helpers are exec'd: only root's keep their capabilities then */
    return geteuid() != 0 || (rn_caps_effective() & needed) != needed;
}

static bool decide(Up *up, GError **error)
{
    const RnUpRequest *request = up->request;
    g_auto(RnHostFacts) facts = { 0 };
    bool has_network = false;

    if (!rn_network_wish_parse(&request->words, &up->wish, error))
        return false;
    if (up->wish.options.mode == RN_NETWORK_HOST)
        return rn_set_error(error, RN_ERROR_INVALID,
                            "--network host: the command has that without "
                            "rnet");
    has_network = up->wish.options.mode == RN_NETWORK_SLIRP;
    rn_host_facts_init(&facts, false);
    if (has_network && up->wish.options.write_resolv_conf)
        up->resolv_conf = rn_plan_resolv_conf(&up->wish.plan, &up->wish.options,
                                              facts.resolv_conf);
    up->namespaces = CLONE_NEWNET;
    if (needs_userns())
        up->namespaces |= CLONE_NEWUSER;
    if (up->resolv_conf != NULL)
        up->namespaces |= CLONE_NEWNS;
    up->child_plan = (RnUpPlan){
        .args = request->args,
        .environment = request->environment,
        .resolv_conf = up->resolv_conf,
        .has_network = has_network,
    };
    if (sigprocmask(SIG_BLOCK, NULL, &up->child_plan.signal_mask) < 0)
        return rn_set_errno(error, errno, "read the signal mask");
    return true;
}

/* In the guard. The command's pidfd comes when there is a command. */
static int run_guard(void)
{
    g_auto(RnMsg) msg = { 0 };
    rn_autofd int pidfd = -1;
    g_autoptr(GError) failure = NULL;

    while (rn_msg_recv(RN_HELPER_FD, &msg, NULL)) {
        if (msg.type == RN_MSG_GUARD_DONE)
            return 0;
        if (msg.type == RN_MSG_GUARD_WATCH && msg.n_fds == 1) {
            rn_fd_close(&pidfd);
            pidfd = rn_msg_steal_fd(&msg, 0);
        }
    }
    if (pidfd >= 0 && !rn_pidfd_signal(pidfd, SIGKILL, &failure))
        rn_log_gerror(RN_LOG_WARNING, failure);
    return 0;
}

static bool start_guard(Up *up, GError **error)
{
    int pair[2] = { -1, -1 };
    bool forked = false;

    if (!rn_msg_pair(pair, error))
        return false;
    up->guard_socket = pair[0];
    forked = rn_helper_fork(guard_name, run_guard, pair[1],
                            RN_HELPER_OUTLIVES_CALLER, &up->guard, error);
    rn_fd_close(&pair[1]);
    return forked;
}

static bool clone_child(Up *up, GError **error)
{
    g_autoptr(GPtrArray) no_joins = g_ptr_array_new();
    int pair[2] = { -1, -1 };
    bool cloned = false;

    if (!rn_msg_pair(pair, error))
        return false;
    up->socket = pair[0];
    cloned =
        rn_join_clone(up->namespaces, no_joins, &up->pid, &up->pidfd, error);
    if (cloned && up->pid == 0) {
        /* else it would not see rnet's end, nor would the guard */
        rn_fd_close(&up->socket);
        rn_fd_close(&up->guard_socket);
        rn_up_child_main(&up->child_plan, pair[1]);
    }
    rn_fd_close(&pair[1]);
    return cloned && rn_helper_await(guard_name, up->guard.report, error) &&
           rn_msg_send(up->guard_socket, RN_MSG_GUARD_WATCH, NULL, 0,
                       &up->pidfd, 1, error);
}

static GArray *map_own_id(uint32_t id)
{
    const RnIdMapping own = { .container_id = id, .host_id = id, .size = 1 };
    GArray *maps = g_array_new(FALSE, FALSE, sizeof own);

    return g_array_append_val(maps, own);
}

static bool map_ids(const Up *up, GError **error)
{
    g_autoptr(GArray) uids = map_own_id(geteuid());
    g_autoptr(GArray) gids = map_own_id(getegid());

    return (up->namespaces & CLONE_NEWUSER) == 0 ||
           rn_userns_map(up->pid, uids, gids, error);
}

static bool say(const Up *up, RnMsgType type, GError **error)
{
    return rn_msg_send(up->socket, type, NULL, 0, NULL, 0, error);
}

static bool hear(const Up *up, RnMsgType type, GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    return rn_msg_expect(up->socket, type, 0, 0, &msg, error);
}

static void pass_notice(const char *line, void *data)
{
    const RnUpRequest *request = data;

    request->notice(line);
}

static bool start_network(Up *up, GError **error)
{
    const RnNetworkRequest request = {
        .plan = &up->wish.plan,
        .ranges = up->wish.ranges,
        .take_listeners = g_array_ref(up->listeners),
        .auto_publish = up->wish.auto_publish,
        .notice = pass_notice,
        .notice_data = (void *)up->request,
        .take_link = -1,
    };
    rn_autofd int netns_fd = -1;
    rn_autofd int userns_fd = -1;

    up->network = rn_network_new(&request);
    if (!rn_process_open_namespace(up->pid, "net", &netns_fd, error) ||
        ((up->namespaces & CLONE_NEWUSER) != 0 &&
         !rn_process_open_namespace(up->pid, "user", &userns_fd, error)) ||
        !rn_network_start(up->network, userns_fd, netns_fd, error) ||
        !rn_network_watch(up->network, up->loop, error))
        return false;
    rn_network_wish_announce(&up->wish, up->listeners, up->request->notice);
    return true;
}

static bool prepare_child(Up *up, GError **error)
{
    if (!clone_child(up, error) || !map_ids(up, error) ||
        !say(up, RN_MSG_MAPPED, error))
        return false;
    if (up->child_plan.has_network &&
        (!hear(up, RN_MSG_READY_FOR_NETWORK, error) ||
         !start_network(up, error) || !say(up, RN_MSG_NETWORK_UP, error)))
        return false;
    return hear(up, RN_MSG_PREPARED, error);
}

/* From a background process group of a terminal with tostop a notice would stop
 * rnet; the command's shell may have made this one such. */
static bool block_terminal_stop(GError **error)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTTOU);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return rn_set_errno(error, errno, "block SIGTTOU");
    return true;
}

/* The socket is close-on-exec: EOF is the exec's success. */
static bool start_command(Up *up, GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) end = NULL;

    if (!rn_front_prepare(-1, error) || !block_terminal_stop(error) ||
        !say(up, RN_MSG_START, error) || !hear(up, RN_MSG_EXECING, error))
        return false;
    if (rn_msg_recv(up->socket, &msg, &end))
        return rn_msg_take_error(&msg, error);
    if (!g_error_matches(end, RN_ERROR, RN_ERROR_PEER_DIED)) {
        g_propagate_error(error, g_steal_pointer(&end));
        return false;
    }
    rn_fd_close(&up->socket);
    return true;
}

static bool wait_for_end(Up *up, int *out_exit_code, GError **error)
{
    const RnFrontProcess process = {
        .pid = up->pid,
        .pidfd = up->pidfd,
        .terminal_fd = -1,
        .shares_terminal = true,
    };
    int ended_by = 0;
    int status = 0;

    if (!rn_front_wait(&process, up->loop, &ended_by, error) ||
        !rn_process_reap(up->pid, &status, error))
        return false;
    up->pid = 0;
    *out_exit_code = rn_process_exit_code(status);
    return true;
}

/* Told before anything is made; all else that may be wrong with it is told by
 * the exec. */
static bool check_command(const RnUpRequest *request, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    g_autofree char *unused = NULL;

    if (request->args[0][0] == '\0')
        return rn_set_error(error, RN_ERROR_PROGRAM_MISSING,
                            "the command is empty");
    if (rn_program_find(request->args[0], request->environment, NULL, true,
                        &path, &failure) ||
        !g_error_matches(failure, RN_ERROR, RN_ERROR_PROGRAM_MISSING))
        return true;
    /* its hint is about a bundle */
    text = rn_error_split(failure, &unused);
    return rn_set_error(error, RN_ERROR_PROGRAM_MISSING, "%s", text);
}

bool rn_up(const RnUpRequest *request, int *out_exit_code, GError **error)
{
    g_auto(Up) up = {
        .request = request,
        .guard = { .pidfd = -1, .report = -1 },
        .guard_socket = -1,
        .pidfd = -1,
        .socket = -1,
    };

    if (!decide(&up, error) || !check_command(request, error) ||
        !rn_listeners_open(up.wish.specs, &up.listeners, error) ||
        !start_guard(&up, error))
        return false;
    up.loop = rn_loop_new(error);
    return up.loop != NULL && prepare_child(&up, error) &&
           start_command(&up, error) && wait_for_end(&up, out_exit_code, error);
}
