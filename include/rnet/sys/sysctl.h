/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl - kernel parameters below /proc/sys
 */
#ifndef RNET_SYS_SYSCTL_H
#define RNET_SYS_SYSCTL_H

#include <rnet/util/error.h>

/*
 * Writes `value` to the parameter `name`, a path such as
 * "net/ipv4/ip_forward". The net/ ones are those of the caller's network
 * namespace and take CAP_NET_ADMIN over it. Fails with RN_ERRNO: EROFS where
 * /proc/sys is read-only (in many containers), ENOENT where the kernel or the
 * namespace has no such parameter.
 */
bool rn_sysctl_write(const char *name, const char *value,
                     GError **error) RN_CHECK;

/*
 * Sees to it that the parameter has `value`, a single word: writes only if it
 * has another one, so that it can succeed below a read-only /proc/sys.
 */
bool rn_sysctl_ensure(const char *name, const char *value,
                      GError **error) RN_CHECK;

#endif
