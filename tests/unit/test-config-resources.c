/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-config-resources - linux.resources, in config.json and for `update`
 */
#include "config.h"

#include <unit.h>

#include "config-text.h"

/* Parses a "resources" object with " for each '. */
static bool parse(const char *text, RnResources *resources, GError **error)
{
    g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');

    return rn_resources_parse(json, strlen(json), "resources", resources,
                              error);
}

static void parse_valid(const char *text, RnResources *resources)
{
    g_autoptr(GError) error = NULL;

    if (!parse(text, resources, &error))
        fail_msg("%s: %s", text, error->message);
}

typedef struct Number {
    const char *text;
    gsize offset;
    bool given;
    int64_t value;
} Number;

#define AT(member) G_STRUCT_OFFSET(RnResources, member)

static const Number numbers[] = {
    { "{'memory':{'limit':5}}", AT(memory.limit), true, 5 },
    { "{'memory':{'limit':-1}}", AT(memory.limit), true, -1 },
    { "{'memory':{'limit':9223372036854775807}}", AT(memory.limit), true,
      INT64_MAX },
    { "{'memory':{'limit':0}}", AT(memory.limit), false, 0 },
    { "{'memory':{'limit':null}}", AT(memory.limit), false, 0 },
    { "{'memory':{'reservation':6}}", AT(memory.reservation), true, 6 },
    { "{'memory':{'swap':-1}}", AT(memory.swap), true, -1 },
    { "{'memory':{'kernel':7}}", AT(memory.kernel), true, 7 },
    { "{'memory':{'kernelTCP':8}}", AT(memory.kernel_tcp), true, 8 },
    { "{'memory':{'swappiness':0}}", AT(memory.swappiness), true, 0 },
    { "{'memory':{'swappiness':100}}", AT(memory.swappiness), true, 100 },
    { "{'memory':{'swappiness':18446744073709551615}}", AT(memory.swappiness),
      false, 0 },
    { "{'memory':{'disableOOMKiller':true}}", AT(memory.disable_oom_killer),
      true, 1 },
    { "{'memory':{'disableOOMKiller':false}}", AT(memory.disable_oom_killer),
      true, 0 },
    { "{'memory':{'useHierarchy':true}}", AT(memory.use_hierarchy), true, 1 },
    { "{'memory':{'checkBeforeUpdate':true}}", AT(memory.check_before_update),
      true, 1 },
    { "{'cpu':{'shares':1024}}", AT(cpu.shares), true, 1024 },
    { "{'cpu':{'shares':1}}", AT(cpu.shares), true, 2 },
    { "{'cpu':{'shares':1000000}}", AT(cpu.shares), true, 262144 },
    { "{'cpu':{'shares':0}}", AT(cpu.shares), false, 0 },
    { "{'cpu':{'quota':1000}}", AT(cpu.quota), true, 1000 },
    { "{'cpu':{'quota':-1}}", AT(cpu.quota), true, -1 },
    { "{'cpu':{'quota':-50}}", AT(cpu.quota), true, -1 },
    { "{'cpu':{'quota':0}}", AT(cpu.quota), false, 0 },
    { "{'cpu':{'burst':0}}", AT(cpu.burst), true, 0 },
    { "{'cpu':{'burst':2000,'quota':2000}}", AT(cpu.burst), true, 2000 },
    { "{'cpu':{'burst':2000,'quota':-1}}", AT(cpu.burst), true, 2000 },
    { "{'cpu':{'period':1000000}}", AT(cpu.period), true, 1000000 },
    { "{'cpu':{'period':0}}", AT(cpu.period), false, 0 },
    { "{'cpu':{'realtimeRuntime':-1}}", AT(cpu.realtime_runtime), true, -1 },
    { "{'cpu':{'realtimePeriod':7}}", AT(cpu.realtime_period), true, 7 },
    { "{'cpu':{'idle':1}}", AT(cpu.idle), true, 1 },
    { "{'cpu':{'idle':0}}", AT(cpu.idle), true, 0 },
    { "{'pids':{'limit':0}}", AT(pids_limit), true, 0 },
    { "{'pids':{'limit':-1}}", AT(pids_limit), true, -1 },
    { "{'pids':{'limit':100}}", AT(pids_limit), true, 100 },
    { "{'pids':{}}", AT(pids_limit), false, 0 },
    { "{'blockIO':{'weight':10}}", AT(block.weight), true, 10 },
    { "{'blockIO':{'weight':0}}", AT(block.weight), false, 0 },
    { "{'blockIO':{'leafWeight':1000}}", AT(block.leaf_weight), true, 1000 },
    { "{'network':{'classID':4294967295}}", AT(network_class), true,
      UINT32_MAX },
};

static void numbers_are_read(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_auto(RnResources) resources = { 0 };
        const RnOptionalInt *number = NULL;

        parse_valid(numbers[i].text, &resources);
        number = G_STRUCT_MEMBER_P(&resources, numbers[i].offset);
        if (number->given != numbers[i].given ||
            number->value != numbers[i].value)
            fail_msg("%s: given %d, value %ld", numbers[i].text, number->given,
                     (long)number->value);
    }
}

static void device_rules_are_kept_in_order(void **state)
{
    static const RnDeviceRule wanted[] = {
        { false, 'a', -1, -1, true, true, true },
        { true, 'c', 10, 229, true, true, false },
        { true, 'b', -1, 0, false, false, true },
        { false, 'a', -1, -1, true, true, true },
    };
    g_auto(RnResources) resources = { 0 };

    (void)state;
    parse_valid("{'devices':[{'allow':false,'access':'rwm'},"
                "{'allow':true,'type':'c','major':10,'minor':229,"
                "'access':'rwr'},"
                "{'allow':true,'type':'b','major':-1,'minor':0,'access':'m'},"
                "{'allow':false,'type':'','access':''}]}",
                &resources);
    assert_int_equal(resources.devices->len, G_N_ELEMENTS(wanted));
    for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++) {
        const RnDeviceRule *rule =
            &g_array_index(resources.devices, RnDeviceRule, i);

        assert_int_equal(rule->allow, wanted[i].allow);
        assert_int_equal(rule->type, wanted[i].type);
        assert_true(rule->major == wanted[i].major);
        assert_true(rule->minor == wanted[i].minor);
        assert_int_equal(rule->read, wanted[i].read);
        assert_int_equal(rule->write, wanted[i].write);
        assert_int_equal(rule->mknod, wanted[i].mknod);
    }
    assert_true(rn_resources_deny_devices(&resources));
    assert_null(rn_resources_first_limit(&resources));
}

static void block_devices_are_read(void **state)
{
    g_auto(RnResources) resources = { 0 };
    const RnBlockDevice *device = NULL;
    GArray *const *throttles = NULL;

    (void)state;
    parse_valid("{'blockIO':{'weightDevice':[{'major':8,'minor':0,"
                "'weight':500,'leafWeight':300},{'major':8,'minor':16,"
                "'leafWeight':10}],"
                "'throttleReadBpsDevice':[{'major':8,'minor':1,'rate':600}],"
                "'throttleWriteBpsDevice':[{'major':8,'minor':2,'rate':0}],"
                "'throttleReadIOPSDevice':[{'major':8,'minor':3,"
                "'rate':18446744073709551615}],"
                "'throttleWriteIOPSDevice':[{'major':8,'minor':4,'rate':9},"
                "{'major':9,'minor':4,'rate':9}]}}",
                &resources);
    assert_int_equal(resources.block.devices->len, 2);
    device = &g_array_index(resources.block.devices, RnBlockDevice, 0);
    assert_true(device->major == 8 && device->minor == 0);
    assert_true(device->weight.given && device->weight.value == 500);
    assert_true(device->leaf_weight.given && device->leaf_weight.value == 300);
    device = &g_array_index(resources.block.devices, RnBlockDevice, 1);
    assert_false(device->weight.given);
    throttles = resources.block.throttles;
    device = &g_array_index(throttles[RN_THROTTLE_READ_BPS], RnBlockDevice, 0);
    assert_true(device->minor == 1 && device->rate == 600);
    device = &g_array_index(throttles[RN_THROTTLE_WRITE_BPS], RnBlockDevice, 0);
    assert_true(device->minor == 2 && device->rate == 0);
    device = &g_array_index(throttles[RN_THROTTLE_READ_IOPS], RnBlockDevice, 0);
    assert_true(device->minor == 3 && device->rate == UINT64_MAX);
    assert_int_equal(throttles[RN_THROTTLE_WRITE_IOPS]->len, 2);
}

static void lists_and_maps_are_read(void **state)
{
    g_auto(RnResources) resources = { 0 };
    const RnHugepageLimit *page = NULL;
    const RnNetworkPriority *priority = NULL;
    const RnRdmaLimit *rdma = NULL;
    const RnUnifiedValue *unified = NULL;

    (void)state;
    parse_valid("{'cpu':{'cpus':'2-3','mems':'0-7'},"
                "'hugepageLimits':[{'pageSize':'2MB','limit':0},"
                "{'pageSize':'64KB','limit':18446744073709551615}],"
                "'network':{'priorities':[{'name':'eth0','priority':500}]},"
                "'rdma':{'mlx5_1':{'hcaHandles':3,'hcaObjects':10000},"
                "'rxe3':{'hcaObjects':0}},"
                "'unified':{'io.max':'259:0 rbps=2\\n253:0 rbps=3',"
                "'hugetlb.1GB.max':''}}",
                &resources);
    assert_string_equal(resources.cpu.cpus, "2-3");
    assert_string_equal(resources.cpu.mems, "0-7");
    page = &g_array_index(resources.hugepages, RnHugepageLimit, 1);
    assert_string_equal(page->page_size, "64KB");
    assert_true(page->limit == UINT64_MAX);
    priority =
        &g_array_index(resources.network_priorities, RnNetworkPriority, 0);
    assert_string_equal(priority->name, "eth0");
    assert_int_equal(priority->priority, 500);
    rdma = &g_array_index(resources.rdma, RnRdmaLimit, 0);
    assert_string_equal(rdma->device, "mlx5_1");
    assert_true(rdma->handles.given && rdma->handles.value == 3);
    rdma = &g_array_index(resources.rdma, RnRdmaLimit, 1);
    assert_false(rdma->handles.given);
    assert_true(rdma->objects.given && rdma->objects.value == 0);
    unified = &g_array_index(resources.unified, RnUnifiedValue, 0);
    assert_string_equal(unified->file, "io.max");
    assert_string_equal(unified->value, "259:0 rbps=2\n253:0 rbps=3");
    unified = &g_array_index(resources.unified, RnUnifiedValue, 1);
    assert_string_equal(unified->file, "hugetlb.1GB.max");
}

static const struct {
    const char *text;
    const char *limit; /* NULL: none */
} limits[] = {
    { "{}", NULL },
    { "{'memory':{'limit':-1,'swap':-1,'reservation':-1,'kernel':-1,"
      "'kernelTCP':-1,'disableOOMKiller':false,'useHierarchy':true,"
      "'checkBeforeUpdate':true},'cpu':{'quota':-1,'burst':0,'idle':0,"
      "'realtimeRuntime':-1,'cpus':''},'pids':{'limit':0},"
      "'blockIO':{'weight':0,'weightDevice':[]},'hugepageLimits':[],"
      "'network':{'classID':0,'priorities':[]},'rdma':{},'unified':{},"
      "'devices':[{'allow':true,'access':'rwm'}]}",
      NULL },
    { "{'memory':{'limit':1}}", "memory.limit" },
    { "{'memory':{'reservation':1}}", "memory.reservation" },
    { "{'memory':{'swap':1}}", "memory.swap" },
    { "{'memory':{'kernel':1}}", "memory.kernel" },
    { "{'memory':{'kernelTCP':1}}", "memory.kernelTCP" },
    { "{'memory':{'swappiness':0}}", "memory.swappiness" },
    { "{'memory':{'disableOOMKiller':true}}", "memory.disableOOMKiller" },
    { "{'cpu':{'shares':2}}", "cpu.shares" },
    { "{'cpu':{'quota':5000}}", "cpu.quota" },
    { "{'cpu':{'burst':1}}", "cpu.burst" },
    { "{'cpu':{'period':5000}}", "cpu.period" },
    { "{'cpu':{'realtimeRuntime':1}}", "cpu.realtimeRuntime" },
    { "{'cpu':{'realtimePeriod':1}}", "cpu.realtimePeriod" },
    { "{'cpu':{'idle':1}}", "cpu.idle" },
    { "{'cpu':{'cpus':'0'}}", "cpu.cpus" },
    { "{'cpu':{'mems':'0'}}", "cpu.mems" },
    { "{'pids':{'limit':1}}", "pids.limit" },
    { "{'blockIO':{'weight':10}}", "blockIO.weight" },
    { "{'blockIO':{'leafWeight':10}}", "blockIO.leafWeight" },
    { "{'blockIO':{'weightDevice':[{'major':1,'minor':1,'weight':10}]}}",
      "blockIO.weightDevice" },
    { "{'blockIO':{'throttleReadBpsDevice':[{'major':1,'minor':1,"
      "'rate':1}]}}",
      "blockIO.throttleReadBpsDevice" },
    { "{'blockIO':{'throttleWriteIOPSDevice':[{'major':1,'minor':1,"
      "'rate':1}]}}",
      "blockIO.throttleWriteIOPSDevice" },
    { "{'hugepageLimits':[{'pageSize':'2MB','limit':0}]}", "hugepageLimits" },
    { "{'network':{'classID':1}}", "network.classID" },
    { "{'network':{'priorities':[{'name':'a','priority':0}]}}",
      "network.priorities" },
    { "{'rdma':{'a':{'hcaHandles':0}}}", "rdma" },
    { "{'unified':{'memory.high':'1'}}", "unified" },
    { "{'unified':{'memory.high':'1'},'pids':{'limit':5}}", "pids.limit" },
};

static void first_limit_is_named(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_auto(RnResources) resources = { 0 };
        const char *limit = NULL;

        parse_valid(limits[i].text, &resources);
        limit = rn_resources_first_limit(&resources);
        if (g_strcmp0(limit, limits[i].limit) != 0)
            fail_msg("%s: %s", limits[i].text, limit);
        assert_false(rn_resources_deny_devices(&resources));
    }
}

static const ConfigRefusal refusals[] = {
    { "[]", RN_ERROR_INVALID, "resources: must be an object" },
    { "{'memory':[]}", RN_ERROR_INVALID, "resources: memory: must be an obj" },
    { "{'memory':{'limit':-2}}", RN_ERROR_INVALID,
      "memory.limit: must be from -1 to 9223372036854775807" },
    { "{'memory':{'limit':9223372036854775808}}", RN_ERROR_INVALID,
      "memory.limit: must be from -1" },
    { "{'memory':{'limit':1.5}}", RN_ERROR_INVALID,
      "memory.limit: must be an integer" },
    { "{'memory':{'swap':'1g'}}", RN_ERROR_INVALID,
      "memory.swap: must be an integer" },
    { "{'memory':{'swappiness':101}}", RN_ERROR_INVALID,
      "memory.swappiness: must be from 0 to 100" },
    { "{'memory':{'swappiness':18446744073709551614}}", RN_ERROR_INVALID,
      "memory.swappiness: must be from 0 to 100" },
    { "{'memory':{'disableOOMKiller':1}}", RN_ERROR_INVALID,
      "memory.disableOOMKiller: must be true or false" },
    { "{'cpu':[]}", RN_ERROR_INVALID, "cpu: must be an object" },
    { "{'cpu':{'shares':-1}}", RN_ERROR_INVALID, "cpu.shares: must be from 0" },
    { "{'cpu':{'quota':999}}", RN_ERROR_INVALID,
      "cpu.quota: must be 1000 at least, or -1" },
    { "{'cpu':{'period':999}}", RN_ERROR_INVALID,
      "cpu.period: must be from 1000 to 1000000" },
    { "{'cpu':{'period':1000001}}", RN_ERROR_INVALID, "cpu.period: must be" },
    { "{'cpu':{'quota':1000,'burst':1001}}", RN_ERROR_INVALID,
      "cpu: burst is greater than quota" },
    { "{'cpu':{'idle':2}}", RN_ERROR_INVALID, "cpu.idle: must be from 0 to 1" },
    { "{'cpu':{'cpus':'../x'}}", RN_ERROR_INVALID,
      "cpu.cpus: \"../x\" is not a list" },
    { "{'cpu':{'mems':'0-'}}", RN_ERROR_INVALID, "cpu.mems: \"0-\"" },
    { "{'pids':5}", RN_ERROR_INVALID, "pids: must be an object" },
    { "{'pids':{'limit':-2}}", RN_ERROR_INVALID,
      "pids.limit: must be from -1" },
    { "{'blockIO':{'weight':9}}", RN_ERROR_INVALID,
      "blockIO.weight: must be from 10 to 1000" },
    { "{'blockIO':{'weightDevice':[{'major':8,'minor':0}]}}", RN_ERROR_INVALID,
      "blockIO.weightDevice[0]: needs weight or leafWeight" },
    { "{'blockIO':{'weightDevice':[{'minor':0,'weight':10}]}}",
      RN_ERROR_INVALID, "blockIO.weightDevice[0].major: is missing" },
    { "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0}]}}",
      RN_ERROR_INVALID, "throttleReadBpsDevice[0].rate: is missing" },
    { "{'blockIO':{'throttleReadIOPSDevice':[{'major':8,'minor':0,"
      "'rate':-1}]}}",
      RN_ERROR_INVALID, "throttleReadIOPSDevice[0].rate: must be from 0" },
    { "{'hugepageLimits':[{'pageSize':'2MB'}]}", RN_ERROR_INVALID,
      "hugepageLimits[0].limit: is missing" },
    { "{'hugepageLimits':[{'pageSize':'2M','limit':1}]}", RN_ERROR_INVALID,
      "hugepageLimits[0].pageSize: \"2M\" is not a page size" },
    { "{'hugepageLimits':[{'pageSize':'MB','limit':1}]}", RN_ERROR_INVALID,
      "hugepageLimits[0].pageSize" },
    { "{'hugepageLimits':[{'pageSize':'02MB','limit':1}]}", RN_ERROR_INVALID,
      "hugepageLimits[0].pageSize" },
    { "{'hugepageLimits':[{'pageSize':'2MB/../x','limit':1}]}",
      RN_ERROR_INVALID, "hugepageLimits[0].pageSize" },
    { "{'network':{'classID':4294967296}}", RN_ERROR_INVALID,
      "network.classID: must be from 0 to 4294967295" },
    { "{'network':{'priorities':[{'name':'a b','priority':1}]}}",
      RN_ERROR_INVALID, "network.priorities[0].name: \"a b\" is not" },
    { "{'rdma':{'a':{}}}", RN_ERROR_INVALID,
      "rdma[\"a\"]: needs hcaHandles or hcaObjects" },
    { "{'rdma':{'a b':{'hcaHandles':1}}}", RN_ERROR_INVALID,
      "rdma[\"a b\"]: is not the name of a device" },
    { "{'unified':{'../x':'1'}}", RN_ERROR_INVALID,
      "unified[\"../x\"]: is not the name of a file of a cgroup" },
    { "{'unified':{'a/b':'1'}}", RN_ERROR_INVALID, "unified[\"a/b\"]: is not" },
    { "{'unified':{'':'1'}}", RN_ERROR_INVALID, "unified[\"\"]: is not" },
    { "{'unified':{'.':'1'}}", RN_ERROR_INVALID, "unified[\".\"]: is not" },
    { "{'unified':{'a\\nb':'1'}}", RN_ERROR_INVALID,
      "resources: unified[\"a?b\"]: is not" },
    { "{'unified':{'a':1}}", RN_ERROR_INVALID,
      "unified[\"a\"]: must be a string" },
    { "{'devices':[{'access':'rwm'}]}", RN_ERROR_INVALID,
      "devices[0].allow: is missing" },
    { "{'devices':[{'allow':true,'type':'p'}]}", RN_ERROR_INVALID,
      "devices[0].type: must be \"a\", \"c\" or \"b\"" },
    { "{'devices':[{'allow':true,'access':'rwx'}]}", RN_ERROR_INVALID,
      "devices[0].access: must be of" },
    { "{'devices':[{'allow':true,'major':4096}]}", RN_ERROR_INVALID,
      "devices[0].major: must be from -1 to 4095" },
    { "{'devices':[{'allow':true,'minor':-2}]}", RN_ERROR_INVALID,
      "devices[0].minor: must be from -1" },
};

static void resources_are_refused_by_path(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_auto(RnResources) resources = { 0 };
        g_autoptr(GError) error = NULL;

        if (parse(refusals[i].member, &resources, &error))
            fail_msg("accepted: %s", refusals[i].member);
        assert_error(error, RN_ERROR, refusals[i].code, refusals[i].part);
    }
}

/* `count` times `entry`, with its number for each %u, in "open" and "close". */
static char *repeat(const char *open, const char *entry, unsigned count,
                    const char *close)
{
    g_autoptr(GString) text = g_string_new(open);

    for (unsigned i = 0; i < count; i++) {
        g_autofree char *number = g_strdup_printf("%u", i);
        g_auto(GStrv) parts = g_strsplit(entry, "%u", -1);
        g_autofree char *one = g_strjoinv(number, parts);

        g_string_append_printf(text, "%s%s", i == 0 ? "" : ",", one);
    }
    g_string_append(text, close);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void numbers_of_entries_are_bounded(void **state)
{
    static const struct {
        const char *open, *entry;
        unsigned max;
        const char *close, *part;
    } cases[] = {
        { "{'devices':[", "{'allow':true}", 4096, "]}",
          "resources: devices: has more than 4096 entries" },
        { "{'hugepageLimits':[", "{'pageSize':'2MB','limit':1}", 64, "]}",
          "hugepageLimits: has more than 64 entries" },
        { "{'network':{'priorities':[", "{'name':'e%u','priority':1}", 1024,
          "]}}", "network.priorities: has more than 1024 entries" },
        { "{'rdma':{", "'d%u':{'hcaHandles':1}", 1024, "}}",
          "rdma: has more than 1024 entries" },
        { "{'unified':{", "'f.%u':''", 1024, "}}",
          "unified: has more than 1024 entries" },
        { "{'blockIO':{'throttleReadBpsDevice':[",
          "{'major':1,'minor':1,'rate':1}", 4096, "]}}",
          "throttleReadBpsDevice: has more than 4096 entries" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnResources) accepted = { 0 };
        g_auto(RnResources) refused = { 0 };
        g_autofree char *most =
            repeat(cases[i].open, cases[i].entry, cases[i].max, cases[i].close);
        g_autofree char *more = repeat(cases[i].open, cases[i].entry,
                                       cases[i].max + 1, cases[i].close);
        g_autoptr(GError) error = NULL;

        parse_valid(most, &accepted);
        assert_false(parse(more, &refused, &error));
        assert_error(error, RN_ERROR, RN_ERROR_LIMIT, cases[i].part);
    }
}

static void config_has_the_same_resources(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        "", "",
        ",'resources':{'pids':{'limit':9},'devices':[{'allow':false}]}");
    g_autofree char *text =
        build_config("", "", ",'resources':{'unified':{'a/b':''}}");
    const ConfigRefusal refusal = {
        NULL, RN_ERROR_INVALID, "config.json: linux.resources.unified[\"a/b\"]"
    };

    (void)state;
    assert_true(config->resources.pids_limit.value == 9);
    assert_true(rn_resources_deny_devices(&config->resources));
    check_config_refusal(text, &refusal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(device_rules_are_kept_in_order),
        cmocka_unit_test(block_devices_are_read),
        cmocka_unit_test(lists_and_maps_are_read),
        cmocka_unit_test(first_limit_is_named),
        cmocka_unit_test(resources_are_refused_by_path),
        cmocka_unit_test(numbers_of_entries_are_bounded),
        cmocka_unit_test(config_has_the_same_resources),
    };

    return cmocka_run_group_tests_name("config-resources", tests, NULL, NULL);
}
