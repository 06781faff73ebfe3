/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container - carries out a plan from the launcher's side
 *
 * Runs in the launcher, on the host. Talks to init, nsagent, the relay (the
 * last two through net/network) and the guard. What exists is recorded in
 * RnContainer as it comes into being, so that rn_container_free() undoes a
 * container in any state, half-made ones included. A message of init's is
 * checked for type and size only: it carries no data that is acted on.
 */
#include "config.h"

#include <rnet/runtime/container.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <rnet/net/network.h>
#include <rnet/oci/state.h>
#include <rnet/runtime/guard.h>
#include <rnet/runtime/init.h>
#include <rnet/sys/process.h>
#include <rnet/sys/userns.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

struct RnContainer {
    const RnPlan *plan;
    char *bundle;
    int base_fd;
    RnEntry *entry;
    RnGuard *guard;
    RnNetwork *network; /* NULL without one */
    pid_t pid;          /* 0: none, or reaped */
    int pidfd;
    int socket; /* to init */
    int terminal_fd;
};

static RnContainer *new_container(const RnContainerRequest *request)
{
    RnContainer *container = g_new0(RnContainer, 1);

    container->plan = request->plan;
    container->bundle = g_strdup(request->bundle);
    container->base_fd = -1;
    container->pidfd = -1;
    container->socket = -1;
    container->terminal_fd = -1;
    if (request->plan->has_network)
        container->network = rn_network_new(
            &request->plan->network, request->ranges, request->listeners);
    else if (request->listeners != NULL)
        g_array_unref(request->listeners);
    return container;
}

static bool record_state(RnContainer *container, RnStatus status,
                         GError **error)
{
    RnState state = {
        .oci_version = container->plan->config->oci_version,
        .id = container->plan->id,
        .status = status,
        .pid = container->pid,
        .bundle = container->bundle,
    };

    return rn_entry_write(container->entry, &state, error);
}

/* Tells the guard what there is by now. */
static bool update_guard(const RnContainer *container, GError **error)
{
    const RnGuarded guarded = {
        .id = container->plan->id,
        .base_fd = container->base_fd,
        .lock_fd =
            container->entry != NULL ? rn_entry_lock(container->entry) : -1,
        .pidfd = container->pidfd,
    };

    return rn_guard_watch(container->guard, &guarded, error);
}

static bool make_entry(RnContainer *container, const char *state_dir,
                       GError **error)
{
    const char *id = container->plan->id;

    if (!rn_state_open_base(state_dir, &container->base_fd, error))
        return false;
    container->guard = rn_guard_new(error);
    if (container->guard == NULL)
        return false;
    /* before the entry is made, so that there is no moment without a guard;
     * it leaves an entry alone whose lock another container holds */
    if (!update_guard(container, error))
        return false;
    container->entry = rn_entry_new(container->base_fd, id, error);
    return container->entry != NULL && update_guard(container, error) &&
           record_state(container, RN_STATUS_CREATING, error);
}

static bool clone_init(RnContainer *container, GError **error)
{
    const RnPlan *plan = container->plan;
    int pair[2] = { -1, -1 };
    g_autoptr(GError) failure = NULL;

    if (!rn_msg_pair(pair, error))
        return false;
    container->socket = pair[0];
    if (!rn_clone(plan->namespaces, &container->pid, &container->pidfd,
                  &failure)) {
        rn_fd_close(&pair[1]);
        if ((plan->namespaces & CLONE_NEWUSER) != 0 &&
            failure->domain == RN_ERRNO)
            return rn_userns_explain(failure->code, error);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (container->pid == 0)
        rn_init_main(plan, pair[1]);
    rn_fd_close(&pair[1]);
    return update_guard(container, error);
}

static bool say(RnContainer *container, RnMsgType type, GError **error)
{
    GError *failure = NULL;
    g_auto(RnMsg) last_words = { 0 };

    if (rn_msg_send(container->socket, type, NULL, 0, NULL, 0, &failure))
        return true;
    /* init may have said why before it ended */
    if (rn_msg_try_recv(container->socket, &last_words) == 1 &&
        last_words.type == RN_MSG_FAILED) {
        g_clear_error(&failure);
        return rn_msg_take_error(&last_words, error);
    }
    g_propagate_prefixed_error(error, failure, "container init: ");
    return false;
}

static bool hear(RnContainer *container, RnMsgType type, unsigned n_fds,
                 RnMsg *msg, GError **error)
{
    GError *failure = NULL;

    if (rn_msg_expect(container->socket, type, 0, n_fds, msg, &failure))
        return true;
    /* init's own words need no prefix; silence does */
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PEER_DIED))
        g_prefix_error(&failure, "container init: ");
    g_propagate_error(error, failure);
    return false;
}

static bool open_namespace(pid_t pid, const char *name, int *out_fd,
                           GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/ns/%s", pid, name);

    *out_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*out_fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", path);
    return true;
}

static bool bring_up_network(RnContainer *container, GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    rn_autofd int userns_fd = -1;
    rn_autofd int netns_fd = -1;

    if (!hear(container, RN_MSG_READY_FOR_NETWORK, 0, &msg, error))
        return false;
    /* init is our child and not reaped: its pid cannot be another's */
    if (!open_namespace(container->pid, "net", &netns_fd, error))
        return false;
    if ((container->plan->namespaces & CLONE_NEWUSER) != 0 &&
        !open_namespace(container->pid, "user", &userns_fd, error))
        return false;
    return rn_network_start(container->network, userns_fd, netns_fd, error) &&
           say(container, RN_MSG_NETWORK_UP, error);
}

static bool map_ids(const RnContainer *container, GError **error)
{
    const RnPlan *plan = container->plan;
    g_autoptr(GError) failure = NULL;

    if ((plan->namespaces & CLONE_NEWUSER) == 0 ||
        rn_idmap_write(container->pid, plan->uid_mappings, plan->gid_mappings,
                       &failure))
        return true;
    /* AppArmor may let the namespace be made and then refuse its maps */
    if (rn_error_is_errno(failure, EPERM)) {
        g_autoptr(GError) cause = NULL;
        g_autofree char *remedy = NULL;
        g_autofree char *text = NULL;

        (void)rn_userns_explain(EPERM, &cause);
        text = rn_error_split(cause, &remedy);
        if (remedy != NULL)
            rn_error_add_hint(&failure, "it may be that %s: %s", text, remedy);
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool prepare(RnContainer *container, GError **error)
{
    const RnPlan *plan = container->plan;
    g_auto(RnMsg) msg = { 0 };

    if (!map_ids(container, error) || !say(container, RN_MSG_MAPPED, error))
        return false;
    if (plan->has_network && !bring_up_network(container, error))
        return false;
    if (plan->config->process.terminal) {
        if (!hear(container, RN_MSG_TERMINAL, 1, &msg, error))
            return false;
        container->terminal_fd = rn_msg_steal_fd(&msg, 0);
    }
    return hear(container, RN_MSG_PREPARED, 0, &msg, error) &&
           record_state(container, RN_STATUS_CREATED, error);
}

RnContainer *rn_container_create(const RnContainerRequest *request,
                                 GError **error)
{
    g_autoptr(RnContainer) container = new_container(request);
    const RnPlan *plan = request->plan;

    if ((plan->namespaces & CLONE_NEWUSER) != 0 &&
        !rn_idmap_check(plan->uid_mappings, plan->gid_mappings, error))
        return NULL;
    if (!make_entry(container, request->state_dir, error) ||
        !clone_init(container, error) || !prepare(container, error))
        return NULL;
    return g_steal_pointer(&container);
}

bool rn_container_start(RnContainer *container, GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) end = NULL;

    if (!say(container, RN_MSG_START, error) ||
        !hear(container, RN_MSG_EXECING, 0, &msg, error))
        return false;
    /* the socket is close-on-exec: EOF is the exec's success */
    if (rn_msg_recv(container->socket, &msg, &end))
        return msg.type == RN_MSG_FAILED
                   ? rn_msg_take_error(&msg, error)
                   : rn_set_error(error, RN_ERROR_PROTOCOL,
                                  "container init: message %u after EXECING",
                                  msg.type);
    if (!g_error_matches(end, RN_ERROR, RN_ERROR_PEER_DIED)) {
        g_propagate_error(error, g_steal_pointer(&end));
        return false;
    }
    rn_fd_close(&container->socket);
    return record_state(container, RN_STATUS_RUNNING, error);
}

bool rn_container_watch(RnContainer *container, RnLoop *loop, GError **error)
{
    return container->network == NULL ||
           rn_network_watch(container->network, loop, error);
}

int rn_container_pidfd(const RnContainer *container)
{
    return container->pidfd;
}

pid_t rn_container_pid(const RnContainer *container)
{
    return container->pid;
}

int rn_container_terminal(const RnContainer *container)
{
    return container->terminal_fd;
}

bool rn_container_reap(RnContainer *container, int *out_exit_code,
                       GError **error)
{
    int status = 0;

    if (!rn_process_reap(container->pid, &status, error))
        return false;
    container->pid = 0;
    *out_exit_code = rn_process_exit_code(status);
    return true;
}

void rn_container_free(RnContainer *container)
{
    if (container == NULL)
        return;
    rn_fd_close(&container->socket);
    if (container->pid > 0)
        rn_process_end(container->pid, &container->pidfd);
    rn_fd_close(&container->pidfd);
    rn_network_free(container->network);
    rn_fd_close(&container->terminal_fd);
    rn_entry_remove(container->entry);
    rn_guard_free(container->guard);
    rn_fd_close(&container->base_fd);
    g_free(container->bundle);
    g_free(container);
}
