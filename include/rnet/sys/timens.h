/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timens - time namespaces, time_namespaces(7)
 */
#ifndef RNET_SYS_TIMENS_H
#define RNET_SYS_TIMENS_H

#include <rnet/util/error.h>

/*
 * The calling process, of one thread, goes into a new time namespace with the
 * offsets `offsets`: lines "monotonic SECONDS NANOSECONDS" or "boottime ...",
 * or "" for none. `proc_fd` is the folder of a procfs. Needs CAP_SYS_TIME and
 * CAP_SYS_ADMIN in its user namespace; Linux 5.6.
 *
 * A process that is cloned with CLONE_NEWTIME is in the namespace at once, and
 * then its offsets are fixed: a namespace with offsets comes from here only.
 */
bool rn_timens_enter_new(int proc_fd, const char *offsets,
                         GError **error) RN_CHECK;

#endif
