/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-config-refusals - what config.json may not say, and the path in the
 * error
 */
#include "config.h"

#include <unit.h>

#include <rnet/oci/config.h>

/* Parses with ' for ", which keeps the documents here readable. */
static RnConfig *parse(const char *text, GError **error)
{
    g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');

    return rn_config_parse(json, strlen(json), "config.json", error);
}

/* A small valid document with additional members in its sections. */
static char *build(const char *top, const char *process, const char *lin)
{
    return g_strdup_printf(
        "{'ociVersion':'1.0.2','root':{'path':'rootfs'},"
        "'process':{'args':['/bin/true'],'cwd':'/'%s},"
        "'linux':{'namespaces':[{'type':'user'},{'type':'uts'}]%s}%s}",
        process, lin, top);
}

typedef struct Refusal {
    const char *member; /* put into the section */
    RnErrorCode code;
    const char *part;
} Refusal;

static const Refusal top_refusals[] = {
    { ",'hooks':{'poststart':[{'path':'/x'}]}", RN_ERROR_UNSUPPORTED,
      "config.json: hooks.poststart: not supported yet" },
    { ",'hooks':[]", RN_ERROR_INVALID, "hooks: must be an object" },
    { ",'vm':{'kernel':{'path':'/k'}}", RN_ERROR_UNSUPPORTED, "vm: not" },
    { ",'windows':{'layerFolders':['x']}", RN_ERROR_UNSUPPORTED, "windows" },
    { ",'solaris':{'milestone':'x'}", RN_ERROR_UNSUPPORTED, "solaris" },
    { ",'zos':{'x':1}", RN_ERROR_UNSUPPORTED, "zos" },
    { ",'freebsd':{'x':1}", RN_ERROR_UNSUPPORTED, "freebsd" },
    { ",'annotations':{'a':1}", RN_ERROR_INVALID, "annotations: must" },
    { ",'hostname':'a b'", RN_ERROR_INVALID, "hostname: has a character" },
    { ",'hostname':'a\\nb'", RN_ERROR_INVALID, "hostname: has a character" },
    { ",'hostname':"
      "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
      RN_ERROR_INVALID, "hostname: is longer than 64" },
    { ",'mounts':[{'type':'tmpfs'}]", RN_ERROR_INVALID,
      "mounts[0].destination: is missing" },
    { ",'mounts':[{'destination':''}]", RN_ERROR_INVALID,
      "mounts[0].destination: is empty" },
    { ",'mounts':[{'destination':'/a','options':'ro'}]", RN_ERROR_INVALID,
      "mounts[0].options: must be an array" },
    { ",'mounts':[{'destination':'/a','uidMappings':[{'containerID':0,"
      "'hostID':0,'size':1}]}]",
      RN_ERROR_UNSUPPORTED, "mounts[0].uidMappings: not supported yet" },
    { ",'mounts':{}", RN_ERROR_INVALID, "mounts: must be an array" },
};

static const Refusal process_refusals[] = {
    { ",'env':['A=1','B']", RN_ERROR_INVALID,
      "config.json: process.env[1]: \"B\" is not NAME=value" },
    { ",'env':['=x']", RN_ERROR_INVALID, "process.env[0]" },
    { ",'apparmorProfile':'x'", RN_ERROR_UNSUPPORTED, "apparmorProfile" },
    { ",'selinuxLabel':'x'", RN_ERROR_UNSUPPORTED, "process.selinuxLabel" },
    { ",'scheduler':{'policy':'SCHED_FIFO'}", RN_ERROR_UNSUPPORTED,
      "process.scheduler: not supported yet" },
    { ",'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':1}",
      RN_ERROR_UNSUPPORTED, "process.ioPriority" },
    { ",'execCPUAffinity':{'initial':'0'}", RN_ERROR_UNSUPPORTED,
      "process.execCPUAffinity" },
    { ",'capabilities':{'ambient':['CAP_KILL','CAP_FLY']}", RN_ERROR_INVALID,
      "process.capabilities.ambient[1]: \"CAP_FLY\" is not a capability" },
    { ",'rlimits':[{'type':'RLIMIT_X','soft':1,'hard':1}]", RN_ERROR_INVALID,
      "process.rlimits[0].type: \"RLIMIT_X\" is not" },
    { ",'rlimits':[{'type':'RLIMIT_CPU','soft':2,'hard':1}]", RN_ERROR_INVALID,
      "process.rlimits[0]: soft is greater" },
    { ",'rlimits':[{'type':'RLIMIT_CPU','soft':1}]", RN_ERROR_INVALID,
      "process.rlimits[0].hard: is missing" },
    { ",'rlimits':[{'type':'RLIMIT_CPU','soft':-1,'hard':1}]", RN_ERROR_INVALID,
      "process.rlimits[0].soft: must be from 0" },
    { ",'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1},"
      "{'type':'RLIMIT_CPU','soft':1,'hard':1}]",
      RN_ERROR_INVALID, "process.rlimits[1]: the type is given twice" },
    { ",'oomScoreAdj':1001", RN_ERROR_INVALID, "must be from -1000 to 1000" },
    { ",'oomScoreAdj':-1001", RN_ERROR_INVALID, "process.oomScoreAdj" },
    { ",'user':{'umask':4096}", RN_ERROR_INVALID, "process.user.umask" },
    { ",'user':{'uid':4294967295}", RN_ERROR_INVALID, "process.user.uid" },
    { ",'user':{'gid':-1}", RN_ERROR_INVALID, "process.user.gid" },
    { ",'user':{'additionalGids':[1,'x']}", RN_ERROR_INVALID,
      "process.user.additionalGids[1]: must be an integer" },
    { ",'consoleSize':{'height':1}", RN_ERROR_INVALID,
      "process.consoleSize.width: is missing" },
    { ",'consoleSize':{'height':1,'width':70000}", RN_ERROR_INVALID,
      "process.consoleSize.width: must be from 0 to 65535" },
    { ",'terminal':'yes'", RN_ERROR_INVALID, "terminal: must be true or" },
};

static const Refusal linux_refusals[] = {
    { ",'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'}", RN_ERROR_UNSUPPORTED,
      "config.json: linux.seccomp: not supported yet" },
    { ",'cgroupsPath':'/x'", RN_ERROR_UNSUPPORTED, "linux.cgroupsPath" },
    { ",'sysctl':{'net.ipv4.ip_forward':''}", RN_ERROR_UNSUPPORTED,
      "linux.sysctl" },
    { ",'mountLabel':'x'", RN_ERROR_UNSUPPORTED, "linux.mountLabel" },
    { ",'intelRdt':{'closID':'x'}", RN_ERROR_UNSUPPORTED, "linux.intelRdt" },
    { ",'personality':{'domain':'LINUX32'}", RN_ERROR_UNSUPPORTED,
      "linux.personality" },
    { ",'timeOffsets':{'monotonic':{'secs':1}}", RN_ERROR_UNSUPPORTED,
      "linux.timeOffsets" },
    { ",'netDevices':{'eth0':{}}", RN_ERROR_UNSUPPORTED, "linux.netDevices" },
    { ",'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0'}", RN_ERROR_UNSUPPORTED,
      "linux.memoryPolicy" },
    { ",'resources':{'memory':{'limit':1}}", RN_ERROR_UNSUPPORTED,
      "linux.resources.memory: not supported yet" },
    { ",'resources':{'pids':{'limit':0}}", RN_ERROR_UNSUPPORTED,
      "linux.resources.pids" },
    { ",'resources':{'unified':{'cpu.max':''}}", RN_ERROR_UNSUPPORTED,
      "linux.resources.unified" },
    { ",'resources':{'devices':[{'allow':false,'access':'rwm'},"
      "{'allow':true,'access':'rwm'}]}",
      RN_ERROR_UNSUPPORTED, "linux.resources.devices[1]: not supported yet" },
    { ",'resources':{'devices':[{'allow':false,'access':'rw'}]}",
      RN_ERROR_UNSUPPORTED, "linux.resources.devices[0]" },
    { ",'resources':{'devices':[{'allow':false,'type':'c'}]}",
      RN_ERROR_UNSUPPORTED, "linux.resources.devices[0]" },
    { ",'resources':{'devices':[{'allow':false,'major':1}]}",
      RN_ERROR_UNSUPPORTED, "linux.resources.devices[0].major" },
    { ",'uidMappings':[{'containerID':0,'hostID':1,'size':0}]",
      RN_ERROR_INVALID, "linux.uidMappings[0]: size is 0" },
    { ",'uidMappings':[{'containerID':0,'hostID':4294967290,'size':6}]",
      RN_ERROR_INVALID, "linux.uidMappings[0]: goes beyond" },
    { ",'gidMappings':[{'containerID':0,'hostID':10,'size':5},"
      "{'containerID':4,'hostID':20,'size':1}]",
      RN_ERROR_INVALID, "linux.gidMappings[1]: overlaps with mapping [0]" },
    { ",'gidMappings':[{'containerID':0,'hostID':10,'size':5},"
      "{'containerID':5,'hostID':8,'size':3}]",
      RN_ERROR_INVALID, "linux.gidMappings[1]: overlaps" },
    { ",'gidMappings':[{'containerID':0,'size':5}]", RN_ERROR_INVALID,
      "linux.gidMappings[0].hostID: is missing" },
    { ",'devices':[{'path':'dev/x','type':'c','major':1,'minor':1}]",
      RN_ERROR_INVALID, "linux.devices[0].path: \"dev/x\" must be" },
    { ",'devices':[{'path':'/dev/x','type':'cc','major':1,'minor':1}]",
      RN_ERROR_INVALID, "linux.devices[0].type: must be" },
    { ",'devices':[{'path':'/dev/x','type':'c','major':4096,'minor':1}]",
      RN_ERROR_INVALID, "linux.devices[0].major: must be from 0 to 4095" },
    { ",'devices':[{'path':'/dev/x','type':'b','major':1}]", RN_ERROR_INVALID,
      "linux.devices[0]: needs major and minor" },
    { ",'devices':[{'path':'/dev/x','type':'p','fileMode':4096}]",
      RN_ERROR_INVALID, "linux.devices[0].fileMode" },
    { ",'maskedPaths':['/a','b']", RN_ERROR_INVALID,
      "linux.maskedPaths[1]: \"b\" must be an absolute path" },
    { ",'readonlyPaths':'/a'", RN_ERROR_INVALID, "linux.readonlyPaths" },
    { ",'rootfsPropagation':'wild'", RN_ERROR_INVALID,
      "linux.rootfsPropagation: \"wild\"" },
};

static void check_refusal(const char *text, const Refusal *refusal)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = parse(text, &error);

    if (config != NULL)
        fail_msg("accepted: %s", text);
    assert_error(error, RN_ERROR, refusal->code, refusal->part);
}

static void top_members_are_refused_by_path(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(top_refusals); i++) {
        g_autofree char *text = build(top_refusals[i].member, "", "");

        check_refusal(text, &top_refusals[i]);
    }
}

static void process_members_are_refused_by_path(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(process_refusals); i++) {
        g_autofree char *text = build("", process_refusals[i].member, "");

        check_refusal(text, &process_refusals[i]);
    }
}

static void linux_members_are_refused_by_path(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(linux_refusals); i++) {
        g_autofree char *text = build("", "", linux_refusals[i].member);

        check_refusal(text, &linux_refusals[i]);
    }
}

#define V "{'ociVersion':'1.0.0',"
#define P "'process':{'args':['a'],'cwd':'/'},"
#define R "'root':{'path':'r'}"

static const Refusal whole_refusals[] = {
    { "[]", RN_ERROR_INVALID, "config.json: must be an object" },
    { "{}", RN_ERROR_INVALID, "config.json: ociVersion: is missing" },
    { V R "}", RN_ERROR_INVALID, "config.json: process: is missing" },
    { V P "'root':null}", RN_ERROR_INVALID, "root: is missing" },
    { V P "'root':{}}", RN_ERROR_INVALID, "root.path: is missing" },
    { V P "'root':{'path':''}}", RN_ERROR_INVALID, "root.path: is empty" },
    { V "'process':{'cwd':'/'}," R "}", RN_ERROR_INVALID,
      "process.args: is missing" },
    { V "'process':{'cwd':'/','args':[]}," R "}", RN_ERROR_INVALID,
      "process.args: is empty" },
    { V "'process':{'cwd':'/','args':['']}," R "}", RN_ERROR_INVALID,
      "process.args: names no program" },
    { V "'process':{'cwd':'/','args':['a',2]}," R "}", RN_ERROR_INVALID,
      "process.args[1]: must be a string" },
    { V "'process':{'args':['a']}," R "}", RN_ERROR_INVALID,
      "process.cwd: is missing" },
    { V "'process':{'args':['a'],'cwd':'tmp'}," R "}", RN_ERROR_INVALID,
      "process.cwd: \"tmp\" must be an absolute path" },
    { V P R ",'hostname':'x'}", RN_ERROR_INVALID,
      "config.json: hostname: needs \"uts\" in linux.namespaces" },
    { V P R ",'domainname':'x'}", RN_ERROR_INVALID, "domainname: needs" },
    { V P R ",'linux':{'namespaces':[{'type':'pid'},{'type':'pid'}]}}",
      RN_ERROR_INVALID, "linux.namespaces[1]: the type is given twice" },
    { V P R ",'linux':{'namespaces':[{'type':'time'}]}}", RN_ERROR_UNSUPPORTED,
      "linux.namespaces[0].type: \"time\" is not" },
    { V P R ",'linux':{'namespaces':[{'type':'net'}]}}", RN_ERROR_INVALID,
      "linux.namespaces[0].type: \"net\" is not a type" },
    { V P R ",'linux':{'namespaces':[{'type':'ipc','path':'/proc/1/ns/ipc'}]}}",
      RN_ERROR_UNSUPPORTED, "joining a namespace by path" },
    { V P R ",'linux':{'uidMappings':[{'containerID':0,'hostID':0,'size':1}]}}",
      RN_ERROR_INVALID, "linux: uidMappings needs \"user\"" },
    { "{'ociVersion': '1.0.0'\n 'root': 1}", RN_ERROR_INVALID,
      "config.json: line 2, column 2: expected \",\"" },
};

static void incomplete_documents_are_refused(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(whole_refusals); i++)
        check_refusal(whole_refusals[i].member, &whole_refusals[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_members_are_refused_by_path),
        cmocka_unit_test(process_members_are_refused_by_path),
        cmocka_unit_test(linux_members_are_refused_by_path),
        cmocka_unit_test(incomplete_documents_are_refused),
    };

    return cmocka_run_group_tests_name("config-refusals", tests, NULL, NULL);
}
