/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * join - a child process in namespaces that exist already
 *
 * setns(2), pid_namespaces(7), user_namespaces(7). The child is always a child
 * of the caller, also in another pid namespace.
 */
#ifndef RNET_RUNTIME_JOIN_H
#define RNET_RUNTIME_JOIN_H

#include <stdint.h>

#include <sys/types.h>

#include <rnet/oci/config.h>

/*
 * rn_clone() (sys/process.h, the same meaning of the out parameters) with
 * `namespaces` new ones and `joins` (of RnJoin) entered. A namespace is entered
 * with the caller's rights where these suffice, else with those in the user
 * namespace that is joined as well; the caller's own are left as they are.
 *
 * The error names type and path; RN_ERROR_INVALID: the file is no namespace of
 * that type. A refused CLONE_NEWUSER has been explained, rn_userns_explain().
 * If a user namespace is joined the child is not dumpable and should stay so
 * until it has left the host's files behind: processes in that namespace could
 * trace it.
 */
bool rn_join_clone(uint64_t namespaces, const GPtrArray *joins, pid_t *out_pid,
                   int *out_pidfd, GError **error) RN_CHECK;

/*
 * A child in all namespaces of the process `pidfd` that are not the caller's
 * own (exec). It has all capabilities in that user namespace and is not
 * dumpable, so that processes of the container cannot get at it.
 */
bool rn_join_clone_like(int pidfd, pid_t pid, pid_t *out_pid, int *out_pidfd,
                        GError **error) RN_CHECK;

#endif
