/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount-options - the option words of a mount as flags and data
 *
 * The file system independent words of mount(8) and those of the runtime-spec
 * (config.md, "Linux mount options"); any other word is data for the file
 * system. Of words that contradict each other the last one counts. Pure.
 */
#ifndef RNET_SYS_MOUNT_OPTIONS_H
#define RNET_SYS_MOUNT_OPTIONS_H

#include <rnet/util/error.h>

/* Flags are MS_* of mount(2). */
typedef struct RnMountOptions {
    unsigned long flags;           /* to be set */
    unsigned long cleared;         /* to be cleared, on a bind */
    unsigned long flags_recursive; /* the same for all mounts below, "rro" */
    unsigned long cleared_recursive;
    unsigned long propagation; /* MS_SHARED, ..., maybe MS_REC; 0: none */
    bool bind;
    bool recursive; /* "rbind" */
    bool remount;
    bool idmap;           /* "idmap" or "ridmap" */
    bool idmap_recursive; /* "ridmap" */
    bool copy_up;         /* "tmpcopyup" */
    char *data; /* words for the file system, joined by commas; NULL: none */
} RnMountOptions;

/* The flags of a mount; those of a superblock are the file system's. */
#define RN_MOUNT_FLAGS                                                         \
    (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME |               \
     MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME | MS_NOSYMFOLLOW)

enum {
    RN_MOUNT_DATA_MAX = 4095
}; /* bytes; mount(2) takes one page */

/*
 * Parses `words` (NULL-terminated) into *options, which is initialised in any
 * case. RN_ERROR_UNSUPPORTED names a word that rnet refuses, RN_ERROR_LIMIT is
 * too much data.
 */
bool rn_mount_options_parse(const char *const *words, RnMountOptions *options,
                            GError **error) RN_CHECK;

/* All words that are not data, NULL-terminated; the array is the caller's. */
const char **rn_mount_option_words(void) RN_CHECK;

void rn_mount_options_clear(RnMountOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnMountOptions, rn_mount_options_clear)

#endif
