/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp - libslirp as the base of a network: ARP, DHCP, DNS, ping, UDP, TCP
 *
 * libslirp waits with poll(2) for a set of sockets that changes every turn, so
 * a process that has a stack turns its loop with rn_slirp_turn(). libslirp
 * keeps its clock and its DNS cache in globals: one stack per process. The
 * process must ignore SIGPIPE and may not abort on GLib warnings.
 */
#ifndef RNET_NET_SLIRP_H
#define RNET_NET_SLIRP_H

#include <rnet/sys/loop.h>
#include <rnet/util/protocol.h>

typedef struct RnSlirp RnSlirp;

/* A frame for the guest; only valid during the call. */
typedef void (*RnSlirpSendFunc)(const uint8_t *frame, gsize length, void *data);

/*
 * A stack with the plan's addresses. An impossible plan (an MTU or a prefix
 * out of range, addresses outside their network) is RN_ERROR_INVALID.
 */
RnSlirp *rn_slirp_new(const RnNetworkPlan *plan, RnLoop *loop,
                      RnSlirpSendFunc send, void *data,
                      GError **error) RN_CHECK;
void rn_slirp_free(RnSlirp *slirp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnSlirp, rn_slirp_free)

/* A frame of the guest that rn_filter_frame() let through. */
void rn_slirp_input(RnSlirp *slirp, const uint8_t *frame, gsize length);

/*
 * Whether libslirp itself sends ICMPv6 echo requests out to the host's network,
 * as it does IPv4's; otherwise it knows only those to its own addresses.
 */
bool rn_slirp_forwards_ping6(void);

/* libslirp's version, "4.7.0" ("missing" if it is), and of its configuration
 * the version used. */
const char *rn_slirp_library_version(void);
unsigned rn_slirp_config_version(void);

/*
 * A published TCP port where there is no namespace to connect in: libslirp
 * accepts at the listening socket, which is taken, also on failure, and
 * connects over the link. Clients are seen as themselves, those on the host's
 * loopback as the gateway. Clients over IPv6 are led to an IPv6 address of the
 * guest and IPv4's to an IPv4 one; a target of the other family, or on the
 * guest's loopback, is RN_ERROR_INVALID. While fds are short nobody is
 * accepted.
 */
bool rn_slirp_publish(RnSlirp *slirp, const RnRelayListener *info, int take_fd,
                      GError **error) RN_CHECK;

/* Closes the listeners of this id and returns how many; connections go on. */
unsigned rn_slirp_withdraw(RnSlirp *slirp, uint32_t id);

/* The host sockets that libslirp has open now, listeners included. */
unsigned rn_slirp_n_sockets(const RnSlirp *slirp);

/*
 * One turn of the whole process: waits for libslirp's sockets and the loop's
 * fds and timers, at most max_wait_ms (-1: as long as it takes), then lets
 * both work.
 */
bool rn_slirp_turn(RnSlirp *slirp, int max_wait_ms, GError **error) RN_CHECK;

#endif
