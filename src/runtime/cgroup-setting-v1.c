/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-setting-v1 - linux.resources as the files of cgroup v1
 *
 * Runs in the launcher and in `update`, on data only; it cannot fail. The
 * specification's numbers are v1's own, -1 for no limit among them.
 */
#include "config.h"

#include <rnet/runtime/cgroup-setting.h>

#include <string.h>

static const RnCgroupNumber numbers[] = {
    { .limit = "memory.limit",
      .offset = G_STRUCT_OFFSET(RnResources, memory.limit),
      .controller = "memory",
      .file = "memory.limit_in_bytes" },
    { .limit = "memory.reservation",
      .offset = G_STRUCT_OFFSET(RnResources, memory.reservation),
      .controller = "memory",
      .file = "memory.soft_limit_in_bytes" },
    { .limit = "memory.kernel",
      .offset = G_STRUCT_OFFSET(RnResources, memory.kernel),
      .controller = "memory",
      .file = "memory.kmem.limit_in_bytes" },
    { .limit = "memory.kernelTCP",
      .offset = G_STRUCT_OFFSET(RnResources, memory.kernel_tcp),
      .controller = "memory",
      .file = "memory.kmem.tcp.limit_in_bytes" },
    { .limit = "memory.swappiness",
      .offset = G_STRUCT_OFFSET(RnResources, memory.swappiness),
      .controller = "memory",
      .file = "memory.swappiness",
      .zero_counts = true },
    { .limit = "memory.disableOOMKiller",
      .offset = G_STRUCT_OFFSET(RnResources, memory.disable_oom_killer),
      .controller = "memory",
      .file = "memory.oom_control",
      .zero_counts = true,
      .zero_lifts = true },
    /* before shares: an idle cgroup has none, and refuses them */
    { .limit = "cpu.idle",
      .offset = G_STRUCT_OFFSET(RnResources, cpu.idle),
      .controller = "cpu",
      .file = "cpu.idle",
      .zero_counts = true,
      .zero_lifts = true },
    { .limit = "cpu.period",
      .offset = G_STRUCT_OFFSET(RnResources, cpu.period),
      .controller = "cpu",
      .file = "cpu.cfs_period_us" },
    { .limit = "cpu.quota",
      .offset = G_STRUCT_OFFSET(RnResources, cpu.quota),
      .controller = "cpu",
      .file = "cpu.cfs_quota_us" },
    { .limit = "cpu.burst",
      .offset = G_STRUCT_OFFSET(RnResources, cpu.burst),
      .controller = "cpu",
      .file = "cpu.cfs_burst_us",
      .zero_counts = true,
      .zero_lifts = true },
    { .limit = "cpu.realtimePeriod",
      .offset = G_STRUCT_OFFSET(RnResources, cpu.realtime_period),
      .controller = "cpu",
      .file = "cpu.rt_period_us" },
    { .limit = "cpu.realtimeRuntime",
      .offset = G_STRUCT_OFFSET(RnResources, cpu.realtime_runtime),
      .controller = "cpu",
      .file = "cpu.rt_runtime_us" },
    { .limit = "blockIO.weight",
      .offset = G_STRUCT_OFFSET(RnResources, block.weight),
      .controller = "blkio",
      .file = "blkio.bfq.weight",
      .other_file = "blkio.weight" },
    { .limit = "blockIO.leafWeight",
      .offset = G_STRUCT_OFFSET(RnResources, block.leaf_weight),
      .controller = "blkio",
      .file = "blkio.leaf_weight" },
    { .limit = "network.classID",
      .offset = G_STRUCT_OFFSET(RnResources, network_class),
      .controller = "net_cls",
      .file = "net_cls.classid" },
};

static const char *const throttle_files[] = {
    [RN_THROTTLE_READ_BPS] = "blkio.throttle.read_bps_device",
    [RN_THROTTLE_WRITE_BPS] = "blkio.throttle.write_bps_device",
    [RN_THROTTLE_READ_IOPS] = "blkio.throttle.read_iops_device",
    [RN_THROTTLE_WRITE_IOPS] = "blkio.throttle.write_iops_device",
};
G_STATIC_ASSERT(G_N_ELEMENTS(throttle_files) == RN_THROTTLE_N_);

static const char *const throttle_limits[] = {
    [RN_THROTTLE_READ_BPS] = "blockIO.throttleReadBpsDevice",
    [RN_THROTTLE_WRITE_BPS] = "blockIO.throttleWriteBpsDevice",
    [RN_THROTTLE_READ_IOPS] = "blockIO.throttleReadIOPSDevice",
    [RN_THROTTLE_WRITE_IOPS] = "blockIO.throttleWriteIOPSDevice",
};
G_STATIC_ASSERT(G_N_ELEMENTS(throttle_limits) == RN_THROTTLE_N_);

/* The limit of memory and swap together: lifted with that of memory unless it
 * is given, or it would be in the way. */
static void add_swap(const RnMemoryResources *memory, GPtrArray *settings)
{
    g_autofree char *text = NULL;
    RnCgroupSetting *setting = NULL;
    int64_t both = memory->swap.given ? memory->swap.value : 0;

    if (both == 0 && memory->limit.given && memory->limit.value < 0)
        both = -1;
    if (both == 0)
        return;
    text = g_strdup_printf("%" G_GINT64_FORMAT, both);
    setting = rn_cgroup_setting_add(settings, "memory.swap", "memory",
                                    "memory.memsw.limit_in_bytes", text);
    setting->lifts = both < 0;
    setting->missing =
        both < 0 ? RN_CGROUP_MISSING_IS_FINE : RN_CGROUP_MISSING_SWAP;
}

static void add_cpu(const RnCpuResources *cpu, GPtrArray *settings)
{
    bool idle = cpu->idle.given && cpu->idle.value == 1;
    g_autofree char *shares =
        g_strdup_printf("%" G_GINT64_FORMAT, cpu->shares.value);

    if (cpu->shares.given && cpu->shares.value != 0 && !idle)
        (void)rn_cgroup_setting_add(settings, "cpu.shares", "cpu", "cpu.shares",
                                    shares);
    rn_cgroup_setting_add_cpuset(settings, cpu);
}

static void add_weight(const RnBlockDevice *device, const RnOptionalInt *weight,
                       const char *file, const char *other_file,
                       GPtrArray *settings)
{
    g_autofree char *text = g_strdup_printf(
        "%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
        device->major, device->minor, weight->value);
    RnCgroupSetting *setting = NULL;

    if (!weight->given || weight->value == 0)
        return;
    setting = rn_cgroup_setting_add(settings, "blockIO.weightDevice", "blkio",
                                    file, text);
    setting->other_file = other_file;
    setting->other_value = g_strdup(text);
}

static void add_block(const RnBlockResources *block, GPtrArray *settings)
{
    for (unsigned i = 0; i < block->devices->len; i++) {
        const RnBlockDevice *device =
            &g_array_index(block->devices, RnBlockDevice, i);

        add_weight(device, &device->weight, "blkio.bfq.weight_device",
                   "blkio.weight_device", settings);
        add_weight(device, &device->leaf_weight, "blkio.leaf_weight_device",
                   NULL, settings);
    }
    for (int kind = 0; kind < RN_THROTTLE_N_; kind++) {
        for (unsigned i = 0; i < block->throttles[kind]->len; i++) {
            const RnBlockDevice *device =
                &g_array_index(block->throttles[kind], RnBlockDevice, i);
            g_autofree char *text = g_strdup_printf(
                "%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT " %" G_GUINT64_FORMAT,
                device->major, device->minor, device->rate);

            (void)rn_cgroup_setting_add(settings, throttle_limits[kind],
                                        "blkio", throttle_files[kind], text);
        }
    }
}

static void add_hugepages(const GArray *limits, GPtrArray *settings)
{
    for (unsigned i = 0; i < limits->len; i++) {
        const RnHugepageLimit *limit =
            &g_array_index(limits, RnHugepageLimit, i);
        g_autofree char *file = NULL;
        g_autofree char *reserved = NULL;
        g_autofree char *text =
            g_strdup_printf("%" G_GUINT64_FORMAT, limit->limit);

        if (!rn_cgroup_is_page_size(limit->page_size)) {
            rn_cgroup_setting_refuse(settings, "hugepageLimits", "hugetlb",
                                     "not a page size, as \"2MB\" is");
            continue;
        }
        file = g_strdup_printf("hugetlb.%s.limit_in_bytes", limit->page_size);
        reserved =
            g_strdup_printf("hugetlb.%s.rsvd.limit_in_bytes", limit->page_size);
        (void)rn_cgroup_setting_add(settings, "hugepageLimits", "hugetlb", file,
                                    text);
        rn_cgroup_setting_add(settings, "hugepageLimits", "hugetlb", reserved,
                              text)
            ->missing = RN_CGROUP_MISSING_IS_FINE; /* Linux 5.7 */
    }
}

static void add_network(const GArray *priorities, GPtrArray *settings)
{
    for (unsigned i = 0; i < priorities->len; i++) {
        const RnNetworkPriority *priority =
            &g_array_index(priorities, RnNetworkPriority, i);
        g_autofree char *text =
            g_strdup_printf("%s %u", priority->name, priority->priority);

        (void)rn_cgroup_setting_add(settings, "network.priorities", "net_prio",
                                    "net_prio.ifpriomap", text);
    }
}

static void add_rest(const RnResources *resources, GPtrArray *settings)
{
    for (unsigned i = 0; i < resources->rdma->len; i++) {
        g_autofree char *text = rn_cgroup_format_rdma(
            &g_array_index(resources->rdma, RnRdmaLimit, i));

        (void)rn_cgroup_setting_add(settings, "rdma", "rdma", "rdma.max", text);
    }
    for (unsigned i = 0; i < resources->unified->len; i++) {
        const RnUnifiedValue *unified =
            &g_array_index(resources->unified, RnUnifiedValue, i);
        g_autofree char *limit = rn_cgroup_format_unified(unified);

        rn_cgroup_setting_refuse(settings, limit, "cgroup",
                                 "cgroup v1 has no such files");
    }
    if (resources->memory.use_hierarchy.given &&
        resources->memory.use_hierarchy.value == 0)
        (void)rn_cgroup_setting_add(settings, "memory.useHierarchy", "memory",
                                    "memory.use_hierarchy", "0");
}

GPtrArray *rn_cgroup_settings_v1(const RnResources *resources)
{
    GPtrArray *settings =
        g_ptr_array_new_with_free_func((GDestroyNotify)rn_cgroup_setting_free);

    rn_cgroup_setting_add_numbers(settings, resources, numbers,
                                  G_N_ELEMENTS(numbers));
    add_swap(&resources->memory, settings);
    add_cpu(&resources->cpu, settings);
    rn_cgroup_setting_add_pids(settings, &resources->pids_limit);
    add_block(&resources->block, settings);
    add_hugepages(resources->hugepages, settings);
    add_network(resources->network_priorities, settings);
    add_rest(resources, settings);
    return settings;
}
