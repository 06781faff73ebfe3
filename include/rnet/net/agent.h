/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent - the parts of nsagent, the process inside the container's network
 * namespace
 *
 * Its conversations with the monitor and with the relay are in protocol.h.
 */
#ifndef RNET_NET_AGENT_H
#define RNET_NET_AGENT_H

#include <rnet/sys/loop.h>
#include <rnet/sys/netlink.h>
#include <rnet/sys/nft.h>
#include <rnet/util/protocol.h>

/*
 * What nsagent adds to the container's routing. The numbers are high so that
 * they do not meet those that a container chooses for itself.
 */
enum {
    RN_AGENT_TABLE = 0x726e,      /* "rn": delivers everything locally */
    RN_AGENT_TABLE_LINK = 0x726f, /* everything to the relay's SYN catcher */
    RN_AGENT_MARK_SYN = 0x40000000,
    RN_AGENT_MARK_OTHER = 0x20000000,
    /* of the rules for published ports, where TCP is not handed off */
    RN_AGENT_PREF_PUBLISHED = 1000,
    /*
     * The handoff's first rule. They come last before main (32766), so that
     * rules of the container go before: those without a preference of their
     * own get one below the lowest that there is.
     */
    RN_AGENT_PREF_HANDOFF = 32750,
};

/* The handoff's rules of a family, in their order; see agent-handoff.c. */
typedef enum RnAgentRule {
    RN_AGENT_RULE_OTHER,
    RN_AGENT_RULE_SYN,
    RN_AGENT_RULE_DNS,
    RN_AGENT_RULE_NETWORK,
    RN_AGENT_RULE_SPECIFIC,
    RN_AGENT_RULE_ALL,
} RnAgentRule;

/*
 * nsagent from the AGENT_SETUP on `socket` to its end; the caller's process
 * is in other namespaces and under a seccomp filter afterwards. Returns its
 * exit status: 0 when the monitor closed its end, 1 after a failure, which the
 * monitor was told.
 */
int rn_agent_run(int socket);

/* Checks every field of what the monitor sent. Pure. */
bool rn_agent_check_setup(const RnAgentSetup *setup, GError **error) RN_CHECK;
bool rn_agent_check_range(const RnPortRange *range, GError **error) RN_CHECK;

/*
 * Creates the interface and its fd as plan->link_mode has it; says at info
 * level why where RN_LINK_MODE_AUTO makes no TAP.
 */
bool rn_agent_open_link(const RnNetworkPlan *plan, int *out_link,
                        GError **error) RN_CHECK;

/* The published ports' own rules, see agent-ports.c. */
typedef struct RnAgentPorts RnAgentPorts;

/*
 * With the ports of the set-up, of which the kernel has no rules yet. Plan and
 * netlink are borrowed.
 */
RnAgentPorts *rn_agent_ports_new(const RnAgentSetup *setup,
                                 const RnNetworkPlan *plan,
                                 RnNetlink *netlink) RN_CHECK;
void rn_agent_ports_free(RnAgentPorts *ports);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnAgentPorts, rn_agent_ports_free)

/* The set, a GArray of RnPortRange, borrowed; TCP alone. */
const GArray *rn_agent_ports_ranges(const RnAgentPorts *ports);

/*
 * Opens what later changes need to keep the ports from outgoing connections, if
 * it can be opened.
 */
void rn_agent_ports_open_reserved(RnAgentPorts *ports);

/*
 * Whether the ports have rules of a family, whose guest's address has to be
 * there. On failure they have those that were possible.
 */
bool rn_agent_ports_deliver(RnAgentPorts *ports, uint16_t family,
                            bool is_wanted, GError **error) RN_CHECK;

/* Publishes one range more or less; failure as before. */
bool rn_agent_ports_change(RnAgentPorts *ports, const RnPortRange *range,
                           bool is_published, GError **error) RN_CHECK;

/* What there is when the namespace is configured. */
typedef struct RnAgentNetwork {
    RnNetworkPlan plan;
    int link;           /* -1: none was asked for */
    RnNetlink *netlink; /* NULL until there is one */
    RnAgentPorts *ports;
    RnNft *nft;          /* NULL: no SYN is marked; its table goes with it */
    unsigned link_index; /* 0: not looked up */
    bool has_ipv6;
} RnAgentNetwork;

void rn_agent_network_clear(RnAgentNetwork *network);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnAgentNetwork, rn_agent_network_clear)

/*
 * Configures the network namespace that the caller is in as `setup` has it,
 * and creates the link where it says so; else only what went with the nsagent
 * before is done again, and if that fails, the log says so: the container may
 * have changed its network since, and sockets can be served all the same.
 * Fills in *out_network, which is { .link = -1 } so far.
 */
bool rn_agent_configure(const RnAgentSetup *setup, RnAgentNetwork *out_network,
                        GError **error) RN_CHECK;

/*
 * The part of rn_agent_hand_off() that goes with *out_nft, for an nsagent that
 * follows another: all the rest is still there, or as the container wants it.
 */
bool rn_agent_mark_syns(const RnNetworkPlan *plan, const uint16_t *families,
                        RnNft **out_nft, GError **error) RN_CHECK;

/*
 * Hands the container's outbound TCP of `families` (ended by AF_UNSPEC) to the
 * kernel. *out_nft has to be kept as long as that is to be so.
 */
bool rn_agent_hand_off(const RnNetworkPlan *plan, RnNetlink *netlink,
                       unsigned link_index, const uint16_t *families,
                       RnNft **out_nft, GError **error) RN_CHECK;

/*
 * The same in two halves, for an interface whose address comes later: all that
 * needs no address, and, a family, the rest. The latter needs what follows:
 * the guest's address is there, link and `lo` are up. Done again it adds what
 * is missing.
 */
bool rn_agent_prepare_hand_off(const RnNetworkPlan *plan, RnNetlink *netlink,
                               const uint16_t *families, RnNft **out_nft,
                               GError **error) RN_CHECK;
bool rn_agent_begin_hand_off(const RnNetworkPlan *plan, RnNetlink *netlink,
                             unsigned link_index, uint16_t family,
                             GError **error) RN_CHECK;

/* From now on main's routes count again; none of it being there is fine. */
void rn_agent_end_hand_off(const RnNetworkPlan *plan, RnNetlink *netlink,
                           uint16_t family);

/* Follows what the interface's owner does, see agent-manual.c. */
typedef struct RnAgentManual RnAgentManual;

/* Looks at once, and from `loop` whenever something changed; both borrowed. */
RnAgentManual *rn_agent_manual_new(const RnAgentNetwork *network, RnLoop *loop,
                                   GError **error) RN_CHECK;
void rn_agent_manual_free(RnAgentManual *manual);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnAgentManual, rn_agent_manual_free)

/* Sends AGENT_EXPOSED for plan->exposed on `monitor`, which blocks. */
bool rn_agent_expose(const RnNetworkPlan *plan, int monitor,
                     GError **error) RN_CHECK;

/* Tells the monitor what listens inside, see agent-watch.c. */
typedef struct RnAgentWatch RnAgentWatch;

/*
 * Looks once, for errors; then from `loop`, and sends AGENT_LISTENING on
 * `monitor`. All are borrowed.
 */
RnAgentWatch *rn_agent_watch_new(const RnNetworkPlan *plan, RnLoop *loop,
                                 int monitor, GError **error) RN_CHECK;
void rn_agent_watch_free(RnAgentWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnAgentWatch, rn_agent_watch_free)

/*
 * The namespace's parameters, in two goes: before the link comes up, and at
 * the end. `reserved` (NULL: none) are TCP ports that outgoing connections must
 * not be given. What cannot be written (a read-only /proc/sys) is left as it
 * is, with one warning a go.
 */
void rn_agent_tune_link(const RnNetworkPlan *plan);
void rn_agent_tune_namespace(const GArray *reserved);

/*
 * The widest net.ipv4.ping_group_range that can be written in a user namespace
 * with this /proc/PID/gid_map: both ends have to be mapped, and the kernel
 * compares them as host ids (icmp(7), ping_supported() in the kernel). False
 * if the map is empty or malformed. Pure.
 */
bool rn_agent_ping_groups(const char *gid_map, uint32_t *out_low,
                          uint32_t *out_high);

/*
 * Makes the sockets that a request describes, in the namespace of the caller.
 * Returns how many of the RN_SPARES_MAX places in out_fds were filled; with 0,
 * *out_errno is a positive errno (EINVAL for a request that breaks protocol.h).
 */
unsigned rn_agent_open_sockets(const RnSocketRequest *request, int *out_fds,
                               int *out_errno) RN_CHECK;

#endif
