/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-config-engines - what podman 4.3, containerd 1.6 and dockerd 20.10 write
 *
 * Caught by a runtime that copies config.json; shortened where one entry
 * stands for many of its kind, with shorter ids and paths.
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <sched.h>
#include <seccomp.h>

#include <glib/gstdio.h>

#include "config-text.h"

/* docker run --memory 100m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0
 * --pids-limit 100 --sysctl net.ipv4.ip_forward=1 --device /dev/fuse
 * --device-cgroup-rule 'c 10:* rmw' --tmpfs /t --hostname h --read-only
 * --oom-score-adj 100 --user 5:6 --group-add 7 -v /tmp:/mnt:ro
 * --security-opt no-new-privileges --network none */
static const char docker_bundle[] =
    "{'ociVersion':'1.0.2-dev','process':{"
    "'user':{'uid':5,'gid':6,'additionalGids':[6,7]},'args':['true'],"
    "'env':['PATH=/usr/sbin:/usr/bin:/sbin:/bin','HOSTNAME=h'],'cwd':'/',"
    "'capabilities':{'bounding':['CAP_CHOWN','CAP_DAC_OVERRIDE']},"
    "'noNewPrivileges':true,'oomScoreAdj':100},"
    "'root':{'path':'/var/lib/docker/vfs/dir/c4','readonly':true},"
    "'hostname':'h','mounts':["
    "{'destination':'/proc','type':'proc','source':'proc',"
    "'options':['nosuid','noexec','nodev']},"
    "{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup',"
    "'options':['ro','nosuid','noexec','nodev']},"
    "{'destination':'/mnt','type':'bind','source':'/tmp',"
    "'options':['rbind','ro','rslave']},"
    "{'destination':'/t','type':'tmpfs','source':'tmpfs',"
    "'options':['noexec','nosuid','nodev','rprivate']}],"
    "'hooks':{'prestart':[{'path':'/proc/5/exe','args':["
    "'libnetwork-setkey','-exec-root=/run/docker','42be','4300']}]},"
    "'linux':{'sysctl':{'net.ipv4.ip_forward':'1',"
    "'net.ipv4.ip_unprivileged_port_start':'0',"
    "'net.ipv4.ping_group_range':'0 2147483647'},"
    "'resources':{'devices':[{'allow':false,'access':'rwm'},"
    "{'allow':true,'type':'c','major':1,'minor':5,'access':'rwm'},"
    "{'allow':false,'type':'c','major':10,'minor':229,'access':'rwm'},"
    "{'allow':true,'type':'c','major':10,'minor':-1,'access':'rmw'}],"
    "'memory':{'limit':104857600,'swap':209715200,'disableOOMKiller':false},"
    "'cpu':{'shares':512,'quota':50000,'period':100000,'cpus':'0'},"
    "'pids':{'limit':100},'blockIO':{'weight':0}},"
    "'cgroupsPath':'/docker/42be','namespaces':[{'type':'mount'},"
    "{'type':'network'},{'type':'uts'},{'type':'pid'},{'type':'ipc'}],"
    "'devices':[{'path':'/dev/fuse','type':'c','major':10,'minor':229,"
    "'fileMode':384,'uid':0,'gid':0}],"
    "'seccomp':{'defaultAction':'SCMP_ACT_ERRNO',"
    "'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X86','SCMP_ARCH_X32'],"
    "'syscalls':[{'names':['accept','accept4'],'action':'SCMP_ACT_ALLOW'},"
    "{'names':['personality'],'action':'SCMP_ACT_ALLOW','args':["
    "{'index':0,'value':4294967295,'op':'SCMP_CMP_EQ'}]},"
    "{'names':['clone'],'action':'SCMP_ACT_ALLOW','args':["
    "{'index':0,'value':2114060288,'op':'SCMP_CMP_MASKED_EQ'}]}]},"
    "'maskedPaths':['/proc/asound'],'readonlyPaths':['/proc/bus']}}";

static void docker_bundle_is_read(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = parse_config(docker_bundle, &error);
    const RnDeviceRule *rule = NULL;
    const RnHook *hook = NULL;

    (void)state;
    assert_no_error(error);
    assert_int_equal(config->resources.devices->len, 4);
    rule = &g_array_index(config->resources.devices, RnDeviceRule, 3);
    assert_true(rule->allow && rule->major == 10 && rule->minor == -1);
    assert_true(rule->read && rule->write && rule->mknod);
    assert_true(config->resources.memory.limit.value == 104857600);
    assert_false(config->resources.block.weight.given);
    assert_string_equal(rn_resources_first_limit(&config->resources),
                        "memory.limit");
    hook = g_ptr_array_index(config->hooks[RN_HOOK_PRESTART], 0);
    assert_string_equal(hook->path, "/proc/5/exe");
    assert_int_equal(g_strv_length(hook->args), 4);
    assert_int_equal(config->sysctls->len, 3);
    assert_int_equal(config->seccomp->default_action, SCMP_ACT_ERRNO(EPERM));
    assert_int_equal(config->seccomp->rules->len, 3);
    assert_false(config->seccomp->flags_given);
    assert_string_equal(config->cgroups_path, "/docker/42be");
}

/* docker run, without any limit. */
static void docker_asks_for_no_limit_of_its_own(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        "", "",
        ",'resources':{'devices':[{'allow':false,'access':'rwm'}],"
        "'memory':{'disableOOMKiller':false},'cpu':{'shares':0},"
        "'blockIO':{'weight':0}}");

    (void)state;
    assert_null(rn_resources_first_limit(&config->resources));
    assert_true(rn_resources_deny_devices(&config->resources));
}

/* podman run --pod P, where P has --uidmap 0:100000:1000 */
static const char podman_bundle[] =
    "{'ociVersion':'1.0.2-dev','process':{"
    "'user':{'uid':0,'gid':0,'umask':18},'args':['/bin/sleep','100'],"
    "'env':['TERM=xterm','container=podman','HOSTNAME=p3'],'cwd':'/',"
    "'capabilities':{'bounding':['CAP_CHOWN'],'effective':['CAP_CHOWN'],"
    "'permitted':['CAP_CHOWN']}},"
    "'root':{'path':'/var/lib/containers/vfs/dir/84'},'mounts':["
    "{'destination':'/dev/shm','type':'bind','source':'/c/userdata/shm',"
    "'options':['bind','rprivate','nosuid','noexec','nodev']}],"
    "'annotations':{'io.container.manager':'libpod',"
    "'io.kubernetes.cri-o.TTY':'false',"
    "'org.opencontainers.image.stopSignal':'15'},"
    "'linux':{'uidMappings':[{'containerID':0,'hostID':100000,'size':1000}],"
    "'gidMappings':[{'containerID':0,'hostID':100000,'size':1000}],"
    "'resources':{'devices':[{'allow':false,'access':'rwm'}],"
    "'pids':{'limit':2048}},'cgroupsPath':'/libpod_parent/1f/libpod-21',"
    "'namespaces':[{'type':'pid'},"
    "{'type':'network','path':'/proc/221/ns/net'},"
    "{'type':'ipc','path':'/proc/221/ns/ipc'},"
    "{'type':'uts','path':'/proc/221/ns/uts'},{'type':'mount'},"
    "{'type':'user','path':'/proc/221/ns/user'}],"
    "'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
    "'architectures':['SCMP_ARCH_X86_64'],'syscalls':["
    "{'names':['bdflush','io_pgetevents'],'action':'SCMP_ACT_ERRNO',"
    "'errnoRet':1},{'names':['_llseek'],'action':'SCMP_ACT_ALLOW'},"
    "{'names':['socket'],'action':'SCMP_ACT_ERRNO','errnoRet':22,'args':["
    "{'index':0,'value':16,'op':'SCMP_CMP_EQ'},"
    "{'index':2,'value':9,'op':'SCMP_CMP_EQ'}]}]}}}";

static void podman_pod_bundle_is_read(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = parse_config(podman_bundle, &error);
    const RnSeccompRule *rule = NULL;

    (void)state;
    assert_no_error(error);
    assert_true(config->namespaces == (CLONE_NEWPID | CLONE_NEWNS));
    assert_int_equal(config->joins->len, 4);
    assert_int_equal(config->uid_mappings->len, 1);
    assert_string_equal(
        g_hash_table_lookup(config->annotations,
                            "org.opencontainers.image.stopSignal"),
        "15");
    assert_string_equal(rn_resources_first_limit(&config->resources),
                        "pids.limit");
    assert_int_equal(config->seccomp->default_action, SCMP_ACT_ERRNO(ENOSYS));
    rule = g_ptr_array_index(config->seccomp->rules, 2);
    assert_int_equal(rule->action, SCMP_ACT_ERRNO(EINVAL));
    assert_int_equal(rule->args->len, 2);
}

/* ctr run --privileged --memory-limit 100000000 --cpus 0.5 --device /dev/null */
static const char containerd_bundle[] =
    "{'ociVersion':'1.0.2-dev','process':{"
    "'user':{'uid':0,'gid':0,'additionalGids':[0]},'args':['true'],"
    "'env':['PATH=/usr/bin:/bin','A=b'],'cwd':'/tmp',"
    "'capabilities':{'bounding':['CAP_CHECKPOINT_RESTORE'],"
    "'effective':['CAP_BPF'],'permitted':['CAP_PERFMON']},"
    "'rlimits':[{'type':'RLIMIT_NOFILE','hard':1024,'soft':1024}]},"
    "'root':{'path':'rootfs'},'annotations':{'a':'b'},"
    "'linux':{'resources':{'devices':[{'allow':true,'access':'rwm'},"
    "{'allow':true,'type':'c','major':1,'minor':3,'access':'rwm'}],"
    "'memory':{'limit':100000000},'cpu':{'shares':1024,'quota':50000,"
    "'period':100000}},'cgroupsPath':'/default/c2',"
    "'namespaces':[{'type':'pid'},{'type':'ipc'},{'type':'uts'},"
    "{'type':'mount'},{'type':'network'}],"
    "'devices':[{'path':'/dev/cpu/0/cpuid','type':'c','major':203,'minor':0,"
    "'fileMode':384,'uid':0,'gid':0},"
    "{'path':'/dev/vda','type':'b','major':254,'minor':0,'fileMode':384,"
    "'uid':0,'gid':6}]}}";

static void containerd_bundle_is_read(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = parse_config(containerd_bundle, &error);

    (void)state;
    assert_no_error(error);
    assert_int_equal(config->devices->len, 2);
    assert_false(rn_resources_deny_devices(&config->resources));
    assert_true(config->resources.cpu.shares.value == 1024);
}

/* docker update --memory 50m --memory-swap 60m --cpus 0.3 --pids-limit 50 */
static void docker_update_changes_what_was_asked(void **state)
{
    static const char update[] =
        "{\"memory\":{\"limit\":52428800,\"reservation\":0,\"swap\":62914560,"
        "\"kernel\":0},\"cpu\":{\"shares\":0,\"quota\":30000,"
        "\"period\":100000},\"pids\":{\"limit\":50},\"blockIO\":{\"weight\":0}}";
    g_auto(RnResources) resources = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(
        rn_resources_parse(update, strlen(update), "-", &resources, &error));
    assert_no_error(error);
    assert_true(resources.memory.limit.value == 52428800);
    assert_false(resources.memory.reservation.given);
    assert_false(resources.memory.kernel.given);
    assert_false(resources.cpu.shares.given);
    assert_false(resources.block.weight.given);
    assert_true(resources.pids_limit.value == 50);
}

/* Loads `text` as a file for `exec --process`. */
static bool load_process(const char *text, RnProcess *process, GError **error)
{
    g_autofree char *directory = g_dir_make_tmp("rnet-test-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(directory, "exec-1", NULL);
    bool loaded = false;

    assert_non_null(directory);
    assert_true(g_file_set_contents(file, text, -1, NULL));
    loaded = rn_process_load(file, process, error);
    assert_int_equal(g_remove(file), 0);
    assert_int_equal(g_rmdir(directory), 0);
    return loaded;
}

/* podman exec -it -u 3 -e A=b */
static void exec_process_is_loaded(void **state)
{
    g_auto(RnProcess) process = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(load_process(
        "{\"terminal\":true,\"user\":{\"uid\":3,\"gid\":0},\"args\":[\"true\"],"
        "\"env\":[\"TERM=xterm\",\"A=b\",\"HOME=\"],\"cwd\":\"/\","
        "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],"
        "\"effective\":[\"CAP_CHOWN\"],\"permitted\":[\"CAP_CHOWN\"]}}",
        &process, &error));
    assert_no_error(error);
    assert_true(process.terminal);
    assert_int_equal(process.uid, 3);
    assert_string_equal(process.env[2], "HOME=");
}

static void broken_exec_process_is_refused_by_path(void **state)
{
    static const struct {
        const char *text;
        RnErrorCode code;
        const char *part;
    } cases[] = {
        { "{\"cwd\":\"/\"}", RN_ERROR_INVALID, "exec-1: args: is missing" },
        { "{\"args\":[\"a\"]}", RN_ERROR_INVALID, "exec-1: cwd: is missing" },
        { "{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":-1}}",
          RN_ERROR_INVALID, "exec-1: user.uid: must be from 0" },
        { "{\"args\":", RN_ERROR_INVALID, "exec-1: line 1, column 9" },
        { "[]", RN_ERROR_INVALID, "exec-1: must be an object" },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(RnProcess) process = { 0 };
        g_autoptr(GError) error = NULL;

        if (load_process(cases[i].text, &process, &error))
            fail_msg("accepted: %s", cases[i].text);
        assert_error(error, RN_ERROR, cases[i].code, cases[i].part);
    }
}

static void missing_exec_process_is_named(void **state)
{
    g_auto(RnProcess) process = { 0 };
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(rn_process_load("/no/such/file", &process, &error));
    assert_error(error, RN_ERRNO, ENOENT, "/no/such/file");
    g_clear_error(&error);
    rn_process_clear(&process);
    assert_false(rn_process_load("/dev/zero", &process, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "/dev/zero");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(docker_bundle_is_read),
        cmocka_unit_test(docker_asks_for_no_limit_of_its_own),
        cmocka_unit_test(podman_pod_bundle_is_read),
        cmocka_unit_test(containerd_bundle_is_read),
        cmocka_unit_test(docker_update_changes_what_was_asked),
        cmocka_unit_test(exec_process_is_loaded),
        cmocka_unit_test(broken_exec_process_is_refused_by_path),
        cmocka_unit_test(missing_exec_process_is_named),
    };

    return cmocka_run_group_tests_name("config-engines", tests, NULL, NULL);
}
