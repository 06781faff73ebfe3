/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * home - the home directory of an id, by the container's /etc/passwd
 */
#ifndef RNET_RUNTIME_HOME_H
#define RNET_RUNTIME_HOME_H

#include <stdint.h>

#include <rnet/util/error.h>

/*
 * The absolute path that the first entry of `uid` in /etc/passwd names, or "/":
 * what runc and crun set HOME to where the bundle does not; Docker and
 * containerd rely on it. The caller's.
 */
char *rn_home_find(uint32_t uid) RN_CHECK;

#endif
