/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-stats - what the files that gather statistics share
 *
 * A part may be NULL: no such controller. All functions then give nothing, or 0.
 */
#ifndef RNET_RUNTIME_CGROUP_STATS_H
#define RNET_RUNTIME_CGROUP_STATS_H

#include <stdint.h>

#include <jansson.h>

#include <rnet/runtime/cgroup-make.h>

#include "cgroup-object.h"

/* Fills one member of the data. `parts`: all, for what is in another one. */
typedef void (*RnStatsFunc)(const RnCgroupPart *part, const GPtrArray *parts,
                            json_t *group);

void rn_stats_cpu_v1(const RnCgroupPart *part, const GPtrArray *parts,
                     json_t *group);
void rn_stats_cpu_v2(const RnCgroupPart *part, const GPtrArray *parts,
                     json_t *group);
void rn_stats_memory_v1(const RnCgroupPart *part, const GPtrArray *parts,
                        json_t *group);
void rn_stats_memory_v2(const RnCgroupPart *part, const GPtrArray *parts,
                        json_t *group);
void rn_stats_block_v1(const RnCgroupPart *part, const GPtrArray *parts,
                       json_t *group);
void rn_stats_block_v2(const RnCgroupPart *part, const GPtrArray *parts,
                       json_t *group);
void rn_stats_hugetlb(const RnCgroupPart *part, const GPtrArray *parts,
                      json_t *group);

void rn_stats_set(json_t *object, const char *name, uint64_t value);

/* A file's text, the caller's, or NULL; its one number ("max": UINT64_MAX). */
char *rn_stats_read(const RnCgroupPart *part, const char *file);
uint64_t rn_stats_number(const RnCgroupPart *part, const char *file);

/* Lines of "KEY NUMBER" as an object, and one of them. */
json_t *rn_stats_keys(const RnCgroupPart *part, const char *file);
uint64_t rn_stats_key(const json_t *keys, const char *name);

/* Numbers with blanks between them as an array. */
json_t *rn_stats_numbers(const char *text);

#endif
