/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.json's mounts, one kind after the other, in containers of busybox. */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "in-child.h"
#include "mount-cases.h"

static void copy_up_fills_the_tmpfs_and_leaves_the_image(void **state)
{
    g_autofree char *bundle = make_bundle();
    g_autofree char *link = g_build_filename(bundle, "rootfs/d/link", NULL);
    g_autofree char *fifo = g_build_filename(bundle, "rootfs/d/fifo", NULL);
    g_autofree char *file = g_build_filename(bundle, "rootfs/d/s/f", NULL);
    g_autofree char *text = NULL;
    Container container = {
        .folder = bundle,
        .script = "cd /d && cat s/f && stat -c '%a %F' s/f run fifo && "
                  "readlink link && stat -c %a . && echo new >s/f && cat s/f "
                  "&& grep -c ' /d tmpfs' /proc/mounts",
        .mounts = ",{\"destination\":\"/d\",\"type\":\"tmpfs\","
                  "\"options\":[\"tmpcopyup\",\"size=1m\"]}",
    };
    const Case item = {
        "tmpcopyup",
        container,
        "old\n640 regular file\n755 regular file\n600 fifo\n"
        "/etc/passwd\n755\nnew\n1\n",
    };

    (void)state;
    container_require(&container);
    put_file(bundle, "rootfs/d/s/f", "old\n", 0640);
    put_file(bundle, "rootfs/d/run", "x", 0755);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    run_case(&item);
    assert_true(g_file_get_contents(file, &text, NULL, NULL));
    assert_string_equal(text, "old\n");
    scratch_remove(bundle);
}

static void copy_up_has_a_bound(void **state)
{
    g_autofree char *bundle = make_bundle();
    g_autoptr(GString) deep = g_string_new("rootfs/d");
    g_auto(Outcome) outcome = { 0 };
    Container container = {
        .folder = bundle,
        .script = "",
        .mounts = ",{\"destination\":\"/d\",\"type\":\"tmpfs\","
                  "\"options\":[\"tmpcopyup\",\"size=1m\"]}",
    };

    (void)state;
    container_require(&container);
    for (unsigned i = 0; i < 70; i++)
        g_string_append(deep, "/x");
    g_string_append(deep, "/file");
    put_file(bundle, deep->str, "", 0644);
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERROR, RN_ERROR_LIMIT,
                 "mount \"/d\": tmpcopyup: directories more than 64 deep");
    scratch_remove(bundle);
}

static const Case bind_cases[] = {
    { "a FIFO, a socket and a device on nothing",
      { .script = "stat -c '%n %F' /p/fifo /p/socket /p/null",
        .mounts = ",{\"destination\":\"/p/fifo\",\"source\":\"fifo\","
                  "\"options\":[\"bind\"]},"
                  "{\"destination\":\"/p/socket\",\"source\":\"socket\","
                  "\"options\":[\"rbind\",\"ro\"]},"
                  "{\"destination\":\"/p/null\",\"source\":\"/dev/null\","
                  "\"type\":\"bind\"}" },
      "/p/fifo fifo\n/p/socket socket\n/p/null character special file\n" },
    { "a name with a newline, a quote and a blank",
      { .script = "cat /p/*/*",
        .mounts = ",{\"destination\":\"/p/a\\n\\\"b/c d\",\"source\":\"file\","
                  "\"options\":[\"bind\"]}" },
      "text\n" },
    { "a later mount covers an earlier one",
      { .script = "ls /p; cat /p/f",
        .mounts = ",{\"destination\":\"/p\",\"source\":\"/proc\","
                  "\"options\":[\"rbind\"]},"
                  "{\"destination\":\"/p\",\"type\":\"tmpfs\"},"
                  "{\"destination\":\"/p/f\",\"source\":\"file\","
                  "\"options\":[\"bind\"]}" },
      "f\ntext\n" },
    { "a file that lxcfs would replace",
      { .script = "cat /proc/uptime",
        .mounts = ",{\"destination\":\"/proc/uptime\",\"source\":\"file\","
                  "\"options\":[\"bind\"]}" },
      "text\n" },
    { "comments of mount(8)",
      { .script = "cat /p",
        .mounts = ",{\"destination\":\"/p\",\"source\":\"file\","
                  "\"options\":[\"bind\",\"x-gvfs-hide\"]}" },
      "text\n" },
};

static void put_sources(const char *bundle)
{
    g_autofree char *fifo = g_build_filename(bundle, "fifo", NULL);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    put_file(bundle, "file", "text\n", 0644);
    assert_int_equal(mkfifo(fifo, 0644), 0);
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", bundle);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
}

static void binds_of_anything_are_made(void **state)
{
    (void)state;
    container_require(&bind_cases[0].container);
    for (unsigned i = 0; i < G_N_ELEMENTS(bind_cases); i++) {
        g_autofree char *bundle = make_bundle();
        Case item = bind_cases[i];

        put_sources(bundle);
        item.container.folder = bundle;
        run_case(&item);
        scratch_remove(bundle);
    }
}

static const Case cgroup_cases[] = {
    { "without a cgroup namespace",
      { .script =
            "grep -c ' /c .*ro,' /proc/mounts && test -n \\\"$(ls /c)\\\" "
            "&& echo filled",
        .no_userns = true,
        .mounts = ",{\"destination\":\"/c\",\"type\":\"cgroup\","
                  "\"options\":[\"ro\",\"nosuid\"]}" },
      "1\nfilled\n" },
};

static void cgroups_of_the_host_are_shown_read_only(void **state)
{
    (void)state;
    run_cases(cgroup_cases);
}

static void move_root(bool no_userns)
{
    const Container container = {
        .no_userns = no_userns,
        .script = "ls / | sort | head -3; ls /..; cat /proc/1/comm; "
                  "test -e /home || echo moved",
        .no_pivot = true,
    };
    g_auto(Outcome) outcome = { 0 };

    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    if (!g_str_has_prefix(outcome.output, "bin\ndev\n") ||
        !g_str_has_suffix(outcome.output, "moved\n") ||
        strstr(outcome.output, "usr\n") != NULL)
        fail_msg("said \"%s\"", outcome.output);
}

static void root_that_is_moved_shows_nothing_of_the_host(void **state)
{
    (void)state;
    move_root(false);
    if (geteuid() == 0)
        move_root(true);
}

typedef struct FailureCase {
    const char *mounts;
    GQuark (*domain)(void);
    int code;
    const char *text;
} FailureCase;

static const FailureCase failure_cases[] = {
    { ",{\"destination\":\"/proc/self/attr\",\"type\":\"tmpfs\"}",
      rn_error_quark, RN_ERROR_INVALID,
      "a part of /proc that must not be covered" },
    { ",{\"destination\":\"/proc/sys/kernel/hostname\",\"source\":"
      "\"/dev/null\",\"options\":[\"bind\"]}",
      rn_error_quark, RN_ERROR_INVALID,
      "\"/proc/sys/kernel/hostname\" is a part of /proc" },
    { ",{\"destination\":\"/proc\",\"type\":\"tmpfs\"}", rn_error_quark,
      RN_ERROR_INVALID, "mount \"/proc\": only a proc" },
    { ",{\"destination\":\"/x/../proc\",\"source\":\"/tmp\",\"options\":"
      "[\"bind\"]}",
      rn_error_quark, RN_ERROR_INVALID, "only a proc can be mounted there" },
    { ",{\"destination\":\"/p\\nq\",\"source\":\"/no\\u001b[2J\",\"options\":"
      "[\"bind\"]}",
      rn_errno_quark, ENOENT, "mount \"/p?q\": open the source" },
};

static void mounts_that_must_not_be_are_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(failure_cases); i++) {
        const FailureCase *item = &failure_cases[i];
        const Container container = { .script = "", .mounts = item->mounts };
        g_auto(Outcome) outcome = { 0 };

        print_message("# %s\n", item->text);
        container_run(&container, &outcome);
        assert_error(outcome.failure, item->domain(), item->code, item->text);
    }
}

/* In a mount namespace of its own, whose mount of `data` is shared. */
static const char *share_with_a_container(void *data)
{
    const char *bundle = data;
    g_autofree char *volume = g_build_filename(bundle, "volume", NULL);
    g_autofree char *seen = g_build_filename(volume, "from-inside", NULL);
    g_autofree char *hidden = g_build_filename(volume, "hidden", NULL);
    const Container container = {
        .folder = bundle,
        .no_userns = true,
        .script = "mkdir /s/from-inside /p/hidden && "
                  "busybox mount -t tmpfs x /s/from-inside && "
                  "busybox mount -t tmpfs x /p/hidden && echo ok",
        .process = ",\"capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\"],"
                   "\"effective\":[\"CAP_SYS_ADMIN\"],"
                   "\"permitted\":[\"CAP_SYS_ADMIN\"]}",
        .mounts = ",{\"destination\":\"/s\",\"source\":\"volume\","
                  "\"options\":[\"rbind\",\"rshared\"]},"
                  "{\"destination\":\"/p\",\"source\":\"volume\","
                  "\"options\":[\"rbind\"]}",
    };
    g_auto(Outcome) outcome = { 0 };
    g_autofree char *mounts = NULL;

    if (unshare(CLONE_NEWNS) < 0 || mkdir(volume, 0755) < 0 ||
        mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ||
        mount("x", volume, "tmpfs", 0, NULL) < 0 ||
        mount(NULL, volume, NULL, MS_SHARED, NULL) < 0)
        return strerror(errno);
    container_run(&container, &outcome);
    if (outcome.failure != NULL)
        return g_strdup(outcome.failure->message);
    if (strcmp(outcome.output, "ok\n") != 0)
        return g_strdup(outcome.output);
    if (!g_file_get_contents("/proc/self/mountinfo", &mounts, NULL, NULL) ||
        strstr(mounts, seen) == NULL)
        return "what is mounted in a shared volume is not seen outside";
    if (strstr(mounts, hidden) != NULL)
        return "what is mounted in a private volume is seen outside";
    return NULL;
}

static void shared_volume_carries_mounts_outside_others_do_not(void **state)
{
    static const Container needs = { .no_userns = true };
    g_autofree char *bundle = NULL;

    (void)state;
    container_require(&needs);
    bundle = make_bundle();
    run_in_child(share_with_a_container, bundle);
    scratch_remove(bundle);
}

/* config.json with this many binds, then runs it. */
static void run_many(unsigned count, Outcome *outcome)
{
    g_autoptr(GString) mounts = g_string_new(NULL);
    Container container = { .script = "wc -l </proc/self/mountinfo" };

    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(mounts,
                               ",{\"destination\":\"/m/%u\",\"source\":"
                               "\"/dev/null\",\"options\":[\"bind\"]}",
                               i);
    container.mounts = mounts->str;
    container_run(&container, outcome);
}

static void mounts_by_the_thousand_are_made(void **state)
{
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    run_many(10000, &outcome);
    assert_no_error(outcome.failure);
    assert_true(g_ascii_strtoull(outcome.output, NULL, 10) > 10000);
}

static void mounts_beyond_the_bound_are_refused(void **state)
{
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    run_many(33000, &outcome);
    assert_error(outcome.failure, RN_ERROR, RN_ERROR_LIMIT,
                 "more than the 32768 that are allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_up_fills_the_tmpfs_and_leaves_the_image),
        cmocka_unit_test(copy_up_has_a_bound),
        cmocka_unit_test(binds_of_anything_are_made),
        cmocka_unit_test(cgroups_of_the_host_are_shown_read_only),
        cmocka_unit_test(root_that_is_moved_shows_nothing_of_the_host),
        cmocka_unit_test(mounts_that_must_not_be_are_refused),
        cmocka_unit_test(shared_volume_carries_mounts_outside_others_do_not),
        cmocka_unit_test(mounts_by_the_thousand_are_made),
        cmocka_unit_test(mounts_beyond_the_bound_are_refused),
    };

    return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
