/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-ask - what others ask of a network's keeper
 *
 * Runs in commands and dialects. Data: protocol.h, CONTROL_..., over a
 * connection of its own for each question. A keeper that is stopped or hangs
 * is an error after a while; one that dies while it is asked leaves a stale
 * entry, which is removed here.
 */
#include "config.h"

#include <rnet/runtime/network-entry.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>

#include <rnet/oci/json.h>
#include <rnet/util/fd.h>
#include <rnet/util/msg.h>
#include <rnet/util/protocol.h>

enum {
    ANSWER_TIMEOUT_MS = 30000 /* ending takes some 10 ms */
};

/* Waits until the keeper has said something, or has gone. */
static bool await_answer(int socket, GError **error)
{
    struct pollfd entry = { .fd = socket, .events = POLLIN };
    long result = TEMP_FAILURE_RETRY(poll(&entry, 1, ANSWER_TIMEOUT_MS));

    if (result < 0)
        return rn_set_errno(error, errno, "wait for its keeper");
    return result > 0 ||
           rn_set_error(error, RN_ERROR_STATE, "its keeper does not answer");
}

/* Its end is an answer, too. */
static bool await_end(int socket, GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) failure = NULL;

    if (!rn_msg_send(socket, RN_MSG_CONTROL_DETACH, NULL, 0, NULL, 0, &failure))
        return g_error_matches(failure, RN_ERROR, RN_ERROR_PEER_DIED) ||
               rn_set_error(error, RN_ERROR_STATE, "%s", failure->message);
    if (!await_answer(socket, error))
        return false;
    if (!rn_msg_recv(socket, &msg, &failure) &&
        g_error_matches(failure, RN_ERROR, RN_ERROR_PEER_DIED))
        return true;
    return rn_set_error(error, RN_ERROR_PROTOCOL,
                        "an answer where its end was due");
}

/* A keeper that is killed loses its fds one by one; with its lock it has none. */
static bool await_lock(int lock, GError **error)
{
    return TEMP_FAILURE_RETRY(flock(lock, LOCK_EX)) == 0 ||
           rn_set_errno(error, errno, "wait for its lock");
}

bool rn_network_detach(const char *state_dir, const char *key, GError **error)
{
    rn_autofd int socket = -1;
    rn_autofd int lock = -1;
    g_autoptr(GPtrArray) left = NULL;

    if (!rn_network_entry_connect(state_dir, key, &socket, &lock, error))
        return false;
    if (!await_end(socket, error) || !await_lock(lock, error)) {
        g_prefix_error(error, "network \"%s\": ", key);
        return false;
    }
    rn_fd_close(&lock);
    /* removes it if its keeper died over it */
    left = rn_network_list(state_dir, error);
    return left != NULL;
}

/* When all is undone, or it is known to hang; errors are of no interest then. */
static void await_undone(int socket)
{
    g_auto(RnMsg) msg = { 0 };

    if (await_answer(socket, NULL))
        (void)!rn_msg_recv(socket, &msg, NULL);
}

static bool hand_over(int socket, int netns_fd, GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) failure = NULL;

    if (!rn_msg_send(socket, RN_MSG_CONTROL_NAMESPACE, NULL, 0, &netns_fd, 1,
                     error) ||
        !await_answer(socket, error))
        return false;
    if (rn_msg_expect(socket, RN_MSG_CONTROL_ATTACHED, 0, 0, &msg, &failure))
        return true;
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PEER_DIED))
        return rn_set_error(error, RN_ERROR_STATE,
                            "it has its namespace, or its keeper has died");
    await_undone(socket);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool rn_network_hand_over(const char *state_dir, const char *key, int netns_fd,
                          GError **error)
{
    rn_autofd int socket = -1;

    if (!rn_network_entry_connect(state_dir, key, &socket, NULL, error))
        return false;
    if (hand_over(socket, netns_fd, error))
        return true;
    g_prefix_error(error, "network \"%s\": ", key);
    return false;
}

static json_t *read_state(int fd, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *text = NULL;
    gsize length = 0;

    if (!rn_file_read(AT_FDCWD, path, RN_JSON_MAX_SIZE, &text, &length, error))
        return NULL;
    return rn_json_parse(text, length, "state", error);
}

static json_t *ask(int socket, GError **error)
{
    g_auto(RnMsg) msg = { 0 };

    if (!rn_msg_send(socket, RN_MSG_CONTROL_STATUS, NULL, 0, NULL, 0, error) ||
        !await_answer(socket, error) ||
        !rn_msg_expect(socket, RN_MSG_CONTROL_STATE, 0, 1, &msg, error))
        return NULL;
    return read_state(msg.fds[0], error);
}

json_t *rn_network_ask(const char *state_dir, const char *key, GError **error)
{
    rn_autofd int socket = -1;
    json_t *state = NULL;

    if (!rn_network_entry_connect(state_dir, key, &socket, NULL, error))
        return NULL;
    state = ask(socket, error);
    if (state == NULL)
        g_prefix_error(error, "network \"%s\": ", key);
    return state;
}
