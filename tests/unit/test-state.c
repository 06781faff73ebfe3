/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-state - entries: names, locks, takeover of stale ones, removal
 */
#include "config.h"

#include <unit.h>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include <rnet/oci/state.h>
#include <rnet/util/fd.h>

typedef struct Fixture {
    char *path;
    int base_fd;
} Fixture;

static int make_base(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    g_autofree char *parent = g_strdup("/tmp/rnet-test-state.XXXXXX");

    *state = fixture;
    fixture->base_fd = -1;
    if (g_mkdtemp(parent) == NULL)
        return -1;
    fixture->path = g_build_filename(parent, "rnet", NULL);
    return rn_state_open_base(fixture->path, &fixture->base_fd, NULL) ? 0 : -1;
}

/* Fails if a test left an entry behind. */
static int remove_base(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *path = fixture->path;
    g_autofree char *parent = g_path_get_dirname(path);

    rn_fd_close(&fixture->base_fd);
    g_free(fixture);
    return rmdir(path) == 0 && rmdir(parent) == 0 ? 0 : -1;
}

static void id_outside_the_rules_is_refused(void **state)
{
    g_autofree char *too_long = g_strnfill(256, 'a');
    const char *const bad[] = { "",    ".",   "..",       "a/b",   "../x",
                                "a b", "a\n", "\xc3\xa4", too_long };
    const char *const good[] = { "web", "a.b-c_d+e", "...", "0" };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(rn_id_check(bad[i], &error));
        assert_error(error, RN_ERROR, RN_ERROR_INVALID, "container name");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(rn_id_check(good[i], NULL));
}

static void base_that_others_can_enter_is_refused(void **state)
{
    Fixture *fixture = *state;
    int fd = -1;
    g_autoptr(GError) error = NULL;

    assert_int_equal(chmod(fixture->path, 0755), 0);
    assert_false(rn_state_open_base(fixture->path, &fd, &error));
    assert_error(error, RN_ERROR, RN_ERROR_STATE, "0755");
}

static void name_of_a_living_container_is_taken(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnEntry) first = NULL;
    g_autoptr(RnEntry) second = NULL;
    g_autoptr(GError) error = NULL;

    first = rn_entry_new(fixture->base_fd, "web", &error);
    assert_no_error(error);
    second = rn_entry_new(fixture->base_fd, "web", &error);
    assert_null(second);
    assert_error(error, RN_ERROR, RN_ERROR_EXISTS, "web");
}

static void stale_entry_is_taken_over(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnEntry) entry = NULL;
    g_autoptr(GError) error = NULL;
    rn_autofd int old_state = -1;

    assert_int_equal(mkdirat(fixture->base_fd, "web", 0700), 0);
    old_state = openat(fixture->base_fd, "web/state.json",
                       O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(old_state >= 0);
    entry = rn_entry_new(fixture->base_fd, "web", &error);
    assert_no_error(error);
    assert_int_not_equal(faccessat(fixture->base_fd, "web/state.json", F_OK, 0),
                         0);
}

static void symlink_in_place_of_an_entry_is_refused(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnEntry) entry = NULL;
    g_autoptr(GError) error = NULL;

    assert_int_equal(symlinkat("/tmp", fixture->base_fd, "web"), 0);
    entry = rn_entry_new(fixture->base_fd, "web", &error);
    assert_null(entry);
    assert_non_null(error);
    assert_int_equal(unlinkat(fixture->base_fd, "web", 0), 0);
}

static void state_is_what_the_specification_has(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnEntry) entry = rn_entry_new(fixture->base_fd, "web", NULL);
    RnState written = {
        .oci_version = "1.0.2",
        .id = "web",
        .status = RN_STATUS_CREATED,
        .pid = 4711,
        .bundle = "/srv/\"web\"",
    };
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    static const char *const parts[] = {
        "\"ociVersion\": \"1.0.2\"",        "\"id\": \"web\"",
        "\"status\": \"created\"",          "\"pid\": 4711",
        "\"bundle\": \"/srv/\\\"web\\\"\"",
    };

    assert_non_null(entry);
    assert_true(rn_entry_write(entry, &written, &error));
    assert_true(rn_file_read(fixture->base_fd, "web/state.json", 4096, &text,
                             NULL, &error));
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_non_null(strstr(text, parts[i]));
}

static void state_of_a_bundle_whose_path_is_no_text_is_utf8(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(RnEntry) entry = rn_entry_new(fixture->base_fd, "web", NULL);
    RnState written = {
        .oci_version = "1.0.2",
        .id = "web",
        .status = RN_STATUS_CREATING,
        .bundle = "/srv/\xff",
    };
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    assert_non_null(entry);
    assert_true(rn_entry_write(entry, &written, &error));
    assert_true(rn_file_read(fixture->base_fd, "web/state.json", 4096, &text,
                             NULL, &error));
    assert_true(g_utf8_validate(text, -1, NULL));
    assert_non_null(strstr(text, "\"/srv/\xef\xbf\xbd\""));
    assert_null(strstr(text, "\"pid\""));
}

/* As the guard does: another copy of the lock, such as a helper's that was just
 * forked, must not keep it from removing the entry. */
static void
adopted_entry_is_removed_while_a_copy_of_the_lock_is_held(void **state)
{
    Fixture *fixture = *state;
    RnEntry *entry = rn_entry_new(fixture->base_fd, "web", NULL);
    rn_autofd int helpers = -1;
    int guards = -1;
    RnEntry *adopted = NULL;
    g_autofree char *path = g_build_filename(fixture->path, "web", NULL);

    assert_non_null(entry);
    helpers = dup(rn_entry_lock(entry));
    guards = dup(rn_entry_lock(entry));
    adopted = rn_entry_adopt(fixture->base_fd, "web", guards);
    assert_non_null(adopted);
    rn_entry_remove(adopted);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    rn_entry_remove(entry); /* nothing is left to remove, but the memory */
}

static void entry_that_has_another_owner_is_not_adopted(void **state)
{
    Fixture *fixture = *state;
    RnEntry *entry = rn_entry_new(fixture->base_fd, "web", NULL);
    g_autoptr(RnEntry) next = NULL;
    int guards = -1;

    assert_non_null(entry);
    guards = dup(rn_entry_lock(entry));
    rn_entry_remove(entry);
    next = rn_entry_new(fixture->base_fd, "web", NULL);
    assert_non_null(next);
    assert_null(rn_entry_adopt(fixture->base_fd, "web", guards));
}

#define with_base(test)                                                        \
    cmocka_unit_test_setup_teardown(test, make_base, remove_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_outside_the_rules_is_refused),
        with_base(base_that_others_can_enter_is_refused),
        with_base(name_of_a_living_container_is_taken),
        with_base(stale_entry_is_taken_over),
        with_base(adopted_entry_is_removed_while_a_copy_of_the_lock_is_held),
        with_base(entry_that_has_another_owner_is_not_adopted),
        with_base(symlink_in_place_of_an_entry_is_refused),
        with_base(state_is_what_the_specification_has),
        with_base(state_of_a_bundle_whose_path_is_no_text_is_utf8),
    };

    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
