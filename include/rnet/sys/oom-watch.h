/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oom-watch - tells when the kernel kills for want of memory in a cgroup
 *
 * cgroup v2: memory.events (cgroup-v2.rst, "Memory Interface Files"); v1:
 * memory.oom_control through an eventfd (cgroup-v1/memory.rst, "OOM Control").
 */
#ifndef RNET_SYS_OOM_WATCH_H
#define RNET_SYS_OOM_WATCH_H

#include <stdint.h>

#include <rnet/util/error.h>

typedef struct RnOomWatch RnOomWatch;

/*
 * `directory` is the cgroup's, in the hierarchy that has the memory
 * controller. RN_ERROR_UNSUPPORTED if it has none of the files.
 */
RnOomWatch *rn_oom_watch_new(const char *directory, GError **error) RN_CHECK;
void rn_oom_watch_free(RnOomWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnOomWatch, rn_oom_watch_free)

/* Readable when rn_oom_watch_take() may have something; the watch's. */
int rn_oom_watch_fd(const RnOomWatch *watch);

/*
 * How often it happened since the last call; 0 also when the cgroup is gone.
 * Does not block.
 */
uint64_t rn_oom_watch_take(RnOomWatch *watch);

#endif
