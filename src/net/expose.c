/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expose - from a client on the container's loopback to a port of the host's
 *
 * Role:     acceptor -> connection to the host's loopback -> splicer
 * Runs in:  the relay
 * Owns:     the acceptor (its limits, acceptor.c); both sockets of each client
 *           until they are joined
 * Limits:   two attempts a client
 * Failure:  the client is reset; it is forgotten when it resets first
 */
#include "config.h"

#include <rnet/net/expose.h>

#include <errno.h>

#include <sys/socket.h>

#include <rnet/net/acceptor.h>
#include <rnet/net/address-plan.h>
#include <rnet/sys/tcp.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

struct RnExpose {
    RnLoop *loop;
    RnSplicer *splicer;
    RnAcceptor *acceptor;
    GQueue callers; /* of Caller: those under way */
};

/* A client that is not joined yet. */
typedef struct Caller {
    RnExpose *expose;
    RnAcceptorPort *port;
    int client, host;
    RnWatch client_watch, host_watch;
    RnEndpoint target; /* of the present attempt */
    GList link;
} Caller;

static void close_caller(Caller *caller)
{
    rn_watch_remove(&caller->client_watch);
    rn_watch_remove(&caller->host_watch);
    g_queue_unlink(&caller->expose->callers, &caller->link);
    rn_socket_reset(&caller->client);
    rn_socket_reset(&caller->host);
    g_free(caller);
}

static void handle_flow_end(void *data)
{
    RnExpose *expose = data;

    rn_acceptor_resume(expose->acceptor);
}

static void join(Caller *caller)
{
    RnExpose *expose = caller->expose;
    g_autoptr(GError) failure = NULL;

    rn_watch_remove(&caller->client_watch);
    rn_watch_remove(&caller->host_watch);
    if (!rn_splicer_join(expose->splicer, g_steal_fd(&caller->client),
                         g_steal_fd(&caller->host), handle_flow_end, expose,
                         &failure))
        rn_log_debug("expose: %s", failure->message);
}

static void handle_host(RnWatch *watch, uint32_t events);

/* Begins to connect to the target: 0, EINPROGRESS or why not. */
static int connect_host(Caller *caller)
{
    int errno_value = 0;

    caller->host = socket(caller->target.family,
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (caller->host < 0)
        return errno;
    rn_tcp_tune(caller->host);
    errno_value = rn_tcp_connect(caller->host, &caller->target);
    if (errno_value == 0 && rn_tcp_is_own_peer(caller->host))
        return ECONNREFUSED;
    if (errno_value == EINPROGRESS &&
        !rn_loop_add(caller->expose->loop, &caller->host_watch, caller->host,
                     EPOLLOUT, handle_host, caller, NULL))
        return ENOMEM;
    return errno_value;
}

/* Goes on after an attempt that failed so; as connect_host(). */
static int try_next(Caller *caller, int errno_value)
{
    char text[RN_ENDPOINT_TEXT];

    rn_log_debug("expose: connect to %s: %s",
                 rn_endpoint_format(&caller->target, text),
                 g_strerror(errno_value));
    if (errno_value != ECONNREFUSED || caller->target.family != AF_INET)
        return errno_value;
    rn_watch_remove(&caller->host_watch);
    rn_fd_close(&caller->host);
    caller->target = rn_endpoint_loopback(AF_INET6, caller->target.port);
    return connect_host(caller);
}

static void end_wait(Caller *caller)
{
    RnAcceptorPort *port = caller->port;

    close_caller(caller);
    rn_acceptor_release(port);
}

static void handle_host(RnWatch *watch, uint32_t events)
{
    Caller *caller = watch->data;
    int errno_value = 0;
    socklen_t length = sizeof errno_value;

    (void)events;
    if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &errno_value, &length) < 0)
        errno_value = errno;
    if (errno_value == 0 && rn_tcp_is_own_peer(watch->fd))
        errno_value = ECONNREFUSED;
    if (errno_value != 0)
        errno_value = try_next(caller, errno_value);
    if (errno_value == EINPROGRESS)
        return;
    if (errno_value == 0)
        join(caller);
    end_wait(caller);
}

/* Only a reset or an error; a client may well have sent its end already. */
static void handle_client(RnWatch *watch, uint32_t events)
{
    (void)events;
    end_wait(watch->data);
}

static bool take_client(RnAcceptorPort *port, int client,
                        const RnEndpoint *from, const RnEndpoint *target,
                        void *data)
{
    Caller *caller = g_new0(Caller, 1);
    int errno_value = 0;

    (void)from;
    *caller = (Caller){
        .expose = data,
        .port = port,
        .client = client,
        .host = -1,
        .target = *target,
    };
    caller->link.data = caller;
    g_queue_push_tail_link(&caller->expose->callers, &caller->link);
    errno_value = connect_host(caller);
    if (errno_value != 0 && errno_value != EINPROGRESS)
        errno_value = try_next(caller, errno_value);
    if (errno_value == EINPROGRESS &&
        rn_loop_add(caller->expose->loop, &caller->client_watch, client, 0,
                    handle_client, caller, NULL))
        return true;
    if (errno_value == 0)
        join(caller);
    close_caller(caller);
    return false;
}

RnExpose *rn_expose_new(RnLoop *loop, RnSplicer *splicer)
{
    RnExpose *expose = g_new0(RnExpose, 1);

    expose->loop = loop;
    expose->splicer = splicer;
    expose->acceptor = rn_acceptor_new(loop, take_client, expose);
    return expose;
}

void rn_expose_free(RnExpose *expose)
{
    if (expose == NULL)
        return;
    while (expose->callers.head != NULL)
        close_caller(expose->callers.head->data);
    rn_acceptor_free(expose->acceptor);
    g_free(expose);
}

bool rn_expose_add(RnExpose *expose, const RnExposedPort *port, int take_fd,
                   GError **error)
{
    RnEndpoint target = rn_endpoint_loopback(AF_INET, port->host_port);

    return rn_acceptor_add(expose->acceptor, port->guest_port, &target, take_fd,
                           error);
}

unsigned rn_expose_n_waiting(const RnExpose *expose)
{
    return rn_acceptor_n_waiting(expose->acceptor);
}
