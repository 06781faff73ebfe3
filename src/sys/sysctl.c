/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl - writes kernel parameters
 *
 * Runs in nsagent. What a failure means is the caller's to decide.
 */
#include "config.h"

#include <rnet/sys/sysctl.h>

#include <fcntl.h>
#include <string.h>

#include <rnet/util/fd.h>

enum {
    VALUE_MAX = 256, /* bytes; more than any single word there */
};

bool rn_sysctl_write(const char *name, const char *value, GError **error)
{
    g_autofree char *path = g_build_filename("/proc/sys", name, NULL);

    return rn_file_write(AT_FDCWD, path, value, error);
}

bool rn_sysctl_ensure(const char *name, const char *value, GError **error)
{
    g_autofree char *path = g_build_filename("/proc/sys", name, NULL);
    g_autofree char *present = NULL;

    if (rn_file_read(AT_FDCWD, path, VALUE_MAX, &present, NULL, NULL) &&
        strcmp(g_strchomp(present), value) == 0)
        return true;
    return rn_file_write(AT_FDCWD, path, value, error);
}
