/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outbox - a queue in front of a socket's own
 *
 * Runs in the monitor. A message owns a copy of its payload and, where it says
 * so, its last fd. Failure is that of rn_msg_send(), but for what passes: a full
 * socket, fds in flight.
 */
#include "config.h"

#include <rnet/net/outbox.h>

#include <errno.h>
#include <string.h>

#include <rnet/util/fd.h>
#include <rnet/util/msg.h>

typedef struct Waiting {
    uint32_t type;
    gsize length;
    int fds[RN_MSG_MAX_FDS];
    unsigned n_fds;
    bool takes_last_fd;
    uint8_t payload[];
} Waiting;

static void free_waiting(Waiting *waiting)
{
    if (waiting->takes_last_fd && waiting->n_fds > 0)
        rn_fd_close(&waiting->fds[waiting->n_fds - 1]);
    g_free(waiting);
}

void rn_outbox_add(RnOutbox *outbox, const RnOutMessage *message)
{
    Waiting *waiting = g_malloc0(sizeof *waiting + message->length);

    g_return_if_fail(message->n_fds <= RN_MSG_MAX_FDS);
    waiting->type = message->type;
    waiting->length = message->length;
    waiting->n_fds = message->n_fds;
    waiting->takes_last_fd = message->takes_last_fd;
    if (message->length > 0)
        memcpy(waiting->payload, message->payload, message->length);
    for (unsigned i = 0; i < message->n_fds; i++)
        waiting->fds[i] = message->fds[i];
    g_queue_push_tail(&outbox->waiting, waiting);
    outbox->n_added++;
}

bool rn_outbox_flush(RnOutbox *outbox, int socket, GError **error)
{
    const Waiting *waiting = NULL;
    g_autoptr(GError) failure = NULL;

    while ((waiting = g_queue_peek_head(&outbox->waiting)) != NULL) {
        if (!rn_msg_send(socket, waiting->type, waiting->payload,
                         waiting->length, waiting->fds, waiting->n_fds,
                         &failure))
            break;
        free_waiting(g_queue_pop_head(&outbox->waiting));
        outbox->n_gone++;
    }
    outbox->is_held =
        failure != NULL && rn_error_is_errno(failure, ETOOMANYREFS);
    if (failure == NULL || outbox->is_held ||
        rn_error_is_errno(failure, EAGAIN))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool carries(const Waiting *waiting, int fd)
{
    for (unsigned i = 0; i < waiting->n_fds; i++) {
        if (waiting->fds[i] == fd)
            return true;
    }
    return false;
}

bool rn_outbox_drop(RnOutbox *outbox, int fd)
{
    for (GList *link = outbox->waiting.head; link != NULL; link = link->next) {
        Waiting *waiting = link->data;

        if (!carries(waiting, fd))
            continue;
        g_queue_delete_link(&outbox->waiting, link);
        free_waiting(waiting);
        outbox->n_gone++;
        return true;
    }
    return false;
}

void rn_outbox_clear(RnOutbox *outbox)
{
    Waiting *waiting = NULL;

    while ((waiting = g_queue_pop_head(&outbox->waiting)) != NULL) {
        free_waiting(waiting);
        outbox->n_gone++;
    }
}
