/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan - everything that creating one container will do, decided beforehand
 *
 * Plain data, made by the launcher from the bundle, the command's options and
 * a few facts of the host (RnHostFacts, so that tests can make them up); then
 * read by both the launcher and init, which inherits it through the fork.
 */
#ifndef RNET_RUNTIME_PLAN_H
#define RNET_RUNTIME_PLAN_H

#include <rnet/net/options.h>
#include <rnet/oci/config.h>

/* What the host and the caller are, as far as the plan depends on it. */
typedef struct RnHostFacts {
    uint32_t uid, gid; /* effective ids of the caller */
    /*
     * Ids beside its own that the caller can map, as RnIdMapping (host_id and
     * size): subordinate ranges where newuidmap and newgidmap can be used, the
     * rest of its own user namespace where it may write maps itself. Empty:
     * one id only.
     */
    GArray *extra_uids, *extra_gids;
    char *resolv_conf; /* text of the host's file, "" if there is none */
    char *hosts;       /* likewise /etc/hosts */
} RnHostFacts;

/* Looks them up; what cannot be read is as if it were not there. */
void rn_host_facts_init(RnHostFacts *facts);
void rn_host_facts_clear(RnHostFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnHostFacts, rn_host_facts_clear)

typedef struct RnPlan {
    const RnConfig *config; /* borrowed */
    char *id;
    char *bundle; /* absolute path; relative sources of mounts start there */
    char *rootfs;         /* absolute path on the host */
    uint64_t namespaces;  /* CLONE_NEW* bits to create */
    GArray *uid_mappings; /* of RnIdMapping; empty without CLONE_NEWUSER */
    GArray *gid_mappings;
    bool single_id;       /* only one uid and gid are mapped: chown to and
                             setgroups are impossible */
    bool has_network;     /* rnet makes one: handshake steps 2 and 3 */
    RnNetworkPlan network; /* valid if has_network */
    char *resolv_conf; /* text for /etc/resolv.conf; NULL: leave it */
    char *hosts;       /* text for /etc/hosts; NULL: leave it */
    char *hostname;    /* text for /etc/hostname and the UTS name, or NULL */
} RnPlan;

/* What the command asks for beside the bundle. */
typedef struct RnPlanRequest {
    const char *id;
    const char *bundle; /* absolute path */
    /* NULL: slirp with its defaults for a bundle with a network namespace, the
     * host's network for one without */
    const RnNetworkOptions *network;
    bool publishes; /* ports are to be published: needs mode slirp */
    bool no_hosts;  /* leave /etc/hosts as the image has it */
} RnPlanRequest;

/*
 * Pure. Refuses what the caller cannot have (RN_ERROR_UNSUPPORTED) or what
 * contradicts itself (RN_ERROR_INVALID), before anything is made.
 */
RnPlan *rn_plan_new(const RnConfig *config, const RnPlanRequest *request,
                    const RnHostFacts *facts, GError **error) RN_CHECK;
void rn_plan_free(RnPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnPlan, rn_plan_free)

#endif
