/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns - rnet as slirp4netns: its command line, its fds, its end
 *
 * Runs in: a process that its caller knows by its pid; it keeps the network
 * (runtime/keeper.h) and serves the API socket.
 * Order, as the original's: options; network up; what it says on stdout; API
 * socket listening; sandbox; seccomp; the byte on the ready fd.
 * Failure: what is wrong on stderr, exit status 1. An event on the exit fd, or
 * the end of a link that was given, is exit status 0; a signal ends the process by that signal, the network and the
 * API socket's file removed. The end of the namespace's processes is not the
 * network's: callers end it themselves, as with the original.
 */
#include "config.h"

#include <rnet/dialect/dialect.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>

#include <rnet/dialect/slirp4netns-options.h>
#include <rnet/dialect/slirp4netns-plan.h>
#include <rnet/dialect/slirp4netns-sandbox.h>
#include <rnet/dialect/slirp4netns-server.h>
#include <rnet/dialect/slirp4netns-texts.h>
#include <rnet/runtime/keeper.h>
#include <rnet/sys/unix-socket.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

/* All that one run of it has. */
typedef struct Run {
    RnSlirpOptions options;
    RnNetworkPlan plan;
    RnNetworkTarget target;
    int link; /* of TAPFD and BESS; -1 */
    RnLoop *loop;
    RnKeeper *keeper;
    RnSlirpSocket socket;
    RnSlirpServer *server;
} Run;

static void clear_run(Run *run)
{
    rn_slirp_server_free(run->server);
    rn_slirp_socket_close(&run->socket);
    rn_keeper_free(run->keeper);
    rn_loop_free(run->loop);
    rn_fd_close(&run->link);
    rn_network_target_clear(&run->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, clear_run)

/* To stdout or stderr; whoever closed it wants to hear nothing. */
static void say(int fd, const GString *text)
{
    (void)!rn_fd_write_all(fd, text->str, text->len, NULL);
}

static void say_line(int fd, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say_line(int fd, const char *format, ...)
{
    g_autoptr(GString) line = g_string_new(NULL);
    va_list arguments;

    va_start(arguments, format);
    g_string_append_vprintf(line, format, arguments);
    va_end(arguments);
    g_string_append_c(line, '\n');
    say(fd, line);
}

static bool open_path(const RnSlirpOptions *options, RnNetworkTarget *target,
                      GError **error)
{
    g_autofree char *path =
        options->target == RN_SLIRP_TARGET_PID
            ? g_strdup_printf("/proc/%d/ns/net", (int)options->pid)
            : g_strdup(options->path);
    rn_autofd int netns = open(path, O_RDONLY | O_CLOEXEC);

    if (netns < 0)
        return rn_set_errno(error, errno, "%s", path);
    return rn_network_target_from_fd(netns, options->userns_path, target,
                                     error);
}

static bool open_target(const RnSlirpOptions *options, RnNetworkTarget *target,
                        GError **error)
{
    if (options->userns_path != NULL)
        return open_path(options, target, error);
    if (options->target == RN_SLIRP_TARGET_PID)
        return rn_network_target_open_pid(options->pid, target, error);
    return rn_network_target_open(options->path, target, error);
}

static bool take_tap(const RnSlirpOptions *options, int *out_link,
                     GError **error)
{
    int link = fcntl(options->tap_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    if (link < 0)
        return rn_set_errno(error, errno, "tapfd %d", options->tap_fd);
    (void)close(options->tap_fd);
    say_line(STDERR_FILENO, "received tapfd=%d", options->tap_fd);
    *out_link = link;
    return true;
}

/* The one connection of a virtual machine: a frame is a packet of it. */
static bool accept_bess(const RnSlirpOptions *options, int *out_link,
                        GError **error)
{
    g_autofree char *folder = g_path_get_dirname(options->path);
    g_autofree char *name = g_path_get_basename(options->path);
    rn_autofd int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    rn_autofd int listener = -1;
    int link = -1;

    if (folder_fd < 0)
        return rn_set_errno(error, errno, "open \"%s\"", folder);
    (void)unlinkat(folder_fd, name, 0); /* what bind(2) says is better */
    if (!rn_unix_listen(folder_fd, name, SOCK_SEQPACKET, &listener, error))
        return false;
    say_line(STDERR_FILENO, "Waiting for connection to %s", options->path);
    link = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    (void)unlinkat(folder_fd, name, 0); /* nobody else is served */
    if (link < 0)
        return rn_set_errno(error, errno, "accept on \"%s\"", options->path);
    *out_link = link;
    return true;
}

static bool find_link(Run *run, GError **error)
{
    switch (run->options.target) {
    case RN_SLIRP_TARGET_PID:
    case RN_SLIRP_TARGET_PATH:
        return open_target(&run->options, &run->target, error);
    case RN_SLIRP_TARGET_TAPFD:
        return take_tap(&run->options, &run->link, error);
    case RN_SLIRP_TARGET_BESS:
    case RN_SLIRP_TARGET_N_:
        break;
    }
    return accept_bess(&run->options, &run->link, error);
}

static bool start_network(Run *run, GError **error)
{
    const RnKeeperRequest request = {
        .network = {
            .plan = &run->plan,
            .take_link = g_steal_fd(&run->link),
        },
        .netns_fd = run->target.netns_fd,
        .userns_fd = run->target.userns_fd,
        .pidfd = -1,
        .exit_fd = run->options.exit_fd,
        .heeds_signals = true,
    };

    run->loop = rn_loop_new(error);
    if (run->loop == NULL)
        return false;
    run->keeper = rn_keeper_new(&request, run->loop, error);
    return run->keeper != NULL;
}

static bool add_port(const RnSlirpForward *forward, uint32_t *out_id,
                     void *data, GError **error)
{
    const Run *run = data;
    RnEndpoint guest = forward->guest;

    /* its own address: then of the family that the client has */
    if (rn_endpoint_same_address(&guest, &run->plan.guest4))
        guest.family = AF_UNSPEC;
    return rn_network_publish(rn_keeper_network(run->keeper), &forward->spec,
                              &guest, out_id, error);
}

static bool remove_port(uint32_t id, void *data, GError **error)
{
    const Run *run = data;

    return rn_network_withdraw(rn_keeper_network(run->keeper), id, error);
}

static bool serve(Run *run, GError **error)
{
    const RnSlirpPorts ports = {
        .add = add_port,
        .remove = remove_port,
        .data = run,
    };

    if (run->options.api_socket == NULL)
        return true;
    if (!rn_slirp_socket_open(run->options.api_socket, &run->socket, error))
        return false;
    run->server = rn_slirp_server_new(g_steal_fd(&run->socket.listener),
                                      run->loop, &run->plan, &ports, error);
    return run->server != NULL;
}

static bool confine(const RnSlirpOptions *options, GError **error)
{
    if (options->sandbox && !rn_slirp_enter_sandbox(error)) {
        g_prefix_error(error, "create_sandbox failed: ");
        return false;
    }
    if (options->seccomp && !rn_slirp_enter_seccomp(error)) {
        g_prefix_error(error, "enable_seccomp failed: ");
        return false;
    }
    return true;
}

static void tell_ready(const RnSlirpOptions *options)
{
    g_autoptr(GError) failure = NULL;

    if (options->ready_fd < 0)
        return;
    if (!rn_fd_write_all(options->ready_fd, "1", 1, &failure))
        rn_log_warning("ready-fd: %s", failure->message);
    (void)close(options->ready_fd);
}

static void tell_start(const Run *run)
{
    g_autoptr(GString) text = g_string_new(NULL);

    rn_slirp_append_start(text, &run->plan, &run->options);
    say(STDOUT_FILENO, text);
}

/* Returns at the network's end; *out_signal is what ended it, or 0. */
static bool run_to_end(Run *run, int *out_signal, GError **error)
{
    if (!find_link(run, error) || !rn_keeper_block_signals(error) ||
        !start_network(run, error))
        return false;
    tell_start(run);
    if (!serve(run, error) || !confine(&run->options, error))
        return false;
    tell_ready(&run->options);
    if (!rn_loop_run(run->loop, error))
        return false;
    *out_signal = rn_keeper_ended_by(run->keeper);
    return true;
}

static bool run_network(Run *run, int *out_signal)
{
    g_autoptr(GError) failure = NULL;

    if (!rn_slirp_plan(&run->options, &run->plan, &failure)) {
        say_line(STDERR_FILENO, "%s", failure->message);
        return false;
    }
    if (run->options.ipv6 && run->plan.prefix6 == 0)
        rn_log_warning("no IPv6 with an MTU of %u", run->plan.mtu);
    if (run_to_end(run, out_signal, &failure))
        return true;
    rn_log_gerror(RN_LOG_ERROR, failure);
    return false;
}

/* As the original ends, which leaves signals as they are. */
static void end_by(int signal_number)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, signal_number);
    (void)raise(signal_number);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The other end of a network is that of its link. */
static bool has_event(int exit_fd)
{
    struct pollfd one = { .fd = exit_fd, .events = POLLIN };

    return exit_fd >= 0 && poll(&one, 1, 0) > 0;
}

static int keep_network(const RnSlirpOptions *options)
{
    int ended_by = 0;
    bool ended = false;

    {
        g_auto(Run) run = {
            .options = *options,
            .target = { .netns_fd = -1, .userns_fd = -1, .pidfd = -1 },
            .link = -1,
        };

        ended = run_network(&run, &ended_by);
    }
    if (ended_by != 0)
        end_by(ended_by);
    if (ended && has_event(options->exit_fd))
        say_line(STDERR_FILENO, "exitfd event");
    return ended ? EXIT_SUCCESS : EXIT_FAILURE;
}

int rn_dialect_slirp4netns(G_GNUC_UNUSED const RnDialectWorld *world, int argc,
                           char **argv)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GString) err = g_string_new(NULL);
    RnSlirpOptions options = { 0 };
    RnSlirpVerdict verdict =
        rn_slirp_options_parse(argc, argv, &options, out, err);

    say(STDERR_FILENO, err);
    say(STDOUT_FILENO, out);
    if (verdict != RN_SLIRP_RUN)
        return verdict == RN_SLIRP_ANSWERED ? EXIT_SUCCESS : EXIT_FAILURE;
    rn_log_set_name("slirp4netns");
    return keep_network(&options);
}
