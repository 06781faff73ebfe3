/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink-look - what an interface has at the moment, and news of changes
 *
 * Beside netlink.h, for interfaces that somebody else configures. Errors as
 * there.
 */
#ifndef RNET_SYS_NETLINK_LOOK_H
#define RNET_SYS_NETLINK_LOOK_H

#include <rnet/sys/netlink.h>

typedef struct RnLinkLook {
    uint8_t mac[6]; /* zeros: it has none */
    bool is_up;
} RnLinkLook;

/* ENODEV: no interface of this namespace has that index. */
bool rn_netlink_link_look(RnNetlink *netlink, unsigned link_index,
                          RnLinkLook *out_look, GError **error) RN_CHECK;

/*
 * Whether the interface has this address, usable: not while duplicate address
 * detection looks for another owner (RFC 4862, 5.4).
 */
bool rn_netlink_has_address(RnNetlink *netlink, unsigned link_index,
                            const RnEndpoint *address, bool *out_has,
                            GError **error) RN_CHECK;

/* Whether a default route of the main table leads to the interface. */
bool rn_netlink_has_default_route(RnNetlink *netlink, unsigned link_index,
                                  uint16_t family, bool *out_has,
                                  GError **error) RN_CHECK;

/*
 * A non-blocking socket, the caller's, that is readable when links, addresses
 * or routes have changed since rn_netlink_take_news().
 */
bool rn_netlink_open_news(int *out_fd, GError **error) RN_CHECK;

/*
 * Reads what there is (of very much a part, then it is readable still); false
 * with errno: the socket is of no use any more.
 */
bool rn_netlink_take_news(int fd);

#endif
