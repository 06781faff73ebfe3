/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * visit - one client of a published TCP port until it is connected inside
 *
 * Part of publish-tcp. Asks the agent for sockets, one attempt after the
 * other, until one is connected or none is left to try; watches the client
 * meanwhile, and ends at once when that goes away.
 */
#ifndef RNET_NET_VISIT_H
#define RNET_NET_VISIT_H

#include <rnet/net/agent-client.h>

typedef struct RnVisit RnVisit;

/*
 * The visit is over and freed. Either both sockets are connected, and the
 * callee's, or both are -1 and the client was closed.
 */
typedef void (*RnVisitEndFunc)(int take_client, int take_inside, void *data);

typedef struct RnVisitParts {
    const RnNetworkPlan *plan;
    RnLoop *loop;
    RnAgentClient *agent;
    RnVisitEndFunc ended;
    GQueue visits; /* of RnVisit: those under way */
} RnVisitParts;

/*
 * Starts one for an accepted client, whose socket it takes, also on failure
 * (then it is reset). `parts` outlive the visit. `ended` is called with `data`
 * from the loop, never from within this call.
 */
bool rn_visit_start(RnVisitParts *parts, int take_client,
                    const RnEndpoint *address, uint16_t guest_port, void *data,
                    GError **error) RN_CHECK;

/* Resets every visit under way, without calling anyone. */
void rn_visits_abandon(RnVisitParts *parts);

#endif
