/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world-network - addresses and sysctls of a test's private "host"
 *
 * Role:     second half of world-setup.h
 * Runs in:  the world's pid 1, with CAP_NET_ADMIN over its network namespace
 * Data:     both addresses sit on lo, so that the host reaches itself by an
 *           address that is not loopback, as a client from outside would
 * Failure:  ends the body; a kernel without IPv6 is noted in the world
 */
#include "config.h"

#include "world-setup.h"

#include <fcntl.h>
#include <unistd.h>

#include <rnet/sys/netlink.h>
#include <rnet/util/fd.h>

#include "check.h"

static void add_address(RnNetlink *netlink, unsigned link, const char *text,
                        unsigned prefix, GError **error)
{
    RnEndpoint address;

    if (rn_endpoint_parse_address(text, &address, error))
        (void)!rn_netlink_address_add(netlink, link, &address, prefix,
                                      RN_ADDRESS_NODAD, error);
}

/* Ping sockets for every id that is mapped here, as distributions have it. */
static void open_ping(const World *world)
{
    g_autofree char *range = NULL;
    GError *error = NULL;

    if (world->has_userns)
        range =
            g_strdup_printf("%u %u", (unsigned)getegid(), (unsigned)getegid());
    else
        range = g_strdup("0 2147483647");
    if (!rn_file_write(AT_FDCWD, "/proc/sys/net/ipv4/ping_group_range", range,
                       &error))
        check_no_error(error);
}

void world_setup_network(World *world)
{
    const RnLinkChange up = { .up = true };
    g_autoptr(RnNetlink) netlink = NULL;
    g_autoptr(GError) no_ipv6 = NULL;
    GError *error = NULL;
    unsigned lo = 0;

    netlink = rn_netlink_open(&error);
    if (netlink == NULL ||
        !rn_netlink_link_change(netlink, "lo", &up, &error) ||
        !rn_netlink_link_index(netlink, "lo", &lo, &error))
        check_no_error(error);
    add_address(netlink, lo, WORLD_ADDRESS4, 32, &error);
    check_no_error(error);
    add_address(netlink, lo, WORLD_ADDRESS6, 128, &no_ipv6);
    world->has_ipv6 = no_ipv6 == NULL;
    open_ping(world);
}
