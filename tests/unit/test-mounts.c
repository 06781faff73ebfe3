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

#include "fake-launcher.h"
#include "in-child.h"
#include "scratch.h"

typedef struct Case {
    const char *name;
    Container container;
    const char *output; /* all of it */
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

#define run_cases(cases)                                                       \
    for (unsigned i_ = 0; i_ < G_N_ELEMENTS(cases); i_++)                      \
    run_case(&(cases)[i_])

/* A bundle of its own, so that files can be put beside and into the image. */
static char *make_bundle(void)
{
    char *bundle = scratch_make();
    g_autofree char *root = g_build_filename(bundle, "rootfs", NULL);

    assert_int_equal(mkdir(root, 0755), 0);
    return bundle;
}

static void put_file(const char *bundle, const char *name, const char *text,
                     mode_t mode)
{
    g_autofree char *path = g_build_filename(bundle, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;

    assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
    (void)g_file_set_contents(path, text, -1, &error);
    assert_no_error(error);
    assert_int_equal(chmod(path, mode), 0);
}

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

static void root_that_is_moved_shows_nothing_of_the_host(void **state)
{
    static const Container container = {
        .script = "ls / | sort | head -3; ls /..; cat /proc/1/comm; "
                  "test -e /home || echo moved",
        .no_pivot = true,
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    if (!g_str_has_prefix(outcome.output, "bin\ndev\n") ||
        !g_str_has_suffix(outcome.output, "moved\n") ||
        strstr(outcome.output, "usr\n") != NULL)
        fail_msg("said \"%s\"", outcome.output);
}

#define MAPS(id)                                                               \
    "[{\"containerID\":0,\"hostID\":" #id ",\"size\":1},"                      \
    "{\"containerID\":7,\"hostID\":70,\"size\":10}]"

static const Case idmap_cases[] = {
    { "mappings of the mount",
      { .script = "stat -c '%u %g' /p/file; touch /p/new && "
                  "stat -c '%u %g' /p/new; grep -c ' /p .*idmapped' "
                  "/proc/self/mountinfo",
        .no_userns = true,
        .user = "{\"uid\":1000,\"gid\":2000}",
        .mounts = ",{\"destination\":\"/p\",\"source\":\"volume\","
                  "\"options\":[\"bind\",\"idmap\"],\"uidMappings\":" MAPS(
                      1000) ",\"gidMappings\":" MAPS(2000) "}" },
      "1000 2000\n1000 2000\n1\n" },
    { "mappings alone, recursive or not",
      { .script = "stat -c '%u %g' /p/file /q/file /r/file",
        .no_userns = true,
        .mounts =
            ",{\"destination\":\"/p\",\"source\":\"volume\","
            "\"options\":[\"rbind\"],\"uidMappings\":" MAPS(3) ",\"gidMappings\":" MAPS(
                4) "},"
                   "{\"destination\":\"/q\",\"source\":\"volume\","
                   "\"options\":[\"rbind\",\"ridmap\"],\"uidMappings\":" MAPS(
                       5) ",\"gidMappings\":" MAPS(6) "},"
                                                      "{\"destination\":\"/r\",\"source\":\"volume\","
                                                      "\"options\":[\"rbind\"]}" },
      "3 4\n5 6\n0 0\n" },
    { "the container's mappings",
      { .script = "stat -c '%u %g' /p/file; grep -c ' /p .*idmapped' "
                  "/proc/self/mountinfo",
        .many_ids = true,
        .mounts = ",{\"destination\":\"/p\",\"source\":\"volume\","
                  "\"options\":[\"bind\",\"idmap\",\"ro\"]}" },
      "0 0\n1\n" },
};

static void owners_in_idmapped_binds_are_others(void **state)
{
    (void)state;
    container_require(&idmap_cases[0].container);
    for (unsigned i = 0; i < G_N_ELEMENTS(idmap_cases); i++) {
        g_autofree char *bundle = make_bundle();
        g_autofree char *volume = g_build_filename(bundle, "volume", NULL);
        Case item = idmap_cases[i];

        put_file(bundle, "volume/file", "text\n", 0644);
        assert_int_equal(chmod(volume, 0777), 0);
        item.container.folder = bundle;
        run_case(&item);
        scratch_remove(bundle);
    }
}

/* More than a message carries. */
static void idmapped_binds_may_be_many(void **state)
{
    g_autofree char *bundle = NULL;
    g_autoptr(GString) mounts = g_string_new(NULL);
    Case item = { "19 of them",
                  { .script = "grep -c idmapped /proc/self/mountinfo; "
                              "stat -c %u /m0/file /m9/file /m18/file",
                    .no_userns = true },
                  "19\n1\n10\n19\n" };

    (void)state;
    container_require(&item.container);
    bundle = make_bundle();
    put_file(bundle, "volume/file", "text\n", 0644);
    for (unsigned i = 0; i < 19; i++)
        g_string_append_printf(
            mounts,
            ",{\"destination\":\"/m%u\",\"source\":\"volume\",\"options\":"
            "[\"bind\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,"
            "\"size\":1}],\"gidMappings\":" MAPS(
                0) "},"
                   "{\"destination\":\"/o%u\",\"source\":\"volume\",\"options\":"
                   "[\"bind\"]}",
            i, i + 1, i);
    item.container.mounts = mounts->str;
    item.container.folder = bundle;
    run_case(&item);
    scratch_remove(bundle);
}

/* root's folder; the container's root is another user, who may not enter it */
static void source_that_is_closed_to_the_container_is_mounted(void **state)
{
    g_autofree char *bundle = NULL;
    g_autofree char *closed = NULL;
    g_autofree char *root = NULL;
    Case item = { "a closed folder",
                  { .script = "cat /p /q/file",
                    .shifted_ids = true,
                    .mounts = ",{\"destination\":\"/p\",\"source\":"
                              "\"closed/file\",\"options\":[\"bind\",\"ro\"]},"
                              "{\"destination\":\"/q\",\"source\":"
                              "\"closed/v\",\"options\":[\"rbind\"]}" },
                  "text\ntext\n" };

    (void)state;
    container_require(&item.container);
    bundle = make_bundle();
    closed = g_build_filename(bundle, "closed", NULL);
    /* mount points are made by the container's root */
    put_file(bundle, "rootfs/bin/busybox", "", 0644);
    root = g_build_filename(bundle, "rootfs", NULL);
    assert_int_equal(chown(root, 100000, 100000), 0);
    put_file(bundle, "closed/file", "text\n", 0644);
    put_file(bundle, "closed/v/file", "text\n", 0644);
    assert_int_equal(chmod(closed, 0700), 0);
    assert_int_equal(chmod(bundle, 0755), 0);
    item.container.folder = bundle;
    run_case(&item);
    scratch_remove(bundle);
}

typedef struct IdmapFailure {
    const char *mounts;
    bool no_userns;
    bool is_errno;
    int code;
    const char *text;
} IdmapFailure;

static const IdmapFailure idmap_failures[] = {
    { ",{\"destination\":\"/p\",\"source\":\"/tmp\",\"options\":"
      "[\"bind\",\"idmap\"]}",
      true, false, RN_ERROR_INVALID,
      "mount \"/p\": an idmap of a container without a user namespace" },
    { ",{\"destination\":\"/p\",\"type\":\"tmpfs\",\"options\":"
      "[\"idmap\"]}",
      false, false, RN_ERROR_UNSUPPORTED,
      "mount \"/p\": only a bind can have an idmap" },
    { ",{\"destination\":\"/p\",\"source\":\"/proc\",\"options\":"
      "[\"bind\",\"idmap\"],\"uidMappings\":" MAPS(3) ",\"gidMappings\":" MAPS(
          4) "}",
      true, true, EINVAL, "mount \"/p\": map the mount's ids" },
    { ",{\"destination\":\"/p\",\"source\":\"/no\",\"options\":"
      "[\"bind\",\"idmap\"],\"uidMappings\":" MAPS(3) ",\"gidMappings\":" MAPS(
          4) "}",
      true, true, ENOENT, "mount \"/p\": open the source \"/no\"" },
};

static void idmaps_that_cannot_be_are_named(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(idmap_failures); i++) {
        const IdmapFailure *item = &idmap_failures[i];
        const Container container = {
            .script = "",
            .mounts = item->mounts,
            .no_userns = item->no_userns,
        };
        g_auto(Outcome) outcome = { 0 };

        if (item->no_userns && geteuid() != 0)
            continue;
        print_message("# %s\n", item->text);
        container_run(&container, &outcome);
        assert_error(outcome.failure, item->is_errno ? RN_ERRNO : RN_ERROR,
                     item->code, item->text);
    }
}

static void idmap_without_rights_is_refused_with_a_hint(void **state)
{
    const Container container = {
        .script = "",
        .mounts = ",{\"destination\":\"/p\",\"source\":\"/tmp\","
                  "\"options\":[\"bind\",\"idmap\"]}",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    if (geteuid() == 0)
        return; /* root has them: owners_in_idmapped_binds_are_others */
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERRNO, EPERM,
                 "mount \"/p\": clone the mount");
    assert_error(outcome.failure, RN_ERRNO, EPERM,
                 "an idmapped mount takes root's rights");
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
        cmocka_unit_test(owners_in_idmapped_binds_are_others),
        cmocka_unit_test(idmapped_binds_may_be_many),
        cmocka_unit_test(source_that_is_closed_to_the_container_is_mounted),
        cmocka_unit_test(idmaps_that_cannot_be_are_named),
        cmocka_unit_test(idmap_without_rights_is_refused_with_a_hint),
        cmocka_unit_test(mounts_that_must_not_be_are_refused),
        cmocka_unit_test(shared_volume_carries_mounts_outside_others_do_not),
        cmocka_unit_test(mounts_by_the_thousand_are_made),
        cmocka_unit_test(mounts_beyond_the_bound_are_refused),
    };

    return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
