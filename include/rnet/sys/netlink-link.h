/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink-link - an interface that moves to another network namespace
 *
 * Beside netlink.h: what is asked of a link that exists, with its addresses.
 * Errors as there.
 */
#ifndef RNET_SYS_NETLINK_LINK_H
#define RNET_SYS_NETLINK_LINK_H

#include <rnet/sys/netlink.h>

/*
 * Opens a socket in another network namespace. The caller stays where it is: a
 * child enters the namespace, which takes CAP_SYS_ADMIN over it.
 */
RnNetlink *rn_netlink_open_in(int netns_fd, GError **error) RN_CHECK;

/* An address with all that `ip address add` could say of it. */
typedef struct RnLinkAddress {
    RnEndpoint address;   /* the interface's own; port 0 */
    RnEndpoint peer;      /* of a point-to-point link, else `address` */
    RnEndpoint broadcast; /* AF_UNSPEC: none */
    uint8_t prefix;       /* bits, of peer */
    uint32_t flags;       /* IFA_F_* that are the owner's to set */
    uint32_t metric;      /* of the route to the prefix; 0: the default */
} RnLinkAddress;

/*
 * Appends to `addresses` (of RnLinkAddress) those of the interface that are
 * permanent (no lifetime) and of global scope, both families.
 */
bool rn_netlink_link_addresses(RnNetlink *netlink, unsigned link_index,
                               GArray *addresses, GError **error) RN_CHECK;

bool rn_netlink_link_address_add(RnNetlink *netlink, unsigned link_index,
                                 const RnLinkAddress *address,
                                 GError **error) RN_CHECK;

/*
 * Sets the interface down (which loses its addresses), moves it to the network
 * namespace and renames it. Its index is another one there if it was taken.
 */
bool rn_netlink_link_move(RnNetlink *netlink, unsigned link_index, int netns_fd,
                          const char *new_name, GError **error) RN_CHECK;

#endif
