/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-network-entry - entries of networks, and stale ones
 */
#include "config.h"

#include <unit.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include <rnet/runtime/network-entry.h>
#include <rnet/sys/process.h>
#include <rnet/util/fd.h>

#include "entries.h"
#include "scratch.h"

/* Whose keeper has died. */
static void make_stale(const char *state_dir, const char *key)
{
    rn_network_entry_release(make_entry(state_dir, key));
}

static unsigned count(const char *state_dir)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) keys = rn_network_list(state_dir, &error);

    assert_no_error(error);
    return keys->len;
}

static void key_is_a_file_name(void **state)
{
    g_autofree char *long_name = g_strnfill(RN_NETWORK_KEY_MAX, 'x');
    g_autofree char *plain = rn_network_key("hook", "web");
    g_autofree char *slash = rn_network_key("hook", "a/b");
    g_autofree char *too_long = rn_network_key("cni", long_name);
    g_autofree char *fits = rn_network_key("cni", long_name + strlen("cni@"));
    g_autofree char *other = rn_network_key("hook", "a/c");
    g_autofree char *number = rn_network_key_of_namespace(4, 4026531840);

    (void)state;
    assert_string_equal(plain, "hook@web");
    assert_int_equal(strlen(slash), strlen("hook@") + 64);
    assert_null(strchr(slash, '/'));
    assert_string_not_equal(slash, other);
    assert_int_equal(strlen(too_long), strlen("cni@") + 64);
    assert_int_equal(strlen(fits), RN_NETWORK_KEY_MAX);
    assert_string_equal(number, "ns@4-4026531840");
}

static void entry_is_its_keepers_alone(void **state)
{
    RnNetworkEntry *entry = make_entry(*state, "hook@web");
    RnNetworkEntry *other = NULL;
    g_autoptr(GError) error = NULL;

    assert_null(rn_network_entry_new(*state, "hook@web", &error));
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS, "hook@web");
    other = make_entry(*state, "hook@db");
    assert_int_equal(count(*state), 2);
    rn_network_entry_remove(entry);
    assert_int_equal(count(*state), 1);
    assert_missing(*state, "hook@web");
    rn_network_entry_remove(other);
    assert_nothing_left(*state);
}

static void missing_network_leaves_no_trace(void **state)
{
    g_autofree char *key = NULL;
    g_autoptr(GError) error = NULL;

    assert_missing(*state, "hook@web");
    assert_int_equal(count(*state), 0);
    key = rn_network_find(*state, 4, 5, &error);
    assert_error(error, RN_ERROR, RN_ERROR_NOT_FOUND, "no network");
    assert_null(key);
    assert_nothing_left(*state);
}

static void stale_entry_is_removed_by_whoever_comes(void **state)
{
    g_autoptr(GError) error = NULL;
    RnNetworkEntry *entry = NULL;

    make_stale(*state, "hook@web");
    assert_missing(*state, "hook@web");
    assert_nothing_left(*state);

    make_stale(*state, "hook@web");
    assert_int_equal(count(*state), 0);
    assert_nothing_left(*state);

    make_stale(*state, "hook@web");
    make_stale(*state, "hook@db");
    entry = make_entry(*state, "hook@web");
    assert_true(rn_network_entry_claim(entry, 4, 5, &error));
    assert_no_error(error);
    rn_network_entry_remove(entry);
    assert_nothing_left(*state);
}

static void stale_claim_is_not_in_the_way(void **state)
{
    RnNetworkEntry *entry = make_entry(*state, "hook@web");
    g_autoptr(GError) error = NULL;

    assert_true(rn_network_entry_claim(entry, 4, 5, &error));
    rn_network_entry_release(entry);
    entry = make_entry(*state, "hook@web");
    assert_true(rn_network_entry_claim(entry, 4, 6, &error));
    assert_no_error(error);
    rn_network_entry_remove(entry);
    assert_nothing_left(*state);
}

/* Another's may have taken the place of the directory meanwhile. */
static void late_removal_leaves_others_alone(void **state)
{
    RnNetworkEntry *entry = make_entry(*state, "hook@web");
    g_autofree char *base = g_build_filename(*state, "@networks", NULL);

    scratch_remove(base);
    assert_int_equal(mkdir(base, 0700), 0);
    rn_network_entry_remove(entry);
    assert_int_equal(rmdir(base), 0);
    assert_nothing_left(*state);
}

static void namespace_has_one_network(void **state)
{
    RnNetworkEntry *web = make_entry(*state, "hook@web");
    RnNetworkEntry *other = make_entry(*state, "ns@4-5");
    g_autofree char *key = NULL;
    g_autoptr(GError) error = NULL;

    assert_true(rn_network_entry_claim(web, 4, 5, &error));
    assert_false(rn_network_entry_claim(other, 4, 5, &error));
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS, "\"hook@web\"");
    g_clear_error(&error);
    assert_true(rn_network_entry_claim(other, 4, 51, &error));
    key = rn_network_find(*state, 4, 5, &error);
    assert_string_equal(key, "hook@web");
    rn_network_entry_remove(web);
    g_free(key);
    key = rn_network_find(*state, 4, 51, &error);
    assert_string_equal(key, "ns@4-5");
    rn_network_entry_remove(other);
    assert_nothing_left(*state);
}

static int copy(int fd)
{
    int result = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    assert_true(result >= 0);
    return result;
}

/* The listener is the first fd that it loses; the lock goes when somebody
 * looks: then the directory of the entries is locked. */
static G_NORETURN void lose_fds(RnNetworkEntry *entry, int ready)
{
    g_autofree char *path =
        g_strdup_printf("/proc/self/fd/%d", rn_network_entry_base(entry));
    int base = open(path, O_RDONLY | O_DIRECTORY);

    (void)close(rn_network_entry_control(entry));
    (void)!write(ready, "", 1);
    while (flock(base, LOCK_EX | LOCK_NB) == 0) {
        (void)flock(base, LOCK_UN);
        (void)sched_yield();
    }
    _exit(EXIT_SUCCESS);
}

static void keeper_that_is_being_killed_is_waited_for(void **state)
{
    RnNetworkEntry *entry = make_entry(*state, "hook@web");
    g_autoptr(GError) error = NULL;
    int ready[2] = { -1, -1 };
    char byte = 0;
    pid_t pid = -1;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        lose_fds(entry, ready[1]);
    rn_network_entry_release(entry);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_false(rn_network_detach(*state, "hook@web", &error));
    assert_error(error, RN_ERROR, RN_ERROR_NOT_FOUND, "hook@web");
    assert_nothing_left(*state);
    assert_true(rn_process_reap(pid, NULL, NULL));
    rn_fd_close(&ready[0]);
    rn_fd_close(&ready[1]);
}

static void handed_over_entry_is_kept_and_removed(void **state)
{
    RnNetworkEntry *entry = make_entry(*state, "hook@web");
    RnNetworkEntry *adopted =
        rn_network_entry_adopt("hook@web", copy(rn_network_entry_base(entry)),
                               copy(rn_network_entry_lock(entry)),
                               copy(rn_network_entry_control(entry)));

    rn_network_entry_release(entry);
    assert_int_equal(count(*state), 1);
    rn_network_entry_remove(adopted);
    assert_nothing_left(*state);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, make_state_dir, remove_state_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_is_a_file_name),
        TEST(entry_is_its_keepers_alone),
        TEST(missing_network_leaves_no_trace),
        TEST(stale_entry_is_removed_by_whoever_comes),
        TEST(stale_claim_is_not_in_the_way),
        TEST(late_removal_leaves_others_alone),
        TEST(namespace_has_one_network),
        TEST(keeper_that_is_being_killed_is_waited_for),
        TEST(handed_over_entry_is_kept_and_removed),
    };

    return cmocka_run_group_tests_name("network-entry", tests, NULL, NULL);
}
