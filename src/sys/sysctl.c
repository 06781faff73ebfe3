/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl - writes kernel parameters
 *
 * Runs in nsagent. What a failure means is the caller's to decide.
 */
#include "config.h"

#include <rnet/sys/sysctl.h>

#include <fcntl.h>

#include <rnet/util/fd.h>

bool rn_sysctl_write(const char *name, const char *value, GError **error)
{
    g_autofree char *path = g_build_filename("/proc/sys", name, NULL);

    return rn_file_write(AT_FDCWD, path, value, error);
}
