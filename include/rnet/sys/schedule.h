/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schedule - scheduling policy, I/O priority and CPU affinity of a process
 *
 * sched_setattr(2), ioprio_set(2), sched_setaffinity(2); runtime-spec
 * config.md, process.scheduler, ioPriority, execCPUAffinity.
 */
#ifndef RNET_SYS_SCHEDULE_H
#define RNET_SYS_SCHEDULE_H

#include <stdint.h>

#include <rnet/util/error.h>

typedef struct RnScheduler {
    uint32_t policy; /* SCHED_* of sched(7) */
    int32_t nice;    /* -20 to 19 */
    int32_t priority;
    uint64_t flags; /* SCHED_FLAG_* */
    uint64_t runtime_ns, deadline_ns, period_ns;
} RnScheduler;

typedef struct RnIoPriority {
    int io_class; /* IOPRIO_CLASS_* */
    int priority; /* 0 (first) to 7 */
} RnIoPriority;

/* "SCHED_FIFO", "SCHED_FLAG_RESET_ON_FORK", "IOPRIO_CLASS_BE" to numbers. */
bool rn_scheduler_parse_policy(const char *word, uint32_t *out_policy);
bool rn_scheduler_parse_flag(const char *word, uint64_t *out_flag);
bool rn_io_priority_parse_class(const char *word, int *out_class);

/* A list like "0-3,7", cpuset(7), of at most 64 KiB; RN_ERROR_INVALID. */
bool rn_cpu_list_check(const char *list, GError **error) RN_CHECK;

/* All three are for the calling thread. */
bool rn_scheduler_set(const RnScheduler *scheduler, GError **error) RN_CHECK;
bool rn_io_priority_set(const RnIoPriority *priority, GError **error) RN_CHECK;
bool rn_cpu_affinity_set(const char *list, GError **error) RN_CHECK;

#endif
