/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices - device nodes and the usual links in the container's /dev
 *
 * runtime-spec config-linux.md, Devices and Default Devices; runtime-linux.md,
 * Dev symbolic links. In a user namespace nodes cannot be made: the host's is
 * bind-mounted, and keeps the host's owner and mode.
 */
#ifndef RNET_RUNTIME_DEVICES_H
#define RNET_RUNTIME_DEVICES_H

#include <rnet/runtime/plan.h>

/*
 * The default nodes, those of linux.devices, and the links. A node that is
 * there already is left alone; RN_ERROR_EXISTS if something else is.
 */
bool rn_devices_add(const RnPlan *plan, int root_fd, GError **error) RN_CHECK;

/*
 * A detached mount of the host's /dev/null, to cover files with: really the
 * null device, or RN_ERROR_UNSUPPORTED (CVE-2025-31133 was a link in its
 * place).
 */
bool rn_devices_clone_null(int *out_fd, GError **error) RN_CHECK;

/*
 * Opens a terminal from the container's /dev/pts, gives its slave to the
 * process's user and mounts it on /dev/console. Both fds are the caller's.
 */
bool rn_devices_add_console(const RnPlan *plan, int root_fd, int *out_master,
                            int *out_slave, GError **error) RN_CHECK;

#endif
