/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * visit - one client of a published TCP port until it is connected inside
 *
 * Part of publish-tcp. Makes one attempt after the other to connect
 * inside, until one is connected or none is left to try; watches the client
 * meanwhile, and ends at once when that goes away.
 */
#ifndef RNET_NET_VISIT_H
#define RNET_NET_VISIT_H

#include <rnet/net/inside.h>

typedef struct RnVisit RnVisit;

/*
 * The visit is over and freed. Either both sockets are connected, and the
 * callee's, or both are -1 and the client was closed.
 */
typedef void (*RnVisitEndFunc)(int take_client, int take_inside, void *owner,
                               void *data);

typedef struct RnVisitParts {
    const RnNetworkPlan *plan;
    RnLoop *loop;
    RnInside *inside;
    RnVisitEndFunc ended;
    void *owner;   /* the first of what it is called with */
    GQueue visits; /* of RnVisit: those under way */
} RnVisitParts;

/*
 * Starts one for an accepted client, to `target` as RnRelayListener.guest has
 * it. Returns 0 if it is connected already: then
 * *out_inside is the other socket, and the client stays the caller's; or
 * EINPROGRESS: the visit has the client, `parts` outlive it, and `ended` is
 * called with `data` from the loop; or the errno of the last attempt, and the
 * client was reset.
 */
int rn_visit_start(RnVisitParts *parts, int take_client,
                   const RnEndpoint *address, const RnEndpoint *target,
                   void *data, int *out_inside) RN_CHECK;

/* Resets every visit under way, without calling anyone. */
void rn_visits_abandon(RnVisitParts *parts);

#endif
