/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup-setting: linux.resources as the files of both versions
 */
#include "config.h"

#include <unit.h>

#include <rnet/runtime/cgroup-setting.h>

typedef struct Case {
    const char *name;
    void (*fill)(RnResources *resources);
    const char *v1, *v2; /* as describe() has it */
} Case;

static const RnCgroupPresent none = { -1, -1, -1 };

static RnOptionalInt give(int64_t value)
{
    return (RnOptionalInt){ .given = true, .value = value };
}

/* One line a setting: FILE=VALUE, or FILE=VALUE/OTHER=VALUE, "?" behind one
 * that lifts, or !LIMIT of a refusal. */
static char *describe(const GPtrArray *settings)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < settings->len; i++) {
        const RnCgroupSetting *setting = g_ptr_array_index(settings, i);

        assert_non_null(setting->limit);
        assert_non_null(setting->controller);
        if (setting->file == NULL) {
            assert_non_null(setting->refusal);
            g_string_append_printf(text, "!%s\n", setting->limit);
            continue;
        }
        g_string_append_printf(text, "%s=%s", setting->file, setting->value);
        if (setting->other_file != NULL)
            g_string_append_printf(text, "/%s=%s", setting->other_file,
                                   setting->other_value);
        g_string_append(text, setting->lifts ? "?\n" : "\n");
    }
    return g_string_free(text, FALSE);
}

static void fill_nothing(RnResources *resources)
{
    (void)resources;
}

static void fill_zeros(RnResources *resources)
{
    resources->memory.limit = give(0);
    resources->memory.swap = give(0);
    resources->memory.reservation = give(0);
    resources->memory.kernel = give(0);
    resources->memory.use_hierarchy = give(1);
    resources->cpu.shares = give(0);
    resources->cpu.quota = give(0);
    resources->cpu.period = give(0);
    resources->cpu.cpus = g_strdup("");
    resources->block.weight = give(0);
    resources->network_class = give(0);
}

static void fill_memory(RnResources *resources)
{
    resources->memory.limit = give(1000);
    resources->memory.swap = give(1500);
    resources->memory.reservation = give(500);
}

static void fill_no_memory_limit(RnResources *resources)
{
    resources->memory.limit = give(-1);
    resources->memory.reservation = give(-1);
}

static void fill_equal_swap(RnResources *resources)
{
    resources->memory.limit = give(1000);
    resources->memory.swap = give(1000);
}

static void fill_endless_swap(RnResources *resources)
{
    resources->memory.limit = give(1000);
    resources->memory.swap = give(-1);
}

static void fill_small_swap(RnResources *resources)
{
    resources->memory.limit = give(1000);
    resources->memory.swap = give(999);
}

static void fill_old_memory(RnResources *resources)
{
    resources->memory.kernel = give(10);
    resources->memory.kernel_tcp = give(20);
    resources->memory.swappiness = give(0);
    resources->memory.disable_oom_killer = give(1);
    resources->memory.use_hierarchy = give(0);
}

static void fill_oom_killer(RnResources *resources)
{
    resources->memory.disable_oom_killer = give(0);
    resources->memory.kernel = give(-1);
}

static void fill_cpu(RnResources *resources)
{
    resources->cpu.shares = give(512);
    resources->cpu.quota = give(20000);
    resources->cpu.period = give(50000);
    resources->cpu.burst = give(1000);
    resources->cpu.cpus = g_strdup("0-1");
    resources->cpu.mems = g_strdup("0");
}

static void fill_idle(RnResources *resources)
{
    resources->cpu.idle = give(1);
    resources->cpu.shares = give(512);
}

static void fill_no_quota(RnResources *resources)
{
    resources->cpu.quota = give(-1);
    resources->cpu.burst = give(0);
    resources->cpu.idle = give(0);
}

static void fill_period(RnResources *resources)
{
    resources->cpu.period = give(50000);
}

static void fill_realtime(RnResources *resources)
{
    resources->cpu.realtime_period = give(1000);
    resources->cpu.realtime_runtime = give(500);
}

static void fill_pids(RnResources *resources)
{
    resources->pids_limit = give(64);
}

static void fill_no_pids(RnResources *resources)
{
    resources->pids_limit = give(-1);
}

static void fill_block(RnResources *resources)
{
    const RnBlockDevice device = { .major = 8,
                                   .minor = 16,
                                   .weight = give(1000) };
    const RnBlockDevice rate = { .major = 8, .minor = 0, .rate = 1048576 };
    const RnBlockDevice no_rate = { .major = 8, .minor = 0, .rate = 0 };

    resources->block.weight = give(10);
    g_array_append_val(resources->block.devices, device);
    g_array_append_val(resources->block.throttles[RN_THROTTLE_READ_BPS], rate);
    g_array_append_val(resources->block.throttles[RN_THROTTLE_WRITE_IOPS],
                       no_rate);
}

static void fill_leaf_weight(RnResources *resources)
{
    resources->block.leaf_weight = give(100);
}

static void add_pages(RnResources *resources, const char *size)
{
    const RnHugepageLimit limit = { .page_size = g_strdup(size),
                                    .limit = 4194304 };

    g_array_append_val(resources->hugepages, limit);
}

static void fill_hugepages(RnResources *resources)
{
    add_pages(resources, "2MB");
    add_pages(resources, "../2MB");
}

static void fill_network(RnResources *resources)
{
    const RnNetworkPriority priority = { .name = g_strdup("eth0"),
                                         .priority = 7 };

    resources->network_class = give(0x100001);
    g_array_append_val(resources->network_priorities, priority);
}

static void fill_rdma(RnResources *resources)
{
    const RnRdmaLimit limit = { .device = g_strdup("mlx5_1"),
                                .handles = give(3),
                                .objects = give(10000) };

    g_array_append_val(resources->rdma, limit);
}

static void add_unified(RnResources *resources, const char *file,
                        const char *value)
{
    const RnUnifiedValue unified = { .file = g_strdup(file),
                                     .value = g_strdup(value) };

    g_array_append_val(resources->unified, unified);
}

static void fill_unified(RnResources *resources)
{
    add_unified(resources, "memory.high", "1000");
    add_unified(resources, "io.max", "8:0 rbps=1\n8:16 rbps=2\n");
    add_unified(resources, "cgroup.max.depth", "3");
}

static void fill_hostile_unified(RnResources *resources)
{
    add_unified(resources, "cgroup.procs", "1");
    add_unified(resources, "cgroup.kill", "1");
    add_unified(resources, "cgroup.freeze", "1");
    add_unified(resources, "cgroup.subtree_control", "+cpu");
    add_unified(resources, "cgroup.type", "threaded");
    add_unified(resources, "../x.y", "1");
    add_unified(resources, "memory", "1");
    add_unified(resources, ".max", "1");
}

static const Case cases[] = {
    { "nothing", fill_nothing, "", "" },
    { "what says nothing", fill_zeros, "", "" },
    { "memory", fill_memory,
      "memory.limit_in_bytes=1000\nmemory.soft_limit_in_bytes=500\n"
      "memory.memsw.limit_in_bytes=1500\n",
      "memory.max=1000\nmemory.low=500\nmemory.swap.max=500\n" },
    { "no memory limit", fill_no_memory_limit,
      "memory.limit_in_bytes=-1?\nmemory.soft_limit_in_bytes=-1?\n"
      "memory.memsw.limit_in_bytes=-1?\n",
      "memory.max=max?\nmemory.low=max?\nmemory.swap.max=max?\n" },
    { "as much swap as memory", fill_equal_swap,
      "memory.limit_in_bytes=1000\nmemory.memsw.limit_in_bytes=1000\n",
      "memory.max=1000\nmemory.swap.max=0\n" },
    { "endless swap", fill_endless_swap,
      "memory.limit_in_bytes=1000\nmemory.memsw.limit_in_bytes=-1?\n",
      "memory.max=1000\nmemory.swap.max=max?\n" },
    { "less swap than memory", fill_small_swap,
      "memory.limit_in_bytes=1000\nmemory.memsw.limit_in_bytes=999\n",
      "memory.max=1000\n!memory.swap\n" },
    { "what only v1 has of memory", fill_old_memory,
      "memory.kmem.limit_in_bytes=10\nmemory.kmem.tcp.limit_in_bytes=20\n"
      "memory.swappiness=0\nmemory.oom_control=1\nmemory.use_hierarchy=0\n",
      "!memory.kernel\n!memory.kernelTCP\n!memory.swappiness\n"
      "!memory.disableOOMKiller\n!memory.useHierarchy\n" },
    { "OOM killer left alone", fill_oom_killer,
      "memory.kmem.limit_in_bytes=-1?\nmemory.oom_control=0?\n", "" },
    { "cpu", fill_cpu,
      "cpu.cfs_period_us=50000\ncpu.cfs_quota_us=20000\n"
      "cpu.cfs_burst_us=1000\ncpu.shares=512\ncpuset.cpus=0-1\n"
      "cpuset.mems=0\n",
      "cpu.max.burst=1000\ncpu.weight=59\ncpu.max=20000 50000\n"
      "cpuset.cpus=0-1\ncpuset.mems=0\n" },
    { "an idle cgroup has no weight", fill_idle, "cpu.idle=1\n",
      "cpu.idle=1\n" },
    { "no quota", fill_no_quota,
      "cpu.idle=0?\ncpu.cfs_quota_us=-1?\ncpu.cfs_burst_us=0?\n",
      "cpu.idle=0?\ncpu.max.burst=0?\ncpu.max=max?\n" },
    { "a period alone", fill_period, "cpu.cfs_period_us=50000\n",
      "cpu.max=max 50000?\n" },
    { "real time", fill_realtime,
      "cpu.rt_period_us=1000\n"
      "cpu.rt_runtime_us=500\n",
      "!cpu.realtimeRuntime\n!cpu.realtimePeriod\n" },
    { "pids", fill_pids, "pids.max=64\n", "pids.max=64\n" },
    { "no limit of pids", fill_no_pids, "pids.max=max?\n", "pids.max=max?\n" },
    { "block", fill_block,
      "blkio.bfq.weight=10/blkio.weight=10\n"
      "blkio.bfq.weight_device=8:16 1000/blkio.weight_device=8:16 1000\n"
      "blkio.throttle.read_bps_device=8:0 1048576\n"
      "blkio.throttle.write_iops_device=8:0 0\n",
      "io.bfq.weight=10/io.weight=default 1\n"
      "io.bfq.weight=8:16 1000/io.weight=8:16 10000\n"
      "io.max=8:0 rbps=1048576\nio.max=8:0 wiops=max?\n" },
    { "leaf weight", fill_leaf_weight, "blkio.leaf_weight=100\n",
      "!blockIO.leafWeight\n" },
    { "huge pages", fill_hugepages,
      "hugetlb.2MB.limit_in_bytes=4194304\n"
      "hugetlb.2MB.rsvd.limit_in_bytes=4194304\n!hugepageLimits\n",
      "hugetlb.2MB.max=4194304\nhugetlb.2MB.rsvd.max=4194304\n"
      "!hugepageLimits\n" },
    { "network", fill_network,
      "net_cls.classid=1048577\nnet_prio.ifpriomap=eth0 7\n",
      "!network.classID\n!network.priorities\n" },
    { "rdma", fill_rdma, "rdma.max=mlx5_1 hca_handle=3 hca_object=10000\n",
      "rdma.max=mlx5_1 hca_handle=3 hca_object=10000\n" },
    { "unified", fill_unified,
      "!unified \"memory.high\"\n!unified \"io.max\"\n"
      "!unified \"cgroup.max.depth\"\n",
      "memory.high=1000\nio.max=8:0 rbps=1\nio.max=8:16 rbps=2\n"
      "cgroup.max.depth=3\n" },
    { "files that no bundle may write", fill_hostile_unified,
      "!unified \"cgroup.procs\"\n!unified \"cgroup.kill\"\n"
      "!unified \"cgroup.freeze\"\n!unified \"cgroup.subtree_control\"\n"
      "!unified \"cgroup.type\"\n!unified \"../x.y\"\n!unified \"memory\"\n"
      "!unified \".max\"\n",
      "!unified \"cgroup.procs\"\n!unified \"cgroup.kill\"\n"
      "!unified \"cgroup.freeze\"\n!unified \"cgroup.subtree_control\"\n"
      "!unified \"cgroup.type\"\n!unified \"../x.y\"\n!unified \"memory\"\n"
      "!unified \".max\"\n" },
};

static void settings_of_both_versions_as_listed(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnResources) resources = { 0 };
        g_autoptr(GPtrArray) v1 = NULL;
        g_autoptr(GPtrArray) v2 = NULL;
        g_autofree char *v1_text = NULL;
        g_autofree char *v2_text = NULL;

        rn_resources_init(&resources);
        cases[i].fill(&resources);
        v1 = rn_cgroup_settings_v1(&resources);
        v2 = rn_cgroup_settings_v2(&resources, &none);
        v1_text = describe(v1);
        v2_text = describe(v2);
        if (strcmp(v1_text, cases[i].v1) != 0)
            fail_msg("%s, v1:\n%s", cases[i].name, v1_text);
        if (strcmp(v2_text, cases[i].v2) != 0)
            fail_msg("%s, v2:\n%s", cases[i].name, v2_text);
    }
}

static void settings_v2_build_on_what_is_in_force(void **state)
{
    static const RnCgroupPresent present = { .memory = 1000, .quota = 30000 };
    g_auto(RnResources) resources = { 0 };
    g_autoptr(GPtrArray) settings = NULL;
    g_autofree char *text = NULL;

    (void)state;
    rn_resources_init(&resources);
    resources.memory.swap = give(1800);
    resources.cpu.period = give(50000);
    settings = rn_cgroup_settings_v2(&resources, &present);
    text = describe(settings);
    assert_string_equal(text, "memory.swap.max=800\ncpu.max=30000 50000\n");
}

static void weight_from_shares_maps_ends_and_defaults(void **state)
{
    static const struct {
        int64_t shares;
        uint64_t weight;
    } pairs[] = {
        { 2, 1 },       { 1, 1 },          { 1024, 100 }, { 512, 59 },
        { 2048, 174 },  { 262144, 10000 }, { 4096, 303 }, { 400000, 10000 },
        { 3, 2 },       { 100, 17 },       { 1000, 99 },  { 1025, 101 },
        { 10000, 627 }, { 262143, 10000 },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
        assert_int_equal(rn_cgroup_weight_from_shares(pairs[i].shares),
                         pairs[i].weight);
    assert_int_equal(rn_cgroup_weight_from_block(10), 1);
    assert_int_equal(rn_cgroup_weight_from_block(500), 4950);
    assert_int_equal(rn_cgroup_weight_from_block(1000), 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_of_both_versions_as_listed),
        cmocka_unit_test(settings_v2_build_on_what_is_in_force),
        cmocka_unit_test(weight_from_shares_maps_ends_and_defaults),
    };

    return cmocka_run_group_tests_name("cgroup-setting", tests, NULL, NULL);
}
