/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink - links, addresses, routes, rules, neighbours of a network namespace
 *
 * rtnetlink(7), one blocking request and acknowledgement at a time. Needs
 * CAP_NET_ADMIN over the network namespace that the caller is in when it opens
 * the socket. Errors are RN_ERRNO with the kernel's errno; the text carries
 * the kernel's own explanation too (NETLINK_EXT_ACK), where it gives one.
 */
#ifndef RNET_SYS_NETLINK_H
#define RNET_SYS_NETLINK_H

#include <stdint.h>

#include <rnet/util/inet.h>

typedef struct RnNetlink RnNetlink;

/* Opens a socket bound to the network namespace of the moment. */
RnNetlink *rn_netlink_open(GError **error) RN_CHECK;
void rn_netlink_close(RnNetlink *netlink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnNetlink, rn_netlink_close)

/*
 * True if `name` can be an interface's: 1 to 15 bytes, no '/', ':' or white
 * space, not "." or "..", as the kernel's dev_valid_name() has it. Such a name
 * is safe as a component of a path below /proc/sys.
 */
bool rn_link_name_is_valid(const char *name);

/* The index of the interface `name`; ENODEV if there is none. */
bool rn_netlink_link_index(RnNetlink *netlink, const char *name,
                           unsigned *out_index, GError **error) RN_CHECK;

/* What to change on a link; NULL, 0 and false leave things as they are. */
typedef struct RnLinkChange {
    const uint8_t *mac; /* 6 bytes */
    uint32_t mtu;       /* bytes */
    bool up;
    bool no_addresses; /* makes no IPv6 address of its own; before it is up */
} RnLinkChange;

bool rn_netlink_link_change(RnNetlink *netlink, const char *name,
                            const RnLinkChange *change,
                            GError **error) RN_CHECK;

/* A network namespace comes with its loopback down: brings up the caller's. */
bool rn_netlink_loopback_up(GError **error) RN_CHECK;

typedef enum RnAddressFlags {
    RN_ADDRESS_PLAIN = 0,
    RN_ADDRESS_NODAD = 1, /* IPv6: usable at once, RFC 4862, 5.4 left out */
} RnAddressFlags;

/* A veth pair: `name` here, `peer` in the network namespace of an fd. */
typedef struct RnVeth {
    const char *name, *peer;
    int peer_netns_fd;
    uint32_t mtu; /* bytes, of both */
} RnVeth;

bool rn_netlink_veth_add(RnNetlink *netlink, const RnVeth *veth,
                         GError **error) RN_CHECK;

/* Adds an address (ports and scopes do not matter) with a prefix in bits. */
bool rn_netlink_address_add(RnNetlink *netlink, unsigned link_index,
                            const RnEndpoint *address, unsigned prefix,
                            RnAddressFlags flags, GError **error) RN_CHECK;

/* A route for everything (0.0.0.0/0 or ::/0) in one table. */
typedef struct RnDefaultRoute {
    uint16_t family;
    uint32_t table; /* 0: the main table */
    unsigned link_index;
    /*
     * The next hop, in a network of the link; AF_UNSPEC: a `local` route, all
     * is delivered here.
     */
    RnEndpoint gateway;
    RnEndpoint source; /* preferred source; AF_UNSPEC: the kernel's choice */
    bool may_exist;    /* the same route being there already is success */
} RnDefaultRoute;

bool rn_netlink_route_add(RnNetlink *netlink, const RnDefaultRoute *route,
                          GError **error) RN_CHECK;

/*
 * The highest port that a rule can name: for 65535 the kernel says "Invalid
 * sport range" (fib_rule_port_range_valid() in its sources; 4.17 to 6.18).
 */
enum {
    RN_RULE_MAX_PORT = 65534
};

/*
 * One routing rule, ip-rule(8): what matches all that is set here is routed by
 * `table`. What is 0, false or AF_UNSPEC matches everything. EINVAL for a rule
 * that would not do what it says: an address of another family or without its
 * prefix, ports without a protocol, half a range.
 */
typedef struct RnRule {
    uint16_t family;                /* AF_INET or AF_INET6 */
    RnEndpoint from, to;            /* of that family, or AF_UNSPEC */
    uint8_t from_prefix, to_prefix; /* bits, 1 to 32 or 128 */
    bool from_here;      /* "iif lo": what this namespace itself sends */
    uint32_t mark;       /* "fwmark MARK/MARK": all these bits are set */
    uint8_t ip_protocol; /* "ipproto": IPPROTO_TCP, ... */
    uint16_t first_port; /* "sport FIRST-LAST", with ip_protocol */
    uint16_t last_port;  /* at most RN_RULE_MAX_PORT */
    bool only_specific;  /* "suppress_prefixlength 0": the table's default
                            routes do not count, later rules go on */
    uint32_t table;
    uint32_t preference; /* lower ones are looked at first */
    bool may_exist;      /* the same rule being there already is success */
} RnRule;

bool rn_netlink_rule_add(RnNetlink *netlink, const RnRule *rule,
                         GError **error) RN_CHECK;

/* Removes the rule that is so in all that is set; none being there is success.
 */
bool rn_netlink_rule_remove(RnNetlink *netlink, const RnRule *rule,
                            GError **error) RN_CHECK;

/*
 * Says who has an address on a link, for good: nobody is asked. Replaces what
 * was known of it.
 */
bool rn_netlink_neighbour_add(RnNetlink *netlink, unsigned link_index,
                              const RnEndpoint *address, const uint8_t mac[6],
                              GError **error) RN_CHECK;

#endif
