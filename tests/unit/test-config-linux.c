/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-config-linux - namespaces, hooks and the smaller parts of config.json
 */
#include "config.h"

#include <unit.h>

#include <sched.h>

#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sys/personality.h>

#include "config-text.h"

#define DOCUMENT(namespaces, more)                                             \
    "{'ociVersion':'1.2.0','root':{'path':'r'},'hostname':'h',"                \
    "'process':{'args':['a'],'cwd':'/'},"                                      \
    "'linux':{'namespaces':[" namespaces "]" more "}}"

static void namespaces_with_a_path_are_joined(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = parse_config(
        DOCUMENT("{'type':'pid'},{'type':'network','path':'/run/netns/x'},"
                 "{'type':'time','path':''},{'type':'mount','path':null},"
                 "{'type':'uts','path':'/proc/7/ns/uts'}",
                 ",'timeOffsets':{'boottime':{'secs':-7,'nanosecs':999999999},"
                 "'monotonic':{}}"),
        &error);
    const RnJoin *join = NULL;
    const RnTimeOffset *offset = NULL;

    (void)state;
    assert_no_error(error);
    assert_true(config->namespaces ==
                (CLONE_NEWPID | CLONE_NEWTIME | CLONE_NEWNS));
    assert_int_equal(config->joins->len, 2);
    join = g_ptr_array_index(config->joins, 0);
    assert_true(join->flag == CLONE_NEWNET);
    assert_string_equal(join->path, "/run/netns/x");
    join = g_ptr_array_index(config->joins, 1);
    assert_true(join->flag == CLONE_NEWUTS);
    assert_string_equal(join->path, "/proc/7/ns/uts");
    assert_int_equal(config->time_offsets->len, 2);
    offset = &g_array_index(config->time_offsets, RnTimeOffset, 0);
    assert_string_equal(offset->clock, "boottime");
    assert_true(offset->seconds == -7);
    assert_int_equal(offset->nanoseconds, 999999999);
    offset = &g_array_index(config->time_offsets, RnTimeOffset, 1);
    assert_string_equal(offset->clock, "monotonic");
    assert_true(offset->seconds == 0);
}

/* podman, for a container of a pod: it repeats what the pod has. */
static void mappings_may_come_with_a_joined_user_namespace(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = parse_config(
        DOCUMENT("{'type':'user','path':'/proc/7/ns/user'},{'type':'uts'}",
                 ",'uidMappings':[{'containerID':0,'hostID':0,'size':1}],"
                 "'gidMappings':[{'containerID':0,'hostID':0,'size':1}]"),
        &error);

    (void)state;
    assert_no_error(error);
    assert_int_equal(config->joins->len, 1);
    assert_int_equal(config->uid_mappings->len, 1);
}

static const RnHook *get_hook(const RnConfig *config, RnHookStage stage,
                              unsigned index)
{
    assert_true(index < config->hooks[stage]->len);
    return g_ptr_array_index(config->hooks[stage], index);
}

static void hooks_of_all_stages_are_read(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        ",'hooks':{'poststop':[{'path':'/f'}],'poststart':[{'path':'/e'}],"
        "'startContainer':[{'path':'/d'}],'createContainer':[{'path':'/c'}],"
        "'createRuntime':[{'path':'/b'}],'prestart':[{'path':'/a'},"
        "{'path':'/a2','args':['x','y'],'env':['A=1'],'timeout':4294967295}]}",
        "", "");
    const RnHook *hook = NULL;

    (void)state;
    for (int i = 0; i < RN_HOOK_N_; i++) {
        const char path[] = { '/', (char)('a' + i), '\0' };

        assert_string_equal(get_hook(config, (RnHookStage)i, 0)->path, path);
    }
    hook = get_hook(config, RN_HOOK_PRESTART, 0);
    assert_null(hook->args);
    assert_null(hook->env);
    assert_int_equal(hook->timeout_s, 0);
    hook = get_hook(config, RN_HOOK_PRESTART, 1);
    assert_string_equal(hook->path, "/a2");
    assert_string_equal(hook->args[1], "y");
    assert_string_equal(hook->env[0], "A=1");
    assert_int_equal(hook->timeout_s, UINT32_MAX);
    assert_int_equal(config->hooks[RN_HOOK_PRESTART]->len, 2);
}

static void hook_without_words_has_no_arguments(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        ",'hooks':{'prestart':[{'path':'/a','args':[],'env':[]}]}", "", "");
    const RnHook *hook = get_hook(config, RN_HOOK_PRESTART, 0);

    (void)state;
    assert_null(hook->args);
    assert_non_null(hook->env); /* an environment, with nothing in it */
    assert_null(hook->env[0]);
}

static void annotations_are_kept(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        ",'annotations':{'org.x':'a\\nb','run.oci.y':''}", "", "");

    (void)state;
    assert_int_equal(g_hash_table_size(config->annotations), 2);
    assert_string_equal(g_hash_table_lookup(config->annotations, "org.x"),
                        "a\nb");
    assert_string_equal(g_hash_table_lookup(config->annotations, "run.oci.y"),
                        "");
}

static void smaller_linux_members_are_read(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        "", "",
        ",'cgroupsPath':'user.slice:rnet:x','mountLabel':'l:m',"
        "'personality':{'domain':'LINUX32','flags':[]},"
        "'sysctl':{'net.ipv4.ip_forward':'1',"
        "'net/ipv4/conf/eth0.1/forwarding':'0\\n'},"
        "'netDevices':{'eth0':{},'ens4':{'name':'eth%d'},'e':{'name':''}}");
    const RnSysctl *sysctl = g_ptr_array_index(config->sysctls, 1);
    const RnNetDevice *device = g_ptr_array_index(config->net_devices, 1);

    (void)state;
    assert_string_equal(config->cgroups_path, "user.slice:rnet:x");
    assert_string_equal(config->mount_label, "l:m");
    assert_true(config->has_personality);
    assert_true(config->personality == PER_LINUX32);
    assert_int_equal(config->sysctls->len, 2);
    assert_string_equal(sysctl->name, "net/ipv4/conf/eth0.1/forwarding");
    assert_string_equal(sysctl->value, "0\n");
    assert_int_equal(config->net_devices->len, 3);
    assert_string_equal(device->name, "ens4");
    assert_string_equal(device->new_name, "eth%d");
    device = g_ptr_array_index(config->net_devices, 2);
    assert_null(device->new_name);
}

static void labels_and_schedules_are_read(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        "",
        ",'apparmorProfile':'p','selinuxLabel':'s','scheduler':{"
        "'policy':'SCHED_DEADLINE','nice':-20,'priority':99,"
        "'flags':['SCHED_FLAG_RESET_ON_FORK','SCHED_FLAG_RECLAIM'],"
        "'runtime':1,'deadline':2,'period':18446744073709551614},"
        "'ioPriority':{'class':'IOPRIO_CLASS_IDLE','priority':7},"
        "'execCPUAffinity':{'initial':'0','final':'0-3,7'}",
        "");
    const RnProcess *process = &config->process;

    (void)state;
    assert_string_equal(process->apparmor_profile, "p");
    assert_string_equal(process->selinux_label, "s");
    assert_true(process->has_scheduler);
    assert_int_equal(process->scheduler.policy, SCHED_DEADLINE);
    assert_int_equal(process->scheduler.nice, -20);
    assert_int_equal(process->scheduler.priority, 99);
    assert_true(process->scheduler.flags ==
                (SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM));
    assert_true(process->scheduler.runtime_ns == 1);
    assert_true(process->scheduler.deadline_ns == 2);
    assert_true(process->scheduler.period_ns == UINT64_MAX - 1);
    assert_true(process->has_io_priority);
    assert_int_equal(process->io_priority.io_class, IOPRIO_CLASS_IDLE);
    assert_int_equal(process->io_priority.priority, 7);
    assert_string_equal(process->affinity_initial, "0");
    assert_string_equal(process->affinity_final, "0-3,7");
}

static void empty_labels_and_lists_count_as_none(void **state)
{
    g_autoptr(RnConfig) config =
        parse_config_with("",
                          ",'apparmorProfile':'','selinuxLabel':'',"
                          "'execCPUAffinity':{'initial':'','final':null}",
                          ",'cgroupsPath':'','mountLabel':'','sysctl':null");

    (void)state;
    assert_null(config->process.apparmor_profile);
    assert_null(config->process.selinux_label);
    assert_null(config->process.affinity_initial);
    assert_null(config->process.affinity_final);
    assert_false(config->process.has_scheduler);
    assert_false(config->process.has_io_priority);
    assert_null(config->cgroups_path);
    assert_null(config->mount_label);
    assert_null(config->seccomp);
    assert_false(config->has_personality);
    assert_int_equal(config->sysctls->len, 0);
}

static void mounts_have_their_own_mappings(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        ",'mounts':[{'destination':'/a','source':'/a','options':['idmap'],"
        "'uidMappings':[{'containerID':0,'hostID':1000,'size':2}],"
        "'gidMappings':[{'containerID':0,'hostID':3000,'size':4}]},"
        "{'destination':'/b'}]",
        "", "");
    const RnMount *mount = g_ptr_array_index(config->mounts, 0);

    (void)state;
    assert_int_equal(mount->uid_mappings->len, 1);
    assert_int_equal(g_array_index(mount->gid_mappings, RnIdMapping, 0).host_id,
                     3000);
    mount = g_ptr_array_index(config->mounts, 1);
    assert_int_equal(mount->uid_mappings->len, 0);
    assert_non_null(mount->gid_mappings);
}

/* nvidia's hook and others write the mode as stat(2) has it: 020666. */
static void device_mode_may_have_the_file_type(void **state)
{
    g_autoptr(RnConfig) config =
        parse_config_with("", "",
                          ",'devices':[{'path':'/dev/x','type':'u','major':1,"
                          "'minor':2,'fileMode':8630}]");
    const RnDevice *device = g_ptr_array_index(config->devices, 0);

    (void)state;
    assert_true(device->has_mode);
    assert_int_equal(device->mode, 0666);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(namespaces_with_a_path_are_joined),
        cmocka_unit_test(mappings_may_come_with_a_joined_user_namespace),
        cmocka_unit_test(hooks_of_all_stages_are_read),
        cmocka_unit_test(hook_without_words_has_no_arguments),
        cmocka_unit_test(annotations_are_kept),
        cmocka_unit_test(smaller_linux_members_are_read),
        cmocka_unit_test(labels_and_schedules_are_read),
        cmocka_unit_test(empty_labels_and_lists_count_as_none),
        cmocka_unit_test(mounts_have_their_own_mappings),
        cmocka_unit_test(device_mode_may_have_the_file_type),
    };

    return cmocka_run_group_tests_name("config-linux", tests, NULL, NULL);
}
