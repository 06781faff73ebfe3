/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resources - limits as data: their memory, and what they ask for
 *
 * Runs in the launcher and in `update`. Nothing here touches a cgroup.
 */
#include "config.h"

#include <rnet/sys/resources.h>

static void clear_hugepage(void *data)
{
    RnHugepageLimit *limit = data;

    g_clear_pointer(&limit->page_size, g_free);
}

static void clear_priority(void *data)
{
    RnNetworkPriority *priority = data;

    g_clear_pointer(&priority->name, g_free);
}

static void clear_rdma(void *data)
{
    RnRdmaLimit *limit = data;

    g_clear_pointer(&limit->device, g_free);
}

static void clear_unified(void *data)
{
    RnUnifiedValue *value = data;

    g_clear_pointer(&value->file, g_free);
    g_clear_pointer(&value->value, g_free);
}

static GArray *new_array(gsize size, GDestroyNotify clear)
{
    GArray *array = g_array_new(FALSE, TRUE, (unsigned)size);

    g_array_set_clear_func(array, clear);
    return array;
}

void rn_resources_init(RnResources *resources)
{
    *resources = (RnResources){ 0 };
    resources->devices = new_array(sizeof(RnDeviceRule), NULL);
    resources->block.devices = new_array(sizeof(RnBlockDevice), NULL);
    for (int i = 0; i < RN_THROTTLE_N_; i++)
        resources->block.throttles[i] = new_array(sizeof(RnBlockDevice), NULL);
    resources->hugepages = new_array(sizeof(RnHugepageLimit), clear_hugepage);
    resources->network_priorities =
        new_array(sizeof(RnNetworkPriority), clear_priority);
    resources->rdma = new_array(sizeof(RnRdmaLimit), clear_rdma);
    resources->unified = new_array(sizeof(RnUnifiedValue), clear_unified);
}

void rn_resources_clear(RnResources *resources)
{
    g_clear_pointer(&resources->devices, g_array_unref);
    g_clear_pointer(&resources->cpu.cpus, g_free);
    g_clear_pointer(&resources->cpu.mems, g_free);
    g_clear_pointer(&resources->block.devices, g_array_unref);
    for (int i = 0; i < RN_THROTTLE_N_; i++)
        g_clear_pointer(&resources->block.throttles[i], g_array_unref);
    g_clear_pointer(&resources->hugepages, g_array_unref);
    g_clear_pointer(&resources->network_priorities, g_array_unref);
    g_clear_pointer(&resources->rdma, g_array_unref);
    g_clear_pointer(&resources->unified, g_array_unref);
}

/* When does a number ask for something? */
typedef enum Ask {
    ASK_GIVEN,
    ASK_FROM_0, /* negative: no limit */
    ASK_FROM_1, /* 0 and negative: no limit, or what holds anyway */
} Ask;

/* In the specification's order. What is not here asks for no limit: the
 * hierarchy is always used, and checkBeforeUpdate is about how to set one. */
static const struct {
    const char *path;
    gsize offset;
    Ask ask;
} numbers[] = {
    { "memory.limit", G_STRUCT_OFFSET(RnResources, memory.limit), ASK_FROM_0 },
    { "memory.reservation", G_STRUCT_OFFSET(RnResources, memory.reservation),
      ASK_FROM_0 },
    { "memory.swap", G_STRUCT_OFFSET(RnResources, memory.swap), ASK_FROM_0 },
    { "memory.kernel", G_STRUCT_OFFSET(RnResources, memory.kernel),
      ASK_FROM_0 },
    { "memory.kernelTCP", G_STRUCT_OFFSET(RnResources, memory.kernel_tcp),
      ASK_FROM_0 },
    { "memory.swappiness", G_STRUCT_OFFSET(RnResources, memory.swappiness),
      ASK_GIVEN },
    { "memory.disableOOMKiller",
      G_STRUCT_OFFSET(RnResources, memory.disable_oom_killer), ASK_FROM_1 },
    { "cpu.shares", G_STRUCT_OFFSET(RnResources, cpu.shares), ASK_GIVEN },
    { "cpu.quota", G_STRUCT_OFFSET(RnResources, cpu.quota), ASK_FROM_0 },
    { "cpu.burst", G_STRUCT_OFFSET(RnResources, cpu.burst), ASK_FROM_1 },
    { "cpu.period", G_STRUCT_OFFSET(RnResources, cpu.period), ASK_GIVEN },
    { "cpu.realtimeRuntime", G_STRUCT_OFFSET(RnResources, cpu.realtime_runtime),
      ASK_FROM_0 },
    { "cpu.realtimePeriod", G_STRUCT_OFFSET(RnResources, cpu.realtime_period),
      ASK_GIVEN },
    { "cpu.idle", G_STRUCT_OFFSET(RnResources, cpu.idle), ASK_FROM_1 },
    { "pids.limit", G_STRUCT_OFFSET(RnResources, pids_limit), ASK_FROM_1 },
    { "blockIO.weight", G_STRUCT_OFFSET(RnResources, block.weight),
      ASK_FROM_1 },
    { "blockIO.leafWeight", G_STRUCT_OFFSET(RnResources, block.leaf_weight),
      ASK_FROM_1 },
    { "network.classID", G_STRUCT_OFFSET(RnResources, network_class),
      ASK_FROM_1 },
};

static const struct {
    const char *path;
    gsize offset;
} texts[] = {
    { "cpu.cpus", G_STRUCT_OFFSET(RnResources, cpu.cpus) },
    { "cpu.mems", G_STRUCT_OFFSET(RnResources, cpu.mems) },
};

static const struct {
    const char *path;
    gsize offset;
} arrays[] = {
    { "blockIO.weightDevice", G_STRUCT_OFFSET(RnResources, block.devices) },
    { "blockIO.throttleReadBpsDevice",
      G_STRUCT_OFFSET(RnResources, block.throttles[RN_THROTTLE_READ_BPS]) },
    { "blockIO.throttleWriteBpsDevice",
      G_STRUCT_OFFSET(RnResources, block.throttles[RN_THROTTLE_WRITE_BPS]) },
    { "blockIO.throttleReadIOPSDevice",
      G_STRUCT_OFFSET(RnResources, block.throttles[RN_THROTTLE_READ_IOPS]) },
    { "blockIO.throttleWriteIOPSDevice",
      G_STRUCT_OFFSET(RnResources, block.throttles[RN_THROTTLE_WRITE_IOPS]) },
    { "hugepageLimits", G_STRUCT_OFFSET(RnResources, hugepages) },
    { "network.priorities", G_STRUCT_OFFSET(RnResources, network_priorities) },
    { "rdma", G_STRUCT_OFFSET(RnResources, rdma) },
    { "unified", G_STRUCT_OFFSET(RnResources, unified) },
};

static bool asks(const RnOptionalInt *number, Ask ask)
{
    static const int64_t from[] = {
        [ASK_GIVEN] = INT64_MIN,
        [ASK_FROM_0] = 0,
        [ASK_FROM_1] = 1,
    };

    return number->given && number->value >= from[ask];
}

const char *rn_resources_first_limit(const RnResources *resources)
{
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (asks(G_STRUCT_MEMBER_P(resources, numbers[i].offset),
                 numbers[i].ask))
            return numbers[i].path;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (G_STRUCT_MEMBER(char *, resources, texts[i].offset) != NULL)
            return texts[i].path;
    for (gsize i = 0; i < G_N_ELEMENTS(arrays); i++)
        if (G_STRUCT_MEMBER(GArray *, resources, arrays[i].offset)->len > 0)
            return arrays[i].path;
    return NULL;
}

bool rn_resources_deny_devices(const RnResources *resources)
{
    for (unsigned i = 0; i < resources->devices->len; i++)
        if (!g_array_index(resources->devices, RnDeviceRule, i).allow)
            return true;
    return false;
}
