/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-config - config.json: what is read from it, and from which bundles
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "config-text.h"

/* What "runc spec --rootless" writes, with a shorter list of paths. */
static const char runc_template[] =
    "{ 'ociVersion': '1.0.2-dev', 'process': { 'terminal': true,"
    "  'user': { 'uid': 0, 'gid': 0 }, 'args': [ 'sh' ],"
    "  'env': [ 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',"
    "           'TERM=xterm' ],"
    "  'cwd': '/', 'capabilities': {"
    "   'bounding': [ 'CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE' ],"
    "   'effective': [ 'CAP_AUDIT_WRITE', 'CAP_KILL',"
    "                  'CAP_NET_BIND_SERVICE' ],"
    "   'permitted': [ 'CAP_AUDIT_WRITE', 'CAP_KILL',"
    "                  'CAP_NET_BIND_SERVICE' ],"
    "   'ambient': [ 'CAP_KILL' ] },"
    "  'rlimits': [ { 'type': 'RLIMIT_NOFILE', 'hard': 1024,"
    "                 'soft': 1024 } ],"
    "  'noNewPrivileges': true },"
    " 'root': { 'path': 'rootfs', 'readonly': true },"
    " 'hostname': 'runc', 'mounts': ["
    "  { 'destination': '/proc', 'type': 'proc', 'source': 'proc' },"
    "  { 'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs',"
    "    'options': [ 'nosuid', 'strictatime', 'mode=755', 'size=65536k' ] },"
    "  { 'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts',"
    "    'options': [ 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666',"
    "                 'mode=0620' ] },"
    "  { 'destination': '/dev/shm', 'type': 'tmpfs', 'source': 'shm',"
    "    'options': [ 'nosuid', 'noexec', 'nodev', 'mode=1777',"
    "                 'size=65536k' ] },"
    "  { 'destination': '/dev/mqueue', 'type': 'mqueue',"
    "    'source': 'mqueue', 'options': [ 'nosuid', 'noexec', 'nodev' ] },"
    "  { 'destination': '/sys', 'type': 'none', 'source': '/sys',"
    "    'options': [ 'rbind', 'nosuid', 'noexec', 'nodev', 'ro' ] },"
    "  { 'destination': '/sys/fs/cgroup', 'type': 'cgroup',"
    "    'source': 'cgroup', 'options': [ 'nosuid', 'noexec', 'nodev',"
    "    'relatime', 'ro' ] } ],"
    " 'linux': { 'uidMappings': [ { 'containerID': 0, 'hostID': 1000,"
    "                               'size': 1 } ],"
    "  'gidMappings': [ { 'containerID': 0, 'hostID': 1000, 'size': 1 } ],"
    "  'namespaces': [ { 'type': 'pid' }, { 'type': 'ipc' },"
    "   { 'type': 'uts' }, { 'type': 'mount' }, { 'type': 'cgroup' },"
    "   { 'type': 'user' } ],"
    "  'maskedPaths': [ '/proc/acpi', '/proc/kcore', '/sys/firmware' ],"
    "  'readonlyPaths': [ '/proc/bus', '/proc/sys' ] } }";

/* What "crun spec --rootless" writes, shortened in the same way. */
static const char crun_template[] =
    "{ 'ociVersion': '1.0.0', 'process': { 'terminal': true,"
    "  'user': { 'uid': 0, 'gid': 0 }, 'args': [ 'sh' ],"
    "  'env': [ 'PATH=/usr/bin:/bin', 'TERM=xterm' ], 'cwd': '/',"
    "  'capabilities': { 'bounding': [ 'CAP_KILL' ],"
    "   'effective': [ 'CAP_KILL' ], 'inheritable': [],"
    "   'permitted': [ 'CAP_KILL' ], 'ambient': [ 'CAP_KILL' ] },"
    "  'rlimits': [ { 'type': 'RLIMIT_NOFILE', 'hard': 1024,"
    "                 'soft': 1024 } ],"
    "  'noNewPrivileges': true },"
    " 'root': { 'path': 'rootfs', 'readonly': true },"
    " 'hostname': 'crun', 'mounts': ["
    "  { 'destination': '/proc', 'type': 'proc', 'source': 'proc' },"
    "  { 'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs',"
    "    'options': [ 'nosuid', 'strictatime', 'mode=755', 'size=65536k' ] },"
    "  { 'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts',"
    "    'options': [ 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666',"
    "                 'mode=0620' ] },"
    "  { 'destination': '/dev/shm', 'type': 'tmpfs', 'source': 'shm',"
    "    'options': [ 'nosuid', 'noexec', 'nodev', 'mode=1777',"
    "                 'size=65536k' ] },"
    "  { 'destination': '/dev/mqueue', 'type': 'mqueue',"
    "    'source': 'mqueue', 'options': [ 'nosuid', 'noexec', 'nodev' ] },"
    "  { 'destination': '/sys', 'type': 'bind', 'source': '/sys',"
    "    'options': [ 'rprivate', 'nosuid', 'noexec', 'nodev', 'ro',"
    "                 'rbind' ] },"
    "  { 'destination': '/sys/fs/cgroup', 'type': 'cgroup',"
    "    'source': 'cgroup', 'options': [ 'rprivate', 'nosuid', 'noexec',"
    "    'nodev', 'relatime', 'ro' ] } ],"
    " 'linux': { 'resources': { 'devices': [ { 'allow': false,"
    "   'access': 'rwm' } ] },"
    "  'namespaces': [ { 'type': 'pid' }, { 'type': 'network' },"
    "   { 'type': 'ipc' }, { 'type': 'uts' }, { 'type': 'user' },"
    "   { 'type': 'cgroup' }, { 'type': 'mount' } ],"
    "  'maskedPaths': [ '/proc/acpi' ], 'readonlyPaths': [ '/proc/asound' ]"
    " } }";

static void runc_template_is_read(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = parse_config(runc_template, &error);
    const RnMount *mount = NULL;
    const RnCapMask caps = RN_CAP_BIT(CAP_AUDIT_WRITE) | RN_CAP_BIT(CAP_KILL) |
                           RN_CAP_BIT(CAP_NET_BIND_SERVICE);

    (void)state;
    assert_no_error(error);
    assert_string_equal(config->oci_version, "1.0.2-dev");
    assert_true(config->process.terminal);
    assert_string_equal(config->process.args[0], "sh");
    assert_null(config->process.args[1]);
    assert_string_equal(config->process.env[1], "TERM=xterm");
    assert_string_equal(config->process.cwd, "/");
    assert_true(config->process.has_capabilities);
    assert_true(config->process.capabilities.bounding == caps);
    assert_true(config->process.capabilities.permitted == caps);
    assert_true(config->process.capabilities.inheritable == 0);
    assert_true(config->process.capabilities.ambient == RN_CAP_BIT(CAP_KILL));
    assert_int_equal(config->process.rlimits->len, 1);
    assert_true(config->process.no_new_privileges);
    assert_false(config->process.has_umask);
    assert_false(config->process.has_oom_score_adj);
    assert_string_equal(config->root_path, "rootfs");
    assert_true(config->root_readonly);
    assert_string_equal(config->hostname, "runc");
    assert_int_equal(config->mounts->len, 7);
    mount = g_ptr_array_index(config->mounts, 0);
    assert_string_equal(mount->destination, "/proc");
    assert_int_equal(g_strv_length(mount->options), 0);
    mount = g_ptr_array_index(config->mounts, 5);
    assert_string_equal(mount->source, "/sys");
    assert_string_equal(mount->options[0], "rbind");
    assert_true(config->namespaces ==
                (CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS |
                 CLONE_NEWCGROUP | CLONE_NEWUSER));
    assert_int_equal(config->uid_mappings->len, 1);
    assert_int_equal(
        g_array_index(config->uid_mappings, RnIdMapping, 0).host_id, 1000);
    assert_int_equal(g_strv_length(config->masked_paths), 3);
    assert_string_equal(config->readonly_paths[1], "/proc/sys");
    assert_false(rn_resources_deny_devices(&config->resources));
}

static void crun_template_is_read(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = parse_config(crun_template, &error);

    (void)state;
    assert_no_error(error);
    assert_true(rn_resources_deny_devices(&config->resources));
    assert_true((config->namespaces & CLONE_NEWNET) != 0);
    assert_int_equal(config->uid_mappings->len, 0);
    assert_int_equal(config->mounts->len, 7);
}

static void smallest_document_has_defaults(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config =
        parse_config("{'ociVersion':'1.3.0','root':{'path':'/'},"
                     "'process':{'args':['a'],'cwd':'/'}}",
                     &error);

    (void)state;
    assert_no_error(error);
    assert_true(config->namespaces == 0);
    assert_non_null(config->process.env);
    assert_null(config->process.env[0]);
    assert_non_null(config->masked_paths);
    assert_non_null(config->readonly_paths);
    assert_int_equal(config->process.additional_gids->len, 0);
    assert_int_equal(config->devices->len, 0);
    assert_null(config->hostname);
    assert_false(config->process.has_capabilities);
}

static void process_members_are_read(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        "",
        ",'consoleSize':{'height':25,'width':80},'oomScoreAdj':-1000,"
        "'user':{'uid':5,'gid':6,'umask':18,'additionalGids':[7,8]},"
        "'rlimits':[{'type':'RLIMIT_CORE','soft':0,"
        "'hard':18446744073709551615}],'env':['A=','B==x'],"
        "'commandLine':'ignored'",
        "");
    const RnProcess *process = &config->process;
    const RnRlimit *limit = &g_array_index(process->rlimits, RnRlimit, 0);

    (void)state;
    assert_int_equal(process->console_width, 80);
    assert_int_equal(process->console_height, 25);
    assert_true(process->has_oom_score_adj);
    assert_int_equal(process->oom_score_adj, -1000);
    assert_int_equal(process->uid, 5);
    assert_int_equal(process->gid, 6);
    assert_true(process->has_umask);
    assert_int_equal(process->umask, 022);
    assert_int_equal(process->additional_gids->len, 2);
    assert_int_equal(g_array_index(process->additional_gids, uint32_t, 1), 8);
    assert_int_equal(limit->resource, RLIMIT_CORE);
    assert_true(limit->hard == RLIM_INFINITY);
}

static void unknown_capability_is_passed_over_with_a_warning(void **state)
{
    g_autoptr(RnConfig) config =
        parse_config_with("",
                          ",'capabilities':{'ambient':['CAP_FLY','CAP_KILL'],"
                          "'bounding':['CAP_\\u001b[2J']}",
                          "");
    const GPtrArray *warnings = config->process.warnings;

    (void)state;
    assert_true(config->process.has_capabilities);
    assert_true(config->process.capabilities.ambient == RN_CAP_BIT(CAP_KILL));
    assert_true(config->process.capabilities.bounding == 0);
    assert_int_equal(warnings->len, 2);
    assert_string_equal(
        g_ptr_array_index(warnings, 0),
        "config.json: process.capabilities.bounding[0]: \"CAP_?[2J\" is not a "
        "capability: passed over");
    assert_string_equal(
        g_ptr_array_index(warnings, 1),
        "config.json: process.capabilities.ambient[0]: \"CAP_FLY\" is not a "
        "capability: passed over");
}

static void linux_members_are_read(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        ",'domainname':'example.org','annotations':{'org.x':'y'}", "",
        ",'rootfsPropagation':'rslave','devices':["
        "{'path':'/dev/fuse','type':'c','major':10,'minor':229,"
        "'fileMode':438,'uid':1,'gid':2},{'path':'/dev/p','type':'p'}],"
        "'uidMappings':[{'containerID':0,'hostID':100000,'size':65536},"
        "{'containerID':65536,'hostID':1000,'size':1}]");
    const RnDevice *device = g_ptr_array_index(config->devices, 0);

    (void)state;
    assert_string_equal(config->domainname, "example.org");
    assert_true(config->rootfs_propagation == (MS_SLAVE | MS_REC));
    assert_string_equal(device->path, "/dev/fuse");
    assert_int_equal(device->type, 'c');
    assert_int_equal(device->major, 10);
    assert_int_equal(device->minor, 229);
    assert_true(device->has_mode);
    assert_int_equal(device->mode, 0666);
    assert_int_equal(device->uid, 1);
    assert_int_equal(device->gid, 2);
    device = g_ptr_array_index(config->devices, 1);
    assert_int_equal(device->type, 'p');
    assert_false(device->has_mode);
    assert_int_equal(config->uid_mappings->len, 2);
}

static void members_that_say_nothing_are_accepted(void **state)
{
    g_autoptr(RnConfig) config = parse_config_with(
        ",'hooks':{'prestart':[],'poststop':null},'windows':{},"
        "'hostname':'','somethingNew':{'a':[1.5]}",
        ",'apparmorProfile':'','scheduler':null",
        ",'seccomp':null,'sysctl':{},'cgroupsPath':'','intelRdt':{},"
        "'netDevices':{},'resources':{'memory':{},'unified':{},"
        "'devices':[]},'mountLabel':'','rootfsPropagation':''");

    (void)state;
    assert_null(config->hostname);
    assert_false(rn_resources_deny_devices(&config->resources));
    assert_true(config->rootfs_propagation == 0);
}

#define TEN "0123456789"

static void versions_from_1_0_to_1_3_are_accepted(void **state)
{
    static const struct {
        const char *version;
        bool accepted;
    } cases[] = {
        { "1.0.0", true },
        { "1.0.2-dev", true },
        { "1.1.0+dev", true },
        { "1.1.0-rc.3", true },
        { "1.2.1", true },
        { "1.3.0", true },
        { "1.4.0", false },
        { "2.0.0", false },
        { "0.9.0", false },
        { "1.0", false },
        { "1", false },
        { "", false },
        { "1.0.0 ", false },
        { "1.0.00", false },
        { "1.0.0-", false },
        { "v1.0.0", false },
        { "1.10.0", false },
        { "1.0.0\\n", false },
        { "1.0.", false },
        { "1.0.x", false },
        { "1..0", false },
        { "1.0.123456", true },
        { "1.0.1234567", false },
        { "1.0.0-\xc3\xa9", false },
        { "1.0.0-" TEN TEN TEN TEN TEN TEN "abcd", true },
        { "1.0.0-" TEN TEN TEN TEN TEN TEN "abcde", false },
    };

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text =
            g_strdup_printf("{'ociVersion':'%s','root':{'path':'r'},"
                            "'process':{'args':['a'],'cwd':'/'}}",
                            cases[i].version);
        g_autoptr(RnConfig) config = parse_config(text, &error);

        if ((config != NULL) != cases[i].accepted)
            fail_msg("version \"%s\"", cases[i].version);
        if (config == NULL)
            assert_error(error, RN_ERROR, RN_ERROR_UNSUPPORTED,
                         "is not supported (1.0 to 1.3 are)");
    }
}

/* A bundle directory, removed with its file by remove_bundle(). */
static char *make_bundle(const char *config)
{
    char *bundle = g_dir_make_tmp("rnet-test-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(bundle, "config.json", NULL);

    assert_non_null(bundle);
    if (config != NULL)
        assert_true(g_file_set_contents(file, config, -1, NULL));
    return bundle;
}

static void remove_bundle(char *bundle)
{
    g_autofree char *file = g_build_filename(bundle, "config.json", NULL);

    (void)g_remove(file); /* or there is none */
    assert_int_equal(g_rmdir(bundle), 0);
    g_free(bundle);
}

static void bundle_with_config_is_loaded(void **state)
{
    g_autofree char *json = g_strdelimit(g_strdup(runc_template), "'", '"');
    char *bundle = make_bundle(json);
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = rn_config_load(bundle, NULL, &error);

    (void)state;
    remove_bundle(bundle);
    assert_no_error(error);
    assert_string_equal(config->hostname, "runc");
}

static void bundle_problems_are_told_apart(void **state)
{
    char *bundle = make_bundle(NULL);
    g_autofree char *file = g_build_filename(bundle, "config.json", NULL);
    g_autofree char *missing = g_build_filename(bundle, "none", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) error2 = NULL;
    g_autoptr(GError) error3 = NULL;
    g_autoptr(GError) error4 = NULL;

    (void)state;
    assert_null(rn_config_load(missing, NULL, &error));
    assert_null(rn_config_load(bundle, NULL, &error2));
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_null(rn_config_load(file, NULL, &error3));
    assert_null(rn_config_load(bundle, NULL, &error4));
    remove_bundle(bundle);
    assert_error(error, RN_ERROR, RN_ERROR_NOT_FOUND, "no such directory");
    assert_error(error, RN_ERROR, RN_ERROR_NOT_FOUND, "hint: a bundle is a");
    assert_error(error2, RN_ERROR, RN_ERROR_NOT_FOUND, "has no config.json");
    assert_error(error2, RN_ERROR, RN_ERROR_NOT_FOUND, "hint: a bundle is a");
    assert_error(error3, RN_ERROR, RN_ERROR_INVALID, "is not a directory");
    assert_error(error4, RN_ERROR, RN_ERROR_INVALID,
                 "\"config.json\" is not a regular file");
}

static void unreadable_config_says_permission(void **state)
{
    char *bundle = make_bundle("{}");
    g_autofree char *file = g_build_filename(bundle, "config.json", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(RnConfig) config = NULL;
    uid_t uid = geteuid();

    (void)state;
    assert_int_equal(g_chmod(file, 0), 0);
    assert_int_equal(g_chmod(bundle, 0755), 0);
    if (uid == 0) /* root could read it: do without for a moment */
        assert_int_equal(seteuid(65534), 0);
    config = rn_config_load(bundle, NULL, &error);
    if (uid == 0)
        assert_int_equal(seteuid(0), 0);
    remove_bundle(bundle);
    assert_null(config);
    assert_error(error, RN_ERRNO, EACCES, "open \"config.json\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runc_template_is_read),
        cmocka_unit_test(crun_template_is_read),
        cmocka_unit_test(smallest_document_has_defaults),
        cmocka_unit_test(process_members_are_read),
        cmocka_unit_test(unknown_capability_is_passed_over_with_a_warning),
        cmocka_unit_test(linux_members_are_read),
        cmocka_unit_test(members_that_say_nothing_are_accepted),
        cmocka_unit_test(versions_from_1_0_to_1_3_are_accepted),
        cmocka_unit_test(bundle_with_config_is_loaded),
        cmocka_unit_test(bundle_problems_are_told_apart),
        cmocka_unit_test(unreadable_config_says_permission),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
