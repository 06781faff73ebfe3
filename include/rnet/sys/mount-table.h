/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount-table - the mounts of a mount namespace, proc(5), /proc/PID/mountinfo
 */
#ifndef RNET_SYS_MOUNT_TABLE_H
#define RNET_SYS_MOUNT_TABLE_H

#include <rnet/util/error.h>

enum {
    RN_MOUNT_TABLE_SIZE_MAX = 64 * 1024 * 1024, /* bytes; fs.mount-max is
                                                   100000 by default */
};

/* All are text of the kernel's, with its octal escapes undone. */
typedef struct RnMountEntry {
    char *root;    /* the file system's directory that is mounted */
    char *target;  /* where, as the reader's root directory has it */
    char *type;    /* "proc" */
    char *options; /* of the superblock, by commas */
} RnMountEntry;

/* In the order of the table, a GPtrArray of RnMountEntry; the caller's. */
bool rn_mount_table_read(const char *path, GPtrArray **out_table,
                         GError **error) RN_CHECK;

/* The same from its text. Lines that are malformed: RN_ERROR_INVALID. */
bool rn_mount_table_parse(const char *text, GPtrArray **out_table,
                          GError **error) RN_CHECK;

#endif
