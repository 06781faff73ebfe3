/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who the payload is, as it sees itself: real namespaces, busybox. */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <stdlib.h>

#include <rnet/runtime/identity.h>

#include "fake-launcher.h"

typedef struct Case {
    const char *name;
    Container container;
    const char *output;
} Case;

static void run_case(const Case *item)
{
    g_auto(Outcome) outcome = { 0 };

    print_message("# %s\n", item->name);
    container_run(&item->container, &outcome);
    assert_no_error(outcome.failure);
    if (strcmp(outcome.output, item->output) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", item->name, outcome.output,
                 item->output);
    assert_int_equal(outcome.exit_code, 0);
}

#define STATUS(names) "grep -E '^(" names "):' /proc/self/status"

static const Case plain_cases[] = {
    /* not plain `id`: the caller's groups stay, setgroups(2) is denied there */
    { "ids", { .script = "id -u; id -g" }, "0\n0\n" },
    { "ids that are not root's",
      { .script = "id -u; id -g; stat -c %u:%g /dev/pts/ptmx", .uid = 1000 },
      "1000\n1000\n1000:1000\n" },
    { "umask by default", { .script = "umask" }, "0022\n" },
    { "umask as asked",
      { .script = "umask", .user = "{\"uid\":0,\"gid\":0,\"umask\":63}" },
      "0077\n" },
    { "working directory",
      { .script = "pwd", .cwd = "/made/for/me" },
      "/made/for/me\n" },
    { "no capabilities without process.capabilities",
      { .script = STATUS("Cap...|NoNewPrivs") },
      "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
      "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
      "CapAmb:\t0000000000000000\nNoNewPrivs:\t0\n" },
    { "the capabilities of process.capabilities",
      { .script = STATUS("CapInh|CapPrm|CapEff|CapBnd|CapAmb"),
        .process = ",\"capabilities\":{\"bounding\":[\"CAP_CHOWN\","
                   "\"CAP_KILL\"],\"permitted\":[\"CAP_CHOWN\","
                   "\"CAP_KILL\"],\"effective\":[\"CAP_CHOWN\"]}" },
      /* exec gives root all of its bounding set, capabilities(7) */
      "CapInh:\t0000000000000000\nCapPrm:\t0000000000000021\n"
      "CapEff:\t0000000000000021\nCapBnd:\t0000000000000021\n"
      "CapAmb:\t0000000000000000\n" },
    { "ambient capabilities that are not inheritable",
      { .script = STATUS("CapPrm|CapAmb"),
        .process = ",\"capabilities\":{\"bounding\":[\"CAP_KILL\"],"
                   "\"permitted\":[\"CAP_KILL\"],\"effective\":"
                   "[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]}" },
      "CapPrm:\t0000000000000020\nCapAmb:\t0000000000000000\n" },
    { "ambient capabilities of an ordinary id",
      { .script = STATUS("CapInh|CapPrm|CapEff|CapBnd|CapAmb"),
        .uid = 1000,
        .process = ",\"capabilities\":{\"bounding\":[\"CAP_CHOWN\","
                   "\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"],"
                   "\"effective\":[\"CAP_KILL\"],\"inheritable\":"
                   "[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]}" },
      "CapInh:\t0000000000000020\nCapPrm:\t0000000000000020\n"
      "CapEff:\t0000000000000020\nCapBnd:\t0000000000000021\n"
      "CapAmb:\t0000000000000020\n" },
    { "noNewPrivileges",
      { .script = STATUS("NoNewPrivs"),
        .process = ",\"noNewPrivileges\":true" },
      "NoNewPrivs:\t1\n" },
    { "rlimits",
      { .script = "ulimit -n; ulimit -Hn; ulimit -c",
        .process = ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":64,"
                   "\"hard\":128},{\"type\":\"RLIMIT_CORE\",\"soft\":0,"
                   "\"hard\":0}]" },
      "64\n128\n0\n" },
    { "oom score",
      { .script = "cat /proc/self/oom_score_adj",
        .process = ",\"oomScoreAdj\":777" },
      "777\n" },
    { "fds 0 to 2 and no other",
      { .script = "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do "
                  "test -e /proc/1/fd/$n && echo $n; done; true" },
      "0\n1\n2\n" },
    { "signals at default",
      { .args = "[\"/bin/grep\",\"-E\",\"^Sig(Blk|Ign|Cgt):\","
                "\"/proc/self/status\"]" },
      "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
      "SigCgt:\t0000000000000000\n" },
    { "the environment is the bundle's",
      { .args = "[\"/bin/busybox\",\"env\"]",
        .env = "[\"A=b\",\"HOME=/h\",\"PATH=/bin\"]" },
      "A=b\nHOME=/h\nPATH=/bin\n" },
    { "HOME where neither bundle nor image have one",
      { .args = "[\"/bin/busybox\",\"env\"]", .env = "[\"HOME=\"]" },
      "HOME=/\n" },
    { "arguments as they are",
      { .args = "[\"/bin/busybox\",\"echo\",\"a b\",\"\",\"$HOME\"]" },
      "a b  $HOME\n" },
    { "a loopback that is up, where rnet makes no other network",
      { .script = "grep -q 127.0.0.1 /proc/net/fib_trie && echo up" },
      "up\n" },
    { "a session of its own, pid 1",
      { .script = "set -- $(cat /proc/self/stat); echo $$; "
                  "test $6 = 1 && echo leader" },
      "1\nleader\n" },
};

static void process_of_a_one_id_container_is_as_configured(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(plain_cases); i++)
        run_case(&plain_cases[i]);
}

static const Case ranged_cases[] = {
    { "another user than root, with groups",
      { .script = "id; " STATUS("Groups|CapEff|CapPrm"),
        .many_ids = true,
        .user = "{\"uid\":1000,\"gid\":1001,"
                "\"additionalGids\":[5,7]}" },
      "uid=1000 gid=1001 groups=5,7\nGroups:\t5 7 \n"
      "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n" },
    { "no groups but its own",
      { .script = STATUS("Groups"), .many_ids = true },
      "Groups:\t \n" },
    { "a user keeps what it is granted",
      { .script = STATUS("CapEff|CapPrm|CapAmb"),
        .many_ids = true,
        .user = "{\"uid\":1000,\"gid\":1000}",
        .process = ",\"capabilities\":{\"bounding\":[\"CAP_NET_RAW\"],"
                   "\"permitted\":[\"CAP_NET_RAW\"],\"effective\":"
                   "[\"CAP_NET_RAW\"],\"inheritable\":[\"CAP_NET_RAW\"],"
                   "\"ambient\":[\"CAP_NET_RAW\"]}" },
      "CapPrm:\t0000000000002000\nCapEff:\t0000000000002000\n"
      "CapAmb:\t0000000000002000\n" },
    { "an ordinary user without a user namespace",
      { .script = "id; " STATUS("CapEff|CapBnd"),
        .no_userns = true,
        .user = "{\"uid\":1000,\"gid\":1000}" },
      "uid=1000 gid=1000\nCapEff:\t0000000000000000\n"
      "CapBnd:\t0000000000000000\n" },
};

static void process_among_many_ids_is_as_configured(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(ranged_cases); i++)
        run_case(&ranged_cases[i]);
}

typedef struct FailureCase {
    Container container;
    bool is_errno;
    int code;
    const char *text;
} FailureCase;

static const FailureCase failure_cases[] = {
    { { .script = "", .cwd = "/bin/cat" },
      false,
      RN_ERROR_INVALID,
      "rootfs: process.cwd: \"/bin/cat\" is not a directory" },
    { { .script = "",
        .process = ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,"
                   "\"hard\":9223372036854775807}]" },
      true,
      EPERM,
      "process: process.rlimits: set RLIMIT_NOFILE to 1:" },
    { { .script = "",
        .process = ",\"capabilities\":{\"bounding\":[],\"permitted\":[],"
                   "\"effective\":[],\"inheritable\":[\"CAP_KILL\"]}" },
      true,
      EPERM,
      "process: set the capabilities" },
};

static void process_that_cannot_be_is_refused_with_the_field(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(failure_cases); i++) {
        const FailureCase *item = &failure_cases[i];
        g_auto(Outcome) outcome = { 0 };

        print_message("# %s\n", item->text);
        container_run(&item->container, &outcome);
        assert_error(outcome.failure, item->is_errno ? RN_ERRNO : RN_ERROR,
                     item->code, item->text);
        assert_int_equal(outcome.exit_code, EXIT_FAILURE);
        assert_string_equal(outcome.output, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_of_a_one_id_container_is_as_configured),
        cmocka_unit_test(process_among_many_ids_is_as_configured),
        cmocka_unit_test(process_that_cannot_be_is_refused_with_the_field),
    };

    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
