/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-setting - what the files of a cgroup are to be given
 *
 * runtime-spec config-linux.md, Control groups, as the kernel's
 * admin-guide/cgroup-v1/ and cgroup-v2.rst have it. Decided as plain data, with
 * nothing read or written.
 */
#ifndef RNET_RUNTIME_CGROUP_SETTING_H
#define RNET_RUNTIME_CGROUP_SETTING_H

#include <rnet/sys/resources.h>

/* What a file that is not there means. */
typedef enum RnCgroupMissing {
    RN_CGROUP_MISSING_FAILS,
    RN_CGROUP_MISSING_IS_FINE, /* another setting has the limit, or none is
                                  asked for */
    RN_CGROUP_MISSING_SWAP,    /* fine where there is nothing to swap to */
} RnCgroupMissing;

typedef struct RnCgroupSetting {
    char *limit;      /* which one it is, a path below linux.resources */
    char *controller; /* "cgroup" for v2's core files */
    char *file;       /* NULL: this version has no such limit */
    char *value;
    const char *other_file; /* where `file` is not there, or NULL */
    char *other_value;
    const char *refusal; /* without a file: why */
    bool lifts;          /* asks for no limit: nothing to do where the
                            controller is not there */
    RnCgroupMissing missing;
} RnCgroupSetting;

void rn_cgroup_setting_free(RnCgroupSetting *setting);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RnCgroupSetting, rn_cgroup_setting_free)

/* The limits that are in force already and that a new one builds on. */
typedef struct RnCgroupPresent {
    int64_t memory; /* bytes, -1: no limit */
    int64_t quota;  /* microseconds in a period, -1: no limit */
    int64_t period; /* microseconds, -1: the kernel's default */
} RnCgroupPresent;

/* What is in force in a new cgroup. */
#define RN_CGROUP_PRESENT_NONE ((RnCgroupPresent){ -1, -1, -1 })

/*
 * All that `resources` asks for but devices, in the form of that version
 * (GPtrArray of RnCgroupSetting, which frees them). What the specification
 * lets an engine write to say nothing (0, most often) is left out, as runc
 * does. Files that depend on each other (memory and swap) may have to be
 * written in another order.
 */
GPtrArray *rn_cgroup_settings_v1(const RnResources *resources) RN_CHECK;
GPtrArray *rn_cgroup_settings_v2(const RnResources *resources,
                                 const RnCgroupPresent *present) RN_CHECK;

/* Appends one; the strings are copied, value may be NULL with a NULL file. */
RnCgroupSetting *rn_cgroup_setting_add(GPtrArray *settings, const char *limit,
                                       const char *controller, const char *file,
                                       const char *value);

/* The same for what v1 and v2 have alike: cpuset.cpus and cpuset.mems, and
 * pids.max. */
void rn_cgroup_setting_add_cpuset(GPtrArray *settings,
                                  const RnCpuResources *cpu);
void rn_cgroup_setting_add_pids(GPtrArray *settings,
                                const RnOptionalInt *limit);

/* The same for a limit that this version does not have. `why` is kept. */
void rn_cgroup_setting_refuse(GPtrArray *settings, const char *limit,
                              const char *controller, const char *why);

/* A number that becomes the text of one file. */
typedef struct RnCgroupNumber {
    const char *limit;
    gsize offset; /* of the RnOptionalInt in RnResources */
    const char *controller, *file;
    const char *none;       /* what to write for -1; NULL: the number */
    const char *other_file; /* or NULL */
    bool zero_counts;       /* 0 is a value; else it says nothing */
    bool zero_lifts;        /* and it asks for no limit */
} RnCgroupNumber;

void rn_cgroup_setting_add_numbers(GPtrArray *settings,
                                   const RnResources *resources,
                                   const RnCgroupNumber *numbers,
                                   unsigned n_numbers);

/* "2MB" and the like: what is in the name of a file of hugetlb. */
bool rn_cgroup_is_page_size(const char *text);

/* The values of one line for rdma.max and net_prio.ifpriomap; the same in both
 * versions. The text is the caller's. */
char *rn_cgroup_format_rdma(const RnRdmaLimit *limit) RN_CHECK;

/* By what a setting of "unified" is called in errors: unified "memory.high". */
char *rn_cgroup_format_unified(const RnUnifiedValue *unified) RN_CHECK;

/*
 * v1's shares (2 to 262144) as v2's weight (1 to 10000): runc since 1.3.2 and
 * crun since 1.23, which map the defaults, 1024 and 100, to each other.
 */
uint64_t rn_cgroup_weight_from_shares(int64_t shares);

/* v1's block weight (10 to 1000) as v2's (1 to 10000), linear. */
uint64_t rn_cgroup_weight_from_block(int64_t weight);

/*
 * v1's limit of memory and swap together as v2's of swap alone: *out_swap in
 * bytes, -1: no limit. False: it cannot be (no limit of memory, or more than
 * the sum). `memory` is the limit there is or will be, -1: none.
 */
bool rn_cgroup_swap_alone(int64_t both, int64_t memory, int64_t *out_swap);

#endif
