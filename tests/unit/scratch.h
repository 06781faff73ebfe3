/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scratch - a temporary directory for one test
 */
#ifndef RNET_TESTS_UNIT_SCRATCH_H
#define RNET_TESTS_UNIT_SCRATCH_H

#include <ftw.h>
#include <stdio.h>

#include <sys/stat.h>

#include <unit.h>

static inline int scratch_remove_entry(const char *path,
                                       const struct stat *status, int type,
                                       struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

/* Makes one below $TMPDIR; the path is the caller's. */
static inline char *scratch_make(void)
{
    g_autoptr(GError) error = NULL;
    char *path = g_dir_make_tmp("rnet-test-XXXXXX", &error);

    assert_no_error(error);
    return path;
}

/* Removes it with all that is in it; follows no link and enters no mount. */
static inline void scratch_remove(const char *path)
{
    (void)nftw(path, scratch_remove_entry, 16,
               FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

#endif
