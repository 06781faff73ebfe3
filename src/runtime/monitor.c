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

#include <rnet/sys/process.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>

G_STATIC_ASSERT((int)RN_MONITOR_FD_N_ <= (int)RN_MSG_MAX_FDS);
G_STATIC_ASSERT(RN_NETWORK_KEY_MAX < sizeof((RnMonitorSetup *)NULL)->key);

/* The request's fds in the protocol's order, and the bits that name them. */
static unsigned collect_fds(const RnKeeperRequest *request,
                            int out_fds[RN_MONITOR_FD_N_], uint32_t *out_bits)
{
    const RnNetworkEntry *entry = request->take_entry;
    const int all[] = {
        [RN_MONITOR_FD_NETNS] = request->netns_fd,
        [RN_MONITOR_FD_USERNS] = request->userns_fd,
        [RN_MONITOR_FD_PROCESS] = request->pidfd,
        [RN_MONITOR_FD_EXIT] = request->exit_fd,
        [RN_MONITOR_FD_ENTRY] =
            entry != NULL ? rn_network_entry_base(entry) : -1,
        [RN_MONITOR_FD_LOCK] =
            entry != NULL ? rn_network_entry_lock(entry) : -1,
        [RN_MONITOR_FD_CONTROL] =
            entry != NULL ? rn_network_entry_control(entry) : -1,
    };
    unsigned n = 0;

    G_STATIC_ASSERT(G_N_ELEMENTS(all) == RN_MONITOR_FD_N_);
    *out_bits = 0;
    for (unsigned i = 0; i < RN_MONITOR_FD_N_; i++) {
        if (all[i] < 0)
            continue;
        out_fds[n++] = all[i];
        *out_bits |= 1U << i;
    }
    return n;
}

static bool copy_ranges(const GArray *ranges, RnMonitorSetup *setup,
                        GError **error)
{
    setup->n_ranges = ranges != NULL ? ranges->len : 0;
    if (setup->n_ranges > RN_AGENT_MAX_RANGES)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "network: %u separate ranges of published ports, "
                            "where %d are possible",
                            setup->n_ranges, RN_AGENT_MAX_RANGES);
    if (setup->n_ranges > 0)
        memcpy(setup->ranges, ranges->data,
               setup->n_ranges * sizeof setup->ranges[0]);
    return true;
}

static bool send_setup(int socket, const RnKeeperRequest *request,
                       GError **error)
{
    int fds[RN_MONITOR_FD_N_];
    RnMonitorSetup setup = {
        .plan = *request->network.plan,
        .flags = (request->until_unused ? RN_MONITOR_UNTIL_UNUSED : 0) |
                 (request->netns_path != NULL ? RN_MONITOR_HAS_PATH : 0),
        .auto_publish = request->network.auto_publish,
        .log_level = rn_log_level(),
    };
    unsigned n_fds = collect_fds(request, fds, &setup.fds);

    if (!copy_ranges(request->network.ranges, &setup, error))
        return false;
    if (request->key != NULL)
        (void)g_strlcpy(setup.key, request->key, sizeof setup.key);
    return rn_msg_send(socket, RN_MSG_MONITOR_SETUP, &setup, sizeof setup, fds,
                       n_fds, error);
}

static bool send_path(int socket, const char *path, GError **error)
{
    if (path == NULL)
        return true;
    if (strlen(path) > RN_MSG_MAX_PAYLOAD)
        return rn_set_error(error, RN_ERROR_LIMIT,
                            "the namespace's path is too long");
    return rn_msg_send(socket, RN_MSG_MONITOR_PATH, path, strlen(path), NULL, 0,
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

static bool hand_over(int socket, const RnKeeperRequest *request,
                      GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    return send_setup(socket, request, error) &&
           send_path(socket, request->netns_path, error) &&
           send_listeners(socket, request->network.take_listeners, error) &&
           rn_msg_send(socket, RN_MSG_MONITOR_START, NULL, 0, NULL, 0, error) &&
           rn_msg_expect(socket, RN_MSG_MONITOR_READY, 0, 0, &msg, error);
}

bool rn_monitor_spawn(const RnKeeperRequest *request, pid_t *out_pid,
                      GError **error)
{
    int pair[2] = { -1, -1 };
    rn_autofd int own = -1;
    rn_autofd int pidfd = -1;
    pid_t pid = 0;
    bool spawned = false;

    g_return_val_if_fail(request->network.take_link < 0, false);
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
    rn_network_entry_release(request->take_entry);
    *out_pid = pid;
    return true;
}

/* The monitor's side. */
typedef struct Monitor {
    RnLoop *loop;
    RnKeeper *keeper;
    RnMonitorSetup setup;
    int fds[RN_MONITOR_FD_N_]; /* -1 where the set-up has none */
    char *path;
    GArray *listeners; /* taken by the network */
} Monitor;

static void close_listener(gpointer listener)
{
    rn_fd_close(&((RnListener *)listener)->fd);
}

static bool take_fds(Monitor *monitor, RnMsg *msg, GError **error)
{
    unsigned next = 0;

    for (unsigned i = 0; i < RN_MONITOR_FD_N_; i++) {
        if ((monitor->setup.fds & (1U << i)) == 0)
            continue;
        if (next == msg->n_fds)
            break;
        monitor->fds[i] = rn_msg_steal_fd(msg, next++);
    }
    if (next != msg->n_fds || (monitor->fds[RN_MONITOR_FD_NETNS] < 0 &&
                               monitor->fds[RN_MONITOR_FD_CONTROL] < 0))
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "other fds than the set-up names");
    return true;
}

static bool take_setup(Monitor *monitor, RnMsg *msg, GError **error)
{
    RnMonitorSetup *setup = &monitor->setup;

    if (msg->type != RN_MSG_MONITOR_SETUP || msg->length != sizeof *setup)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed set-up");
    memcpy(setup, msg->payload, sizeof *setup);
    if (setup->n_ranges > RN_AGENT_MAX_RANGES)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "too many ranges");
    if (memchr(setup->key, '\0', sizeof setup->key) == NULL)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed key");
    rn_log_set_level(setup->log_level);
    return take_fds(monitor, msg, error);
}

static bool take_path(Monitor *monitor, const RnMsg *msg, GError **error)
{
    if ((monitor->setup.flags & RN_MONITOR_HAS_PATH) == 0 ||
        monitor->path != NULL || msg->n_fds != 0)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed path");
    monitor->path = g_strndup((const char *)msg->payload, msg->length);
    return true;
}

static bool take_listener(Monitor *monitor, RnMsg *msg, GError **error)
{
    RnListener listener = { .fd = -1 };

    if (msg->length != sizeof listener.info || msg->n_fds != 1)
        return rn_set_error(error, RN_ERROR_PROTOCOL, "malformed listener");
    memcpy(&listener.info, msg->payload, sizeof listener.info);
    listener.fd = rn_msg_steal_fd(msg, 0);
    g_array_append_val(monitor->listeners, listener);
    return true;
}

/* What follows the set-up, up to START. */
static bool take_more(Monitor *monitor, RnMsg *msg, bool *out_done,
                      GError **error)
{
    switch (msg->type) {
    case RN_MSG_MONITOR_PATH:
        return take_path(monitor, msg, error);
    case RN_MSG_MONITOR_LISTENER:
        return take_listener(monitor, msg, error);
    case RN_MSG_MONITOR_START:
        *out_done = true;
        return true;
    default:
        return rn_set_error(error, RN_ERROR_PROTOCOL, "message %u", msg->type);
    }
}

static bool receive_all(Monitor *monitor, GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    bool done = false;

    if (!rn_msg_recv(RN_HELPER_FD, &msg, error) ||
        !take_setup(monitor, &msg, error))
        return false;
    while (!done) {
        if (!rn_msg_recv(RN_HELPER_FD, &msg, error) ||
            !take_more(monitor, &msg, &done, error))
            return false;
    }
    return true;
}

/* Takes what the request has to give. */
static RnNetworkEntry *adopt_entry(Monitor *monitor)
{
    int *fds = monitor->fds;

    if (fds[RN_MONITOR_FD_ENTRY] < 0 || fds[RN_MONITOR_FD_LOCK] < 0 ||
        fds[RN_MONITOR_FD_CONTROL] < 0)
        return NULL;
    return rn_network_entry_adopt(monitor->setup.key,
                                  g_steal_fd(&fds[RN_MONITOR_FD_ENTRY]),
                                  g_steal_fd(&fds[RN_MONITOR_FD_LOCK]),
                                  g_steal_fd(&fds[RN_MONITOR_FD_CONTROL]));
}

static bool keep(Monitor *monitor, GError **error)
{
    const RnMonitorSetup *setup = &monitor->setup;
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(RnPortRange));
    RnKeeperRequest request = {
        .network = {
            .plan = &setup->plan,
            .ranges = ranges,
            .auto_publish = setup->auto_publish,
            .take_link = -1,
        },
        .netns_fd = monitor->fds[RN_MONITOR_FD_NETNS],
        .userns_fd = monitor->fds[RN_MONITOR_FD_USERNS],
        .pidfd = monitor->fds[RN_MONITOR_FD_PROCESS],
        .exit_fd = monitor->fds[RN_MONITOR_FD_EXIT],
        .netns_path = monitor->path,
        .until_unused = (setup->flags & RN_MONITOR_UNTIL_UNUSED) != 0,
        .heeds_signals = true,
        .key = setup->key[0] != '\0' ? setup->key : NULL,
    };

    if (setup->n_ranges > 0)
        g_array_append_vals(ranges, setup->ranges, setup->n_ranges);
    request.take_entry = adopt_entry(monitor);
    request.network.take_listeners = g_steal_pointer(&monitor->listeners);
    monitor->keeper = rn_keeper_new(&request, monitor->loop, error);
    return monitor->keeper != NULL;
}

/* stdout and stderr too, before there is a child that would have them; and the
 * directory, whose file system somebody may want to unmount. */
static bool leave_caller(GError **error)
{
    rn_autofd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0)
        return rn_set_errno(error, errno, "open \"/dev/null\"");
    return chdir("/") == 0 || rn_set_errno(error, errno, "enter \"/\"");
}

static bool run_monitor(Monitor *monitor, GError **error)
{
    if (!leave_caller(error) || !rn_keeper_block_signals(error) ||
        !receive_all(monitor, error))
        return false;
    monitor->loop = rn_loop_new(error);
    if (monitor->loop == NULL || !keep(monitor, error) ||
        !rn_msg_send(RN_HELPER_FD, RN_MSG_MONITOR_READY, NULL, 0, NULL, 0,
                     error))
        return false;
    /* the launcher goes; the socket has said all that it will */
    (void)close(RN_HELPER_FD);
    return rn_loop_run(monitor->loop, error);
}

static void clear_monitor(Monitor *monitor)
{
    rn_keeper_free(monitor->keeper);
    rn_loop_free(monitor->loop);
    g_clear_pointer(&monitor->listeners, g_array_unref);
    for (unsigned i = 0; i < RN_MONITOR_FD_N_; i++)
        rn_fd_close(&monitor->fds[i]);
    g_free(monitor->path);
}

int rn_monitor_main(void)
{
    Monitor monitor = {
        .listeners = g_array_new(FALSE, FALSE, sizeof(RnListener)),
    };
    g_autoptr(GError) failure = NULL;
    bool done = false;

    for (unsigned i = 0; i < RN_MONITOR_FD_N_; i++)
        monitor.fds[i] = -1;
    g_array_set_clear_func(monitor.listeners, close_listener);
    rn_helper_take_name(RN_MONITOR_NAME);
    done = run_monitor(&monitor, &failure);
    if (!done)
        (void)rn_msg_send_error(RN_HELPER_FD, failure, NULL);
    clear_monitor(&monitor);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
