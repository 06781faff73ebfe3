/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network-state - a kept network as JSON, for who asks (keeper.h has the form)
 */
#ifndef RNET_RUNTIME_NETWORK_STATE_H
#define RNET_RUNTIME_NETWORK_STATE_H

#include <sys/types.h>

#include <jansson.h>

#include <rnet/net/network.h>

/* All borrowed. */
typedef struct RnNetworkStateFacts {
    const RnNetworkPlan *plan;
    const GArray *listeners; /* of RnListener */
    const char *key;         /* NULL: none */
    pid_t pid;               /* of the process whose end is its end; 0: none */
    pid_t monitor;
    dev_t dev; /* of the namespace; both 0: there is none */
    ino_t ino;
    bool is_up;
} RnNetworkStateFacts;

/* A new reference. Pure. */
json_t *rn_network_state(const RnNetworkStateFacts *facts) RN_CHECK;

#endif
