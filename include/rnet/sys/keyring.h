/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keyring - session keyrings, session-keyring(7)
 */
#ifndef RNET_SYS_KEYRING_H
#define RNET_SYS_KEYRING_H

#include <rnet/util/error.h>

/*
 * Joins the session keyring `name`, or a new one where this user namespace has
 * none of that name that the caller can search; the one that the process has
 * had is out of its reach then. Its owner may search it afterwards, so that
 * another process (exec) can join it by name. A kernel without keyrings
 * (ENOSYS) is fine: it has nothing to leak.
 */
bool rn_keyring_join(const char *name, GError **error) RN_CHECK;

#endif
