/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-hook-resolv - resolv.conf in the root file systems of bundles
 */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rnet/dialect/hook-resolv.h>

#include "scratch.h"

static const char plain[] = "{\"root\":{\"path\":\"rootfs\"}}";

typedef struct Bench {
    char *bundle, *root, *etc, *file;
} Bench;

static int setup(void **state)
{
    Bench *bench = g_new0(Bench, 1);

    bench->bundle = scratch_make();
    bench->root = g_build_filename(bench->bundle, "rootfs", NULL);
    bench->etc = g_build_filename(bench->root, "etc", NULL);
    bench->file = g_build_filename(bench->etc, "resolv.conf", NULL);
    assert_int_equal(mkdir(bench->root, 0755), 0);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    Bench *bench = *state;

    scratch_remove(bench->bundle);
    g_free(bench->bundle);
    g_free(bench->root);
    g_free(bench->etc);
    g_free(bench->file);
    g_free(bench);
    return 0;
}

static bool try(const Bench *bench, const char *config, const char *network,
                GError **error)
{
    g_autofree char *path =
        g_build_filename(bench->bundle, "config.json", NULL);
    const RnNetworkWords words = { .network = network };
    g_auto(RnNetworkWish) wish = { 0 };

    assert_true(g_file_set_contents(path, config, -1, NULL));
    assert_true(rn_network_wish_parse(&words, &wish, NULL));
    return rn_hook_write_resolv(bench->bundle, &wish, error);
}

static void write_it(const Bench *bench, const char *config,
                     const char *network)
{
    g_autoptr(GError) error = NULL;

    assert_true(try(bench, config, network, &error));
    assert_no_error(error);
}

static void assert_text(const char *path, const char *prefix)
{
    g_autofree char *text = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    if (!g_str_has_prefix(text, prefix))
        fail_msg("%s: %s", path, text);
}

static void missing_file_is_written(void **state)
{
    const Bench *bench = *state;
    struct stat status;

    write_it(bench, plain, NULL);
    assert_text(bench->file, "nameserver 10.0.2.3\n");
    assert_int_equal(stat(bench->file, &status), 0);
    assert_int_equal(status.st_mode & 0444, 0444);
}

static void empty_file_is_filled(void **state)
{
    const Bench *bench = *state;

    assert_int_equal(mkdir(bench->etc, 0755), 0);
    assert_true(g_file_set_contents(bench->file, "", 0, NULL));
    write_it(bench, plain, "slirp:dns=192.0.2.53");
    assert_text(bench->file, "nameserver 192.0.2.53\n");
}

static void file_with_a_text_stays(void **state)
{
    const Bench *bench = *state;

    assert_int_equal(mkdir(bench->etc, 0755), 0);
    assert_true(g_file_set_contents(bench->file, "# mine\n", -1, NULL));
    write_it(bench, plain, NULL);
    assert_text(bench->file, "# mine\n");
}

static void file_that_is_not_ours_is_not_made(void **state)
{
    static const struct {
        const char *config, *network;
    } cases[] = {
        { "{\"root\":{\"path\":\"rootfs\"},\"mounts\":[{\"destination\":"
          "\"/proc\"},{\"destination\":\"/etc/resolv.conf\"}]}",
          NULL },
        { "{\"root\":{\"path\":\"rootfs\"},\"mounts\":[{\"destination\":"
          "\"//etc/../etc/\"}]}",
          NULL },
        { plain, "slirp:dns=none" },
    };
    const Bench *bench = *state;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        write_it(bench, cases[i].config, cases[i].network);
        assert_int_equal(access(bench->file, F_OK), -1);
    }
}

static void links_stay_inside(void **state)
{
    const Bench *bench = *state;
    g_autofree char *outside = g_build_filename(bench->bundle, "outside", NULL);
    g_autofree char *inside = g_build_filename(bench->root, outside, NULL);
    struct stat status;

    assert_int_equal(mkdir(bench->etc, 0755), 0);
    assert_true(g_file_set_contents(outside, "", 0, NULL));
    assert_int_equal(symlink(outside, bench->file), 0);
    write_it(bench, plain, NULL);
    assert_text(inside, "nameserver 10.0.2.3\n");
    assert_int_equal(stat(outside, &status), 0);
    assert_int_equal(status.st_size, 0);
}

static void fifo_is_left_alone(void **state)
{
    const Bench *bench = *state;

    assert_int_equal(mkdir(bench->etc, 0755), 0);
    assert_int_equal(mkfifo(bench->file, 0644), 0);
    write_it(bench, plain, NULL); /* and does not wait */
}

static void wrong_bundle_is_told(void **state)
{
    const Bench *bench = *state;
    g_autoptr(GError) error = NULL;

    assert_false(try(bench, "{", NULL, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "config.json: line 1");
    g_clear_error(&error);
    assert_false(try(bench, "{\"root\":{}}", NULL, &error));
    assert_error(error, RN_ERROR, RN_ERROR_INVALID, "root.path");
    g_clear_error(&error);
    assert_false(try(bench, "{\"root\":{\"path\":\"none\"}}", NULL, &error));
    assert_error(error, RN_ERRNO, ENOENT, "/none");
}

#define bench_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bench_test(missing_file_is_written),
        bench_test(empty_file_is_filled),
        bench_test(file_with_a_text_stays),
        bench_test(file_that_is_not_ours_is_not_made),
        bench_test(links_stay_inside),
        bench_test(fifo_is_left_alone),
        bench_test(wrong_bundle_is_told),
    };

    return cmocka_run_group_tests_name("hook-resolv", tests, NULL, NULL);
}
