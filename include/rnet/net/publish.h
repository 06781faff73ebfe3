/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish - published ports: the SPEC as data, and the host's listeners
 *
 *     [HOSTADDR:][HOSTPORT:]PORT[/tcp|udp]
 *
 * as docker has it: IPv6 in brackets, ranges of equal length on both sides
 * (8000-8010:80-90). No HOSTADDR: all addresses, 0.0.0.0 and [::]. No or zero
 * HOSTPORT: rnet picks a free one, and then no HOSTADDR means 127.0.0.1, since
 * a port that nobody chose is for local use.
 */
#ifndef RNET_NET_PUBLISH_H
#define RNET_NET_PUBLISH_H

#include <rnet/util/protocol.h>

typedef struct RnPublishSpec {
    RnTransport transport;
    RnEndpoint host; /* AF_UNSPEC: all addresses; port 0: pick */
    uint16_t guest_port;
    uint16_t count; /* ports in the range, 1 for a single one */
} RnPublishSpec;

enum {
    RN_PUBLISH_MAX = 1024
}; /* ports of one container */

/* "PORT" or "FIRST-LAST", 1 to 65535; its transport is TCP. `what` names the
 * ports in errors ("container port"). Pure. */
bool rn_port_range_parse(const char *text, const char *what,
                         RnPortRange *out_range, GError **error) RN_CHECK;

/* Parses one SPEC. Pure. */
bool rn_publish_parse(const char *text, RnPublishSpec *out_spec,
                      GError **error) RN_CHECK;

/*
 * Parses all SPECs (NULL-terminated, NULL: none) into a GArray of
 * RnPublishSpec, the caller's. Refuses a host port given twice (the same port
 * and protocol with addresses that overlap) and more than RN_PUBLISH_MAX
 * ports. Pure.
 */
bool rn_publish_parse_all(const char *const *texts, GArray **out_specs,
                          GError **error) RN_CHECK;

/* The ports inside the container, merged; a GArray of RnPortRange. */
GArray *rn_publish_ranges(const GArray *specs) RN_CHECK;

/* One open host port. */
typedef struct RnListener {
    RnRelayListener info;
    int fd; /* CLOEXEC, non-blocking */
} RnListener;

/*
 * Binds one port; info->host.port is filled in if it was 0. Returns 0 or an
 * errno, for a caller that has another try.
 */
int rn_listener_open(RnRelayListener *info, int *out_fd) RN_CHECK;

/*
 * Binds (TCP: listens, backlog SOMAXCONN) every port of every spec; all or
 * nothing. *out_listeners is a GArray of RnListener that closes its fds, the
 * caller's. Errors say which address, and: who uses it where /proc tells (a
 * process of the same user), or that it is below
 * net.ipv4.ip_unprivileged_port_start.
 */
bool rn_listeners_open(const GArray *specs, GArray **out_listeners,
                       GError **error) RN_CHECK;

#endif
