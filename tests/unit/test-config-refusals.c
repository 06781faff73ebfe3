/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-config-refusals - what config.json may not say, and the path in the
 * error
 */
#include "config.h"

#include "config-text.h"

static const ConfigRefusal top_refusals[] = {
    { ",'hooks':{'poststart':[{'path':'/x'},{'path':'y'}]}", RN_ERROR_INVALID,
      "config.json: hooks.poststart[1].path: \"y\" must be an absolute" },
    { ",'hooks':{'prestart':[{'args':['a']}]}", RN_ERROR_INVALID,
      "hooks.prestart[0].path: is missing" },
    { ",'hooks':{'poststop':[{'path':'/x','timeout':0}]}", RN_ERROR_INVALID,
      "hooks.poststop[0].timeout: must be from 1 to 4294967295" },
    { ",'hooks':{'createRuntime':[{'path':'/x','timeout':-5}]}",
      RN_ERROR_INVALID, "hooks.createRuntime[0].timeout: must be" },
    { ",'hooks':{'createContainer':[{'path':'/x','env':['A']}]}",
      RN_ERROR_INVALID, "createContainer[0].env[0]: \"A\" is not NAME=" },
    { ",'hooks':{'startContainer':[{'path':'/x','args':'a'}]}",
      RN_ERROR_INVALID, "startContainer[0].args: must be an array" },
    { ",'hooks':{'startContainer':{'path':'/x'}}", RN_ERROR_INVALID,
      "hooks.startContainer: must be an array" },
    { ",'hooks':[]", RN_ERROR_INVALID, "hooks: must be an object" },
    { ",'vm':{'kernel':{'path':'/k'}}", RN_ERROR_UNSUPPORTED, "vm: not" },
    { ",'windows':{'layerFolders':['x']}", RN_ERROR_UNSUPPORTED, "windows" },
    { ",'solaris':{'milestone':'x'}", RN_ERROR_UNSUPPORTED, "solaris" },
    { ",'zos':{'x':1}", RN_ERROR_UNSUPPORTED, "zos" },
    { ",'freebsd':{'x':1}", RN_ERROR_UNSUPPORTED, "freebsd" },
    { ",'annotations':{'a':1}", RN_ERROR_INVALID,
      "annotations[\"a\"]: must be a string" },
    { ",'annotations':{'a\\n\\u001b[1m':null}", RN_ERROR_INVALID,
      "config.json: annotations[\"a??[1m\"]: must be a string" },
    { ",'annotations':{'':'x'}", RN_ERROR_INVALID,
      "annotations[\"\"]: an empty key" },
    { ",'annotations':[]", RN_ERROR_INVALID, "annotations: must be an obj" },
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
      RN_ERROR_INVALID, "mounts[0]: needs both uidMappings and gidMappings" },
    { ",'mounts':[{'destination':'/a','gidMappings':[{'containerID':0,"
      "'hostID':0,'size':0}]}]",
      RN_ERROR_INVALID, "mounts[0].gidMappings[0]: size is 0" },
    { ",'mounts':{}", RN_ERROR_INVALID, "mounts: must be an array" },
};

static const ConfigRefusal process_refusals[] = {
    { ",'env':['A=1','B']", RN_ERROR_INVALID,
      "config.json: process.env[1]: \"B\" is not NAME=value" },
    { ",'env':['=x']", RN_ERROR_INVALID, "process.env[0]" },
    { ",'apparmorProfile':1", RN_ERROR_INVALID,
      "process.apparmorProfile: must be a string" },
    { ",'selinuxLabel':[]", RN_ERROR_INVALID, "process.selinuxLabel: must" },
    { ",'scheduler':{'nice':1}", RN_ERROR_INVALID,
      "process.scheduler.policy: is missing" },
    { ",'scheduler':{'policy':'SCHED_FAST'}", RN_ERROR_INVALID,
      "scheduler.policy: \"SCHED_FAST\" is not a scheduling policy" },
    { ",'scheduler':{'policy':'SCHED_OTHER','nice':20}", RN_ERROR_INVALID,
      "scheduler.nice: must be from -20 to 19" },
    { ",'scheduler':{'policy':'SCHED_RR','priority':100}", RN_ERROR_INVALID,
      "scheduler.priority: must be from 0 to 99" },
    { ",'scheduler':{'policy':'SCHED_RR','flags':['SCHED_FLAG_X']}",
      RN_ERROR_INVALID, "scheduler.flags[0]: \"SCHED_FLAG_X\" is not" },
    { ",'scheduler':{'policy':'SCHED_DEADLINE','runtime':-1}", RN_ERROR_INVALID,
      "scheduler.runtime: must be from 0" },
    { ",'ioPriority':{'class':'IOPRIO_CLASS_RT'}", RN_ERROR_INVALID,
      "process.ioPriority.priority: is missing" },
    { ",'ioPriority':{'priority':1}", RN_ERROR_INVALID,
      "process.ioPriority.class: is missing" },
    { ",'ioPriority':{'class':'RT','priority':1}", RN_ERROR_INVALID,
      "ioPriority.class: \"RT\" is not an I/O scheduling class" },
    { ",'ioPriority':{'class':'IOPRIO_CLASS_RT','priority':8}",
      RN_ERROR_INVALID, "ioPriority.priority: must be from 0 to 7" },
    { ",'execCPUAffinity':{'initial':'a'}", RN_ERROR_INVALID,
      "process.execCPUAffinity.initial: \"a\" is not a list" },
    { ",'execCPUAffinity':{'final':'3-0'}", RN_ERROR_INVALID,
      "process.execCPUAffinity.final: \"3-0\" is not a list" },
    { ",'execCPUAffinity':{'final':'0\\n1'}", RN_ERROR_INVALID,
      "process.execCPUAffinity.final: \"0?1\"" },
    { ",'capabilities':{'ambient':['CAP_KILL',5]}", RN_ERROR_INVALID,
      "process.capabilities.ambient[1]: must be a string" },
    { ",'capabilities':{'effective':{}}", RN_ERROR_INVALID,
      "process.capabilities.effective: must be an array" },
    { ",'capabilities':['CAP_KILL']", RN_ERROR_INVALID,
      "process.capabilities: must be an object" },
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

static const ConfigRefusal linux_refusals[] = {
    { ",'cgroupsPath':1", RN_ERROR_INVALID, "linux.cgroupsPath: must be" },
    { ",'sysctl':{'net.ipv4.ip_forward':1}", RN_ERROR_INVALID,
      "linux.sysctl[\"net.ipv4.ip_forward\"]: must be a string" },
    { ",'sysctl':{'a.b':'1','..':'1'}", RN_ERROR_INVALID,
      "linux.sysctl[\"..\"]: is not the name of a kernel parameter" },
    { ",'sysctl':{'':'1'}", RN_ERROR_INVALID, "linux.sysctl[\"\"]: is not" },
    { ",'sysctl':{'/net':'1'}", RN_ERROR_INVALID, "linux.sysctl[\"/net\"]" },
    { ",'sysctl':{'net.':'1'}", RN_ERROR_INVALID, "linux.sysctl[\"net.\"]" },
    { ",'sysctl':{'net/../kernel':'1'}", RN_ERROR_INVALID, "linux.sysctl[" },
    { ",'sysctl':{'net/./kernel':'1'}", RN_ERROR_INVALID, "linux.sysctl[" },
    { ",'sysctl':{'net.a b':'1'}", RN_ERROR_INVALID, "linux.sysctl[" },
    { ",'sysctl':{'net.a\\nb':'1'}", RN_ERROR_INVALID,
      "config.json: linux.sysctl[\"net.a?b\"]: is not" },
    { ",'mountLabel':true", RN_ERROR_INVALID, "linux.mountLabel: must be" },
    { ",'intelRdt':{'closID':'x'}", RN_ERROR_UNSUPPORTED,
      "config.json: linux.intelRdt: not supported" },
    { ",'intelRdt':{'schemata':['L3:0=f']}", RN_ERROR_UNSUPPORTED,
      "linux.intelRdt: not supported" },
    { ",'intelRdt':{'enableMonitoring':true}", RN_ERROR_UNSUPPORTED,
      "linux.intelRdt: not supported" },
    { ",'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0'}", RN_ERROR_UNSUPPORTED,
      "linux.memoryPolicy: not supported" },
    { ",'personality':{}", RN_ERROR_INVALID,
      "linux.personality.domain: is missing" },
    { ",'personality':{'domain':'BSD'}", RN_ERROR_INVALID,
      "linux.personality.domain: \"BSD\" is not \"LINUX\" or \"LINUX32\"" },
    { ",'personality':{'domain':'LINUX','flags':['ADDR_NO_RANDOMIZE']}",
      RN_ERROR_UNSUPPORTED, "linux.personality.flags: not supported" },
    { ",'timeOffsets':{'monotonic':{'secs':1}}", RN_ERROR_INVALID,
      "linux: timeOffsets needs \"time\" without a path" },
    { ",'timeOffsets':{'realtime':{'secs':1}}", RN_ERROR_INVALID,
      "linux.timeOffsets[\"realtime\"]: is not \"monotonic\" or" },
    { ",'timeOffsets':{'boottime':{'nanosecs':1000000000}}", RN_ERROR_INVALID,
      "linux.timeOffsets[\"boottime\"].nanosecs: must be from 0 to 999999999" },
    { ",'timeOffsets':{'boottime':{'secs':9223372037}}", RN_ERROR_INVALID,
      "linux.timeOffsets[\"boottime\"].secs: must be from -9223372036" },
    { ",'timeOffsets':{'boottime':5}", RN_ERROR_INVALID,
      "linux.timeOffsets[\"boottime\"]: must be an object" },
    { ",'netDevices':{'a/b':{}}", RN_ERROR_INVALID,
      "linux.netDevices[\"a/b\"]: is not the name of a network interface" },
    { ",'netDevices':{'..':{}}", RN_ERROR_INVALID, "linux.netDevices[\"..\"]" },
    { ",'netDevices':{'sixteen-letters-':{}}", RN_ERROR_INVALID,
      "linux.netDevices[\"sixteen-letters-\"]" },
    { ",'netDevices':{'eth0':{'name':'eth 0'}}", RN_ERROR_INVALID,
      "linux.netDevices[\"eth0\"].name: \"eth 0\" is not the name" },
    { ",'netDevices':{'eth0':null}", RN_ERROR_INVALID,
      "linux.netDevices[\"eth0\"]: must be an object" },
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
    { ",'devices':[{'path':'/dev/x','type':'p','fileMode':8192}]",
      RN_ERROR_INVALID, "linux.devices[0]: fileMode is of another type" },
    { ",'devices':[{'path':'/dev/x','type':'p','fileMode':65536}]",
      RN_ERROR_INVALID, "linux.devices[0].fileMode: must be from 0 to 65535" },
    { ",'devices':[{'path':'/x','type':'c','major':1,'minor':1,"
      "'fileMode':24998}]",
      RN_ERROR_INVALID, "linux.devices[0]: fileMode is of another type" },
    { ",'maskedPaths':['/a','b']", RN_ERROR_INVALID,
      "linux.maskedPaths[1]: \"b\" must be an absolute path" },
    { ",'readonlyPaths':'/a'", RN_ERROR_INVALID, "linux.readonlyPaths" },
    { ",'rootfsPropagation':'wild'", RN_ERROR_INVALID,
      "linux.rootfsPropagation: \"wild\"" },
};

static void top_members_are_refused_by_path(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(top_refusals); i++) {
        g_autofree char *text = build_config(top_refusals[i].member, "", "");

        check_config_refusal(text, &top_refusals[i]);
    }
}

static void process_members_are_refused_by_path(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(process_refusals); i++) {
        g_autofree char *text =
            build_config("", process_refusals[i].member, "");

        check_config_refusal(text, &process_refusals[i]);
    }
}

static void linux_members_are_refused_by_path(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(linux_refusals); i++) {
        g_autofree char *text = build_config("", "", linux_refusals[i].member);

        check_config_refusal(text, &linux_refusals[i]);
    }
}

#define V "{'ociVersion':'1.0.0',"
#define P "'process':{'args':['a'],'cwd':'/'},"
#define R "'root':{'path':'r'}"

static const ConfigRefusal whole_refusals[] = {
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
    { V P R ",'linux':{'namespaces':[{'type':'pid'},{'type':'pid',"
            "'path':'/proc/1/ns/pid'}]}}",
      RN_ERROR_INVALID, "linux.namespaces[1]: the type is given twice" },
    { V P R ",'linux':{'namespaces':[{'type':'ipc','path':'/a'},"
            "{'type':'ipc','path':'/a'}]}}",
      RN_ERROR_INVALID, "linux.namespaces[1]: the type is given twice" },
    { V P R ",'linux':{'namespaces':[{'type':'time','path':'/a'}],"
            "'timeOffsets':{'monotonic':{'secs':1}}}}",
      RN_ERROR_INVALID, "linux: timeOffsets needs \"time\" without a path" },
    { V P R ",'linux':{'netDevices':{'eth0':{}}}}", RN_ERROR_INVALID,
      "linux: netDevices needs \"network\" in linux.namespaces" },
    { V P R ",'linux':{'gidMappings':[{'containerID':0,'hostID':0,'size':1}]}}",
      RN_ERROR_INVALID, "linux: gidMappings needs \"user\"" },
    { V P R ",'linux':{'namespaces':[{'type':'net'}]}}", RN_ERROR_INVALID,
      "linux.namespaces[0].type: \"net\" is not a type" },
    { V P R ",'linux':{'namespaces':[{'type':'ipc','path':'ns/i\\npc'}]}}",
      RN_ERROR_INVALID,
      "linux.namespaces[0].path: \"ns/i?pc\" must be an absolute path" },
    { V P R ",'linux':{'uidMappings':[{'containerID':0,'hostID':0,'size':1}]}}",
      RN_ERROR_INVALID, "linux: uidMappings needs \"user\"" },
    { "{'ociVersion': '1.0.0'\n 'root': 1}", RN_ERROR_INVALID,
      "config.json: line 2, column 2: expected \",\"" },
};

static void incomplete_documents_are_refused(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(whole_refusals); i++)
        check_config_refusal(whole_refusals[i].member, &whole_refusals[i]);
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
