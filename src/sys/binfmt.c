/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * binfmt - looks whether binfmt_misc has entries
 *
 * Runs in init and in `exec`, before the container's /proc is in place. A
 * directory that is missing or not mounted has none.
 */
#include "config.h"

#include <rnet/sys/binfmt.h>

#include <dirent.h>
#include <string.h>

bool rn_binfmt_has_entries(void)
{
    DIR *folder = opendir("/proc/sys/fs/binfmt_misc");
    struct dirent *entry = NULL;
    bool found = false;

    if (folder == NULL)
        return false;
    while (!found && (entry = readdir(folder)) != NULL)
        found = entry->d_name[0] != '.' &&
                strcmp(entry->d_name, "register") != 0 &&
                strcmp(entry->d_name, "status") != 0;
    (void)closedir(folder);
    return found;
}
