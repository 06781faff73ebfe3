/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent-client - the relay's requests for sockets inside the namespace
 *
 * SOCKET_REQUEST and SOCKET_REPLY of protocol.h. Requests are sent without
 * waiting for the answers of those before; an answer finds its request by id.
 */
#ifndef RNET_NET_AGENT_CLIENT_H
#define RNET_NET_AGENT_CLIENT_H

#include <rnet/sys/loop.h>
#include <rnet/util/protocol.h>

typedef struct RnAgentClient RnAgentClient;

enum {
    RN_AGENT_CLIENT_MAX = 4096
}; /* requests without an answer */

/*
 * The answer, once: a socket that is now the callee's and errno_value 0, or -1
 * and the errno of what failed inside.
 */
typedef void (*RnAgentReplyFunc)(int take_fd, int errno_value, void *data);

/* The agent is gone, or broke the protocol; no answer will come any more. */
typedef void (*RnAgentLostFunc)(const GError *failure, void *data);

/* Takes the serving socket, also on failure. */
RnAgentClient *rn_agent_client_new(RnLoop *loop, int take_socket,
                                   RnAgentLostFunc lost, void *data,
                                   GError **error) RN_CHECK;

/* Forgets all requests without answering them. */
void rn_agent_client_free(RnAgentClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnAgentClient, rn_agent_client_free)

/*
 * Asks for a TCP socket bound to `local` that connects to `remote`. Returns
 * the request's id, never 0; 0 when RN_AGENT_CLIENT_MAX are under way. `reply`
 * is called from the loop, never from within this call.
 */
uint64_t rn_agent_client_request(RnAgentClient *client, const RnEndpoint *local,
                                 const RnEndpoint *remote,
                                 RnAgentReplyFunc reply, void *data) RN_CHECK;

/* Spares that came, which are the callee's; 0 if there is no room for any. */
typedef void (*RnSparesFunc)(const int *take_fds, unsigned n_fds, void *data);

/*
 * Asks for RN_SPARES_MAX spares (inside-socket.h). False when
 * RN_AGENT_CLIENT_MAX requests are under way. `func` is called from the loop,
 * unless the client is freed first.
 */
bool rn_agent_client_request_spares(RnAgentClient *client, uint16_t family,
                                    RnSparesFunc func, void *data) RN_CHECK;

/* No answer is wanted any more; a socket that comes is closed. 0 is fine. */
void rn_agent_client_cancel(RnAgentClient *client, uint64_t id);

#endif
