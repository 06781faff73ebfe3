/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generated - /etc/resolv.conf, /etc/hosts and /etc/hostname of the container
 *
 * Each is a file of a tmpfs that has no other place in the container, mounted
 * over the image's file, so that nothing is written into the image but a mount
 * point where there was no file. The container may write to them.
 */
#ifndef RNET_RUNTIME_GENERATED_H
#define RNET_RUNTIME_GENERATED_H

#include <rnet/runtime/plan.h>

enum {
    RN_GENERATED_N = 3
};

/* Detached mounts, by index into a table of generated.c; -1: not wanted. */
typedef struct RnGenerated {
    int fds[RN_GENERATED_N];
} RnGenerated;

void rn_generated_init(RnGenerated *generated);
void rn_generated_clear(RnGenerated *generated);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnGenerated, rn_generated_clear)

/*
 * Writes the files that the plan has a text for and no mount of config.json
 * takes the place of. scratch_fd is a directory of the host that is covered by
 * a mount, in this mount namespace only, and stays so until the old root is
 * unmounted; with no_pivot, or if it is "/", for a moment.
 */
bool rn_generated_make(const RnPlan *plan, int scratch_fd,
                       RnGenerated *generated, GError **error) RN_CHECK;

/*
 * Mounts them under root_fd. An image without the file in which none may be
 * made (EROFS, EACCES, EPERM) goes without; a sentence about it is appended to
 * `left_out` (GPtrArray of char *).
 */
bool rn_generated_place(const RnGenerated *generated, int root_fd,
                        GPtrArray *left_out, GError **error) RN_CHECK;

#endif
