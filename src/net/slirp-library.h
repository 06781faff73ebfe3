/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slirp-library - libslirp, loaded at run time
 */
#ifndef RNET_NET_SLIRP_LIBRARY_H
#define RNET_NET_SLIRP_LIBRARY_H

#include <slirp/libslirp.h>

#include <rnet/util/error.h>

/* Each function of libslirp that is used; the types are the header's. */
#define RN_SLIRP_FUNCTIONS(DO)                                                 \
    DO(slirp_new)                                                              \
    DO(slirp_cleanup)                                                          \
    DO(slirp_input)                                                            \
    DO(slirp_pollfds_fill)                                                     \
    DO(slirp_pollfds_poll)                                                     \
    DO(slirp_handle_timer)                                                     \
    DO(slirp_add_hostxfwd)                                                     \
    DO(slirp_remove_hostxfwd)                                                  \
    DO(slirp_version_string)

typedef struct RnSlirpLibrary {
#define RN_SLIRP_MEMBER(name) __typeof__(&name) name;
    RN_SLIRP_FUNCTIONS(RN_SLIRP_MEMBER)
#undef RN_SLIRP_MEMBER
} RnSlirpLibrary;

/*
 * Loads it at the first call, with all that it needs, and keeps it: afterwards
 * the process may confine itself. RN_ERROR_UNSUPPORTED: it cannot be loaded.
 */
const RnSlirpLibrary *rn_slirp_library(GError **error) RN_CHECK;

#endif
