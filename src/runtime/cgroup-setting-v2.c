/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-setting-v2 - linux.resources as the files of cgroup v2
 *
 * Runs in the launcher and in `update`, on data only; it cannot fail. The
 * specification speaks v1's language: what v2 has in another form is
 * converted, what it does not have is a refusal.
 */
#include "config.h"

#include <rnet/runtime/cgroup-setting.h>

#include <string.h>

static const RnCgroupNumber numbers[] = {
    { .limit = "memory.limit",
      .offset = G_STRUCT_OFFSET(RnResources, memory.limit),
      .controller = "memory",
      .file = "memory.max",
      .none = "max" },
    { .limit = "memory.reservation",
      .offset = G_STRUCT_OFFSET(RnResources, memory.reservation),
      .controller = "memory",
      .file = "memory.low",
      .none = "max" },
    /* before the weight: an idle cgroup has none, and refuses it */
    { .limit = "cpu.idle",
      .offset = G_STRUCT_OFFSET(RnResources, cpu.idle),
      .controller = "cpu",
      .file = "cpu.idle",
      .zero_counts = true,
      .zero_lifts = true },
    { .limit = "cpu.burst",
      .offset = G_STRUCT_OFFSET(RnResources, cpu.burst),
      .controller = "cpu",
      .file = "cpu.max.burst",
      .zero_counts = true,
      .zero_lifts = true },
};

/* Refused if it is from this number on. */
static const struct {
    const char *limit;
    gsize offset;
    int64_t from;
    const char *controller, *why;
} refused[] = {
    { "memory.kernel", G_STRUCT_OFFSET(RnResources, memory.kernel), 1, "memory",
      "cgroup v2 counts it as memory and has no limit of its own" },
    { "memory.kernelTCP", G_STRUCT_OFFSET(RnResources, memory.kernel_tcp), 1,
      "memory", "cgroup v2 counts it as memory and has no limit of its own" },
    { "memory.swappiness", G_STRUCT_OFFSET(RnResources, memory.swappiness), 0,
      "memory", "cgroup v2 has none for a cgroup" },
    { "memory.disableOOMKiller",
      G_STRUCT_OFFSET(RnResources, memory.disable_oom_killer), 1, "memory",
      "cgroup v2 cannot turn the OOM killer off" },
    { "cpu.realtimeRuntime", G_STRUCT_OFFSET(RnResources, cpu.realtime_runtime),
      1, "cpu", "cgroup v2 has no limit of it" },
    { "cpu.realtimePeriod", G_STRUCT_OFFSET(RnResources, cpu.realtime_period),
      1, "cpu", "cgroup v2 has no limit of it" },
    { "blockIO.leafWeight", G_STRUCT_OFFSET(RnResources, block.leaf_weight), 1,
      "io", "cgroup v2 has none" },
    { "network.classID", G_STRUCT_OFFSET(RnResources, network_class), 1,
      "net_cls", "cgroup v2 has no such controller" },
};

typedef struct Throttle {
    const char *limit, *word;
} Throttle;

static const Throttle throttles[] = {
    [RN_THROTTLE_READ_BPS] = { "blockIO.throttleReadBpsDevice", "rbps" },
    [RN_THROTTLE_WRITE_BPS] = { "blockIO.throttleWriteBpsDevice", "wbps" },
    [RN_THROTTLE_READ_IOPS] = { "blockIO.throttleReadIOPSDevice", "riops" },
    [RN_THROTTLE_WRITE_IOPS] = { "blockIO.throttleWriteIOPSDevice", "wiops" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(throttles) == RN_THROTTLE_N_);

static void add_refusals(const RnResources *resources, GPtrArray *settings)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
        const RnOptionalInt *given =
            G_STRUCT_MEMBER_P(resources, refused[i].offset);

        if (given->given && given->value >= refused[i].from)
            rn_cgroup_setting_refuse(settings, refused[i].limit,
                                     refused[i].controller, refused[i].why);
    }
    if (resources->memory.use_hierarchy.given &&
        resources->memory.use_hierarchy.value == 0)
        rn_cgroup_setting_refuse(settings, "memory.useHierarchy", "memory",
                                 "cgroup v2 is always hierarchical");
    if (resources->network_priorities->len > 0)
        rn_cgroup_setting_refuse(settings, "network.priorities", "net_prio",
                                 "cgroup v2 has no such controller");
}

static void add_swap(const RnMemoryResources *memory, int64_t present,
                     GPtrArray *settings)
{
    int64_t both = memory->swap.given ? memory->swap.value : 0;
    int64_t limit = memory->limit.given && memory->limit.value != 0
                        ? memory->limit.value
                        : present;
    int64_t swap = -1;
    g_autofree char *text = NULL;
    RnCgroupSetting *setting = NULL;

    if (both == 0 && memory->limit.given && memory->limit.value < 0)
        both = -1;
    if (both == 0)
        return;
    if (!rn_cgroup_swap_alone(both, limit, &swap)) {
        rn_cgroup_setting_refuse(settings, "memory.swap", "memory",
                                 "it is of memory and swap together: "
                                 "memory.limit is needed, and no more than it");
        return;
    }
    text = g_strdup_printf("%" G_GINT64_FORMAT, swap);
    setting = rn_cgroup_setting_add(settings, "memory.swap", "memory",
                                    "memory.swap.max", swap < 0 ? "max" : text);
    setting->lifts = swap < 0;
    setting->missing =
        swap < 0 ? RN_CGROUP_MISSING_IS_FINE : RN_CGROUP_MISSING_SWAP;
}

static void add_weight(const RnCpuResources *cpu, GPtrArray *settings)
{
    bool idle = cpu->idle.given && cpu->idle.value == 1;
    g_autofree char *text = NULL;

    if (!cpu->shares.given || cpu->shares.value == 0 || idle)
        return;
    text = g_strdup_printf("%" G_GUINT64_FORMAT,
                           rn_cgroup_weight_from_shares(cpu->shares.value));
    (void)rn_cgroup_setting_add(settings, "cpu.shares", "cpu", "cpu.weight",
                                text);
}

/* cpu.max takes a quota alone, and keeps the period; not the reverse. */
static void add_quota(const RnCpuResources *cpu, int64_t present,
                      GPtrArray *settings)
{
    bool has_quota = cpu->quota.given && cpu->quota.value != 0;
    bool has_period = cpu->period.given && cpu->period.value != 0;
    int64_t quota = has_quota ? cpu->quota.value : present;
    g_autoptr(GString) text = g_string_new(NULL);

    if (!has_quota && !has_period)
        return;
    if (quota > 0)
        g_string_append_printf(text, "%" G_GINT64_FORMAT, quota);
    else
        g_string_append(text, "max");
    if (has_period)
        g_string_append_printf(text, " %" G_GINT64_FORMAT, cpu->period.value);
    rn_cgroup_setting_add(settings, has_quota ? "cpu.quota" : "cpu.period",
                          "cpu", "cpu.max", text->str)
        ->lifts = quota <= 0;
}

/* prefix: "8:0 " of a device, or "" (bfq) and "default " for all of them. */
static void add_block_weight(const char *limit, const char *prefix,
                             const char *other_prefix, int64_t weight,
                             GPtrArray *settings)
{
    g_autofree char *text =
        g_strdup_printf("%s%" G_GINT64_FORMAT, prefix, weight);
    RnCgroupSetting *setting =
        rn_cgroup_setting_add(settings, limit, "io", "io.bfq.weight", text);

    setting->other_file = "io.weight";
    setting->other_value = g_strdup_printf("%s%" G_GUINT64_FORMAT, other_prefix,
                                           rn_cgroup_weight_from_block(weight));
}

static void add_throttle(RnThrottle kind, const RnBlockDevice *device,
                         GPtrArray *settings)
{
    g_autofree char *rate = g_strdup_printf("%" G_GUINT64_FORMAT, device->rate);
    g_autofree char *text = g_strdup_printf(
        "%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT " %s=%s", device->major,
        device->minor, throttles[kind].word, device->rate == 0 ? "max" : rate);

    rn_cgroup_setting_add(settings, throttles[kind].limit, "io", "io.max", text)
        ->lifts = device->rate == 0;
}

static void add_block(const RnBlockResources *block, GPtrArray *settings)
{
    if (block->weight.given && block->weight.value != 0)
        add_block_weight("blockIO.weight", "", "default ", block->weight.value,
                         settings);
    for (unsigned i = 0; i < block->devices->len; i++) {
        const RnBlockDevice *device =
            &g_array_index(block->devices, RnBlockDevice, i);
        g_autofree char *prefix =
            g_strdup_printf("%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT " ",
                            device->major, device->minor);

        if (device->weight.given && device->weight.value != 0)
            add_block_weight("blockIO.weightDevice", prefix, prefix,
                             device->weight.value, settings);
        if (device->leaf_weight.given && device->leaf_weight.value != 0)
            rn_cgroup_setting_refuse(settings, "blockIO.weightDevice", "io",
                                     "cgroup v2 has no leafWeight");
    }
    for (int kind = 0; kind < RN_THROTTLE_N_; kind++) {
        for (unsigned i = 0; i < block->throttles[kind]->len; i++)
            add_throttle(
                (RnThrottle)kind,
                &g_array_index(block->throttles[kind], RnBlockDevice, i),
                settings);
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
        file = g_strdup_printf("hugetlb.%s.max", limit->page_size);
        reserved = g_strdup_printf("hugetlb.%s.rsvd.max", limit->page_size);
        (void)rn_cgroup_setting_add(settings, "hugepageLimits", "hugetlb", file,
                                    text);
        rn_cgroup_setting_add(settings, "hugepageLimits", "hugetlb", reserved,
                              text)
            ->missing = RN_CGROUP_MISSING_IS_FINE; /* Linux 5.7 */
    }
}

/*
 * The core files that a bundle may set. The others move, stop and end
 * processes, or take the cgroup out of its hierarchy.
 */
static const char *const core_files[] = { "cgroup.max.depth",
                                          "cgroup.max.descendants",
                                          "cgroup.pressure", NULL };

static void add_unified(const RnUnifiedValue *unified, GPtrArray *settings)
{
    g_autofree char *limit = rn_cgroup_format_unified(unified);
    const char *dot = strchr(unified->file, '.');
    g_autofree char *controller = NULL;
    g_auto(GStrv) lines = NULL;

    if (dot == NULL || dot == unified->file ||
        strchr(unified->file, '/') != NULL) {
        rn_cgroup_setting_refuse(settings, limit, "cgroup",
                                 "not of the form CONTROLLER.FILE");
        return;
    }
    controller = g_strndup(unified->file, (gsize)(dot - unified->file));
    if (strcmp(controller, "cgroup") == 0 &&
        !g_strv_contains(core_files, unified->file)) {
        rn_cgroup_setting_refuse(settings, limit, "cgroup",
                                 "this file is the runtime's");
        return;
    }
    /* the kernel takes one line at a time */
    lines = g_strsplit(unified->value, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        if (line == lines || (*line)[0] != '\0')
            (void)rn_cgroup_setting_add(settings, limit, controller,
                                        unified->file, *line);
    }
}

static void add_rest(const RnResources *resources, GPtrArray *settings)
{
    for (unsigned i = 0; i < resources->rdma->len; i++) {
        g_autofree char *text = rn_cgroup_format_rdma(
            &g_array_index(resources->rdma, RnRdmaLimit, i));

        (void)rn_cgroup_setting_add(settings, "rdma", "rdma", "rdma.max", text);
    }
    for (unsigned i = 0; i < resources->unified->len; i++)
        add_unified(&g_array_index(resources->unified, RnUnifiedValue, i),
                    settings);
}

GPtrArray *rn_cgroup_settings_v2(const RnResources *resources,
                                 const RnCgroupPresent *present)
{
    GPtrArray *settings =
        g_ptr_array_new_with_free_func((GDestroyNotify)rn_cgroup_setting_free);

    rn_cgroup_setting_add_numbers(settings, resources, numbers,
                                  G_N_ELEMENTS(numbers));
    add_refusals(resources, settings);
    add_swap(&resources->memory, present->memory, settings);
    add_weight(&resources->cpu, settings);
    add_quota(&resources->cpu, present->quota, settings);
    rn_cgroup_setting_add_cpuset(settings, &resources->cpu);
    rn_cgroup_setting_add_pids(settings, &resources->pids_limit);
    add_block(&resources->block, settings);
    add_hugepages(resources->hugepages, settings);
    add_rest(resources, settings);
    return settings;
}
