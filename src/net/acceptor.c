/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acceptor - accepts clients, and stops accepting while fds are short
 *
 * Role:     listening socket -> client -> who asked for them
 * Runs in:  the relay
 * Owns:     the listening sockets. One that was removed is closed, and freed
 *           when the last of its clients waits no longer
 * Limits:   ACCEPT_BUDGET clients of one port a turn; at most
 *           RN_ACCEPTOR_WAITING_MAX wait, and PORT_WAITING_MAX of one port, so
 *           that a service that accepts nobody does not close the other ports;
 *           FD_RESERVE fds, and one for each who waits, are left to others
 * Failure:  no fds: all ports leave the loop, so nothing spins, and clients
 *           queue in the kernel; they come back when a flow or a wait ends and
 *           there is room, at the latest looked at every RETRY_MS, since
 *           libslirp's sockets end without a word
 */
#include "config.h"

#include <rnet/net/acceptor.h>

#include <errno.h>

#include <sys/socket.h>

#include <rnet/net/fd-room.h>
#include <rnet/sys/tcp.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    ACCEPT_BUDGET = 64,
    PORT_WAITING_MAX = 512,
    FD_RESERVE = 32,
    RETRY_MS = 500,
};

struct RnAcceptorPort {
    RnAcceptor *acceptor;
    uint32_t id;
    int fd; /* -1: removed */
    RnEndpoint target;
    unsigned n_waiting;
    RnWatch watch;
};

struct RnAcceptor {
    RnLoop *loop;
    RnAcceptFunc accepted;
    void *data;
    GPtrArray *ports; /* of RnAcceptorPort */
    unsigned n_waiting;
    bool is_paused;
    RnTimer retry;
};

static void free_port(void *data)
{
    RnAcceptorPort *port = data;

    rn_watch_remove(&port->watch);
    rn_fd_close(&port->fd);
    g_free(port);
}

/* Whether there are fds for what is under way and one more client. */
static bool has_room(const RnAcceptor *acceptor)
{
    return acceptor->n_waiting < RN_ACCEPTOR_WAITING_MAX &&
           rn_fd_room(rn_loop_fd(acceptor->loop),
                      acceptor->n_waiting + FD_RESERVE);
}

/* Watches a port while it may accept. */
static void update_port(RnAcceptorPort *port)
{
    bool accepts =
        !port->acceptor->is_paused && port->n_waiting < PORT_WAITING_MAX;

    rn_watch_set_events(&port->watch, accepts ? EPOLLIN : 0);
}

static void update_ports(RnAcceptor *acceptor)
{
    for (unsigned i = 0; i < acceptor->ports->len; i++)
        update_port(g_ptr_array_index(acceptor->ports, i));
}

static void retry_accepting(RnTimer *timer);

static void pause_accepting(RnAcceptor *acceptor)
{
    if (!acceptor->is_paused)
        rn_log_debug("accepting stops, %u clients wait", acceptor->n_waiting);
    acceptor->is_paused = true;
    update_ports(acceptor);
    rn_loop_set_timer(acceptor->loop, &acceptor->retry, RETRY_MS,
                      retry_accepting, acceptor);
}

void rn_acceptor_resume(RnAcceptor *acceptor)
{
    if (!acceptor->is_paused || !has_room(acceptor))
        return;
    acceptor->is_paused = false;
    rn_timer_cancel(&acceptor->retry);
    update_ports(acceptor);
    rn_log_debug("accepting goes on");
}

static void retry_accepting(RnTimer *timer)
{
    RnAcceptor *acceptor = timer->data;

    rn_acceptor_resume(acceptor);
    if (acceptor->is_paused)
        pause_accepting(acceptor);
}

void rn_acceptor_release(RnAcceptorPort *port)
{
    RnAcceptor *acceptor = port->acceptor;

    port->n_waiting--;
    acceptor->n_waiting--;
    if (port->fd < 0 && port->n_waiting == 0)
        g_ptr_array_remove_fast(acceptor->ports, port);
    else
        update_port(port);
    rn_acceptor_resume(acceptor);
}

static void pass_on(RnAcceptorPort *port, int take_client,
                    const struct sockaddr_storage *from)
{
    RnAcceptor *acceptor = port->acceptor;
    RnEndpoint address;

    rn_endpoint_from_sockaddr(from, &address);
    if (!acceptor->accepted(port, take_client, &address, &port->target,
                            acceptor->data))
        return;
    port->n_waiting++;
    acceptor->n_waiting++;
    update_port(port);
}

/*
 * What accept(2) says of one client that failed before it was accepted, or of
 * its route, is no fault of the listener.
 */
static bool is_clients_fault(int errno_value)
{
    static const int faults[] = {
        EINTR,  ECONNABORTED, EPROTO,     ENETDOWN,    ENOPROTOOPT, EHOSTDOWN,
        ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EPERM,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
        if (errno_value == faults[i])
            return true;
    }
    return false;
}

/* Accepts one client. False: no more for now. */
static bool accept_client(RnAcceptorPort *port)
{
    RnAcceptor *acceptor = port->acceptor;
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    int client = accept4(port->fd, (struct sockaddr *)&from, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (client < 0) {
        int errno_value = errno;

        if (errno_value == EAGAIN)
            return false;
        if (is_clients_fault(errno_value))
            return true;
        /* shut down by the monitor, whose word of it is on its way; the hang-up
         * would come again until then */
        if (errno_value == EINVAL) {
            rn_watch_remove(&port->watch);
            return false;
        }
        if (!rn_fd_room_is_error(errno_value))
            rn_log_debug("accept: %s", g_strerror(errno_value));
        pause_accepting(acceptor);
        return false;
    }
    pass_on(port, client, &from);
    if (acceptor->n_waiting < RN_ACCEPTOR_WAITING_MAX &&
        rn_fd_room_above(client, acceptor->n_waiting + FD_RESERVE))
        return port->n_waiting < PORT_WAITING_MAX;
    pause_accepting(acceptor);
    return false;
}

static void handle_port(RnWatch *watch, uint32_t events)
{
    (void)events; /* errors show up in accept(2) */
    for (unsigned i = 0; i < ACCEPT_BUDGET; i++) {
        if (!accept_client(watch->data))
            return;
    }
}

RnAcceptor *rn_acceptor_new(RnLoop *loop, RnAcceptFunc accepted, void *data)
{
    RnAcceptor *acceptor = g_new0(RnAcceptor, 1);

    acceptor->loop = loop;
    acceptor->accepted = accepted;
    acceptor->data = data;
    acceptor->ports = g_ptr_array_new_with_free_func(free_port);
    return acceptor;
}

void rn_acceptor_free(RnAcceptor *acceptor)
{
    if (acceptor == NULL)
        return;
    rn_timer_cancel(&acceptor->retry);
    g_ptr_array_unref(acceptor->ports);
    g_free(acceptor);
}

bool rn_acceptor_add(RnAcceptor *acceptor, uint32_t id,
                     const RnEndpoint *target, int take_fd, GError **error)
{
    RnAcceptorPort *port = g_new0(RnAcceptorPort, 1);

    *port = (RnAcceptorPort){
        .acceptor = acceptor,
        .id = id,
        .fd = take_fd,
        .target = *target,
    };
    g_ptr_array_add(acceptor->ports, port);
    rn_tcp_tune(take_fd);
    if (rn_fd_set_nonblocking(take_fd, true, error) &&
        rn_loop_add(acceptor->loop, &port->watch, take_fd,
                    acceptor->is_paused ? 0 : EPOLLIN, handle_port, port,
                    error))
        return true;
    g_ptr_array_remove(acceptor->ports, port);
    return false;
}

static void remove_port(RnAcceptor *acceptor, RnAcceptorPort *port)
{
    rn_watch_remove(&port->watch);
    rn_fd_close(&port->fd);
    if (port->n_waiting == 0)
        g_ptr_array_remove_fast(acceptor->ports, port);
}

unsigned rn_acceptor_remove(RnAcceptor *acceptor, uint32_t id)
{
    unsigned n_removed = 0;

    /* backwards: what takes the place of one that is gone was looked at */
    for (unsigned i = acceptor->ports->len; i > 0; i--) {
        RnAcceptorPort *port = g_ptr_array_index(acceptor->ports, i - 1);

        if (port->id != id || port->fd < 0)
            continue;
        remove_port(acceptor, port);
        n_removed++;
    }
    return n_removed;
}

bool rn_acceptor_is_paused(const RnAcceptor *acceptor)
{
    return acceptor->is_paused;
}

unsigned rn_acceptor_n_waiting(const RnAcceptor *acceptor)
{
    return acceptor->n_waiting;
}
