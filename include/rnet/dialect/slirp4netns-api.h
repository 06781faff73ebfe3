/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-api - requests and replies of slirp4netns' API socket (pure)
 *
 * slirp4netns(1), "API SOCKET": one JSON object a connection. The replies are
 * the original's bytes, but that a list is also where its manual has it, and
 * that a failure has a "reason" beside "desc". A request without "proto" and a
 * port that is none are errors here.
 */
#ifndef RNET_DIALECT_SLIRP4NETNS_API_H
#define RNET_DIALECT_SLIRP4NETNS_API_H

#include <rnet/net/publish.h>

enum {
    RN_SLIRP_REQUEST_MAX = 4096 /* bytes; one of this length is too long */
};

typedef enum RnSlirpRequestKind {
    RN_SLIRP_REQUEST_INCOMPLETE, /* the text ends within the object */
    RN_SLIRP_REQUEST_BAD,
    RN_SLIRP_REQUEST_ADD,
    RN_SLIRP_REQUEST_LIST,
    RN_SLIRP_REQUEST_REMOVE,
    RN_SLIRP_REQUEST_N_
} RnSlirpRequestKind;

typedef struct RnSlirpForward {
    uint32_t id;
    RnPublishSpec spec; /* of one port with an address */
    RnEndpoint guest;   /* as it was asked for, or the plan's guest4 */
} RnSlirpForward;

typedef struct RnSlirpRequest {
    RnSlirpRequestKind kind;
    RnSlirpForward forward; /* ADD: its id is 0; REMOVE: only the id */
    const char *desc;       /* BAD: what the reply says; static */
} RnSlirpRequest;

void rn_slirp_request_parse(const char *text, gsize length,
                            const RnNetworkPlan *plan,
                            RnSlirpRequest *out_request);

/* Replies, the caller's. `reason` may be NULL. */
char *rn_slirp_reply_error(const char *desc, const char *reason) RN_CHECK;
char *rn_slirp_reply_added(uint32_t id) RN_CHECK;
char *rn_slirp_reply_removed(void) RN_CHECK;
char *rn_slirp_reply_list(const GArray *forwards) RN_CHECK;

#define RN_SLIRP_DESC_TOO_LARGE    "bad request: too large message"
#define RN_SLIRP_DESC_CANNOT_PARSE "bad request: cannot parse JSON"
#define RN_SLIRP_DESC_ADD_FAILED                                               \
    "bad request: add_hostfwd: slirp_add_hostfwd failed"
#define RN_SLIRP_DESC_REMOVE_FAILED                                            \
    "bad request: remove_hostfwd: slirp_remove_hostfwd failed"
#define RN_SLIRP_DESC_BAD_ID "bad request: remove_hostfwd: bad arguments.id"

#endif
