/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-hostile-images - images that set traps, and one that changes meanwhile
 *
 * What containers of other runtimes escaped through, and where it is shown not
 * to work here:
 *
 *   CVE-2019-5736   rnet's own binary is written to: the sealed copy's tests
 *   CVE-2019-16884  a volume over /proc: test-mounts,
 *                   mounts_that_must_not_be_are_refused
 *   CVE-2019-19921  /proc as a link: proc_and_sys_behind_links_are_refused
 *   CVE-2021-30465  a link exchanged for a directory while it is mounted on:
 *                   image_that_changes_meanwhile_reaches_nothing_outside
 *   CVE-2023-27561  as 2019-19921, through a shared volume: the same test
 *   CVE-2024-21626  a cwd by a leaked fd: cwd_that_leads_outside_is_none
 *   CVE-2024-45310  files made outside by an exchange: as 2021-30465
 *   CVE-2025-31133  /dev/null as a link, bound over a mask:
 *                   masks_are_the_real_null_device
 *   CVE-2025-52565  /dev/console as a link: kernel_files_are_not_covered
 *   CVE-2025-52881  writes to /proc led elsewhere: test-sysctls, and the same
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <rnet/runtime/sysctls.h>
#include <rnet/util/fd.h>

#include "fake-launcher.h"
#include "scratch.h"

typedef struct LinkCase {
    char *const image[6]; /* links of the image */
    const char *mounts;
    const char *text;
} LinkCase;

#define LINK(name, target) (char *)(name), (char *)(target)

static const LinkCase link_cases[] = {
    { { LINK("proc", "/elsewhere") }, NULL, "mount \"/proc\": is or lies" },
    { { LINK("proc", ".") }, NULL, "mount \"/proc\": is or lies" },
    { { LINK("proc", "/dir/proc"), LINK("dir/x", "y") },
      NULL,
      "mount \"/proc\": is or lies" },
    { { LINK("sys", "/tmp") },
      ",{\"destination\":\"/sys\",\"type\":\"sysfs\"}",
      "mount \"/sys\": is or lies" },
    { { LINK("a", "/b") },
      ",{\"destination\":\"/a/proc\",\"type\":\"proc\"}",
      "mount \"/a/proc\": is or lies" },
    { { LINK("a", "proc") },
      ",{\"destination\":\"/a/sys/kernel\",\"type\":\"tmpfs\"}",
      "\"/proc/sys/kernel\" is a part of /proc" },
    { { LINK("a", "/proc/self/root") },
      ",{\"destination\":\"/a/etc\",\"type\":\"tmpfs\"}",
      "mount \"/a/etc\": open \"/a/etc\": Too many levels" },
    { { LINK("a", "a") },
      ",{\"destination\":\"/a\",\"type\":\"tmpfs\"}",
      "mount \"/a\": open \"/a\": Too many levels" },
};

static void proc_and_sys_behind_links_are_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(link_cases); i++) {
        const LinkCase *item = &link_cases[i];
        const Container container = {
            .script = "echo ran",
            .image = item->image,
            .mounts = item->mounts,
        };
        g_auto(Outcome) outcome = { 0 };

        print_message("# %s\n", item->text);
        container_run(&container, &outcome);
        assert_non_null(outcome.failure);
        if (strstr(outcome.failure->message, item->text) == NULL)
            fail_msg("\"%s\"", outcome.failure->message);
    }
}

static void kernel_files_are_not_covered(void **state)
{
    static char *const console[] = {
        LINK("dev/console", "/proc/self/attr/exec"), NULL
    };
    static char *const node[] = { LINK("dev/full", "/proc/uptime"), NULL };
    static char *const hosts[] = { LINK("etc/hosts", "/proc/self/comm"), NULL };
    static const Container containers[] = {
        { .script = "",
          .bare_dev = true,
          .image = console,
          .process = ",\"terminal\":true",
          .mounts = ",{\"destination\":\"/dev/pts\",\"type\":\"devpts\","
                    "\"options\":[\"newinstance\",\"ptmxmode=0666\"]}" },
        { .script = "", .bare_dev = true, .image = node },
        { .script = "", .image = hosts, .hosts = "127.0.0.1 localhost\n" },
    };
    static const char *const texts[] = {
        "\"/dev/console\": a link of the image leads into a proc",
        "device \"/dev/full\": a link of the image leads into a proc",
        "\"/etc/hosts\": a link of the image leads into a proc",
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(containers); i++) {
        g_auto(Outcome) outcome = { 0 };

        print_message("# %s\n", texts[i]);
        container_run(&containers[i], &outcome);
        assert_error(outcome.failure, RN_ERROR, outcome.failure->code,
                     texts[i]);
    }
}

static void masks_are_the_real_null_device(void **state)
{
    static char *const image[] = { LINK("dev/null", "/made"),
                                   LINK("secret", "/proc/uptime"), NULL };
    static const Container container = {
        .bare_dev = true,
        .image = image,
        .script = "stat -c '%F %t:%T' /proc/version /proc/uptime && "
                  "cat /secret | wc -c",
        .kernel = ",\"maskedPaths\":[\"/proc/version\",\"/secret\"]",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    assert_string_equal(outcome.output, "character special file 1:3\n"
                                        "character special file 1:3\n0\n");
}

static void mask_through_a_magic_link_is_refused(void **state)
{
    static const Container container = {
        .script = "",
        .kernel = ",\"maskedPaths\":[\"/proc/self/root/etc\"]",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERRNO, ELOOP,
                 "masked path \"/proc/self/root/etc\"");
}

static void cwd_that_leads_outside_is_none(void **state)
{
    static const char *const targets[] = {
        "/proc/self/fd/7/../..",
        "/proc/self/fd/9",
        "/proc/1/cwd",
        "/proc/self/root",
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(targets); i++) {
        char *const image[] = { LINK("w", targets[i]), NULL };
        const Container container = {
            .script = "pwd; ls",
            .image = image,
            .cwd = "/w",
        };
        g_auto(Outcome) outcome = { 0 };

        print_message("# %s\n", targets[i]);
        container_run(&container, &outcome);
        /* a refusal, or a directory of the container */
        if (outcome.failure == NULL && strstr(outcome.output, "home") != NULL)
            fail_msg("in \"%s\"", outcome.output);
    }
}

static char *make_bundle(void)
{
    char *bundle = scratch_make();
    g_autofree char *etc = g_build_filename(bundle, "rootfs/etc", NULL);

    assert_int_equal(g_mkdir_with_parents(etc, 0755), 0);
    return bundle;
}

static void places_of_generated_files_may_be_anything_but_folders(void **state)
{
    g_autofree char *bundle = NULL;
    g_autofree char *fifo = NULL;
    g_autofree char *link = NULL;
    Container container = {
        .script = "cat /etc/resolv.conf /etc/hosts",
        .resolv_conf = "nameserver 10.0.2.3\n",
        .hosts = "127.0.0.1 localhost\n",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_require(&container);
    container.folder = bundle = make_bundle();
    fifo = g_build_filename(bundle, "rootfs/etc/resolv.conf", NULL);
    link = g_build_filename(bundle, "rootfs/etc/hosts", NULL);
    assert_int_equal(mkfifo(fifo, 0644), 0);
    assert_int_equal(symlink("/etc/resolv.conf", link), 0);
    container_run(&container, &outcome);
    assert_no_error(outcome.failure);
    assert_string_equal(outcome.output,
                        "127.0.0.1 localhost\n127.0.0.1 localhost\n");
    scratch_remove(bundle);
}

static void folder_in_place_of_a_generated_file_is_named(void **state)
{
    g_autofree char *bundle = NULL;
    g_autofree char *folder = NULL;
    Container container = {
        .script = "",
        .hosts = "127.0.0.1 localhost\n",
    };
    g_auto(Outcome) outcome = { 0 };

    (void)state;
    container_require(&container);
    container.folder = bundle = make_bundle();
    folder = g_build_filename(bundle, "rootfs/etc/hosts", NULL);
    assert_int_equal(mkdir(folder, 0755), 0);
    container_run(&container, &outcome);
    assert_error(outcome.failure, RN_ERROR, RN_ERROR_INVALID,
                 "\"/etc/hosts\" is a directory");
    scratch_remove(bundle);
}

/* Exchanges a directory and a link to what lies outside, up to its end. */
G_NORETURN static void exchange_main(const char *bundle)
{
    rn_autofd int root = -1;
    g_autofree char *path = g_build_filename(bundle, "rootfs", NULL);

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        _exit(1);
    root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (;;) {
        (void)renameat2(root, "t", root, "t-link", RENAME_EXCHANGE);
        (void)renameat2(root, "proc", root, "proc-link", RENAME_EXCHANGE);
        (void)renameat2(root, "etc", root, "etc-link", RENAME_EXCHANGE);
        (void)renameat2(root, "t/in", root, "in-link", RENAME_EXCHANGE);
    }
}

static void make_traps(const char *bundle, const char *outside)
{
    static const char *const folders[] = { "t/in", "proc", "etc" };
    static const char *const links[] = { "t-link", "proc-link", "etc-link",
                                         "in-link" };

    assert_int_equal(mkdir(outside, 0777), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path =
            g_build_filename(bundle, "rootfs", folders[i], NULL);

        assert_int_equal(g_mkdir_with_parents(path, 0755), 0);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(links); i++) {
        g_autofree char *path =
            g_build_filename(bundle, "rootfs", links[i], NULL);

        /* absolute in one case, relative in the next */
        assert_int_equal(symlink(i % 2 == 0 ? outside : "../outside", path), 0);
    }
}

static bool is_empty(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);

    return folder != NULL && g_dir_read_name(folder) == NULL;
}

static const Container changing = {
    .script = "",
    .hosts = "127.0.0.1 localhost\n",
    .resolv_conf = "nameserver 10.0.2.3\n",
    .cwd = "/t/in/cwd",
    .mounts = ",{\"destination\":\"/t/a\",\"type\":\"tmpfs\"},"
              "{\"destination\":\"/t/in/b/c\",\"type\":\"tmpfs\"},"
              "{\"destination\":\"/t/f\",\"source\":\"/dev/null\","
              "\"options\":[\"bind\"]},"
              "{\"destination\":\"/t/in/f\",\"source\":\"/dev/null\","
              "\"options\":[\"bind\"]}",
    .kernel = ",\"devices\":[{\"path\":\"/t/pipe\",\"type\":\"p\"}],"
              "\"maskedPaths\":[\"/proc/version\",\"/t/x\"],"
              "\"readonlyPaths\":[\"/t\"]",
};

enum {
    ROUNDS = 60
};

/* Runs it once; returns whether the payload ran. */
static bool run_changing(const char *bundle, const char *outside, bool is_first)
{
    Container container = changing;
    g_auto(Outcome) outcome = { 0 };
    bool ran = false;

    container.folder = bundle;
    container.no_image = !is_first;
    container_run(&container, &outcome);
    ran = outcome.failure == NULL;
    if (!is_empty(outside))
        fail_msg("something was made outside; init said \"%s\"",
                 ran ? "nothing" : outcome.failure->message);
    return ran;
}

static void image_that_changes_meanwhile_reaches_nothing_outside(void **state)
{
    g_autofree char *bundle = NULL;
    g_autofree char *outside = NULL;
    unsigned ran = 0;
    pid_t pid = -1;

    (void)state;
    container_require(&changing);
    bundle = scratch_make();
    outside = g_build_filename(bundle, "outside", NULL);
    make_traps(bundle, outside);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        exchange_main(bundle);
    for (unsigned i = 0; i < ROUNDS; i++)
        ran += run_changing(bundle, outside, i == 0) ? 1 : 0;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    print_message("# %u of %d ran\n", ran, ROUNDS);
    scratch_remove(bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proc_and_sys_behind_links_are_refused),
        cmocka_unit_test(kernel_files_are_not_covered),
        cmocka_unit_test(masks_are_the_real_null_device),
        cmocka_unit_test(mask_through_a_magic_link_is_refused),
        cmocka_unit_test(cwd_that_leads_outside_is_none),
        cmocka_unit_test(places_of_generated_files_may_be_anything_but_folders),
        cmocka_unit_test(folder_in_place_of_a_generated_file_is_named),
        cmocka_unit_test(image_that_changes_meanwhile_reaches_nothing_outside),
    };

    return cmocka_run_group_tests_name("hostile-images", tests, NULL, NULL);
}
