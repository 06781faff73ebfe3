/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctls - linux.sysctl: kernel parameters of the container's namespaces
 *
 * A parameter is written only if it belongs to a namespace that the container
 * has and the host does not: net.* to the network namespace, fs.mqueue.* and
 * the System V limits of kernel.* to the ipc namespace, kernel.domainname to
 * the uts namespace (Documentation/admin-guide/sysctl). All others would be the
 * host's.
 */
#ifndef RNET_RUNTIME_SYSCTLS_H
#define RNET_RUNTIME_SYSCTLS_H

#include <rnet/runtime/plan.h>

enum {
    RN_SYSCTL_NAME_MAX = 512,   /* bytes */
    RN_SYSCTL_VALUE_MAX = 4096, /* bytes; proc_sys_call_handler() takes less
                                   than a page */
};

/*
 * "net.ipv4.ip_forward" and "net/ipv4/ip_forward" as the latter, the caller's.
 * As with sysctl(8) the first separator is the one that counts, and the other
 * one stands for it in a name: "net.ipv4.conf.eth0/1.forwarding".
 * RN_ERROR_INVALID if it is no such name.
 */
char *rn_sysctl_path(const char *name, GError **error) RN_CHECK;

/*
 * Refuses what is not the container's (RN_ERROR_INVALID, with the JSON path).
 * In the launcher, before anything is made: a namespace that is joined counts
 * as the container's unless it is the caller's own.
 */
bool rn_sysctls_check(const RnPlan *plan, GError **error) RN_CHECK;

/*
 * In init, when its namespaces are there and before anything in the container's
 * root is read-only: checks the names once more and writes the values, through
 * the host's /proc, or where that is read-only, the container's.
 */
bool rn_sysctls_write(const RnPlan *plan, int root_fd, GError **error) RN_CHECK;

#endif
