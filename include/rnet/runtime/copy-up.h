/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * copy-up - the image's files copied into a tmpfs that covers them, "tmpcopyup"
 */
#ifndef RNET_RUNTIME_COPY_UP_H
#define RNET_RUNTIME_COPY_UP_H

#include <rnet/util/error.h>

/*
 * What an image may make a container copy. It all lies in memory: more than a
 * few configuration files were never meant. Past these: RN_ERROR_LIMIT. (The
 * tmpfs has its own size; ENOSPC.)
 */
enum {
    RN_COPY_UP_MAX_BYTES = 1 << 30,
    RN_COPY_UP_MAX_ENTRIES = 100000,
    RN_COPY_UP_MAX_DEPTH = 64, /* directories in each other */
};

/*
 * Copies all below the directory `from` into the empty directory `to` (both may
 * be O_PATH), with modes, owners and modification times: directories, regular
 * files, symbolic links (as they are), FIFOs and sockets. Not copied: device
 * nodes, what is on another mount, extended attributes, and an owner that the
 * user namespace has no id for. With take_owner `to` itself gets the owner of
 * `from`. Errors name the path. Nothing of the source is followed or waited
 * for.
 */
bool rn_copy_up(int from, int to, bool take_owner, GError **error) RN_CHECK;

#endif
