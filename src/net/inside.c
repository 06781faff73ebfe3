/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inside - a stock of spare sockets, and attempts to connect one
 *
 * Role:     spare, or else a request to nsagent -> connected socket
 * Runs in:  the relay
 * Owns:     the spares; the socket of each attempt until it is connected
 * Limits:   STOCK_MAX spares a family, asked for RN_SPARES_MAX at a time, of
 *           IPv6 from its first use on, while FD_RESERVE fds are free. How long
 *           a connect may take is the kernel's business (tcp(7),
 *           tcp_syn_retries)
 * Failure:  an errno for the attempt. A relay that may not use spares learns
 *           it from the first one and asks for no more
 */
#include "config.h"

#include <rnet/net/inside.h>

#include <errno.h>

#include <sys/socket.h>

#include <rnet/net/fd-room.h>
#include <rnet/net/inside-socket.h>
#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    STOCK_MAX = 32,
    STOCK_LOW = STOCK_MAX - RN_SPARES_MAX, /* below it more are asked for */
    FD_RESERVE = 256,                      /* fds beyond these may be spares */
    FAMILIES = 2,
};

typedef struct Stock {
    RnInside *inside;
    uint16_t family;
    int fds[STOCK_MAX];
    unsigned n_fds;
    bool is_asked; /* for more */
} Stock;

struct RnInside {
    RnLoop *loop;
    RnAgentClient *agent;
    bool use_spares;
    bool is_tried; /* whether this process may use spares is known */
    Stock stocks[FAMILIES];
};

static void drop_spares(Stock *stock)
{
    while (stock->n_fds > 0)
        rn_fd_close(&stock->fds[--stock->n_fds]);
}

static void ask_for_spares(Stock *stock);

/*
 * Learns from the first spare that ever came whether they are of use. Once they
 * are not, those that were asked for in the meantime go, too.
 */
static void try_spare(RnInside *inside, Stock *stock)
{
    if (!inside->is_tried) {
        inside->is_tried = true;
        inside->use_spares = rn_inside_socket_is_usable(stock->fds[0]);
        if (inside->use_spares) {
            rn_fd_close(&stock->fds[0]);
            stock->fds[0] = stock->fds[--stock->n_fds];
        } else {
            rn_log_debug("inside: this namespace's owner is another user, "
                         "nsagent connects");
        }
    }
    if (!inside->use_spares)
        drop_spares(stock);
}

static void take_spares(const int *take_fds, unsigned n_fds, void *data)
{
    Stock *stock = data;

    stock->is_asked = false;
    for (unsigned i = 0; i < n_fds; i++) {
        int fd = take_fds[i];

        if (stock->n_fds < STOCK_MAX && rn_fd_set_nonblocking(fd, true, NULL))
            stock->fds[stock->n_fds++] = fd;
        else
            rn_fd_close(&fd);
    }
    /* none: it ran out of something, and is asked again at the next use */
    if (stock->n_fds == 0)
        return;
    try_spare(stock->inside, stock);
    if (stock->n_fds < STOCK_LOW)
        ask_for_spares(stock);
}

static void ask_for_spares(Stock *stock)
{
    RnInside *inside = stock->inside;

    if (inside->use_spares && !stock->is_asked &&
        rn_fd_room(rn_loop_fd(inside->loop), FD_RESERVE))
        stock->is_asked = rn_agent_client_request_spares(
            inside->agent, stock->family, take_spares, stock);
}

RnInside *rn_inside_new(RnLoop *loop, RnAgentClient *agent, bool use_spares)
{
    RnInside *inside = g_new0(RnInside, 1);

    inside->loop = loop;
    inside->agent = agent;
    inside->use_spares = use_spares;
    for (unsigned i = 0; i < FAMILIES; i++) {
        inside->stocks[i].inside = inside;
        inside->stocks[i].family = i == 0 ? AF_INET : AF_INET6;
    }
    ask_for_spares(&inside->stocks[0]);
    return inside;
}

void rn_inside_free(RnInside *inside)
{
    if (inside == NULL)
        return;
    for (unsigned i = 0; i < FAMILIES; i++)
        drop_spares(&inside->stocks[i]);
    g_free(inside);
}

/* A spare, or -1. */
static int take_spare(RnInside *inside, uint16_t family)
{
    Stock *stock = &inside->stocks[family == AF_INET6];
    int fd = -1;

    if (stock->n_fds > 0)
        fd = stock->fds[--stock->n_fds];
    if (stock->n_fds < STOCK_LOW)
        ask_for_spares(stock);
    return fd;
}

void rn_inside_cancel(RnInsideAttempt *attempt)
{
    if (attempt->inside == NULL)
        return;
    rn_agent_client_cancel(attempt->inside->agent, attempt->request);
    rn_watch_remove(&attempt->watch);
    rn_fd_close(&attempt->fd);
    attempt->inside = NULL;
}

static void finish(RnInsideAttempt *attempt, int errno_value)
{
    int fd = -1;

    rn_watch_remove(&attempt->watch);
    if (errno_value == 0)
        fd = g_steal_fd(&attempt->fd);
    rn_inside_cancel(attempt);
    attempt->done(fd, errno_value, attempt->data);
}

/* 0: connected; EINPROGRESS: not yet; else why not. */
static int get_connect_result(int fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    int errno_value = 0;
    socklen_t errno_length = sizeof errno_value;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno_value, &errno_length) < 0)
        return errno;
    if (errno_value != 0)
        return errno_value;
    if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0)
        return 0;
    return errno == ENOTCONN ? EINPROGRESS : errno;
}

static void handle_events(RnWatch *watch, uint32_t events)
{
    RnInsideAttempt *attempt = watch->data;
    int errno_value = get_connect_result(attempt->fd);

    /* an event without a result would come again for ever */
    if (errno_value == EINPROGRESS && (events & (EPOLLHUP | EPOLLERR)) != 0)
        errno_value = ECONNRESET;
    if (errno_value != EINPROGRESS)
        finish(attempt, errno_value);
}

/* EINPROGRESS: the end of the connect will be noticed; else why not. */
static int await_connect(RnInsideAttempt *attempt)
{
    return rn_loop_add(attempt->inside->loop, &attempt->watch, attempt->fd,
                       EPOLLOUT, handle_events, attempt, NULL)
               ? EINPROGRESS
               : ENOMEM;
}

static void take_answer(int take_fd, int errno_value, void *data)
{
    RnInsideAttempt *attempt = data;

    attempt->request = 0;
    attempt->fd = take_fd;
    /* inside the namespace a connect mostly ends before the answer is here */
    if (errno_value == 0)
        errno_value = rn_fd_set_nonblocking(take_fd, true, NULL)
                          ? get_connect_result(take_fd)
                          : EINVAL;
    if (errno_value == EINPROGRESS)
        errno_value = await_connect(attempt);
    if (errno_value != EINPROGRESS)
        finish(attempt, errno_value);
}

int rn_inside_connect(RnInside *inside, RnInsideAttempt *attempt,
                      const RnEndpoint *local, const RnEndpoint *remote,
                      RnInsideFunc done, void *data, int *out_fd)
{
    int errno_value = 0;

    *attempt = (RnInsideAttempt){
        .inside = inside,
        .fd = take_spare(inside, remote->family),
        .done = done,
        .data = data,
    };
    if (attempt->fd < 0) {
        attempt->request = rn_agent_client_request(inside->agent, local, remote,
                                                   take_answer, attempt);
        errno_value = attempt->request != 0 ? EINPROGRESS : EAGAIN;
    } else {
        errno_value = rn_inside_socket_connect(attempt->fd, local, remote);
        if (errno_value == 0)
            *out_fd = g_steal_fd(&attempt->fd);
        else if (errno_value == EINPROGRESS)
            errno_value = await_connect(attempt);
    }
    if (errno_value != EINPROGRESS)
        rn_inside_cancel(attempt);
    return errno_value;
}
