/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping6-flows - which echo requests of the guest share a ping socket
 *
 * Time comes in as an argument. The table owns the sockets and their watches;
 * closing a flow ends both. Zeroed memory is an empty table.
 */
#ifndef RNET_NET_PING6_FLOWS_H
#define RNET_NET_PING6_FLOWS_H

#include <rnet/net/frame.h>
#include <rnet/sys/loop.h>

enum {
    RN_PING6_FLOWS_MAX = 64,

    /* the least that RFC 5508, REQ-2, has for a NAT's ICMP query sessions */
    RN_PING6_IDLE_MS = 60 * 1000,
};

typedef struct RnPing6Flow {
    bool is_open;
    int fd;
    RnWatch watch; /* the caller adds it */
    void *owner;   /* the caller's */
    RnEndpoint guest, remote;
    uint16_t id;       /* the guest's */
    uint8_t hop_limit; /* the caller's, 0 at first */
    int64_t last_ms;   /* when it was found or added last */
} RnPing6Flow;

typedef struct RnPing6Flows {
    RnPing6Flow flows[RN_PING6_FLOWS_MAX];
} RnPing6Flows;

void rn_ping6_flows_clear(RnPing6Flows *flows);

/* The flow of an echo request, which is used now, or NULL. */
RnPing6Flow *rn_ping6_flows_find(RnPing6Flows *flows, const RnFrame *request,
                                 int64_t now_ms);

/*
 * A new flow for an echo request. In a full table it takes the place of the
 * one that was idle the longest.
 */
RnPing6Flow *rn_ping6_flows_add(RnPing6Flows *flows, const RnFrame *request,
                                int take_fd, int64_t now_ms);

void rn_ping6_flow_close(RnPing6Flow *flow);

/* Closes what has been idle for too long at now_ms. */
void rn_ping6_flows_expire(RnPing6Flows *flows, int64_t now_ms);

/* When the next flow will have been idle for too long; -1: there is none. */
int64_t rn_ping6_flows_next_expiry_ms(const RnPing6Flows *flows);

unsigned rn_ping6_flows_count(const RnPing6Flows *flows);

#endif
