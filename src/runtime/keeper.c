/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper - a network, its socket, and whatever ends it
 *
 * Runs in a foreground `rnet attach`, in the slirp4netns dialect and in the
 * detached monitor. In: events of the loop; any of those that the request names
 * quits it. Up to rn_network_start() all is fallible and undone by
 * rn_keeper_free(); afterwards a helper that dies is the network's business.
 * A keeper that is given no namespace gets it later from a client, or ends.
 */
#include "config.h"

#include <rnet/runtime/keeper.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <sys/signalfd.h>
#include <sys/stat.h>

#include <rnet/runtime/network-control.h>
#include <rnet/runtime/network-state.h>
#include <rnet/runtime/network-use.h>
#include <rnet/sys/process-stat.h>
#include <rnet/util/fd.h>

struct RnKeeper {
    RnLoop *loop;
    RnNetwork *network;
    RnNetworkEntry *entry; /* NULL: it has none */
    RnNetworkControl *control;
    RnNetworkUse *use;
    char *key;
    dev_t dev; /* of the namespace, 0 without one */
    ino_t ino;
    int pidfd; /* copies of the request's, or -1 */
    int exit_fd;
    int signal_fd;
    int ended_by;
    bool is_waiting; /* for its namespace */
    RnWatch process_watch, exit_watch, signal_watch;
};

static void fill_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGHUP);
}

bool rn_keeper_block_signals(GError **error)
{
    sigset_t set;

    fill_signals(&set);
    /* a stdout that is closed is a failed write, not the end of the network */
    (void)sigaddset(&set, SIGPIPE);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return rn_set_errno(error, errno, "block signals");
    return true;
}

static void end(void *data)
{
    RnKeeper *keeper = data;

    rn_loop_quit(keeper->loop);
}

static void on_end(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    end(watch->data);
}

static void on_signal(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    RnKeeper *keeper = watch->data;
    struct signalfd_siginfo info = { 0 };

    if (read(keeper->signal_fd, &info, sizeof info) != sizeof info)
        return;
    keeper->ended_by = (int)info.ssi_signo;
    end(keeper);
}

static bool watch_signals(RnKeeper *keeper, GError **error)
{
    sigset_t set;

    fill_signals(&set);
    keeper->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (keeper->signal_fd < 0)
        return rn_set_errno(error, errno, "create a signalfd");
    return rn_loop_add(keeper->loop, &keeper->signal_watch, keeper->signal_fd,
                       EPOLLIN, on_signal, keeper, error);
}

/* A copy, so that the caller may close its own. */
static bool watch_fd(RnKeeper *keeper, RnWatch *watch, int fd, int *out_fd,
                     GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (fd < 0)
        return true;
    *out_fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (*out_fd < 0)
        return rn_set_errno(error, errno, "watch fd %d", fd);
    if (rn_loop_add(keeper->loop, watch, *out_fd, EPOLLIN | EPOLLRDHUP, on_end,
                    keeper, &failure))
        return true;
    /* epoll_ctl(2): of files and /dev/null there is nothing to wait for */
    if (rn_error_is_errno(failure, EPERM))
        return rn_set_error(error, RN_ERROR_INVALID,
                            "fd %d has no end that could be waited for, as a "
                            "pipe has",
                            fd);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool identify(RnKeeper *keeper, int netns_fd, GError **error)
{
    struct stat status = { 0 };

    if (netns_fd < 0)
        return true;
    if (fstat(netns_fd, &status) < 0)
        return rn_set_errno(error, errno, "look at the network namespace");
    keeper->dev = status.st_dev;
    keeper->ino = status.st_ino;
    return true;
}

static bool watch_use(RnKeeper *keeper, const RnKeeperRequest *request,
                      GError **error)
{
    const RnNetworkUseRequest use = {
        .dev = keeper->dev,
        .ino = keeper->ino,
        .path = request->netns_path,
        .until_unused = request->until_unused,
        .ended = end,
        .data = keeper,
    };

    if (request->netns_path == NULL && !request->until_unused)
        return true;
    keeper->use = rn_network_use_new(&use, keeper->loop, error);
    return keeper->use != NULL;
}

static bool watch_ends(RnKeeper *keeper, const RnKeeperRequest *request,
                       GError **error)
{
    return identify(keeper, request->netns_fd, error) &&
           watch_fd(keeper, &keeper->process_watch, request->pidfd,
                    &keeper->pidfd, error) &&
           watch_fd(keeper, &keeper->exit_watch, request->exit_fd,
                    &keeper->exit_fd, error) &&
           watch_use(keeper, request, error) &&
           (!request->heeds_signals || watch_signals(keeper, error));
}

static json_t *describe(void *data)
{
    const RnKeeper *keeper = data;
    const RnNetworkStateFacts facts = {
        .plan = rn_network_plan(keeper->network),
        .listeners = rn_network_listeners(keeper->network),
        .key = keeper->key,
        .pid = keeper->pidfd >= 0 ? rn_pidfd_pid(keeper->pidfd) : 0,
        .monitor = getpid(),
        .dev = keeper->dev,
        .ino = keeper->ino,
        .is_up = rn_network_is_up(keeper->network),
    };

    return rn_network_state(&facts);
}

static bool start_network(RnKeeper *keeper, int userns_fd, int netns_fd,
                          GError **error)
{
    return rn_network_start(keeper->network, userns_fd, netns_fd, error) &&
           rn_network_watch(keeper->network, keeper->loop, error);
}

static bool is_waiting(void *data)
{
    const RnKeeper *keeper = data;

    return keeper->is_waiting;
}

static bool take_namespace(RnKeeper *keeper, int netns_fd, GError **error)
{
    g_auto(RnNetworkTarget)
        target = { .netns_fd = -1, .userns_fd = -1, .pidfd = -1 };

    if (!rn_network_target_from_fd(netns_fd, NULL, &target, error) ||
        !rn_network_entry_claim(keeper->entry, target.dev, target.ino, error))
        return false;
    keeper->dev = target.dev;
    keeper->ino = target.ino;
    return start_network(keeper, target.userns_fd, target.netns_fd, error);
}

static bool attach(void *data, int netns_fd, GError **error)
{
    RnKeeper *keeper = data;

    keeper->is_waiting = false;
    if (take_namespace(keeper, netns_fd, error))
        return true;
    end(keeper);
    return false;
}

static bool serve(RnKeeper *keeper, GError **error)
{
    static const RnNetworkControlCalls calls = {
        .describe = describe,
        .detach = end,
        .is_waiting = is_waiting,
        .attach = attach,
    };

    if (keeper->entry == NULL)
        return true;
    keeper->control =
        rn_network_control_new(rn_network_entry_control(keeper->entry),
                               keeper->loop, &calls, keeper, error);
    return keeper->control != NULL;
}

static bool start(RnKeeper *keeper, const RnKeeperRequest *request,
                  GError **error)
{
    keeper->is_waiting =
        request->netns_fd < 0 && request->network.take_link < 0;
    return watch_ends(keeper, request, error) &&
           (keeper->is_waiting || start_network(keeper, request->userns_fd,
                                                request->netns_fd, error)) &&
           serve(keeper, error);
}

RnKeeper *rn_keeper_new(const RnKeeperRequest *request, RnLoop *loop,
                        GError **error)
{
    RnKeeper *keeper = g_new0(RnKeeper, 1);
    RnNetworkRequest network = request->network;

    network.link_ended = end;
    network.link_data = keeper;
    keeper->loop = loop;
    keeper->entry = request->take_entry;
    keeper->key = g_strdup(request->key);
    keeper->pidfd = keeper->exit_fd = keeper->signal_fd = -1;
    keeper->network = rn_network_new(&network);
    if (start(keeper, request, error))
        return keeper;
    rn_keeper_free(keeper);
    return NULL;
}

RnNetwork *rn_keeper_network(const RnKeeper *keeper)
{
    return keeper->network;
}

int rn_keeper_ended_by(const RnKeeper *keeper)
{
    return keeper->ended_by;
}

void rn_keeper_free(RnKeeper *keeper)
{
    if (keeper == NULL)
        return;
    rn_watch_remove(&keeper->process_watch);
    rn_watch_remove(&keeper->exit_watch);
    rn_watch_remove(&keeper->signal_watch);
    rn_network_use_free(keeper->use);
    rn_network_end(keeper->network);
    rn_network_free(keeper->network);
    rn_network_entry_remove(keeper->entry);
    /* last: whoever waits for the end learns it from this */
    rn_network_control_free(keeper->control);
    rn_fd_close(&keeper->pidfd);
    rn_fd_close(&keeper->exit_fd);
    rn_fd_close(&keeper->signal_fd);
    g_free(keeper->key);
    g_free(keeper);
}
