/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay - the process between the guest's link and the host's network
 *
 * rn_relay_main() in network.h is the exec'd process. This is what it consists
 * of, apart from it so that tests can run it in a fork.
 */
#ifndef RNET_NET_RELAY_H
#define RNET_NET_RELAY_H

#include <rnet/util/error.h>

/*
 * Prepares the process: SIGPIPE ignored, GLib's log lines (libslirp's) to
 * rn_log_debug() and none of them fatal but g_error().
 */
bool rn_relay_prepare(GError **error) RN_CHECK;

/*
 * Speaks protocol.h, "monitor and relay", on `socket` (borrowed): takes all it
 * is handed, confines the process for good, and relays. True: the monitor
 * closed the socket, the network is over. False: why the relay cannot go on,
 * which the monitor has been told (RN_MSG_FAILED) as well.
 */
bool rn_relay_run(int socket, GError **error) RN_CHECK;

/*
 * Gives up all that relaying does not need: see relay-confine.c. Where there is
 * no nsagent libslirp will have to listen and accept.
 */
bool rn_relay_confine(bool has_agent, GError **error) RN_CHECK;

#endif
