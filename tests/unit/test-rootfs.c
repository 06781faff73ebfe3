/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container's root as a process in it sees it: real mounts, busybox. */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake-launcher.h"

typedef struct Case {
    const char *name;
    Container container;
    const char *output; /* all of it; NULL: not looked at */
    int exit_code;
} Case;

static void run_case(const Case *item)
{
    g_auto(Outcome) outcome = { 0 };

    print_message("# %s\n", item->name);
    container_run(&item->container, &outcome);
    assert_no_error(outcome.failure);
    if (item->output != NULL && strcmp(outcome.output, item->output) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", item->name, outcome.output,
                 item->output);
    assert_int_equal(outcome.exit_code, item->exit_code);
}

#define run_cases(cases)                                                       \
    for (unsigned i_ = 0; i_ < G_N_ELEMENTS(cases); i_++)                      \
    run_case(&(cases)[i_])

static const Case device_cases[] = {
    { "the six nodes are the real ones",
      { .script = "for n in null zero full random urandom tty; do "
                  "stat -c '%n %F %t:%T' /dev/$n; done" },
      "/dev/null character special file 1:3\n"
      "/dev/zero character special file 1:5\n"
      "/dev/full character special file 1:7\n"
      "/dev/random character special file 1:8\n"
      "/dev/urandom character special file 1:9\n"
      "/dev/tty character special file 5:0\n",
      0 },
    { "they can be used",
      { .script = "echo x >/dev/null && head -c 3 /dev/zero | wc -c && "
                  "head -c 3 /dev/urandom | wc -c && "
                  "(echo x >/dev/full) 2>/dev/null || echo full" },
      "3\n3\nfull\n",
      0 },
    { "the links",
      { .script = "for n in fd stdin stdout stderr ptmx; do readlink "
                  "/dev/$n; done" },
      "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n"
      "pts/ptmx\n",
      0 },
    { "an image without a tmpfs on /dev gets nodes too",
      { .script = "stat -c '%t:%T' /dev/null /dev/tty", .bare_dev = true },
      "1:3\n5:0\n",
      0 },
    { "a device of the bundle",
      { .script = "stat -c '%F %t:%T' /dev/null",
        .kernel = ",\"devices\":[{\"path\":\"/dev/null\",\"type\":\"c\","
                  "\"major\":1,\"minor\":3}]" },
      "character special file 1:3\n",
      0 },
    { "a fifo of the bundle",
      { .script = "stat -c %F /run/pipe",
        .kernel = ",\"devices\":[{\"path\":\"/run/pipe\",\"type\":\"p\"}]" },
      "fifo\n",
      0 },
    { "nodes without a user namespace",
      { .script = "stat -c '%t:%T' /dev/null && head -c 2 /dev/zero | wc -c",
        .no_userns = true },
      "1:3\n2\n",
      0 },
};

static void devices_of_a_container_are_usable(void **state)
{
    (void)state;
    for (unsigned i = 0; i + 1 < G_N_ELEMENTS(device_cases); i++)
        run_case(&device_cases[i]);
}

static void devices_without_a_user_namespace_are_usable(void **state)
{
    g_autofree char *mounts = NULL;

    (void)state;
    run_case(&device_cases[G_N_ELEMENTS(device_cases) - 1]);
    /* not even root's mounts reach the host */
    assert_true(
        g_file_get_contents("/proc/self/mountinfo", &mounts, NULL, NULL));
    assert_null(strstr(mounts, "/rnet-test-"));
}

static const Case mount_cases[] = {
    { "tmpfs takes its options",
      { .script = "stat -c %a /t && grep ' /t ' /proc/mounts | grep -c "
                  "'nosuid,nodev,noexec.*size=128k'",
        .mounts =
            ",{\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"x\","
            "\"options\":[\"nosuid\",\"nodev\",\"noexec\",\"mode=1770\","
            "\"size=128k\"]}" },
      "1770\n1\n",
      0 },
    { "a tmpfs has the mode of what it covers",
      { .script = "stat -c %a /t /dev; echo >/dev/null && echo ok",
        .mounts = ",{\"destination\":\"/t\",\"type\":\"tmpfs\","
                  "\"options\":[\"mode=0751\"]},"
                  "{\"destination\":\"/t\",\"type\":\"tmpfs\"},"
                  "{\"destination\":\"/dev\",\"type\":\"tmpfs\"},"
                  "{\"destination\":\"/dev/null\",\"source\":\"/dev/null\","
                  "\"options\":[\"bind\"]}" },
      "751\n755\nok\n",
      0 },
    { "a tmpfs that covers nothing is for all",
      { .script = "stat -c %a /t /t/sub",
        .mounts = ",{\"destination\":\"/t\",\"type\":\"tmpfs\"},"
                  "{\"destination\":\"/t/sub\",\"type\":\"tmpfs\","
                  "\"options\":[\"size=64k\"]}" },
      "1777\n1777\n",
      0 },
    { "a read-only tmpfs is, but holds what later mounts need",
      { .script = "stat -c %F /t/sub && touch /t/x 2>&1",
        .mounts =
            ",{\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"x\","
            "\"options\":[\"ro\"]},{\"destination\":\"/t/sub\",\"type\":"
            "\"tmpfs\"}" },
      "directory\ntouch: /t/x: Read-only file system\n",
      1 },
    { "a bind can be read-only",
      { .script = "touch /bin/busybox 2>&1" },
      "touch: /bin/busybox: Read-only file system\n",
      1 },
    { "a bind of a directory, from beside the bundle's config",
      { .script = "cd /again/bin && pwd",
        .mounts = ",{\"destination\":\"/again\",\"source\":\"rootfs\","
                  "\"options\":[\"rbind\",\"rro\"]}" },
      "/again/bin\n",
      0 },
    { "rro reaches what is below",
      { .script = "touch /p/x 2>&1; touch /p/sys/x 2>&1 | grep -c Read-only",
        .mounts = ",{\"destination\":\"/p\",\"source\":\"/\","
                  "\"options\":[\"rbind\",\"rro\"]}" },
      "touch: /p/x: Read-only file system\n1\n",
      0 },
    { "explicit words that ask for what is locked are no failure",
      { .script = "echo ok",
        .mounts = ",{\"destination\":\"/p\",\"source\":\"/sys\","
                  "\"options\":[\"rbind\",\"rw\",\"suid\",\"dev\",\"exec\"]}" },
      "ok\n",
      0 },
    { "a remount of a bind",
      { .script = "touch /tmp/x 2>&1",
        .mounts = ",{\"destination\":\"/tmp\",\"type\":\"tmpfs\"},"
                  "{\"destination\":\"/tmp\",\"type\":\"none\","
                  "\"options\":[\"remount\",\"bind\",\"ro\"]}" },
      "touch: /tmp/x: Read-only file system\n",
      1 },
    { "propagation of a mount and of the root",
      { .script = "grep -c ' /t .*shared:' /proc/self/mountinfo; "
                  "grep -c '/rootfs / .*shared:' /proc/self/mountinfo; "
                  "grep -c ' / .* - proc' /proc/self/mountinfo",
        .mounts = ",{\"destination\":\"/t\",\"type\":\"tmpfs\","
                  "\"options\":[\"rshared\"]}",
        .kernel = ",\"rootfsPropagation\":\"private\"" },
      "1\n0\n1\n",
      0 },
    { "the root's propagation leaves the mounts below alone",
      { .script = "grep -c '/rootfs / .*shared:' /proc/self/mountinfo; "
                  "grep -c ' /t .*shared:' /proc/self/mountinfo; "
                  "grep -c ' /u .*unbindable' /proc/self/mountinfo",
        .mounts = ",{\"destination\":\"/t\",\"type\":\"tmpfs\"},"
                  "{\"destination\":\"/u\",\"type\":\"tmpfs\","
                  "\"options\":[\"unbindable\"]}",
        .kernel = ",\"rootfsPropagation\":\"rshared\"" },
      "1\n0\n1\n",
      0 },
    { "what needs namespaces of its own comes from the host without them",
      { .script = "grep -c '^sysfs /sys sysfs ro' /proc/mounts; "
                  "test -e /proc/self/status && echo proc",
        .without = CLONE_NEWNET | CLONE_NEWPID,
        .mounts = ",{\"destination\":\"/sys\",\"type\":\"sysfs\"}" },
      "1\nproc\n",
      0 },
    { "sysfs, mqueue and cgroup are there one way or another",
      { .script = "ls -d /sys/class /dev/mqueue /sys/fs/cgroup && "
                  "ls /sys/fs/cgroup | grep -c .  >/dev/null",
        .mounts =
            ",{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":"
            "\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
            "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\","
            "\"source\":\"cgroup\",\"options\":[\"nosuid\",\"noexec\","
            "\"nodev\",\"relatime\",\"ro\"]},"
            "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\"}" },
      "/dev/mqueue\n/sys/class\n/sys/fs/cgroup\n",
      0 },
};

static void mounts_of_each_kind_are_as_asked(void **state)
{
    (void)state;
    run_cases(mount_cases);
}

static const Case protection_cases[] = {
    { "a read-only root",
      { .script = "touch /x 2>&1", .root = ",\"readonly\":true" },
      "touch: /x: Read-only file system\n",
      1 },
    { "a root that is not read-only",
      { .script = "touch /x && ls /x" },
      "/x\n",
      0 },
    { "masked files and directories",
      { .script = "cat /proc/version | wc -c; ls /proc/sys | wc -c; "
                  "touch /proc/sys/x 2>&1",
        .kernel = ",\"maskedPaths\":[\"/proc/version\",\"/proc/sys\","
                  "\"/proc/no-such-thing\",\"/bin/busybox/x\"]" },
      "0\n0\ntouch: /proc/sys/x: Read-only file system\n",
      1 },
    { "a masked file whose cover is the host's and keeps its mode",
      { .script = "chmod 666 /proc/version 2>&1; echo x >/proc/version",
        .kernel = ",\"maskedPaths\":[\"/proc/version\"]" },
      "chmod: /proc/version: Read-only file system\n",
      0 },
    { "read-only paths",
      { .script = "(echo x >/proc/sys/kernel/hostname) 2>&1 | grep -c "
                  "Read-only",
        .kernel = ",\"readonlyPaths\":[\"/proc/sys\",\"/no/such\"]" },
      "1\n",
      0 },
    { "nothing of the host is left in the mount table",
      { .script = "grep -c . /proc/self/mountinfo; ls / | sort | head -4" },
      "12\nbin\ndev\netc\nproc\n",
      0 },
};

static void protection_of_the_root_holds(void **state)
{
    (void)state;
    run_cases(protection_cases);
}

/* Links of an image that point where the host has something. */
static char *const trap_links[] = {
    (char *)"etc",
    (char *)"/",
    (char *)"up",
    (char *)"../../../../../../../..",
    (char *)"tmp",
    (char *)"/no/where",
    (char *)"dev",
    (char *)"up/devices",
    (char *)"hosts",
    (char *)"../../../../etc/passwd",
    (char *)"cwd-link",
    (char *)"/up/work",
    NULL,
};

static const Case trap_cases[] = {
    { "mounts, nodes, files and the cwd stay inside",
      { .script = "pwd; grep -c . /passwd /resolv.conf; "
                  "stat -c %t:%T /devices/null; ls -d /no/where/m; "
                  "cat /no/where/m/x 2>&1; ls /proc/1/root | grep -c -x home",
        .cwd = "/cwd-link",
        .image = trap_links,
        .resolv_conf = "nameserver 10.0.2.3\n",
        .hosts = "127.0.0.1 localhost\n",
        .mounts = ",{\"destination\":\"/tmp/m\",\"type\":\"tmpfs\"},"
                  "{\"destination\":\"/up/passwd\",\"source\":\"/etc/passwd\","
                  "\"options\":[\"bind\",\"ro\"]}" },
      NULL,
      1 },
};

static void links_of_the_image_lead_nowhere_outside(void **state)
{
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&trap_cases[0].container, &outcome);
    assert_no_error(outcome.failure);
    assert_true(g_str_has_prefix(outcome.output, "/work\n/passwd:"));
    assert_non_null(strstr(outcome.output, "/resolv.conf:1\n1:3\n"
                                           "/no/where/m\n"));
    assert_true(g_str_has_suffix(outcome.output, "\n0\n"));
    /* and the host has none of what was made */
    assert_int_equal(access("/no", F_OK), -1);
    assert_int_equal(access("/devices", F_OK), -1);
    assert_int_equal(access("/cwd-link", F_OK), -1);
}

static const Case file_cases[] = {
    { "generated files have their text, owner and mode",
      { .script = "cat /etc/resolv.conf /etc/hosts /etc/hostname; "
                  "stat -c '%a %u' /etc/hosts",
        .resolv_conf = "nameserver 10.0.2.3\n",
        .hosts = "127.0.0.1 localhost\n" },
      "nameserver 10.0.2.3\n127.0.0.1 localhost\nbox\n644 0\n",
      0 },
    { "the container may write them",
      { .script = "echo more >>/etc/hosts && cat /etc/hosts",
        .hosts = "127.0.0.1 localhost\n" },
      "127.0.0.1 localhost\nmore\n",
      0 },
    { "a mount of the bundle goes first",
      { .script = "wc -c </etc/hosts",
        .hosts = "127.0.0.1 localhost\n",
        .mounts = ",{\"destination\":\"/etc//hosts\",\"source\":"
                  "\"/dev/null\",\"options\":[\"bind\"]}" },
      "0\n",
      0 },
};

static void generated_file_that_has_no_place_is_left_out(void **state)
{
    const Container container = {
        .script = "ls /etc/resolv.conf >/dev/null 2>&1 || echo none",
        .resolv_conf = "nameserver 10.0.2.3\n",
        .mounts = ",{\"destination\":\"/etc\",\"source\":\"/usr/share\","
                  "\"options\":[\"bind\",\"ro\"]}",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    assert_non_null(strstr(outcome.output,
                           "warning: rootfs: create \"/etc/resolv.conf\": "
                           "Read-only file system; ignoring\n"));
    assert_true(g_str_has_suffix(outcome.output, "none\n"));
}

static void generated_files_are_placed(void **state)
{
    (void)state;
    run_cases(file_cases);
}

typedef struct FailureCase {
    Container container;
    GQuark (*domain)(void);
    int code;
    const char *text;
} FailureCase;

static const FailureCase failure_cases[] = {
    { { .script = "", .mounts = ",{\"destination\":\"/m\",\"type\":\"nofs\"}" },
      rn_errno_quark,
      ENODEV,
      "rootfs: mount \"/m\": mount type \"nofs\"" },
    { { .script = "", .mounts = ",{\"destination\":\"/m\"}" },
      rn_error_quark,
      RN_ERROR_INVALID,
      "rootfs: mount \"/m\": neither a type" },
    { { .script = "",
        .mounts = ",{\"destination\":\"/m\",\"source\":\"/no-such\","
                  "\"options\":[\"bind\"]}" },
      rn_errno_quark,
      ENOENT,
      "rootfs: mount \"/m\": open the source \"/no-such\"" },
    { { .script = "",
        .mounts = ",{\"destination\":\"/m\",\"source\":\"/tmp\","
                  "\"options\":[\"bind\",\"size=3\"]}" },
      rn_error_quark,
      RN_ERROR_INVALID,
      "\"size=3\" is no option of a bind" },
    { { .script = "",
        .mounts = ",{\"destination\":\"/m\",\"source\":\"/tmp\","
                  "\"options\":[\"bind\",\"sync\"]}" },
      rn_error_quark,
      RN_ERROR_INVALID,
      "not options of a bind" },
    { { .script = "",
        .mounts = ",{\"destination\":\"/m\",\"type\":\"proc\","
                  "\"options\":[\"tmpcopyup\"]}" },
      rn_error_quark,
      RN_ERROR_INVALID,
      "tmpcopyup is an option of tmpfs" },
    { { .script = "",
        .mounts = ",{\"destination\":\"/m\",\"type\":\"tmpfs\","
                  "\"options\":[\"size=nonsense\"]}" },
      rn_errno_quark,
      EINVAL,
      "rootfs: mount \"/m\"" },
    { { .script = "",
        .mounts = ",{\"destination\":\"/bin\",\"source\":\"/etc/passwd\","
                  "\"options\":[\"bind\"]}" },
      rn_error_quark,
      RN_ERROR_INVALID,
      "\"/bin\" is a directory" },
    { { .script = "",
        .kernel = ",\"devices\":[{\"path\":\"/dev/nope\",\"type\":\"c\","
                  "\"major\":1,\"minor\":3}]" },
      rn_errno_quark,
      ENOENT,
      "rootfs: device \"/dev/nope\": a user namespace cannot make" },
    { { .script = "",
        .kernel = ",\"devices\":[{\"path\":\"/dev/null\",\"type\":\"c\","
                  "\"major\":1,\"minor\":5}]" },
      rn_error_quark,
      RN_ERROR_EXISTS,
      "rootfs: device \"/dev/null\"" },
};

static void mounts_that_cannot_be_are_named(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(failure_cases); i++) {
        const FailureCase *item = &failure_cases[i];
        g_auto(Outcome) outcome = { 0 };

        print_message("# %s\n", item->text);
        container_run(&item->container, &outcome);
        assert_error(outcome.failure, item->domain(), item->code, item->text);
        assert_int_equal(outcome.exit_code, EXIT_FAILURE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_of_a_container_are_usable),
        cmocka_unit_test(devices_without_a_user_namespace_are_usable),
        cmocka_unit_test(mounts_of_each_kind_are_as_asked),
        cmocka_unit_test(protection_of_the_root_holds),
        cmocka_unit_test(links_of_the_image_lead_nowhere_outside),
        cmocka_unit_test(generated_files_are_placed),
        cmocka_unit_test(generated_file_that_has_no_place_is_left_out),
        cmocka_unit_test(mounts_that_cannot_be_are_named),
    };

    return cmocka_run_group_tests_name("rootfs", tests, NULL, NULL);
}
