/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resources - what a container may use, as plain data
 *
 * runtime-spec config-linux.md, Control groups. Numbers are the
 * specification's; what was not given is marked so and asks for nothing. What
 * a cgroup file takes is cgroup.h's business.
 */
#ifndef RNET_SYS_RESOURCES_H
#define RNET_SYS_RESOURCES_H

#include <stdint.h>

#include <rnet/util/error.h>

/* An optional number: asks for nothing unless `given`. */
typedef struct RnOptionalInt {
    bool given;
    int64_t value;
} RnOptionalInt;

/* linux.resources.devices: one rule, the later one wins. */
typedef struct RnDeviceRule {
    bool allow;
    char type;            /* 'a', 'c' or 'b' */
    int64_t major, minor; /* -1: any */
    bool read, write, mknod;
} RnDeviceRule;

typedef struct RnMemoryResources {
    RnOptionalInt limit, reservation, swap, kernel, kernel_tcp; /* bytes,
                                                     -1: no limit */
    RnOptionalInt swappiness;                                   /* 0 to 100 */
    RnOptionalInt disable_oom_killer, use_hierarchy, check_before_update;
} RnMemoryResources;

typedef struct RnCpuResources {
    RnOptionalInt shares;        /* 2 to 262144, v1's weight */
    RnOptionalInt quota;         /* microseconds in a period, -1: none */
    RnOptionalInt burst, period; /* microseconds */
    RnOptionalInt realtime_runtime, realtime_period;
    RnOptionalInt idle; /* 0 or 1 */
    char *cpus, *mems;  /* cpuset lists, NULL: not given */
} RnCpuResources;

/* linux.resources.blockIO: one device's weight or rate. */
typedef struct RnBlockDevice {
    int64_t major, minor;
    RnOptionalInt weight, leaf_weight; /* 10 to 1000 */
    uint64_t rate;                     /* a second; bytes or operations */
} RnBlockDevice;

typedef enum RnThrottle {
    RN_THROTTLE_READ_BPS,
    RN_THROTTLE_WRITE_BPS,
    RN_THROTTLE_READ_IOPS,
    RN_THROTTLE_WRITE_IOPS,
    RN_THROTTLE_N_
} RnThrottle;

typedef struct RnBlockResources {
    RnOptionalInt weight, leaf_weight; /* 10 to 1000, 0: default */
    GArray *devices;                   /* of RnBlockDevice: weights */
    GArray *throttles[RN_THROTTLE_N_]; /* of RnBlockDevice: rates */
} RnBlockResources;

typedef struct RnHugepageLimit {
    char *page_size; /* "2MB" */
    uint64_t limit;  /* bytes */
} RnHugepageLimit;

typedef struct RnNetworkPriority {
    char *name; /* interface */
    uint32_t priority;
} RnNetworkPriority;

typedef struct RnRdmaLimit {
    char *device;
    RnOptionalInt handles, objects;
} RnRdmaLimit;

typedef struct RnUnifiedValue {
    char *file; /* "memory.high": no "/", checked */
    char *value;
} RnUnifiedValue;

typedef struct RnResources {
    GArray *devices; /* of RnDeviceRule, in order */
    RnMemoryResources memory;
    RnCpuResources cpu;
    RnOptionalInt pids_limit; /* 0 or -1: no limit */
    RnBlockResources block;
    GArray *hugepages;           /* of RnHugepageLimit */
    RnOptionalInt network_class; /* net_cls, v1 */
    GArray *network_priorities;  /* of RnNetworkPriority, v1 */
    GArray *rdma;                /* of RnRdmaLimit */
    GArray *unified;             /* of RnUnifiedValue, v2 */
} RnResources;

/* All arrays are there (empty) afterwards. */
void rn_resources_init(RnResources *resources);
void rn_resources_clear(RnResources *resources);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RnResources, rn_resources_clear)

/*
 * The first limit that is asked for, by its path below linux.resources
 * ("memory.limit", "unified"), or NULL. Asking for none (-1) is no limit, nor
 * are rules for devices: a user namespace has none but those it is given.
 */
const char *rn_resources_first_limit(const RnResources *resources);

/* True if a device rule denies anything: it takes a cgroup to carry out. */
bool rn_resources_deny_devices(const RnResources *resources);

#endif
