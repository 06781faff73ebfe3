/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-sandbox - what --enable-sandbox and --enable-seccomp take away
 */
#ifndef RNET_DIALECT_SLIRP4NETNS_SANDBOX_H
#define RNET_DIALECT_SLIRP4NETNS_SANDBOX_H

#include <rnet/util/error.h>

/*
 * From now on this process has a root directory of its own, with /etc and /run
 * as on the host, and with what it takes to start a relay anew, all read-only;
 * and no capability but CAP_NET_BIND_SERVICE.
 */
bool rn_slirp_enter_sandbox(GError **error) RN_CHECK;

/* Shuts system calls that nothing in a network needs, for helpers as well. */
bool rn_slirp_enter_seccomp(GError **error) RN_CHECK;

#endif
