/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-client - pipelined requests to nsagent
 *
 * Role:     matches answers to requests by id
 * Runs in:  the relay
 * Data:     request -> queue -> serving socket;  answer -> id -> its callback
 * Owns:     the socket, requests that wait for room in it, ids under way
 * Limits:   RN_AGENT_CLIENT_MAX ids; ANSWER_BUDGET answers a turn
 * Failure:  EOF or a malformed answer is reported once and ends the reading.
 *           Without a free fd number an answer's socket would be lost: then
 *           reading pauses until there is one, tried again after PAUSE_MS.
 *           Spares that find no number are done without
 */
#include "config.h"

#include <rnet/net/agent-client.h>

#include <errno.h>

#include <rnet/net/fd-room.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

enum {
    ANSWER_BUDGET = 64,
    PAUSE_MS = 100,
};

typedef struct Pending {
    uint64_t id;
    RnAgentReplyFunc reply;
    RnSparesFunc take_spares; /* in place of reply */
    void *data;
} Pending;

struct RnAgentClient {
    RnLoop *loop;
    int socket;
    RnWatch watch;
    RnTimer pause;
    bool is_paused;
    GHashTable *pending; /* id -> Pending */
    GQueue unsent;       /* of RnSocketRequest */
    uint64_t last_id;
    RnAgentLostFunc lost;
    void *data;
    RnMsg msg; /* here since it is too large for a stack frame a turn */
};

static void update_events(RnAgentClient *client)
{
    uint32_t events = client->is_paused ? 0 : EPOLLIN;

    if (client->unsent.length > 0)
        events |= EPOLLOUT;
    rn_watch_set_events(&client->watch, events);
}

static void lose_agent(RnAgentClient *client, const GError *failure)
{
    rn_watch_remove(&client->watch);
    rn_timer_cancel(&client->pause);
    client->lost(failure, client->data);
}

static void end_pause(RnTimer *timer)
{
    RnAgentClient *client = timer->data;

    client->is_paused = false;
    update_events(client);
}

static void begin_pause(RnAgentClient *client)
{
    client->is_paused = true;
    update_events(client);
    rn_loop_set_timer(client->loop, &client->pause, PAUSE_MS, end_pause,
                      client);
}

/* Sends what waits. False: the agent is lost. */
static bool send_requests(RnAgentClient *client)
{
    g_autoptr(GError) failure = NULL;
    RnSocketRequest *request = NULL;

    while ((request = g_queue_peek_head(&client->unsent)) != NULL) {
        bool is_wanted = g_hash_table_contains(client->pending, &request->id);

        if (is_wanted &&
            !rn_msg_send(client->socket, RN_MSG_SOCKET_REQUEST, request,
                         sizeof *request, NULL, 0, &failure))
            break;
        g_free(g_queue_pop_head(&client->unsent));
    }
    if (failure != NULL && !rn_error_is_errno(failure, EAGAIN)) {
        lose_agent(client, failure);
        return false;
    }
    update_events(client);
    return true;
}

static void deliver(const Pending *pending, int errno_value, RnMsg *msg)
{
    int fds[RN_SPARES_MAX];
    unsigned n_fds = msg->n_fds;

    for (unsigned i = 0; i < n_fds; i++)
        fds[i] = rn_msg_steal_fd(msg, i);
    if (pending->take_spares != NULL)
        pending->take_spares(fds, n_fds, pending->data);
    else
        pending->reply(n_fds > 0 ? fds[0] : -1,
                       errno_value == 0 && n_fds == 0 ? EMFILE : errno_value,
                       pending->data);
}

/* With is_cut there may be no fd although there was one. */
static bool handle_answer(RnAgentClient *client, bool is_cut, GError **error)
{
    RnMsg *msg = &client->msg;
    RnSocketReply reply = { 0 };
    g_autofree Pending *pending = NULL;
    unsigned n_fds_max = 1;

    if (msg->type != RN_MSG_SOCKET_REPLY || msg->length != sizeof reply)
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "unexpected message %u of %" G_GSIZE_FORMAT
                            " bytes",
                            msg->type, msg->length);
    memcpy(&reply, msg->payload, sizeof reply);
    /* no entry: cancelled, and the fd is closed with the message */
    (void)g_hash_table_steal_extended(client->pending, &reply.id, NULL,
                                      (gpointer *)&pending);
    if (pending != NULL && pending->take_spares != NULL)
        n_fds_max = RN_SPARES_MAX;
    if (reply.errno_value < 0 || msg->n_fds > n_fds_max ||
        (reply.errno_value == 0 ? msg->n_fds == 0 && !is_cut : msg->n_fds > 0))
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "answer with errno %d and %u fds",
                            reply.errno_value, msg->n_fds);
    if (pending != NULL)
        deliver(pending, reply.errno_value, msg);
    return true;
}

/*
 * One answer. False: stop reading for now. An agent that hung up is read to
 * the end whatever becomes of the fds.
 */
static bool read_answer(RnAgentClient *client, bool has_hung_up)
{
    g_autoptr(GError) failure = NULL;
    bool is_cut = false;

    if (!has_hung_up && !rn_fd_room(client->socket, 0)) {
        begin_pause(client);
        return false;
    }
    if (!rn_msg_recv_some(client->socket, &client->msg, &is_cut, &failure)) {
        if (!rn_error_is_errno(failure, EAGAIN))
            lose_agent(client, failure);
        return false;
    }
    if (!handle_answer(client, is_cut, &failure)) {
        rn_msg_clear(&client->msg);
        lose_agent(client, failure);
        return false;
    }
    rn_msg_clear(&client->msg);
    return true;
}

static void handle_events(RnWatch *watch, uint32_t events)
{
    RnAgentClient *client = watch->data;
    bool has_hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0;

    if ((events & EPOLLOUT) != 0 && !send_requests(client))
        return;
    if ((events & ~(uint32_t)EPOLLOUT) == 0)
        return;
    for (unsigned i = 0; i < ANSWER_BUDGET; i++) {
        if (!read_answer(client, has_hung_up))
            return;
    }
}

RnAgentClient *rn_agent_client_new(RnLoop *loop, int take_socket,
                                   RnAgentLostFunc lost, void *data,
                                   GError **error)
{
    g_autoptr(RnAgentClient) client = g_new0(RnAgentClient, 1);

    client->loop = loop;
    client->socket = take_socket;
    client->lost = lost;
    client->data = data;
    client->pending =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    if (!rn_fd_set_nonblocking(take_socket, true, error) ||
        !rn_loop_add(loop, &client->watch, take_socket, EPOLLIN, handle_events,
                     client, error)) {
        g_prefix_error(error, "agent: ");
        return NULL;
    }
    return g_steal_pointer(&client);
}

void rn_agent_client_free(RnAgentClient *client)
{
    if (client == NULL)
        return;
    rn_watch_remove(&client->watch);
    rn_timer_cancel(&client->pause);
    rn_fd_close(&client->socket);
    g_queue_clear_full(&client->unsent, g_free);
    g_hash_table_unref(client->pending);
    rn_msg_clear(&client->msg);
    g_free(client);
}

/* Takes both by value. Returns the request's id, or 0: too many. */
static uint64_t add_request(RnAgentClient *client, Pending pending,
                            RnSocketRequest request)
{
    Pending *kept = NULL;

    /* requests that were cancelled unsent still take room in the queue */
    if (g_hash_table_size(client->pending) >= RN_AGENT_CLIENT_MAX ||
        client->unsent.length >= RN_AGENT_CLIENT_MAX)
        return 0;
    pending.id = request.id = ++client->last_id;
    kept = g_memdup2(&pending, sizeof pending);
    g_hash_table_insert(client->pending, &kept->id, kept);
    g_queue_push_tail(&client->unsent, g_memdup2(&request, sizeof request));
    /*
     * Sent when the loop says that there is room, not here: a failure would
     * otherwise be told to the caller in the middle of its request.
     */
    update_events(client);
    return client->last_id;
}

uint64_t rn_agent_client_request(RnAgentClient *client, const RnEndpoint *local,
                                 const RnEndpoint *remote,
                                 RnAgentReplyFunc reply, void *data)
{
    return add_request(client, (Pending){ .reply = reply, .data = data },
                       (RnSocketRequest){ .local = *local, .remote = *remote });
}

bool rn_agent_client_request_spares(RnAgentClient *client, uint16_t family,
                                    RnSparesFunc func, void *data)
{
    return add_request(client, (Pending){ .take_spares = func, .data = data },
                       (RnSocketRequest){
                           .n_spares = RN_SPARES_MAX,
                           .remote = { .family = family },
                       }) != 0;
}

void rn_agent_client_cancel(RnAgentClient *client, uint64_t id)
{
    g_hash_table_remove(client->pending, &id);
}
