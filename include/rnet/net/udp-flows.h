/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp-flows - who talks to which published UDP port, both ways
 *
 * Pure: time comes in as an argument. A flow is one client as one listener
 * sees it; the guest sees it as an endpoint of its own, so that an answer finds
 * the flow again. The number of flows is bounded: a new one takes the place of
 * the one that was idle the longest, an unanswered one first.
 */
#ifndef RNET_NET_UDP_FLOWS_H
#define RNET_NET_UDP_FLOWS_H

#include <rnet/util/protocol.h>

enum {
    RN_UDP_FLOWS_MAX = 4096,

    /*
     * Idle times in milliseconds. A flow that the guest answered keeps longer
     * than the two minutes that RFC 4787, REQ-5, has as the least, one that it
     * never answered is let go sooner; Linux' nf_conntrack has 120 s and 30 s
     * for these (Documentation/networking/nf_conntrack-sysctl.rst).
     */
    RN_UDP_ANSWERED_MS = 180 * 1000,
    RN_UDP_UNANSWERED_MS = 60 * 1000,
};

/* How a client came: what makes two datagrams belong to one flow. */
typedef struct RnUdpOrigin {
    RnEndpoint client; /* with its port */
    RnEndpoint local;  /* the address that it sent to; port 0 */
    uint32_t listener; /* index, the caller's */
} RnUdpOrigin;

typedef struct RnUdpFlow {
    RnUdpOrigin origin;
    RnEndpoint shown; /* the client as the guest sees it */
    RnEndpoint guest; /* the guest's address and port */
    bool is_answered;
    int64_t last_ms; /* when it was last used */
    GList link;      /* the table's */
} RnUdpFlow;

typedef struct RnUdpFlows RnUdpFlows;

/* `plan` is borrowed. At most `max` flows. */
RnUdpFlows *rn_udp_flows_new(const RnNetworkPlan *plan, unsigned max) RN_CHECK;
void rn_udp_flows_free(RnUdpFlows *flows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnUdpFlows, rn_udp_flows_free)

/*
 * The flow of a datagram that came in at now_ms, made if it is new. It goes to
 * `target` as rn_plan_lead_client() has it, the same for all of a listener, and
 * no loopback address. The client is shown as it has it, too; where that endpoint is taken by
 * another flow to the same guest port, as the gateway with a free port. NULL
 * only when the gateway has none left.
 */
const RnUdpFlow *rn_udp_flows_enter(RnUdpFlows *flows,
                                    const RnUdpOrigin *origin,
                                    const RnEndpoint *target, int64_t now_ms);

/* The flow that a datagram from `guest` to `shown` answers, or NULL. */
const RnUdpFlow *rn_udp_flows_answer(RnUdpFlows *flows, const RnEndpoint *guest,
                                     const RnEndpoint *shown, int64_t now_ms);

/* Removes what has been idle for too long at now_ms. */
void rn_udp_flows_expire(RnUdpFlows *flows, int64_t now_ms);

/* Removes those of one listener. */
void rn_udp_flows_remove(RnUdpFlows *flows, uint32_t listener);

/* When the next flow will have been idle for too long; -1: there is none. */
int64_t rn_udp_flows_next_expiry_ms(const RnUdpFlows *flows);

unsigned rn_udp_flows_count(const RnUdpFlows *flows);

#endif
