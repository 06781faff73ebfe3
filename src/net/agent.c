/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent - nsagent: joins the container's network namespace and serves sockets
 *
 * World on entry: exec'd by the monitor, host namespaces, the caller's ids,
 * the monitor's socket as RN_HELPER_FD. World while serving: the user and
 * network namespace of the container, the host's other namespaces,
 * CAP_NET_ADMIN and CAP_NET_BIND_SERVICE of that user namespace only, a
 * seccomp filter that opens no file and starts no process.
 *
 * Data: AGENT_SETUP in, the link's fd and sockets of exposed ports out; then
 * socket requests of the relay in, connected sockets out, one reply for each
 * request, in order. Of the monitor, ports that are published or not any more
 * (agent-ports.c); to it, what listens (agent-watch.c).
 * Failure: before READY it is sent to the monitor, and the process ends. A
 * relay that breaks the protocol, or goes, loses its serving socket and
 * nothing else. The monitor's EOF ends the process.
 */
#include "config.h"

#include <rnet/net/agent.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <linux/capability.h>
#include <sys/prctl.h>

#include <rnet/net/network.h>
#include <rnet/sys/caps.h>
#include <rnet/sys/confine.h>
#include <rnet/sys/loop.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

enum {
    REQUEST_BUDGET = 64, /* requests a turn, so that the monitor is heard */
};

/* Everything that serving needs, and why. */
static const char *const allowed_calls[] = {
    /* the event loop */
    "epoll_wait", "epoll_pwait", "epoll_ctl", "clock_gettime",
    "restart_syscall",
    /* messages and their fds */
    "recvmsg", "sendmsg", "close", "fcntl",
    /* routing rules and routes that come later, news of the network, and a
     * parameter's file that is open */
    "sendto", "recvfrom", "pwrite64",
    /* the sockets that are asked for */
    "socket", "setsockopt", "bind", "connect",
    /* malloc */
    "brk", "mmap", "munmap", "mremap", "madvise", "futex", "getrandom",
    /* the log, the end, and an abort that says so */
    "write", "exit", "exit_group", "rt_sigreturn", "rt_sigprocmask", "getpid",
    "gettid", "tgkill", NULL
};

typedef struct Agent {
    RnLoop *loop;
    int monitor; /* borrowed */
    RnWatch monitor_watch;
    int serving; /* -1: no relay at the moment */
    RnWatch serving_watch;
    bool has_pending; /* a reply that the full queue did not take */
    RnSocketReply pending;
    int pending_fds[RN_SPARES_MAX];
    unsigned n_pending_fds;
    int exit_status;
    RnAgentNetwork network;
    RnAgentManual *manual; /* NULL: the network is nsagent's own doing */
    RnAgentWatch *watch;   /* NULL: nobody asked for it */
    RnMsg msg;
} Agent;

static void close_pending_fds(Agent *agent)
{
    while (agent->n_pending_fds > 0)
        rn_fd_close(&agent->pending_fds[--agent->n_pending_fds]);
}

static void stop_serving(Agent *agent)
{
    rn_watch_remove(&agent->serving_watch);
    rn_fd_close(&agent->serving);
    close_pending_fds(agent);
    agent->has_pending = false;
}

/* Sends the pending reply without waiting; false with an errno. */
static bool send_pending(const Agent *agent, int *out_errno)
{
    g_autoptr(GError) failure = NULL;

    if (rn_msg_send(agent->serving, RN_MSG_SOCKET_REPLY, &agent->pending,
                    sizeof agent->pending, agent->pending_fds,
                    agent->n_pending_fds, &failure))
        return true;
    *out_errno = failure->domain == RN_ERRNO ? failure->code : EPIPE;
    return false;
}

/* Tries to get rid of the pending reply. */
static void flush_pending(Agent *agent)
{
    int errno_value = 0;
    bool sent = send_pending(agent, &errno_value);

    /* too many fds in flight, unix(7): the relay has to do without these */
    if (!sent && errno_value == ETOOMANYREFS) {
        close_pending_fds(agent);
        agent->pending.errno_value = EMFILE;
        sent = send_pending(agent, &errno_value);
    }
    if (sent) {
        close_pending_fds(agent);
        agent->has_pending = false;
        rn_watch_set_events(&agent->serving_watch, EPOLLIN);
    } else if (errno_value == EAGAIN) {
        rn_watch_set_events(&agent->serving_watch, EPOLLOUT);
    } else {
        stop_serving(agent);
    }
}

static void answer(Agent *agent, const RnSocketRequest *request)
{
    int errno_value = 0;

    agent->n_pending_fds =
        rn_agent_open_sockets(request, agent->pending_fds, &errno_value);
    agent->pending = (RnSocketReply){
        .id = request->id,
        .errno_value = agent->n_pending_fds > 0 ? 0 : errno_value,
    };
    agent->has_pending = true;
    flush_pending(agent);
}

/* Takes one request; false when there is none to take at the moment. */
static bool serve_one(Agent *agent)
{
    RnSocketRequest request = { 0 };
    int received = rn_msg_try_recv(agent->serving, &agent->msg);

    if (received == 0)
        return false;
    if (received < 0 || agent->msg.type != RN_MSG_SOCKET_REQUEST ||
        agent->msg.length != sizeof request || agent->msg.n_fds != 0) {
        rn_msg_clear(&agent->msg);
        stop_serving(agent);
        return false;
    }
    memcpy(&request, agent->msg.payload, sizeof request);
    answer(agent, &request);
    return true;
}

static void on_serving(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    Agent *agent = watch->data;
    unsigned budget = REQUEST_BUDGET;

    if (agent->has_pending)
        flush_pending(agent);
    while (budget-- > 0 && agent->serving >= 0 && !agent->has_pending) {
        if (!serve_one(agent))
            return;
    }
}

static bool begin_serving(Agent *agent, GError **error)
{
    stop_serving(agent);
    agent->serving = rn_msg_steal_fd(&agent->msg, 0);
    if (!rn_fd_set_nonblocking(agent->serving, true, error))
        return false;
    return rn_loop_add(agent->loop, &agent->serving_watch, agent->serving,
                       EPOLLIN, on_serving, agent, error);
}

static bool take_serving(Agent *agent, GError **error)
{
    if (agent->msg.length != 0 || agent->msg.n_fds != 1)
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "malformed serving socket");
    return begin_serving(agent, error);
}

/* What the kernel refuses costs that port, not the others. */
static bool take_range(Agent *agent, GError **error)
{
    bool is_published = agent->msg.type == RN_MSG_AGENT_PUBLISH;
    g_autoptr(GError) refusal = NULL;
    RnPortRange range = { 0 };

    if (agent->msg.length != sizeof range || agent->msg.n_fds != 0)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed range");
    memcpy(&range, agent->msg.payload, sizeof range);
    if (!rn_agent_check_range(&range, error))
        return false;
    if (!rn_agent_ports_change(agent->network.ports, &range, is_published,
                               &refusal))
        rn_log_warning("published ports: %s, ignoring", refusal->message);
    return true;
}

/* What the monitor says after READY. */
static const struct {
    uint32_t type;
    bool (*func)(Agent *agent, GError **error);
} messages[] = {
    { RN_MSG_AGENT_SERVE, take_serving },
    { RN_MSG_AGENT_PUBLISH, take_range },
    { RN_MSG_AGENT_WITHDRAW, take_range },
};

static bool take_message(Agent *agent, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        if (messages[i].type == agent->msg.type)
            return messages[i].func(agent, error);
    }
    return rn_set_error(error, RN_ERROR_PROTOCOL, "unexpected message %u",
                        agent->msg.type);
}

static void end(Agent *agent, int exit_status)
{
    agent->exit_status = exit_status;
    rn_loop_quit(agent->loop);
}

static void on_monitor(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    Agent *agent = watch->data;
    g_autoptr(GError) failure = NULL;
    int received = rn_msg_try_recv(agent->monitor, &agent->msg);

    if (received == 0)
        return;
    if (received < 0) {
        end(agent, errno == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
        return;
    }
    if (!take_message(agent, &failure)) {
        rn_log_gerror(RN_LOG_WARNING, failure);
        end(agent, EXIT_FAILURE);
    }
    rn_msg_clear(&agent->msg);
}

static bool join(const RnMsg *msg, GError **error)
{
    if (msg->n_fds == 2 && setns(msg->fds[1], CLONE_NEWUSER) < 0)
        return rn_set_errno(error, errno, "join the user namespace");
    if (setns(msg->fds[0], CLONE_NEWNET) < 0)
        return rn_set_errno(error, errno, "join the network namespace");
    return true;
}

/*
 * Once inside, root of the container has CAP_SYS_PTRACE over this process but
 * not over its memory's owner, the host's user namespace: a process that is
 * not dumpable cannot be traced then, ptrace(2). Without that, a container
 * that sees this process (no pid namespace) could use it to get out.
 */
static bool forbid_tracing(GError **error)
{
#ifndef RN_SANITIZERS /* the leak checker traces its own process */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return rn_set_errno(error, errno, "forbid tracing");
#else
    (void)error;
#endif
    return true;
}

static bool receive_setup(Agent *agent, RnAgentSetup *setup, GError **error)
{
    RnMsg *msg = &agent->msg;

    if (!rn_msg_recv(agent->monitor, msg, error))
        return false;
    if (msg->type != RN_MSG_AGENT_SETUP || msg->length != sizeof *setup ||
        msg->n_fds < 1 || msg->n_fds > 2)
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "message %u where the set-up was due", msg->type);
    memcpy(setup, msg->payload, sizeof *setup);
    return rn_agent_check_setup(setup, error);
}

static bool confine(GError **error)
{
    if (!rn_caps_confine(RN_CAP_BIT(CAP_NET_ADMIN) |
                             RN_CAP_BIT(CAP_NET_BIND_SERVICE),
                         error))
        return false;
    return rn_seccomp_allow_only(allowed_calls, error);
}

/* What goes on looking at the namespace, and opens its sockets now. */
static bool make_watchers(Agent *agent, const RnAgentSetup *setup,
                          GError **error)
{
    const RnAgentNetwork *network = &agent->network;

    if (setup->plan.is_manual) {
        agent->manual = rn_agent_manual_new(network, agent->loop, error);
        if (agent->manual == NULL)
            return false;
    }
    if (setup->watch_ports) {
        agent->watch = rn_agent_watch_new(&network->plan, agent->loop,
                                          agent->monitor, error);
        if (agent->watch == NULL)
            return false;
    }
    return true;
}

/* Everything up to READY. */
static bool set_up(Agent *agent, GError **error)
{
    RnAgentSetup setup = { 0 };
    RnAgentNetwork *network = &agent->network;
    RnAgentReady ready = { 0 };

    agent->loop = rn_loop_new(error);
    if (agent->loop == NULL || !forbid_tracing(error) ||
        !receive_setup(agent, &setup, error) || !join(&agent->msg, error))
        return false;
    rn_msg_clear(&agent->msg);
    rn_log_set_level(setup.log_level);
    if (!rn_agent_configure(&setup, network, error))
        return false;
    if (setup.make_link != 0 &&
        !rn_agent_expose(&network->plan, agent->monitor, error))
        return false;
    if (!make_watchers(agent, &setup, error) || !confine(error) ||
        !rn_fd_set_nonblocking(agent->monitor, true, error) ||
        !rn_loop_add(agent->loop, &agent->monitor_watch, agent->monitor,
                     EPOLLIN, on_monitor, agent, error))
        return false;
    /* the first nsagent settles it, see rn_agent_configure() */
    ready.handoff_mode =
        network->nft != NULL || setup.plan.handoff_mode == RN_HANDOFF_MODE_ON
            ? RN_HANDOFF_MODE_ON
            : RN_HANDOFF_MODE_OFF;
    memcpy(ready.guest_mac, network->plan.guest_mac, sizeof ready.guest_mac);
    if (!rn_msg_send(agent->monitor, RN_MSG_AGENT_READY, &ready, sizeof ready,
                     &network->link, network->link >= 0 ? 1 : 0, error))
        return false;
    rn_fd_close(&network->link); /* the monitor's now */
    return true;
}

static void clear_agent(Agent *agent)
{
    if (agent->loop != NULL) {
        stop_serving(agent);
        rn_watch_remove(&agent->monitor_watch);
    }
    rn_agent_manual_free(agent->manual);
    rn_agent_watch_free(agent->watch);
    rn_msg_clear(&agent->msg);
    rn_agent_network_clear(&agent->network);
    rn_loop_free(agent->loop);
}

/* The namespace may live on: what would lead its TCP to nobody goes. The
 * table of nf_tables goes by itself. */
static void leave(const RnAgentNetwork *network)
{
    if (network->nft == NULL)
        return;
    rn_agent_end_hand_off(&network->plan, network->netlink, AF_INET);
    if (network->has_ipv6)
        rn_agent_end_hand_off(&network->plan, network->netlink, AF_INET6);
}

int rn_agent_run(int socket)
{
    Agent agent = { .monitor = socket,
                    .serving = -1,
                    .network = { .link = -1 } };
    g_autoptr(GError) failure = NULL;

    if (!set_up(&agent, &failure)) {
        /* a monitor that cannot be told is gone, and notices nothing else */
        (void)rn_msg_send_error(socket, failure, NULL);
        clear_agent(&agent);
        return EXIT_FAILURE;
    }
    if (!rn_loop_run(agent.loop, &failure)) {
        rn_log_gerror(RN_LOG_ERROR, failure);
        agent.exit_status = EXIT_FAILURE;
    }
    if (agent.exit_status == EXIT_SUCCESS)
        leave(&agent.network);
    clear_agent(&agent);
    return agent.exit_status;
}

int rn_agent_main(void)
{
    rn_helper_take_name(RN_AGENT_NAME);
    return rn_agent_run(RN_HELPER_FD);
}
