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

#include <rnet/oci/config.h>
#include <rnet/runtime/network-wish.h>

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

/* Looks them up; what cannot be read is as if it were not there. The extra ids
 * take the most time, and are empty where they are not asked for. */
void rn_host_facts_init(RnHostFacts *facts, bool with_extra_ids);
void rn_host_facts_clear(RnHostFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnHostFacts, rn_host_facts_clear)

/*
 * The id map of a user namespace for a bundle that gives none (GArray of
 * RnIdMapping, the caller's). With extra ids: the caller is root in there and
 * the extra ids follow. With one id only: the caller is `process_id`.
 */
GArray *rn_plan_default_mappings(const RnHostFacts *facts, RnIdKind kind,
                                 uint32_t process_id) RN_CHECK;

/* How the command wants it done, beside what the container is. */
typedef struct RnPlanManner {
    bool waits_for_start;   /* `create`: START comes from another process */
    bool dies_with_caller;  /* `run` in the foreground */
    bool no_pivot;          /* --no-pivot: MS_MOVE and chroot, for a ramfs */
    bool keep_keyring;      /* --no-new-keyring */
    unsigned preserved_fds; /* fds 3 and up of the caller that the payload
                               gets, LISTEN_FDS included */
    unsigned listen_fds;    /* how many of these are LISTEN_FDS */
    char **environment;     /* of hooks that have none; borrowed */
} RnPlanManner;

typedef struct RnPlan {
    const RnConfig *config; /* borrowed */
    char *id;
    char *bundle; /* absolute path; relative sources of mounts start there */
    char *rootfs; /* absolute path on the host */
    uint64_t namespaces; /* CLONE_NEW* bits to create */
    GPtrArray *joins; /* of RnJoin to enter instead: the config's, borrowed */
    bool has_userns;  /* a user namespace, a new one or one to enter */
    GArray *uid_mappings; /* of RnIdMapping; empty without CLONE_NEWUSER */
    GArray *gid_mappings;
    bool single_id;        /* only one uid and gid are mapped: chown to and
                             setgroups are impossible */
    bool has_network;      /* rnet makes one: handshake steps 2 and 3 */
    RnNetworkPlan network; /* valid if has_network */
    char *resolv_conf;     /* text for /etc/resolv.conf; NULL: leave it */
    char *hosts;           /* text for /etc/hosts; NULL: leave it */
    char *hostname;        /* the UTS name, or NULL */
    char *etc_hostname;    /* text for /etc/hostname; NULL: leave it */
    RnPlanManner manner;
} RnPlan;

/* What the command asks for beside the bundle. */
typedef struct RnPlanRequest {
    const char *id;
    const char *bundle; /* absolute path */
    /* without --network: as `engine` says, the host's or the joined network
     * for a bundle without a new network namespace */
    const RnNetworkWords *words;
    const RnNetworkWish *wish; /* what the words mean */
    /* `create`: a caller that looks after the network itself and the files
     * that belong to it, unless ports are to be published. Else: slirp with
     * its defaults */
    bool engine;
    bool no_hosts; /* leave /etc/hosts as the image has it */
    RnPlanManner manner;
} RnPlanRequest;

/* These are entered by init itself: a cgroup namespace when it is in its
 * cgroup, a time namespace when the offsets are set. */
#define RN_PLAN_LATE_NAMESPACES ((uint64_t)CLONE_NEWCGROUP | CLONE_NEWTIME)

/* True if the plan enters a namespace of this CLONE_NEW* kind by path. */
bool rn_plan_joins(const RnPlan *plan, uint64_t flag);

/*
 * True if init is to be undumpable, ptrace(2), until its program runs: in a
 * user namespace that it joins are processes that could take it over, or reach
 * the host through it, as soon as they see it. With a network of rnet's own the
 * launcher, who need not have rights over it, has to open its namespaces.
 */
bool rn_plan_hides_init(const RnPlan *plan);

/* True if it has hooks that the launcher runs while init waits. */
bool rn_plan_has_runtime_hooks(const RnPlan *plan);

/*
 * Pure. Refuses what the caller cannot have (RN_ERROR_UNSUPPORTED) or what
 * contradicts itself (RN_ERROR_INVALID), before anything is made.
 */
RnPlan *rn_plan_new(const RnConfig *config, const RnPlanRequest *request,
                    const RnHostFacts *facts, GError **error) RN_CHECK;
void rn_plan_free(RnPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnPlan, rn_plan_free)

#endif
