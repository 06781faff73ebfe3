/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-server - clients of slirp4netns' API socket
 *
 * Runs in the slirp4netns dialect, on the loop that supervises the network.
 * Data: one request a connection, at most RN_SLIRP_REQUEST_MAX bytes, answered
 * as soon as its object is complete; then the connection is closed.
 * Failure: what is wrong with a request is its reply; a connection that fails
 * is closed. Nothing here blocks, and nothing of it ends the process.
 */
#include "config.h"

#include <rnet/dialect/slirp4netns-server.h>

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <sys/socket.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>

enum {
    ACCEPTS_PER_TURN = 16,
    PAUSE_MS = 1000, /* without a free fd, and no client to close */
    /* the relay closes a withdrawn port a moment after the monitor; then it can
     * be had again */
    RETRY_MS = 2,
    RETRIES_MAX = 50,
};

typedef struct Client {
    RnSlirpServer *server;
    int fd;
    RnWatch watch;
    char request[RN_SLIRP_REQUEST_MAX];
    gsize request_length;
    char *reply; /* NULL: still reading */
    gsize reply_length, sent;
    RnTimer retry;
    unsigned retries;       /* of adding */
    RnSlirpForward forward; /* that is tried again */
} Client;

struct RnSlirpServer {
    int listener;
    RnLoop *loop;
    RnNetworkPlan plan;
    RnSlirpPorts ports;
    RnWatch watch;
    RnTimer pause;
    GPtrArray *clients;      /* of Client, in the order in which they came */
    GArray *forwards;        /* of RnSlirpForward */
    RnPublishSpec withdrawn; /* the last one; count 0: none */
};

static void free_client(void *data)
{
    Client *client = data;

    rn_timer_cancel(&client->retry);
    rn_watch_remove(&client->watch);
    rn_fd_close(&client->fd);
    g_free(client->reply);
    g_free(client);
}

static void drop_client(Client *client)
{
    (void)g_ptr_array_remove(client->server->clients, client);
}

/* Why, beside what the original says; the hint is for the log. */
static char *reply_failure(const char *desc, const GError *failure)
{
    g_autofree char *hint = NULL;
    g_autofree char *reason = rn_error_split(failure, &hint);

    rn_log_gerror(RN_LOG_WARNING, failure);
    return rn_slirp_reply_error(desc, reason);
}

/* Is a port in use because it has just been withdrawn? */
static bool is_withdrawn(const RnSlirpServer *server, const RnPublishSpec *spec)
{
    const RnPublishSpec *last = &server->withdrawn;

    return last->count > 0 && last->transport == spec->transport &&
           last->host.port == spec->host.port;
}

/* NULL: it is to be tried again. */
static char *add_forward(Client *client, RnSlirpForward *forward)
{
    RnSlirpServer *server = client->server;
    g_autoptr(GError) failure = NULL;

    if (server->ports.add(forward, &forward->id, server->ports.data,
                          &failure)) {
        server->withdrawn.count = 0;
        g_array_append_val(server->forwards, *forward);
        return rn_slirp_reply_added(forward->id);
    }
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_EXISTS) &&
        is_withdrawn(server, &forward->spec) && client->retries++ < RETRIES_MAX)
        return NULL;
    return reply_failure(RN_SLIRP_DESC_ADD_FAILED, failure);
}

/* The index of a forward, or the number of them. */
static unsigned find_forward(const GArray *forwards, uint32_t id)
{
    unsigned i = 0;

    while (i < forwards->len &&
           g_array_index(forwards, RnSlirpForward, i).id != id)
        i++;
    return i;
}

static char *remove_forward(RnSlirpServer *server, uint32_t id)
{
    unsigned index = find_forward(server->forwards, id);
    g_autoptr(GError) failure = NULL;

    if (index == server->forwards->len)
        return rn_slirp_reply_error(RN_SLIRP_DESC_BAD_ID, NULL);
    if (!server->ports.remove(id, server->ports.data, &failure))
        return reply_failure(RN_SLIRP_DESC_REMOVE_FAILED, failure);
    server->withdrawn =
        g_array_index(server->forwards, RnSlirpForward, index).spec;
    (void)g_array_remove_index(server->forwards, index);
    return rn_slirp_reply_removed();
}

/* The reply; NULL: it comes later. */
static char *execute(Client *client, RnSlirpRequest *request)
{
    RnSlirpServer *server = client->server;

    switch (request->kind) {
    case RN_SLIRP_REQUEST_ADD:
        client->forward = request->forward;
        return add_forward(client, &client->forward);
    case RN_SLIRP_REQUEST_REMOVE:
        return remove_forward(server, request->forward.id);
    case RN_SLIRP_REQUEST_LIST:
        return rn_slirp_reply_list(server->forwards);
    case RN_SLIRP_REQUEST_INCOMPLETE:
    case RN_SLIRP_REQUEST_BAD:
    case RN_SLIRP_REQUEST_N_:
        break;
    }
    return rn_slirp_reply_error(request->desc, NULL);
}

/* Sends what the socket takes; at the end of the reply the client is gone. */
static void send_reply(Client *client)
{
    while (client->sent < client->reply_length) {
        ssize_t sent = send(client->fd, client->reply + client->sent,
                            client->reply_length - client->sent, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN) {
            rn_watch_set_events(&client->watch, EPOLLOUT);
            return;
        }
        if (sent < 0)
            break;
        client->sent += (gsize)sent;
    }
    drop_client(client);
}

static void start_reply(Client *client, char *take_reply)
{
    client->reply = take_reply;
    client->reply_length = strlen(take_reply);
    send_reply(client);
}

static void on_retry(RnTimer *timer);

static void reply_or_retry(Client *client, char *take_reply)
{
    if (take_reply != NULL) {
        start_reply(client, take_reply);
        return;
    }
    /* an end of the client is reported all the same */
    rn_watch_set_events(&client->watch, 0);
    rn_loop_set_timer(client->server->loop, &client->retry, RETRY_MS, on_retry,
                      client);
}

static void on_retry(RnTimer *timer)
{
    Client *client = timer->data;

    reply_or_retry(client, add_forward(client, &client->forward));
}

/* After more has come, or EOF. */
static void consider_request(Client *client, bool is_eof)
{
    RnSlirpRequest request;

    if (client->request_length == sizeof client->request) {
        start_reply(client,
                    rn_slirp_reply_error(RN_SLIRP_DESC_TOO_LARGE, NULL));
        return;
    }
    rn_slirp_request_parse(client->request, client->request_length,
                           &client->server->plan, &request);
    if (request.kind != RN_SLIRP_REQUEST_INCOMPLETE || is_eof)
        reply_or_retry(client, execute(client, &request));
}

static void read_request(Client *client)
{
    ssize_t got = recv(client->fd, client->request + client->request_length,
                       sizeof client->request - client->request_length, 0);

    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR)
            drop_client(client);
        return;
    }
    client->request_length += (gsize)got;
    consider_request(client, got == 0);
}

static void on_client(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    Client *client = watch->data;

    if (client->reply != NULL)
        send_reply(client);
    else if (client->retry.loop != NULL)
        drop_client(client);
    else
        read_request(client);
}

static void add_client(RnSlirpServer *server, int take_fd)
{
    Client *client = g_new0(Client, 1);
    g_autoptr(GError) failure = NULL;

    if (server->clients->len >= RN_SLIRP_CLIENTS_MAX)
        (void)g_ptr_array_remove_index(server->clients, 0);
    client->server = server;
    client->fd = take_fd;
    if (rn_loop_add(server->loop, &client->watch, client->fd, EPOLLIN,
                    on_client, client, &failure)) {
        g_ptr_array_add(server->clients, client);
        return;
    }
    rn_log_warning("API socket: %s", failure->message);
    free_client(client);
}

static void on_pause_end(RnTimer *timer)
{
    RnSlirpServer *server = timer->data;

    rn_watch_set_events(&server->watch, EPOLLIN);
}

/* The connection stays in the queue: without a free fd it would be reported
 * again and again. */
static void wait_for_fd(RnSlirpServer *server)
{
    if (server->clients->len > 0) {
        (void)g_ptr_array_remove_index(server->clients, 0);
        return;
    }
    rn_log_warning("API socket: accept: %s", g_strerror(errno));
    rn_watch_set_events(&server->watch, 0);
    rn_loop_set_timer(server->loop, &server->pause, PAUSE_MS, on_pause_end,
                      server);
}

/* Without a free fd accept(2) does not even look; the last one may just have
 * gone to the only client. */
static bool has_connection(const RnSlirpServer *server)
{
    struct pollfd one = { .fd = server->listener, .events = POLLIN };
    int errno_value = errno;
    bool has = poll(&one, 1, 0) != 0;

    errno = errno_value; /* of accept(2) */
    return has;
}

static void on_listener(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    RnSlirpServer *server = watch->data;

    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd =
            accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            add_client(server, fd);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
            has_connection(server))
            wait_for_fd(server);
        return;
    }
}

RnSlirpServer *rn_slirp_server_new(int take_listener, RnLoop *loop,
                                   const RnNetworkPlan *plan,
                                   const RnSlirpPorts *ports, GError **error)
{
    g_autoptr(RnSlirpServer) server = g_new0(RnSlirpServer, 1);

    server->listener = take_listener;
    server->loop = loop;
    server->plan = *plan;
    server->ports = *ports;
    server->clients = g_ptr_array_new_with_free_func(free_client);
    server->forwards = g_array_new(FALSE, FALSE, sizeof(RnSlirpForward));
    if (!rn_loop_add(loop, &server->watch, server->listener, EPOLLIN,
                     on_listener, server, error))
        return NULL;
    return g_steal_pointer(&server);
}

void rn_slirp_server_free(RnSlirpServer *server)
{
    if (server == NULL)
        return;
    g_ptr_array_unref(server->clients);
    g_array_unref(server->forwards);
    rn_timer_cancel(&server->pause);
    rn_watch_remove(&server->watch);
    rn_fd_close(&server->listener);
    g_free(server);
}
