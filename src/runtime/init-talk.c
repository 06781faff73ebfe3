/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init-talk - messages to and from init
 *
 * Runs in the launcher and in `start`, on the host. A message of init's is
 * checked for type and size only: it carries no data that is acted on. A
 * failure that init reports is this side's error, unchanged.
 */
#include "config.h"

#include <rnet/runtime/init-talk.h>

#include <rnet/oci/json.h>
#include <rnet/runtime/seccomp-notify.h>
#include <rnet/util/fd.h>
#include <rnet/util/protocol.h>

bool rn_init_say(int socket, uint32_t type, GError **error)
{
    GError *failure = NULL;
    g_auto(RnMsg) last_words = { 0 };

    if (rn_msg_send(socket, type, NULL, 0, NULL, 0, &failure))
        return true;
    /* init may have said why before it ended */
    if (rn_msg_try_recv(socket, &last_words) == 1 &&
        last_words.type == RN_MSG_FAILED) {
        g_clear_error(&failure);
        return rn_msg_take_error(&last_words, error);
    }
    g_propagate_prefixed_error(error, failure, "container init: ");
    return false;
}

bool rn_init_hear(int socket, uint32_t type, unsigned n_fds, RnMsg *msg,
                  GError **error)
{
    GError *failure = NULL;

    if (rn_msg_expect(socket, type, 0, n_fds, msg, &failure))
        return true;
    /* init's own words need no prefix; silence does */
    if (g_error_matches(failure, RN_ERROR, RN_ERROR_PEER_DIED))
        g_prefix_error(&failure, "container init: ");
    g_propagate_error(error, failure);
    return false;
}

/* Takes the listener from the message and hands it to the agent. */
static bool pass_listener(RnMsg *msg, int agent, const RnInitStart *start,
                          GError **error)
{
    g_autoptr(json_t) state =
        rn_record_to_state(start->record, RN_STATUS_CREATED, start->pid);
    const RnSeccompNotice notice = {
        .pid = start->pid,
        .metadata = start->seccomp->listener_metadata,
        .state = state,
    };
    rn_autofd int listener = -1;

    if (agent < 0 || msg->n_fds != 1)
        return rn_set_error(error, RN_ERROR_PROTOCOL,
                            "container init: a listener that nobody asked for");
    listener = rn_msg_steal_fd(msg, 0);
    return rn_seccomp_notify_send(agent, listener, &notice, error);
}

/* What comes after EXECING; *out_running at the EOF that the exec causes. */
static bool hear_outcome(int socket, int agent, const RnInitStart *start,
                         bool *out_running, GError **error)
{
    g_auto(RnMsg) msg = { 0 };
    g_autoptr(GError) end = NULL;

    if (!rn_msg_recv(socket, &msg, &end)) {
        *out_running = g_error_matches(end, RN_ERROR, RN_ERROR_PEER_DIED);
        if (!*out_running)
            g_propagate_error(error, g_steal_pointer(&end));
        return *out_running;
    }
    if (msg.type == RN_MSG_SECCOMP_LISTENER)
        return pass_listener(&msg, agent, start, error);
    if (msg.type == RN_MSG_FAILED)
        return rn_msg_take_error(&msg, error);
    return rn_set_error(error, RN_ERROR_PROTOCOL,
                        "container init: message %u after EXECING", msg.type);
}

bool rn_init_start(int socket, const RnInitStart *start, GError **error)
{
    const RnSeccomp *seccomp = start->seccomp;
    g_auto(RnMsg) msg = { 0 };
    rn_autofd int agent = -1;
    bool running = false;

    if (seccomp != NULL && seccomp->listener_path != NULL &&
        !rn_seccomp_notify_connect(seccomp->listener_path, &agent, error))
        return false;
    if (!rn_init_say(socket, RN_MSG_START, error) ||
        !rn_init_hear(socket, RN_MSG_EXECING, 0, &msg, error))
        return false;
    /* the socket is close-on-exec: EOF is the exec's success */
    while (!running) {
        if (!hear_outcome(socket, agent, start, &running, error))
            return false;
    }
    return true;
}
