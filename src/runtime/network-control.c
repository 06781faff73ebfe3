/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-control - answers who connects to a network's entry
 *
 * Runs in the keeper. Data: protocol.h, CONTROL_...; the answer is a file in
 * memory, since the list of ports has no bound that a message has. Clients are
 * the same user's: only he can enter the state directory. They may be broken
 * all the same: none is waited for.
 */
#include "config.h"

#include <rnet/runtime/network-control.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/socket.h>

#include <rnet/util/fd.h>
#include <rnet/util/log.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

typedef struct Client {
    RnNetworkControl *control;
    RnWatch watch;
    int fd;
} Client;

struct RnNetworkControl {
    RnLoop *loop;
    const RnNetworkControlCalls *calls;
    void *data;
    int listener;
    RnWatch watch;      /* of it */
    GPtrArray *clients; /* of Client, the oldest first */
};

static void free_client(gpointer data)
{
    Client *client = data;

    rn_watch_remove(&client->watch);
    rn_fd_close(&client->fd);
    g_free(client);
}

static bool write_state(RnNetworkControl *control, int fd, GError **error)
{
    json_t *state = control->calls->describe(control->data);
    g_autofree char *text = json_dumps(state, JSON_COMPACT);

    json_decref(state);
    if (text == NULL)
        return rn_set_errno(error, ENOMEM, "format the state");
    return rn_fd_write_all(fd, text, strlen(text), error);
}

static bool send_state(Client *client, GError **error)
{
    rn_autofd int fd = memfd_create("state", MFD_CLOEXEC);

    if (fd < 0)
        return rn_set_errno(error, errno, "make a file for the state");
    return write_state(client->control, fd, error) &&
           rn_msg_send(client->fd, RN_MSG_CONTROL_STATE, NULL, 0, &fd, 1,
                       error);
}

/* After a failure the client waits for EOF: then all is undone. */
static bool attach(Client *client, int netns_fd, GError **error)
{
    RnNetworkControl *control = client->control;
    g_autoptr(GError) failure = NULL;

    if (control->calls->attach(control->data, netns_fd, &failure))
        return rn_msg_send(client->fd, RN_MSG_CONTROL_ATTACHED, NULL, 0, NULL,
                           0, error);
    return rn_msg_send_error(client->fd, failure, error);
}

static bool answer(Client *client, const RnMsg *msg, GError **error)
{
    RnNetworkControl *control = client->control;

    if (msg->length == 0 && msg->n_fds == 0) {
        if (msg->type == RN_MSG_CONTROL_STATUS)
            return send_state(client, error);
        if (msg->type == RN_MSG_CONTROL_DETACH) {
            control->calls->detach(control->data);
            return true;
        }
    }
    if (msg->type == RN_MSG_CONTROL_NAMESPACE && msg->length == 0 &&
        msg->n_fds == 1 && control->calls->is_waiting != NULL &&
        control->calls->is_waiting(control->data))
        return attach(client, msg->fds[0], error);
    return rn_set_error(error, RN_ERROR_PROTOCOL, "message %u", msg->type);
}

static void on_client(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    Client *client = watch->data;
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) failure = NULL;

    if (rn_msg_recv(client->fd, &msg, &failure) &&
        answer(client, &msg, &failure))
        return;
    if (!g_error_matches(failure, RN_ERROR, RN_ERROR_PEER_DIED))
        rn_log_debug("control client: %s", failure->message);
    g_ptr_array_remove(client->control->clients, client);
}

static bool add_client(RnNetworkControl *control, int fd, GError **error)
{
    Client *client = g_new0(Client, 1);

    if (control->clients->len == RN_NETWORK_CONTROL_MAX)
        g_ptr_array_remove_index(control->clients, 0);
    client->control = control;
    client->fd = fd;
    g_ptr_array_add(control->clients, client);
    if (rn_loop_add(control->loop, &client->watch, fd, EPOLLIN, on_client,
                    client, error))
        return true;
    g_ptr_array_remove(control->clients, client);
    return false;
}

static void on_listener(RnWatch *watch, G_GNUC_UNUSED uint32_t events)
{
    RnNetworkControl *control = watch->data;
    g_autoptr(GError) failure = NULL;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    /* out of fds: those of the clients are what can be given back */
    if (fd < 0 && (errno == EMFILE || errno == ENFILE) &&
        control->clients->len > 0)
        g_ptr_array_remove_index(control->clients, 0);
    else if (fd >= 0 && !add_client(control, fd, &failure))
        rn_log_debug("control client: %s", failure->message);
}

RnNetworkControl *rn_network_control_new(int listener, RnLoop *loop,
                                         const RnNetworkControlCalls *calls,
                                         void *data, GError **error)
{
    RnNetworkControl *control = g_new0(RnNetworkControl, 1);

    control->loop = loop;
    control->calls = calls;
    control->data = data;
    control->clients = g_ptr_array_new_with_free_func(free_client);
    control->listener = fcntl(listener, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (control->listener < 0)
        (void)rn_set_errno(error, errno, "keep the socket of the network");
    else if (rn_loop_add(loop, &control->watch, control->listener, EPOLLIN,
                         on_listener, control, error))
        return control;
    rn_network_control_free(control);
    return NULL;
}

void rn_network_control_free(RnNetworkControl *control)
{
    if (control == NULL)
        return;
    rn_watch_remove(&control->watch);
    rn_fd_close(&control->listener);
    g_ptr_array_unref(control->clients);
    g_free(control);
}
