/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor - starts the detached monitor, and the monitor itself
 *
 * Runs in: the launcher (rn_monitor_spawn) and the monitor (rn_monitor_main),
 * which has the launcher's namespaces and ids, and a session of its own.
 * Data: protocol.h, "launcher and detached monitor".
 * Failure: one before MONITOR_READY is the launcher's error. Afterwards there
 * is nobody to tell: its stdio is /dev/null, since what the launcher's caller
 * gave may be a pipe on whose end it waits.
 */
#include "config.h"

#include <rnet/runtime/monitor.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rnet/net/network.h>
#include <rnet/net/publish.h>
#include <rnet/sys/loop.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

enum {
    SETUP_FDS = 3
};

static bool send_setup(int socket, const RnMonitorRequest *request,
                       GError **error)
{
    const int fds[SETUP_FDS] = { request->pidfd, request->netns_fd,
                                 request->userns_fd };
    RnMonitorSetup setup = {
        .plan = *request->plan,
        .n_ranges = request->ranges->len,
        .log_level = rn_log_level(),
    };

    g_return_val_if_fail(request->ranges->len <= RN_AGENT_MAX_RANGES, false);
    memcpy(setup.ranges, request->ranges->data,
           request->ranges->len * sizeof setup.ranges[0]);
    return rn_msg_send(socket, RN_MSG_MONITOR_SETUP, &setup, sizeof setup, fds,
                       request->userns_fd >= 0 ? SETUP_FDS : SETUP_FDS - 1,
                       error);
}

static bool send_listeners(int socket, const GArray *listeners, GError **error)
{
    for (unsigned i = 0; listeners != NULL && i < listeners->len; i++) {
        const RnListener *listener = &g_array_index(listeners, RnListener, i);

        if (!rn_msg_send(socket, RN_MSG_MONITOR_LISTENER, &listener->info,
                         sizeof listener->info, &listener->fd, 1, error))
            return false;
    }
    return true;
}

static bool hand_over(int socket, const RnMonitorRequest *request,
                      GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    return send_setup(socket, request, error) &&
           send_listeners(socket, request->listeners, error) &&
           rn_msg_send(socket, RN_MSG_MONITOR_START, NULL, 0, NULL, 0, error) &&
           rn_msg_expect(socket, RN_MSG_MONITOR_READY, 0, 0, &msg, error);
}

bool rn_monitor_spawn(const RnMonitorRequest *request, pid_t *out_pid,
                      GError **error)
{
    int pair[2] = { -1, -1 };
    rn_autofd int own = -1;
    rn_autofd int pidfd = -1;
    pid_t pid = 0;
    bool spawned = false;

    if (!rn_msg_pair(pair, error))
        return false;
    own = pair[0];
    spawned = rn_helper_spawn(RN_MONITOR_NAME, pair[1],
                              RN_HELPER_OUTLIVES_CALLER, &pid, &pidfd, error);
    rn_fd_close(&pair[1]);
    if (!spawned)
        return false;
    if (!hand_over(own, request, error)) {
        rn_process_end(pid, &pidfd);
        return false;
    }
    *out_pid = pid;
    return true;
}

/* The monitor's side. */
typedef struct Monitor {
    RnLoop *loop;
    RnWatch init_watch;
    RnNetwork *network;
    RnMonitorSetup setup;
    int pidfd, netns_fd, userns_fd;
    GArray *listeners; /* taken by the network */
} Monitor;

static void close_listener(gpointer listener)
{
    rn_fd_close(&((RnListener *)listener)->fd);
}

static bool take_setup(Monitor *monitor, RnMsg *msg, GError **error)
{
    if (msg->type != RN_MSG_MONITOR_SETUP ||
        msg->length != sizeof monitor->setup || msg->n_fds < SETUP_FDS - 1 ||
        msg->n_fds > SETUP_FDS)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed set-up");
    memcpy(&monitor->setup, msg->payload, sizeof monitor->setup);
    if (monitor->setup.n_ranges > RN_AGENT_MAX_RANGES)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "too many ranges");
    monitor->pidfd = rn_msg_steal_fd(msg, 0);
    monitor->netns_fd = rn_msg_steal_fd(msg, 1);
    if (msg->n_fds == SETUP_FDS)
        monitor->userns_fd = rn_msg_steal_fd(msg, 2);
    rn_log_set_level(monitor->setup.log_level);
    return true;
}

static bool take_listener(Monitor *monitor, RnMsg *msg, GError **error)
{
    RnListener listener = { .fd = -1 };

    if (msg->type != RN_MSG_MONITOR_LISTENER ||
        msg->length != sizeof listener.info || msg->n_fds != 1)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed listener");
    memcpy(&listener.info, msg->payload, sizeof listener.info);
    listener.fd = rn_msg_steal_fd(msg, 0);
    g_array_append_val(monitor->listeners, listener);
    return true;
}

static bool receive_all(Monitor *monitor, GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    if (!rn_msg_recv(RN_HELPER_FD, &msg, error) ||
        !take_setup(monitor, &msg, error))
        return false;
    for (;;) {
        if (!rn_msg_recv(RN_HELPER_FD, &msg, error))
            return false;
        if (msg.type == RN_MSG_MONITOR_START)
            return true;
        if (!take_listener(monitor, &msg, error))
            return false;
    }
}

static void on_init_end(RnWatch *watch, uint32_t events)
{
    Monitor *monitor = watch->data;

    (void)events;
    rn_loop_quit(monitor->loop);
}

static bool bring_up(Monitor *monitor, GError **error)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(RnPortRange));
    RnNetworkRequest request = {
        .plan = &monitor->setup.plan,
        .ranges = ranges,
        .take_link = -1,
    };

    g_array_append_vals(ranges, monitor->setup.ranges, monitor->setup.n_ranges);
    monitor->loop = rn_loop_new(error);
    if (monitor->loop == NULL)
        return false;
    request.take_listeners = g_steal_pointer(&monitor->listeners);
    monitor->network = rn_network_new(&request);
    return rn_network_start(monitor->network, monitor->userns_fd,
                            monitor->netns_fd, error) &&
           rn_network_watch(monitor->network, monitor->loop, error) &&
           rn_loop_add(monitor->loop, &monitor->init_watch, monitor->pidfd,
                       EPOLLIN, on_init_end, monitor, error) &&
           rn_msg_send(RN_HELPER_FD, RN_MSG_MONITOR_READY, NULL, 0, NULL, 0,
                       error);
}

/* stdout and stderr too, before there is a child that would have them. */
static bool leave_stdio(GError **error)
{
    rn_autofd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0)
        return rn_set_errno(error, errno, "open \"/dev/null\"");
    return true;
}

static bool run_monitor(Monitor *monitor, GError **error)
{
    if (!leave_stdio(error) || !receive_all(monitor, error) ||
        !bring_up(monitor, error))
        return false;
    /* the launcher goes; the socket has said all that it will */
    (void)close(RN_HELPER_FD);
    return rn_loop_run(monitor->loop, error);
}

int rn_monitor_main(void)
{
    Monitor monitor = {
        .pidfd = -1,
        .netns_fd = -1,
        .userns_fd = -1,
        .listeners = g_array_new(FALSE, FALSE, sizeof(RnListener)),
    };
    g_autoptr(GError) failure = NULL;
    bool done = false;

    g_array_set_clear_func(monitor.listeners, close_listener);
    rn_helper_take_name(RN_MONITOR_NAME);
    done = run_monitor(&monitor, &failure);
    if (!done)
        (void)rn_msg_send_error(RN_HELPER_FD, failure, NULL);
    rn_watch_remove(&monitor.init_watch);
    rn_network_free(monitor.network);
    rn_loop_free(monitor.loop);
    g_clear_pointer(&monitor.listeners, g_array_unref);
    rn_fd_close(&monitor.pidfd);
    rn_fd_close(&monitor.netns_fd);
    rn_fd_close(&monitor.userns_fd);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
