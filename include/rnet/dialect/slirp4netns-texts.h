/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp4netns-texts - what slirp4netns says on stdout
 *
 * Callers look for option names in the help (Podman, RootlessKit, containerd's
 * rootless script) and for lines of the version.
 */
#ifndef RNET_DIALECT_SLIRP4NETNS_TEXTS_H
#define RNET_DIALECT_SLIRP4NETNS_TEXTS_H

#include <rnet/dialect/slirp4netns-options.h>
#include <rnet/util/protocol.h>

void rn_slirp_append_usage(GString *text, const char *program);
void rn_slirp_append_version(GString *text);

/* What is said once the link is there. */
void rn_slirp_append_start(GString *text, const RnNetworkPlan *plan,
                           const RnSlirpOptions *options);

#endif
