/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <unit.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rnet/sys/rootpath.h>
#include <rnet/util/fd.h>

#include "scratch.h"

/* A directory "root" in which a hostile image lives, and "outside" beside. */
typedef struct Tree {
    char *base;
    int base_fd, root_fd;
} Tree;

static const char *const image_links[][2] = {
    { "root/to-slash", "/" },
    { "root/to-up", "../../.." },
    { "root/to-outside", "../outside" },
    { "root/to-host-etc", "/etc" },
    { "root/dangling", "/made/by/link" },
    { "root/dangling-up", "../../../made-up" },
    { "root/dangling-near", "near" },
    { "root/dir/loop", "loop" },
    { "root/ping", "pong" },
    { "root/pong", "ping" },
    { "root/chain", "dangling" },
    { "root/magic", "/proc/self/root/outside" },
};

static int set_up(void **state)
{
    Tree *tree = g_new0(Tree, 1);

    tree->base = scratch_make();
    tree->base_fd = open(tree->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(tree->base_fd, "root", 0755), 0);
    assert_int_equal(mkdirat(tree->base_fd, "root/dir", 0755), 0);
    assert_int_equal(mkdirat(tree->base_fd, "outside", 0755), 0);
    assert_int_equal(mkfifoat(tree->base_fd, "root/fifo", 0644), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(image_links); i++)
        assert_int_equal(
            symlinkat(image_links[i][1], tree->base_fd, image_links[i][0]), 0);
    tree->root_fd =
        openat(tree->base_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(tree->root_fd >= 0);
    *state = tree;
    return 0;
}

static int tear_down(void **state)
{
    Tree *tree = *state;

    rn_fd_close(&tree->root_fd);
    rn_fd_close(&tree->base_fd);
    scratch_remove(tree->base);
    g_free(tree->base);
    g_free(tree);
    return 0;
}

static bool same_file(int fd, int base_fd, const char *path)
{
    struct stat mine = { 0 };
    struct stat other = { 0 };

    return fstat(fd, &mine) == 0 && fstatat(base_fd, path, &other, 0) == 0 &&
           mine.st_dev == other.st_dev && mine.st_ino == other.st_ino;
}

typedef struct MakeCase {
    const char *path;
    RnRootpathKind kind;
    const char *expected; /* below base */
} MakeCase;

static const MakeCase make_cases[] = {
    { "/", RN_ROOTPATH_DIRECTORY, "root" },
    { "/../../..", RN_ROOTPATH_DIRECTORY, "root" },
    { "/dir", RN_ROOTPATH_DIRECTORY, "root/dir" },
    { "/new/a/b", RN_ROOTPATH_DIRECTORY, "root/new/a/b" },
    { "relative/file", RN_ROOTPATH_FILE, "root/relative/file" },
    { "/new//x/./y/", RN_ROOTPATH_DIRECTORY, "root/new/x/y" },
    { "/p/../q", RN_ROOTPATH_DIRECTORY, "root/q" },
    { "/to-slash/z", RN_ROOTPATH_DIRECTORY, "root/z" },
    { "/to-up/etc/passwd", RN_ROOTPATH_FILE, "root/etc/passwd" },
    { "/to-outside", RN_ROOTPATH_DIRECTORY, "root/outside" },
    { "/to-outside/f", RN_ROOTPATH_FILE, "root/outside/f" },
    { "/to-host-etc/hosts", RN_ROOTPATH_FILE, "root/etc/hosts" },
    { "/dangling", RN_ROOTPATH_FILE, "root/made/by/link" },
    { "/dangling-up/x", RN_ROOTPATH_FILE, "root/made-up/x" },
    { "/dangling-near", RN_ROOTPATH_DIRECTORY, "root/near" },
    { "/fifo", RN_ROOTPATH_FILE, "root/fifo" },
};

static void make_of_any_path_stays_in_the_root(void **state)
{
    Tree *tree = *state;

    for (unsigned i = 0; i < G_N_ELEMENTS(make_cases); i++) {
        const MakeCase *item = &make_cases[i];
        g_autoptr(GError) error = NULL;
        rn_autofd int made = -1;
        rn_autofd int opened = -1;

        print_message("# %s\n", item->path);
        assert_true(rn_rootpath_make(tree->root_fd, item->path, item->kind,
                                     &made, &error));
        assert_no_error(error);
        assert_true(same_file(made, tree->base_fd, item->expected));
        assert_true(
            rn_rootpath_open(tree->root_fd, item->path, &opened, &error));
        assert_true(same_file(opened, tree->base_fd, item->expected));
    }
    /* nothing came to be beside the root */
    assert_int_equal(unlinkat(tree->base_fd, "outside", AT_REMOVEDIR), 0);
    assert_int_equal(faccessat(tree->base_fd, "made-up", F_OK, 0), -1);
}

typedef struct RefusalCase {
    const char *path;
    RnRootpathKind kind;
    bool is_errno;
    int code;
} RefusalCase;

static const RefusalCase refusal_cases[] = {
    { "/dir", RN_ROOTPATH_FILE, false, RN_ERROR_INVALID },
    { "/fifo", RN_ROOTPATH_DIRECTORY, false, RN_ERROR_INVALID },
    { "/fifo/x", RN_ROOTPATH_DIRECTORY, true, ENOTDIR },
    { "/dir/loop", RN_ROOTPATH_FILE, true, ELOOP },
    { "/ping/x", RN_ROOTPATH_FILE, true, ELOOP },
};

static void make_of_an_impossible_path_is_refused(void **state)
{
    Tree *tree = *state;

    for (unsigned i = 0; i < G_N_ELEMENTS(refusal_cases); i++) {
        const RefusalCase *item = &refusal_cases[i];
        g_autoptr(GError) error = NULL;
        int made = -1;

        print_message("# %s\n", item->path);
        assert_false(rn_rootpath_make(tree->root_fd, item->path, item->kind,
                                      &made, &error));
        assert_error(error, item->is_errno ? RN_ERRNO : RN_ERROR, item->code,
                     item->path);
        assert_int_equal(made, -1);
    }
}

static void make_with_too_many_names_is_refused(void **state)
{
    Tree *tree = *state;
    g_autoptr(GString) path = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    int made = -1;

    for (unsigned i = 0; i <= RN_ROOTPATH_MAX_NAMES; i++)
        g_string_append(path, "/n");
    assert_false(rn_rootpath_make(tree->root_fd, path->str, RN_ROOTPATH_FILE,
                                  &made, &error));
    assert_error(error, RN_ERRNO, ENAMETOOLONG, "/n/n");
    assert_int_equal(faccessat(tree->root_fd, "n", F_OK, 0), -1);
}

static void open_of_a_plain_path_takes_no_link(void **state)
{
    static const char *const links[] = { "/to-slash", "/to-slash/dir",
                                         "/dangling", "/ping" };
    Tree *tree = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *where = NULL;
    rn_autofd int good = -1;
    int fd = -1;

    assert_true(
        rn_rootpath_open_plain(tree->root_fd, "/dir/../dir", &good, &error));
    assert_true(same_file(good, tree->base_fd, "root/dir"));
    assert_true(rn_rootpath_locate(tree->root_fd, good, &where, &error));
    assert_string_equal(where, "/dir");
    for (unsigned i = 0; i < G_N_ELEMENTS(links); i++) {
        assert_false(
            rn_rootpath_open_plain(tree->root_fd, links[i], &fd, &error));
        assert_error(error, RN_ERRNO, ELOOP, links[i]);
        g_clear_error(&error);
    }
    assert_int_equal(fd, -1);
}

static void locate_tells_what_left_the_root(void **state)
{
    Tree *tree = *state;
    g_autoptr(GError) error = NULL;
    rn_autofd int fd = -1;
    g_autofree char *where = NULL;

    assert_true(rn_rootpath_locate(tree->root_fd, tree->root_fd, &where, NULL));
    assert_string_equal(where, "/");
    assert_true(rn_rootpath_open(tree->root_fd, "/dir", &fd, NULL));
    assert_int_equal(
        renameat(tree->base_fd, "root/dir", tree->base_fd, "rootless"), 0);
    g_clear_pointer(&where, g_free);
    assert_false(rn_rootpath_locate(tree->root_fd, fd, &where, &error));
    assert_error(error, RN_ERROR, RN_ERROR_STATE, "not in the container's");
    assert_null(where);
}

static void open_through_a_magic_link_is_refused(void **state)
{
    Tree *tree = *state;
    rn_autofd int host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;
    int fd = -1;

    assert_false(rn_rootpath_open(host_root, "/proc/self/cwd", &fd, &error));
    assert_error(error, RN_ERRNO, ELOOP, "/proc/self/cwd");
    g_clear_error(&error);
    /* in an image without /proc it is a link to nothing like any other */
    assert_false(rn_rootpath_open(tree->root_fd, "/magic", &fd, &error));
    assert_error(error, RN_ERRNO, ENOENT, "/magic");
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(make_of_any_path_stays_in_the_root,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(make_of_an_impossible_path_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(make_with_too_many_names_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(open_of_a_plain_path_takes_no_link,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(locate_tells_what_left_the_root, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(open_through_a_magic_link_is_refused,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests_name("rootpath", tests, NULL, NULL);
}
