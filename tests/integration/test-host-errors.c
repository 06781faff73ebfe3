/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-host-errors - what rnet says when the host lacks something
 *
 * Role:     takes one facility away from the world's host, each in a world of
 *           its own, and reads the message and the hint
 * Runs in:  see world.h
 * Failure:  every case must exit with 1, one message, one hint, nothing left
 */
#include "config.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rnet/util/fd.h>

#include "bundle.h"
#include "check.h"
#include "leftovers.h"
#include "run.h"

enum {
    FIRST_SUB_ID = 200000
};

/* The mounts that the test itself made are not leftovers. */
static void accept_mounts(World *world)
{
    g_free(world->mounts);
    check(
        g_file_get_contents("/proc/self/mountinfo", &world->mounts, NULL, NULL),
        "read mountinfo");
}

/* Runs the bundle; it must fail with this message part and this hint part. */
static void check_refused(World *world, const char *bundle, const char *network,
                          const char *message, const char *hint)
{
    const char *const args[] = { "run",  "--network", network, "--name",
                                 "case", bundle,      NULL };
    g_autoptr(Run) run = run_start(world, args, NULL);

    accept_mounts(world);
    run_expect_exit(run, 1);
    g_auto(GStrv) lines = g_strsplit(run->err_text->str, "\n", -1);
    check(g_strv_length(lines) == 3, "lines of stderr: \"%s\"",
          run->err_text->str);
    check(g_str_has_prefix(lines[0], "rnet: run \"case\": "), "\"%s\"",
          lines[0]);
    check_contains(lines[0], message);
    check(g_str_has_prefix(lines[1], "hint: "), "\"%s\"", lines[1]);
    check_contains(lines[1], hint);
    check_nothing_left(world);
}

static void write_file(const char *path, const char *text)
{
    GError *error = NULL;

    if (!rn_file_write(AT_FDCWD, path, text, &error))
        check_no_error(error);
}

static void test_userns_forbidden_names_the_sysctl(World *world)
{
    g_autofree char *bundle = bundle_new(world, "plain", NULL);

    write_file("/proc/sys/user/max_user_namespaces", "0");
    check_refused(world, bundle, "none", "user.max_user_namespaces", "sysctl");
}

/* A bundle that maps its root to the user and `size` ids from `first`. */
static char *bundle_with_range(const World *world, unsigned first,
                               unsigned size)
{
    g_autofree char *maps = g_strdup_printf(
        "\"uidMappings\": [{\"containerID\": 0, \"hostID\": %u, \"size\": 1}, "
        "{\"containerID\": 1, \"hostID\": %u, \"size\": %u}],\n"
        "\"gidMappings\": [{\"containerID\": 0, \"hostID\": %u, \"size\": 1}, "
        "{\"containerID\": 1, \"hostID\": %u, \"size\": %u}]",
        (unsigned)world->uid, first, size, (unsigned)world->gid, first, size);

    return bundle_new(world, "mapped", &(BundleOptions){ .linux_more = maps });
}

static void require_newuidmap(void)
{
    if (access("/usr/bin/newuidmap", F_OK) < 0)
        world_skip("newuidmap is not installed (package uidmap)");
}

static void test_newuidmap_missing_is_told(World *world)
{
    g_autofree char *bundle = bundle_with_range(world, FIRST_SUB_ID, 1000);

    world_give_sub_ids(world, FIRST_SUB_ID, 1000);
    check_call(mount("tmpfs", "/usr/bin", "tmpfs", 0, NULL) == 0,
               "cover /usr/bin");
    check_refused(world, bundle, "none", "newuidmap", "uidmap");
}

static void test_newuidmap_without_setuid_is_told(World *world)
{
    g_autofree char *bundle = bundle_with_range(world, FIRST_SUB_ID, 1000);
    g_autofree char *plain = g_build_filename(world->dir, "newuidmap", NULL);

    require_newuidmap();
    world_give_sub_ids(world, FIRST_SUB_ID, 1000);
    check(g_file_set_contents_full(plain, "#!/bin/false\n", -1,
                                   G_FILE_SET_CONTENTS_NONE, 0755, NULL),
          "write \"%s\"", plain);
    check_call(mount(plain, "/usr/bin/newuidmap", NULL, MS_BIND, NULL) == 0,
               "cover newuidmap");
    check_refused(world, bundle, "none", "newuidmap", "chmod u+s");
}

static void test_sub_ids_missing_is_told(World *world)
{
    g_autofree char *bundle = bundle_with_range(world, FIRST_SUB_ID, 1000);

    require_newuidmap();
    check_refused(world, bundle, "none", "no subordinate uids",
                  "--add-subuids");
}

static void test_mapping_outside_range_is_told(World *world)
{
    g_autofree char *bundle =
        bundle_with_range(world, FIRST_SUB_ID + 500, 1000);

    require_newuidmap();
    world_give_sub_ids(world, FIRST_SUB_ID, 1000);
    check_refused(world, bundle, "none", "200500", "");
}

/* By default a packet link takes over, and says why to who wants to know. */
static void check_packet_link(World *world, const char *bundle, const char *why)
{
    const char *const quiet[] = { "run", bundle, NULL };
    const char *const loud[] = { "--debug", "run", bundle, NULL };
    g_autofree char *line =
        g_strdup_printf("open \"/dev/net/tun\": %s; using a packet link", why);
    g_autoptr(Run) first = run_start(world, quiet, NULL);

    run_expect_exit(first, 0);
    check_text(first->err_text->str, "");
    g_autoptr(Run) second = run_start(world, loud, NULL);
    run_expect_exit(second, 0);
    check_contains(second->err_text->str, line);
    check_lacks(second->err_text->str, "chmod");
    check_nothing_left(world);
}

static void test_tun_missing_is_told(World *world)
{
    g_autofree char *bundle = bundle_new(world, "plain", NULL);

    check_refused(world, bundle, "slirp:link=tap", "/dev/net/tun",
                  "modprobe tun");
    check_packet_link(world, bundle, "No such file or directory");
}

/*
 * A file that belongs to root and is closed to others; in a user namespace
 * without root none can be made, but every system has one.
 */
static void test_tun_closed_is_told(World *world)
{
    g_autofree char *bundle = bundle_new(world, "plain", NULL);
    g_autofree char *node = g_build_filename(world->dir, "closed", NULL);

    if (world->has_userns) {
        g_free(node);
        node = g_strdup("/etc/shadow");
    } else {
        check(g_file_set_contents(node, "", 0, NULL), "create \"%s\"", node);
        check_call(chmod(node, 0) == 0, "chmod");
    }
    check_call(mount(node, "/dev/net/tun", NULL, MS_BIND, NULL) == 0,
               "cover /dev/net/tun");
    check_refused(world, bundle, "slirp:link=tap", "/dev/net/tun",
                  "chmod 0666 /dev/net/tun");
    check_packet_link(world, bundle, "Permission denied");
}

/* With a single id there are no others for additional groups. */
static void test_group_unmapped_is_told(World *world)
{
    g_autofree char *bundle = bundle_new(
        world, "user",
        &(BundleOptions){
            .user = "{\"uid\": 0, \"gid\": 0, \"additionalGids\": [5]}" });

    check_refused(world, bundle, "none", "process.user.additionalGids: 5",
                  "newgidmap");
}

static void test_state_directory_of_others_is_refused(World *world)
{
    g_autofree char *bundle = bundle_new(world, "plain", NULL);

    check_call(mkdir(world->state_dir, 0700) == 0, world->state_dir);
    check_call(chown(world->state_dir, world->uid, world->gid) == 0, "chown");
    check_call(chmod(world->state_dir, 0777) == 0, "chmod");
    g_autoptr(Run) run = run_start_bundle(world, bundle, NULL);
    run_expect_exit(run, 1);
    check_contains(run->err_text->str, world->state_dir);
    check_nothing_left(world);
}

int main(void)
{
    static const WorldTest tests[] = {
        { "userns_forbidden_names_the_sysctl",
          test_userns_forbidden_names_the_sysctl, WORLD_OWN_USERNS },
        { "newuidmap_missing_is_told", test_newuidmap_missing_is_told,
          WORLD_ONLY_AS_USER },
        { "newuidmap_without_setuid_is_told",
          test_newuidmap_without_setuid_is_told, WORLD_ONLY_AS_USER },
        { "sub_ids_missing_is_told", test_sub_ids_missing_is_told,
          WORLD_ONLY_AS_USER | WORLD_NEEDS_IDS },
        { "mapping_outside_range_is_told", test_mapping_outside_range_is_told,
          WORLD_ONLY_AS_USER | WORLD_NEEDS_IDS },
        { "tun_missing_is_told", test_tun_missing_is_told, WORLD_WITHOUT_TUN },
        { "tun_closed_is_told", test_tun_closed_is_told, WORLD_ONLY_AS_USER },
        { "group_unmapped_is_told", test_group_unmapped_is_told,
          WORLD_ONLY_AS_USER },
        { "state_directory_of_others_is_refused",
          test_state_directory_of_others_is_refused, 0 },
    };

    return world_run_tests("host-errors", tests, G_N_ELEMENTS(tests));
}
